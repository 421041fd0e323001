"""Changing the unit one works in, and who has access to what."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.common.errors import DomainError
from apps.common.htmx import is_htmx
from apps.common.plain_text import is_plain

from . import services
from .doors import StaffRequest, staff_required
from .forms import AccessForm
from .middleware import UNIT_KEY
from .models import MAY_GIVE, MAY_SEE_ACCESS, Membership
from .queries import accesses, actor_of, units_managed, units_overseen

PAGE: Final = 100


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


@require_GET
@staff_required(roles=MAY_SEE_ACCESS)
def people(request: StaffRequest) -> HttpResponse:
    """Show who has access to what, and since when somebody has not been here."""
    chosen, text = _uid(request.GET.get("unit", "")), request.GET.get("search", "")[:60]
    if not is_plain(text):
        text = ""
    found = accesses(request.staff, today=timezone.localdate(), unit_uid=chosen, text=text)
    context = {
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "units": list(units_overseen(request.staff)),
        "managed": set(units_managed(request.staff)),
        "chosen": chosen,
        "text": text,
    }
    return render(request, "organisations/_people.html" if is_htmx(request) else "organisations/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(roles=MAY_GIVE)
def give_access(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    typed = request.POST if request.method == "POST" else None
    form = AccessForm(typed, staff=request.staff, today=timezone.localdate(now), initial={"unit": request.unit.uid})
    if form.is_valid():
        try:
            given = services.give_access(by=request.staff, actor=actor_of(request), now=now, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            said = (
                _("%(name)s has access. An invitation is on its way by e-mail.")
                if given.mailed
                else _("%(name)s has access, and signs in as before.")
            )
            messages.success(request, said % {"name": given.user.name})
            return redirect("organisations:people")
    return render(request, "organisations/give_access.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(roles=MAY_GIVE)
def end_access(request: StaffRequest, membership: int) -> HttpResponse:
    """Ask once, since it takes effect at once."""
    found, today = _find(request, membership), timezone.localdate()
    if request.method == "POST":
        try:
            services.end_access(membership=found, by=request.staff, actor=actor_of(request), today=today)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("%(name)s no longer has this access.") % {"name": found.user.name})
        return redirect("organisations:people")
    return render(request, "organisations/end_access.html", {"access": found})


@require_POST
@staff_required(roles=MAY_GIVE)
def invite_again(request: StaffRequest, membership: int) -> HttpResponse:
    found = _find(request, membership)
    try:
        mailed = services.invite_again(membership=found, by=request.staff, actor=actor_of(request), now=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        said = (
            _("A new invitation is on its way to %(name)s.") if mailed else _("%(name)s has chosen a password already.")
        )
        messages.success(request, said % {"name": found.user.name})
    return redirect("organisations:people")


def _find(request: StaffRequest, membership: int) -> Membership:
    found = accesses(request.staff, today=timezone.localdate()).filter(pk=membership).first()
    if found is None:
        raise Http404
    return found


def _uid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
