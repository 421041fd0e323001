"""Signing in and the profile. allauth asks for two names without a namespace."""

from django.urls import include, path

from . import views

pages = [
    path("logg-inn/demo/", views.demo_entry, name="demo_entry"),
    path("logg-inn/kode/", views.second_factor, name="second_factor"),
    path("logg-inn/ny-kode/", views.second_factor_setup, name="second_factor_setup"),
    path("profil/", views.profile, name="profile"),
    path("profil/enheter/<int:session_id>/logg-ut/", views.end_session, name="end_session"),
    path("profil/reservekoder/", views.new_backup_codes, name="new_backup_codes"),
    path("sprak/", views.language, name="language"),
]

urlpatterns = [
    path("logg-inn/", views.sign_in, name="account_login"),
    path("logg-ut/", views.sign_out, name="account_logout"),
    path("", include((pages, "accounts"))),
]
