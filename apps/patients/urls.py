from django.urls import path

from . import views

app_name = "patients"
urlpatterns = [
    path("pasienter/", views.search, name="search"),
    path("pasienter/ny/", views.new_patient, name="new_patient"),
    path("pasienter/<uuid:uid>/", views.patient, name="patient"),
    path("pasienter/<uuid:uid>/apne/", views.join_care, name="join_care"),
    path("pasienter/<uuid:uid>/endre/", views.edit_contact, name="edit_contact"),
    path("pasienter/<uuid:uid>/parorende/", views.add_next_of_kin, name="add_next_of_kin"),
    path("pasienter/<uuid:uid>/parorende/<int:kin_id>/fjern/", views.remove_next_of_kin, name="remove_next_of_kin"),
    path("pasienter/<uuid:uid>/innsyn/", views.access_log, name="access_log"),
]
