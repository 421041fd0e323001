"""Finding patients, the patient card, and who has looked at it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.models import Action
from apps.audit.queries import accesses_to
from apps.audit.services import record_access
from apps.common.errors import DomainError
from apps.common.htmx import is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK, MAY_SEE_PATIENTS
from apps.organisations.queries import actor_of

from . import queries, services
from .forms import ContactForm, NewPatientForm, NextOfKinForm, SearchForm, add_refusal
from .models import NextOfKin, Patient

CARD_LOG = 5
LOG_PAGE = 50


@require_http_methods(["GET", "POST"])
@staff_required(roles=MAY_SEE_PATIENTS)
def search(request: StaffRequest) -> HttpResponse:
    """Find patients: the unit's own, or for a reason the organisation's. Typed text is posted, never in an address.

    For htmx the answer is the list alone; with `choose` its rows are radio buttons named `patient`.
    """
    context: dict[str, Any] = {"unit": request.unit, "choose": "choose" in request.POST}
    form = SearchForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        context |= form.cleaned_data
        if form.cleaned_data["wide"]:
            try:
                context["hits"] = services.search_widely(
                    unit=request.unit,
                    text=form.cleaned_data["q"],
                    reason=form.cleaned_data["reason"],
                    actor=actor_of(request),
                )
            except DomainError as refusal:
                add_refusal(form, refusal)
        else:
            context["hits"] = services.search(
                user=request.user, unit=request.unit, text=form.cleaned_data["q"], actor=actor_of(request)
            )
    elif form.is_bound:
        context |= {name: form[name].value() for name in form.fields}
    template = "patients/_hits.html" if is_htmx(request) else "patients/search.html"
    return render(request, template, {**context, "form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff_required(roles=MAY_BOOK)
def new_patient(request: StaffRequest) -> HttpResponse:
    form, now = NewPatientForm(request.POST or None), timezone.now()
    if request.method == "POST" and form.is_valid():
        try:
            patient = services.register_patient(
                organisation=request.unit.organisation,
                unit=request.unit,
                actor=actor_of(request),
                now=now,
                **form.cleaned_data,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            if patient.known_before(now):
                messages.warning(request, _("The patient is registered already. What was known is as it was."))
            return redirect("patients:patient", patient.uid)
    return render(request, "patients/new_patient.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@staff_required(roles=MAY_SEE_PATIENTS)
def patient(request: StaffRequest, uid: UUID) -> HttpResponse:
    found = _find(request, uid)
    _note(request, found, Action.READ)
    return render(request, "patients/patient.html", _card(found))


@require_POST
@staff_required(roles=MAY_SEE_PATIENTS)
def join_care(request: StaffRequest, uid: UUID) -> HttpResponse:
    """Open the record of another unit's patient, for the reason given with the search."""
    found = get_object_or_404(Patient, organisation=request.unit.organisation_id, uid=uid)
    try:
        services.join_care(
            patient=found,
            unit=request.unit,
            reason=request.POST.get("reason", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("patients:search")
    return redirect("patients:patient", found.uid)


@require_http_methods(["GET", "POST"])
@staff_required(roles=MAY_BOOK)
def edit_contact(request: StaffRequest, uid: UUID) -> HttpResponse:
    found = _find(request, uid)
    initial = {name: getattr(found, name) for name in services.CONTACT} | {"address": found.address_shown}
    form = ContactForm(request.POST if request.method == "POST" else None, initial=initial)
    if hidden := bool(found.address) and not found.address_shown:
        form.fields["address"].help_text = _("Protected: the address is not shown. Write one to replace it.")
    _note(request, found, Action.READ)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        changes = {name: value for name, value in typed.items() if name != "address" or value or not hidden}
        try:
            services.update_contact(
                patient=found, actor=actor_of(request), now=timezone.now(), unit=request.unit, **changes
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The contact details are saved."))
            return redirect("patients:patient", found.uid)
    context = {"patient": found, "form": form}
    return render(request, "patients/edit_contact.html", context, status=422 if form.errors else 200)


@require_POST
@staff_required(roles=MAY_BOOK)
def add_next_of_kin(request: StaffRequest, uid: UUID) -> HttpResponse:
    found = _find(request, uid)
    form = NextOfKinForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            services.add_next_of_kin(
                patient=found,
                kin=services.KinInput(
                    name=typed["name"],
                    relation=typed["relation"],
                    phone=typed["kin_phone"],
                    acts_for_patient=typed["acts_for_patient"],
                ),
                actor=actor_of(request),
                now=timezone.now(),
                unit=request.unit,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("patients:patient", found.uid)
    _note(request, found, Action.READ)
    return render(request, "patients/patient.html", _card(found, kin_form=form), status=422)


@require_POST
@staff_required(roles=MAY_BOOK)
def remove_next_of_kin(request: StaffRequest, uid: UUID, kin_id: int) -> HttpResponse:
    found = _find(request, uid)
    kin = get_object_or_404(NextOfKin, patient=found, pk=kin_id)
    try:
        services.remove_next_of_kin(kin=kin, actor=actor_of(request), now=timezone.now(), unit=request.unit)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("patients:patient", found.uid)


@require_GET
@staff_required(roles=MAY_SEE_PATIENTS)
def access_log(request: StaffRequest, uid: UUID) -> HttpResponse:
    """Show who has read or changed this patient's data."""
    found = _find(request, uid)
    record_access(actor=actor_of(request), action=Action.READ, what="access-log", patient_uid=found.uid)
    page = Paginator(accesses_to(found.uid), LOG_PAGE).get_page(request.GET.get("side"))
    return render(request, "patients/access_log.html", {"patient": found, "page": page})


def _note(request: StaffRequest, patient: Patient, action: Action) -> None:
    record_access(actor=actor_of(request), action=action, what="patient", patient_uid=patient.uid)


def _find(request: StaffRequest, uid: UUID) -> Patient:
    return get_object_or_404(queries.visible_patients(request.user), uid=uid)


def _card(found: Patient, kin_form: NextOfKinForm | None = None) -> dict[str, Any]:
    return {
        "patient": found,
        "next_of_kin": list(found.next_of_kin.all()),
        "kin_form": kin_form or NextOfKinForm(),
        "log": accesses_to(found.uid)[:CARD_LOG],
    }
