"""Signing in and the profile. allauth asks for some names without a namespace."""

from django.urls import include, path, re_path

from . import password_views, views

pages = [
    path("logg-inn/demo/", views.demo_entry, name="demo_entry"),
    path("logg-inn/kode/", views.second_factor, name="second_factor"),
    path("logg-inn/ny-kode/", views.second_factor_setup, name="second_factor_setup"),
    path("profil/", views.profile, name="profile"),
    path("profil/passord/", password_views.change_password, name="change_password"),
    path("profil/enheter/<int:session_id>/logg-ut/", views.end_session, name="end_session"),
    path("profil/reservekoder/", views.new_backup_codes, name="new_backup_codes"),
    path("sprak/", views.language, name="language"),
]

urlpatterns = [
    path("logg-inn/", views.sign_in, name="account_login"),
    path("logg-ut/", views.sign_out, name="account_logout"),
    path("glemt-passord/", password_views.password_forgotten, name="account_reset_password"),
    path("glemt-passord/sendt/", password_views.password_link_sent, name="account_reset_password_done"),
    re_path(
        r"^nytt-passord/(?P<uidb36>[0-9a-z]{1,13})-(?P<key>[0-9A-Za-z-]{1,80})/$",
        password_views.password_by_link,
        name="account_reset_password_from_key",
    ),
    path("", include((pages, "accounts"))),
]
