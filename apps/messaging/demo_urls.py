"""Under /demo/, and only there in the demo (portal/urls.py)."""

from django.urls import path

from .views import demo

app_name = "demo"

urlpatterns = [
    path("inbox/", demo.inbox, name="inbox"),
    path("inbox.json", demo.inbox_json, name="inbox_json"),
    path("inbox/<uuid:reference>.ics", demo.attachment, name="inbox_attachment"),
]
