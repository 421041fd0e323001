"""Changing the unit one works in."""

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from .doors import StaffRequest, staff_required
from .middleware import UNIT_KEY


@require_POST
@staff_required
def switch_unit(request: StaffRequest) -> HttpResponse:
    chosen = request.POST.get("unit", "")
    if not any(str(unit.uid) == chosen for unit in request.staff.units):
        raise Http404
    request.session[UNIT_KEY] = chosen
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = resolve_url(settings.LOGIN_REDIRECT_URL)
    return HttpResponseRedirect(back)
