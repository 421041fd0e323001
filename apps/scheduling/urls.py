from django.urls import path

from .views import absences, answers, appointment, booking, calendar, of_colleague, of_patient, openings, today

app_name = "scheduling"
urlpatterns = [
    path("i-dag/", today.today, name="today"),
    path("i-dag/neste/", today.next_up, name="next_up"),
    path("i-dag/tjenester/", today.tiles, name="tiles"),
    path("bestill/", booking.booking_start, name="booking_start"),
    path("bestill/<uuid:draft>/", booking.booking, name="booking"),
    path("bestill/<uuid:draft>/lagre/", booking.keep, name="keep_draft"),
    path("bestill/<uuid:draft>/bilder/", booking.draft_photos, name="draft_photos"),
    path("bestill/<uuid:draft>/forkast/", booking.discard, name="discard_draft"),
    path("kalender/", calendar.calendar, name="calendar"),
    path("kalender/hendelser.json", calendar.calendar_events, name="calendar_events"),
    path("kalender/fravaer/", absences.absences, name="absences"),
    path("kalender/fravaer/<int:absence>/fjern/", absences.remove, name="remove_absence"),
    path("kalender/apningstider/", openings.openings, name="openings"),
    path("kalender/apningstider/<int:opening>/avslutt/", openings.close, name="close_opening"),
    path("timer/<str:reference>/", appointment.appointment, name="appointment"),
    path("timer/<str:reference>/bestilt/", booking.booked, name="booked"),
    path("timer/<str:reference>/skjema/", answers.form, name="form"),
    path("timer/<str:reference>/skjema/bilder/", answers.photos, name="form_photos"),
    path("timer/<str:reference>/flytt/", appointment.move, name="move"),
    path("timer/<str:reference>/avlys/", appointment.cancel, name="cancel"),
    path("timer/<str:reference>/utfall/", appointment.mark, name="mark"),
    path("timer/<str:reference>/gjester/", appointment.add_guest, name="add_guest"),
    path("timer/<str:reference>/gjester/<uuid:uid>/fjern/", appointment.remove_guest, name="remove_guest"),
    path("pasienter/<uuid:uid>/timer/", of_patient.appointments_of, name="appointments_of"),
    path("tilganger/<int:membership>/timer/", of_colleague.appointments_with, name="appointments_with"),
    path("bilder/<uuid:uid>/", appointment.photo, name="photo"),
    path("bilder/<uuid:uid>/liten/", appointment.photo_thumbnail, name="photo_thumbnail"),
]
