"""The DIPS list: find the session, copy its codes, mark it registered, go to the next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from apps.audit.models import Action
from apps.catalogue.families import FAMILIES, Family
from apps.common.errors import DomainError
from apps.common.htmx import hx_redirect, is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_REGISTER
from apps.organisations.queries import actor_of
from apps.scheduling.models import ParticipantRole
from apps.scheduling.services import note_access, note_readings

from . import paper, queries, services
from .forms import Filters, NotNeededForm, RegisterForm, VersionForm
from .models import Registration, RegistrationQuerySet, RegistrationState
from .queries import Party
from .sheet import Row, shown

PER_PAGE = 20


@dataclass(frozen=True)
class Entry:
    """A registration as the list and the drawer show it."""

    registration: Registration
    rows: list[Row]
    parties: list[Party]
    family: Family | None
    undoable: bool

    @property
    def performer(self) -> str:
        return next((party.name for party in self.parties if party.role == ParticipantRole.PERFORMER), "")

    @property
    def contact_type(self) -> Row | None:
        return next((row for row in self.rows if row.field == "contact_type"), None)


def _entry(registration: Registration, now: datetime) -> Entry:
    return Entry(
        registration=registration,
        rows=shown(registration.sheet),
        parties=queries.parties(registration.appointment),
        family=FAMILIES.get(registration.appointment.service_type.scenario.family),
        undoable=registration.undoable(now),
    )


def _find(request: StaffRequest, uid: UUID, now: datetime) -> Registration:
    """Find a registration through the door, with what its drawer shows."""
    registration = queries.visible_registration(request.user, uid, now=now)
    if registration is None:
        raise Http404
    return registration


def _audit(request: StaffRequest, registration: Registration, action: Action, what: str) -> None:
    note_access(registration.appointment, action, actor=actor_of(request), what=what)


# The list ------------------------------------------------------------------------------------------------------------
@require_safe
@staff_required(roles=MAY_REGISTER)
def worklist(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    units = queries.units_to_register_for(request.user, now=now)
    filters = Filters(request.GET, units=units)
    within = filters.within(_hers(request, now), now)
    page = Paginator(filters.in_view(within).with_names(), PER_PAGE).get_page(request.GET.get("page"))
    note_readings((one.appointment for one in page), actor=actor_of(request), what="dips-list")
    context = {
        "filters": filters,
        "counts": queries.counts(within),
        "page": page,
        "entries": [_entry(registration, now) for registration in page],
        "now": now,
        "one_unit": len(units) == 1,
        "fragment": is_htmx(request),
    }
    template = "registration/_list.html" if is_htmx(request) else "registration/worklist.html"
    return render(request, template, context)


def _hers(request: StaffRequest, now: datetime) -> RegistrationQuerySet:
    return Registration.objects.visible_to(request.user, now=now).exclude(state=RegistrationState.NOT_HELD)


def _list_behind(request: StaffRequest, now: datetime) -> dict[str, Any]:
    """Return the counts of the list that is open in the browser, as they are now; its filters stand in its address."""
    try:
        address = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return {}
    if address.path != reverse("registration:worklist"):
        return {}
    filters = Filters(QueryDict(address.query), units=queries.units_to_register_for(request.user, now=now))
    return {"filters": filters, "counts": queries.counts(filters.within(_hers(request, now), now))}


@require_safe
@staff_required(roles=MAY_REGISTER)
def missing(request: StaffRequest) -> HttpResponse:
    """What is not registered yet, by unit, the longest waiting first: the coordinator's view."""
    now = timezone.now()
    backlog = queries.backlog(request.user, now=now)
    return render(request, "registration/missing.html", {"backlog": backlog, "now": now})


@require_safe
@staff_required(roles=MAY_REGISTER)
def waiting(request: StaffRequest) -> HttpResponse:
    """Say on the day's page how many wait. Without script the page has a plain link there."""
    if not is_htmx(request):
        return redirect("registration:worklist")
    count = queries.awaiting(request.user, now=timezone.now())
    return render(request, "registration/_waiting.html", {"count": count})


