"""A patient's appointments, as a panel of the patient card."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.common.htmx import is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_SEE_PATIENTS
from apps.patients.queries import visible_patients

from ..models import Appointment
from ..queries.agenda import with_form_filled
from . import cards

MOST = 30


@require_safe
@staff_required(roles=MAY_SEE_PATIENTS)
def appointments_of(request: StaffRequest, uid: UUID) -> HttpResponse:
    now = timezone.now()
    patient = get_object_or_404(visible_patients(request.user), uid=uid)
    found = Appointment.objects.visible_to(request.user).filter(patient=patient).with_names().order_by("-starts_at")
    latest = list(found[:MOST])
    filled = with_form_filled(latest)
    shown = [cards.card(appointment, request.staff, now=now, forms_filled=filled) for appointment in latest]
    context = {
        "patient": patient,
        "coming": sorted((one for one in shown if not one.over), key=lambda one: one.appointment.starts_at),
        "earlier": [one for one in shown if one.over],
    }
    template = "scheduling/_of_patient.html" if is_htmx(request) else "scheduling/of_patient.html"
    return render(request, template, context)
