from django.urls import path

from . import views

app_name = "registration"
urlpatterns = [
    path("dips/", views.worklist, name="worklist"),
    path("dips/venter/", views.waiting, name="waiting"),
    path("dips/neste/", views.open_next, name="next"),
    path("dips/mangler/", views.missing, name="missing"),
    path("dips/<uuid:uid>/", views.detail, name="detail"),
    path("dips/<uuid:uid>/registrer/", views.mark_registered, name="mark_registered"),
    path("dips/<uuid:uid>/dips-id/", views.write_back, name="write_back"),
    path("dips/<uuid:uid>/registreres-ikke/", views.mark_not_needed, name="mark_not_needed"),
    path("dips/<uuid:uid>/angre/", views.undo, name="undo"),
    path("dips/<uuid:uid>/ark/", views.sheet, name="sheet"),
    path("dips/<uuid:uid>/ark.pdf", views.sheet_pdf, name="sheet_pdf"),
]
