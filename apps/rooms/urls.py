from django.urls import path

from .views import guest, host, join

app_name = "rooms"

urlpatterns = [
    path("j/<str:code>/", join.join, name="join"),
    path("j/<str:code>/inn/", join.identify, name="identify"),
    path("j/<str:code>/kode/", join.send_code, name="send_code"),
    path("mote/<uuid:uid>/", guest.guest, name="guest"),
    path("mote/<uuid:uid>/kamera/", guest.camera, name="camera"),
    path("mote/<uuid:uid>/venterom/", guest.waiting, name="waiting"),
    path("mote/<uuid:uid>/tilstand/", guest.guest_state, name="guest_state"),
    path("mote/<uuid:uid>/billett/", guest.guest_ticket, name="guest_ticket"),
    path("mote/<uuid:uid>/rom/", guest.room_guest, name="room_guest"),
    path("mote/<uuid:uid>/forlat/", guest.guest_left, name="guest_left"),
    path("mote/<uuid:uid>/flytt/", guest.patient_move, name="patient_move"),
    path("mote/<uuid:uid>/avlys/", guest.patient_cancel, name="patient_cancel"),
    path("rom/<str:reference>/", host.host, name="host"),
    path("rom/<str:reference>/billett/", host.host_ticket, name="host_ticket"),
    path("rom/<str:reference>/hvem/", host.who_waits, name="who_waits"),
]