# One session ---------------------------------------------------------------------------------------------------------
@require_GET
@staff_required(roles=MAY_REGISTER)
def open_next(request: StaffRequest) -> HttpResponse:
    """Open the session that has waited longest."""
    now = timezone.now()
    registration = queries.next_awaiting(request.user, now=now)
    if registration is None:
        messages.success(request, _("Everything is registered."))
        return hx_redirect(request, "registration:worklist")
    if not is_htmx(request):
        return redirect("registration:detail", registration.uid)
    return _drawer(request, _find(request, registration.uid, now), now)


@require_safe
@staff_required(roles=MAY_REGISTER)
def detail(request: StaffRequest, uid: UUID) -> HttpResponse:
    now = timezone.now()
    return _drawer(request, _find(request, uid, now), now)


def _drawer(
    request: StaffRequest,
    registration: Registration,
    now: datetime,
    *,
    form: RegisterForm | None = None,
    not_needed: NotNeededForm | None = None,
    refusal: DomainError | None = None,
    settled: Registration | None = None,
    body_only: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Show one session: as a dialog over the list, or as a page of its own where there is no script."""
    _audit(request, registration, Action.READ, "dips-registration")
    following = queries.next_awaiting(request.user, now=now, after=registration)
    start = {"version": registration.version, "dips_contact_id": registration.dips_contact_id}
    context = {
        "entry": _entry(registration, now),
        "form": form or RegisterForm(initial=start),
        "not_needed": not_needed or NotNeededForm(initial=start),
        "refusal": refusal,
        "following": following,
        "settled": _entry(settled, now) if settled else None,
        "now": now,
    }
    if settled is not None:
        context |= _list_behind(request, now)
    template = "registration/detail.html"
    if is_htmx(request):
        template = "registration/_drawer_body.html" if body_only else "registration/_drawer.html"
    return render(request, template, context, status=status)


# What a clerk does ---------------------------------------------------------------------------------------------------
@require_POST
@staff_required(roles=MAY_REGISTER)
def mark_registered(request: StaffRequest, uid: UUID) -> HttpResponse:
    """From a row: the row swaps itself. From the drawer: the next session opens in it."""
    now = timezone.now()
    registration = _find(request, uid, now)
    form = RegisterForm(request.POST)
    from_row = "row" in request.POST
    if not form.is_valid():
        return _refused(request, registration, now, form=form, from_row=from_row, status=422)
    try:
        services.mark_registered(
            registration=registration,
            version=form.cleaned_data["version"],
            dips_contact_id=form.cleaned_data["dips_contact_id"],
            actor=actor_of(request),
            now=now,
        )
    except DomainError as refusal:
        return _refused(request, registration, now, form=form, refusal=refusal, from_row=from_row)
    return _settled(request, registration, now, from_row=from_row)


@require_POST
@staff_required(roles=MAY_REGISTER)
def write_back(request: StaffRequest, uid: UUID) -> HttpResponse:
    """Add DIPS's contact id to a session that was registered without it."""
    now = timezone.now()
    registration = _find(request, uid, now)
    form = RegisterForm(request.POST)
    if not form.is_valid():
        return _refused(request, registration, now, form=form, status=422)
    try:
        services.write_back_contact_id(
            registration=registration,
            version=form.cleaned_data["version"],
            dips_contact_id=form.cleaned_data["dips_contact_id"],
            actor=actor_of(request),
        )
    except DomainError as refusal:
        return _refused(request, registration, now, form=form, refusal=refusal)
    if not is_htmx(request):
        messages.success(request, _("The DIPS contact id is saved."))
        return redirect("registration:detail", registration.uid)
    current = _find(request, uid, now)
    return _drawer(request, current, now, settled=current, body_only=True)


@require_POST
@staff_required(roles=MAY_REGISTER)
def mark_not_needed(request: StaffRequest, uid: UUID) -> HttpResponse:
    now = timezone.now()
    registration = _find(request, uid, now)
    form = NotNeededForm(request.POST)
    if not form.is_valid():
        return _refused(request, registration, now, not_needed=form, status=422)
    try:
        services.mark_not_needed(
            registration=registration,
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            now=now,
        )
    except DomainError as refusal:
        return _refused(request, registration, now, not_needed=form, refusal=refusal)
    return _settled(request, registration, now)


@require_POST
@staff_required(roles=MAY_REGISTER)
def undo(request: StaffRequest, uid: UUID) -> HttpResponse:
    now = timezone.now()
    registration = _find(request, uid, now)
    from_row = "row" in request.POST
    form = VersionForm(request.POST)
    if not form.is_valid():
        return _refused(request, registration, now, from_row=from_row, status=422)
    try:
        services.undo(registration=registration, version=form.cleaned_data["version"], actor=actor_of(request), now=now)
    except DomainError as refusal:
        return _refused(request, registration, now, refusal=refusal, from_row=from_row)
    if not is_htmx(request):
        messages.success(request, _("The session is on the list again."))
        return redirect("registration:worklist")
    current = _find(request, uid, now)
    if from_row:
        return _row(request, current, now)
    return _drawer(request, current, now, settled=current, body_only=True)


def _settled(
    request: StaffRequest, registration: Registration, now: datetime, *, from_row: bool = False
) -> HttpResponse:
    """Answer a session that has just been settled: its row, or the next session."""
    current = _find(request, registration.uid, now)
    if from_row and is_htmx(request):
        return _row(request, current, now)
    following = queries.next_awaiting(request.user, now=now, after=current)
    if not is_htmx(request):
        messages.success(request, _("%(reference)s is done.") % {"reference": current.appointment.reference})
        if from_row or following is None:
            return redirect("registration:worklist")
        return redirect("registration:detail", following.uid)
    if following is None:
        context = {"settled": _entry(current, now), "now": now, **_list_behind(request, now)}
        return render(request, "registration/_all_done.html", context)
    return _drawer(request, _find(request, following.uid, now), now, settled=current, body_only=True)


def _refused(
    request: StaffRequest,
    registration: Registration,
    now: datetime,
    *,
    form: RegisterForm | None = None,
    not_needed: NotNeededForm | None = None,
    refusal: DomainError | None = None,
    from_row: bool = False,
    status: int = 409,
) -> HttpResponse:
    """Show how the session stands now and why it was refused, with what was typed."""
    current = _find(request, registration.uid, now)
    bound = form or not_needed
    if bound is not None and refusal is not None and refusal.field in bound.fields:
        bound.add_error(refusal.field, str(refusal))
        refusal = None
    if from_row and is_htmx(request):
        return _row(request, current, now, refusal=refusal, status=status)
    return _drawer(
        request,
        current,
        now,
        form=form,
        not_needed=not_needed,
        refusal=refusal,
        settled=current if is_htmx(request) else None,
        body_only=True,
        status=status,
    )


def _row(
    request: StaffRequest,
    registration: Registration,
    now: datetime,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    _audit(request, registration, Action.READ, "dips-list")
    context = {"entry": _entry(registration, now), "refusal": refusal, "now": now, "focus": True}
    return render(request, "registration/_row_answer.html", context | _list_behind(request, now), status=status)


# On paper ------------------------------------------------------------------------------------------------------------
@require_safe
@staff_required(roles=MAY_REGISTER)
def sheet(request: StaffRequest, uid: UUID) -> HttpResponse:
    """The sheet as a page, to print from the browser."""
    now = timezone.now()
    registration = _find(request, uid, now)
    _audit(request, registration, Action.READ, "dips-sheet")
    return render(request, "registration/sheet.html", paper.sheet_context(registration, now=now))


@require_safe
@staff_required(roles=MAY_REGISTER)
def sheet_pdf(request: StaffRequest, uid: UUID) -> HttpResponse:
    now = timezone.now()
    registration = _find(request, uid, now)
    _audit(request, registration, Action.EXPORT, "dips-sheet")
    try:
        drawn = paper.sheet_pdf(registration, now=now)
    except paper.CannotDraw:
        return redirect("registration:sheet", uid)  # the same sheet, to print from the browser
    response = HttpResponse(drawn, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{registration.appointment.reference}.pdf"'
    return response
