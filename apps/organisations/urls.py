from django.urls import path

from . import views

app_name = "organisations"
urlpatterns = [path("enhet/", views.switch_unit, name="switch_unit")]
