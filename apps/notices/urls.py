from django.urls import path

from . import views

app_name = "notices"

urlpatterns = [
    path("j/<str:code>/videotime.ics", views.calendar_entry, name="calendar_entry"),
    path("j/<str:code>/ny/", views.new_link, name="new_link"),
    path("meldinger/", views.unit_messages, name="messages"),
    path("bestill/<uuid:draft>/meldinger/", views.preview, name="preview"),
    path("timer/<str:reference>/meldinger/", views.timeline, name="timeline"),
    path("timer/<str:reference>/meldinger/<uuid:participant>/send/", views.send_again, name="send_again"),
    path("timer/<str:reference>/meldinger/<uuid:participant>/lenke/", views.take_back, name="take_back"),
]
