from django.urls import path

from . import views

app_name = "organisations"
urlpatterns = [
    path("enhet/", views.switch_unit, name="switch_unit"),
    path("tilganger/", views.people, name="people"),
    path("tilganger/ny/", views.give_access, name="give_access"),
    path("tilganger/<int:membership>/avslutt/", views.end_access, name="end_access"),
    path("tilganger/<int:membership>/invitasjon/", views.invite_again, name="invite_again"),
]
