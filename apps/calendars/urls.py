from django.urls import path

from . import views

app_name = "calendars"

urlpatterns = [
    path("feeds/<str:code>.ics", views.feed, name="feed"),
    path("kalender/abonnement/", views.subscription, name="subscription"),
]
