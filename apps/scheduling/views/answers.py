"""The requester's form and pictures of what is booked: filled in or changed until the session has been held."""

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit.models import Action
from apps.catalogue import questionnaire
from apps.catalogue.questionnaire import QuestionnaireForm
from apps.common.errors import ChangedMeanwhile, DomainError
from apps.common.htmx import is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK
from apps.organisations.queries import actor_of

from .. import services
from ..errors import NotOpenAnyMore
from ..models import Appointment, FormAnswers
from ..queries import answers_of
from . import cards
from .appointment import find
from .pictures import change_photos, describe_photos, photos_of, sent_photos

UNREADABLE: Final = -1
"""What no revision is: a form that does not say what it was drawn from is never the newest."""


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(roles=MAY_BOOK)
def form(request: StaffRequest, reference: str) -> HttpResponse:
    """Fill in the form, whole or as far as one gets."""
    found, now = _fillable(request, reference), timezone.now()
    if request.method == "POST":
        return _save(request, found, now=now)
    if not found.is_to_come:
        messages.error(request, str(NotOpenAnyMore.message))
        return redirect("scheduling:appointment", reference=found.reference)
    _note(request, found, Action.READ, "form")
    stands = answers_of(found)
    return _shown(request, found, _fresh(found, stands, now=now), revision=_revision(stands))


@require_POST
@staff_required(roles=MAY_BOOK)
def photos(request: StaffRequest, reference: str) -> HttpResponse:
    """Take pictures in, or one away. Without script the answer is the form with what is typed around them."""
    found, now = _fillable(request, reference), timezone.now()
    refusal = _change_photos(request, found, now=now)
    status = 422 if refusal else 200
    if is_htmx(request):
        context = {"photos_url": request.path, "photos": photos_of(found), "photo_error": refusal}
        return render(request, "scheduling/booking/_photos.html", context, status=status)
    typed = _typed(request, found, now=now)
    return _shown(request, found, typed, revision=_seen(request), photo_error=refusal, status=status)


def _save(request: StaffRequest, found: Appointment, *, now: datetime) -> HttpResponse:
    form = _sent(request, found, now=now)
    seen = _seen(request)
    if not found.is_to_come:
        return _shown(request, found, form, revision=seen, notice=str(NotOpenAnyMore.message), status=409)
    refusal = _change_photos(request, found, now=now)
    if refusal or (form is not None and not form.is_valid()):
        return _shown(request, found, form, revision=seen, photo_error=refusal, status=422)
    if form is None:
        messages.success(request, _("The pictures are saved."))
        return redirect("scheduling:appointment", reference=found.reference)
    complete = form.is_complete()
    try:
        with transaction.atomic():
            services.save_answers(
                appointment=found,
                answers=form.answers(),
                complete=complete,
                seen=seen,
                now=now,
            )
            _note(request, found, Action.CHANGE, "form")
    except ChangedMeanwhile:
        return _show_both(request, found, form)
    except DomainError as fault:
        return _shown(request, found, form, revision=seen, notice=str(fault), status=409)
    messages.success(
        request,
        _("The form is filled in.") if complete else _("What you have written is saved. The form is not whole yet."),
    )
    return redirect("scheduling:appointment", reference=found.reference)


def _show_both(request: StaffRequest, found: Appointment, form: QuestionnaireForm) -> HttpResponse:
    """Somebody has written since: show what she wrote beneath what was typed, and let the one who types decide."""
    stands = answers_of(found)
    return _shown(
        request,
        found,
        form,
        revision=_revision(stands),
        notice=_(
            "Somebody else has changed the form in the meantime. What you wrote stands below: save once more, and it counts."
        ),
        stands=questionnaire.describe(stands.form, stands.answers) if stands is not None else [],
        status=409,
    )


def _shown(
    request: StaffRequest,
    found: Appointment,
    form: QuestionnaireForm | None,
    *,
    revision: int,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "now": timezone.now(),
        "appointment": found,
        "card": cards.card(found, request.staff, now=timezone.now()),
        "form": form,
        "form_name": questionnaire.name(form.slug) if form is not None else _("Pictures"),
        "revision": revision,
        "photos": photos_of(found) if found.service_type.photo_upload else None,
        "photos_url": reverse("scheduling:form_photos", args=[found.reference]),
        **more,
    }
    return render(request, "scheduling/form.html", context, status=status)


# The door and the form ------------------------------------------------------------------------------------------------
def _fillable(request: StaffRequest, reference: str) -> Appointment:
    found = find(request, reference)
    service = found.service_type
    something = questionnaire.has_form(service.form) or service.photo_upload
    if not something or not cards.may_fill_in(found, request.staff):
        raise Http404
    return found


def _revision(stands: FormAnswers | None) -> int:
    return stands.revision if stands is not None else 0


def _seen(request: StaffRequest) -> int:
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else UNREADABLE


def _initial(found: Appointment, stands: FormAnswers | None) -> dict[str, Any]:
    slug = found.service_type.form
    if stands is not None and stands.form == slug:
        return questionnaire.as_initial(slug, questionnaire.written(slug, stands.answers))
    if questionnaire.asks_for_language(slug):
        return {"language": found.interpreter_language}
    return {}


def _fresh(found: Appointment, stands: FormAnswers | None, *, now: datetime) -> QuestionnaireForm | None:
    slug = found.service_type.form
    if not questionnaire.has_form(slug):
        return None
    return questionnaire.form_class(slug)(initial=_initial(found, stands), booked=True, today=timezone.localdate(now))


def _sent(request: StaffRequest, found: Appointment, *, now: datetime) -> QuestionnaireForm | None:
    slug = found.service_type.form
    if not questionnaire.has_form(slug):
        return None
    stands = answers_of(found)
    return questionnaire.form_class(slug)(
        request.POST,
        initial=_initial(found, stands),
        booked=True,
        unfinished="later" in request.POST,
        today=timezone.localdate(now),
    )


def _typed(request: StaffRequest, found: Appointment, *, now: datetime) -> QuestionnaireForm | None:
    """Return the form with what stands in it, not yet told what is wrong."""
    slug = found.service_type.form
    if not questionnaire.has_form(slug):
        return None
    stands = answers_of(found)
    typed = questionnaire.as_initial(slug, questionnaire.typed(slug, request.POST))
    settled = {name: value for name, value in _initial(found, stands).items() if name in questionnaire.DECIDES_THE_TIME}
    return questionnaire.form_class(slug)(initial={**typed, **settled}, booked=True, today=timezone.localdate(now))


def _change_photos(request: StaffRequest, found: Appointment, *, now: datetime) -> str:
    """Change the pictures and what is written beneath them; what changed is in the patient's log."""
    sent = sent_photos(request, found)
    with transaction.atomic():
        before = list(found.photos.values_list("pk", flat=True))
        refusal = change_photos(request, sent, now=now, appointment=found)
        if found.is_to_come:
            describe_photos(request, found)
        if before != list(found.photos.values_list("pk", flat=True)):
            _note(request, found, Action.CHANGE, "photos")
    return refusal


def _note(request: StaffRequest, found: Appointment, action: Action, what: str) -> None:
    services.note_access(found, action, actor=actor_of(request), what=what)
