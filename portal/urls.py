"""Every address. Staff pages in Norwegian words, links for patients short."""

from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView

from portal.api import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("", RedirectView.as_view(pattern_name="scheduling:today", permanent=False), name="home"),
    path("", include("apps.scheduling.urls")),  # these are tried in order, and most requests are for one of the first
    path("", include("apps.rooms.urls")),
    path("", include("apps.common.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.organisations.urls")),
    path("", include("apps.patients.urls")),
    path("", include("apps.calendars.urls")),
    path("", include("apps.registration.urls")),
    path("", include("apps.messaging.urls")),
    path("", include("apps.notices.urls")),
]

if settings.DEMO:
    urlpatterns += [path("demo/", include("apps.messaging.demo_urls"))]

handler400 = "apps.common.views.bad_request"
handler403 = "apps.common.views.forbidden"
handler404 = "apps.common.views.not_found"
handler500 = "apps.common.views.server_error"
