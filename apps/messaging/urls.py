from django.urls import path

from .views import receipts

app_name = "messaging"

urlpatterns = [
    path("hooks/kannel/<str:secret>/", receipts.kannel_receipt, name="kannel_receipt"),
]
