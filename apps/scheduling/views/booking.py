"""Booking: one address for each draft, one form for each step, every step kept."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.audit.models import Action
from apps.audit.services import record_access
from apps.catalogue import questionnaire
from apps.catalogue.models import ServiceType
from apps.catalogue.queries import bookable_services
from apps.common.errors import DomainError
from apps.common.htmx import hx_redirect, is_htmx
from apps.organisations.doors import StaffRequest, staff_required
from apps.organisations.models import MAY_BOOK
from apps.organisations.queries import actor_of
from apps.patients.models import Patient
from apps.patients.queries import visible_patients
from apps.patients.services import join_care, register_patient, search, search_widely

from .. import errors, services
from ..forms import NewPatientForm, read_slot, typed_people
from ..models import BookingDraft
from ..queries import registering_unit
from ..queries.agenda import with_form_filled
from ..queries.drafts import ME, draft_of, drafts_of, request_of_draft, requester_schedule
from ..services import drafts
from .appointment import find
from .cards import form_missing, look_of, may_fill_in, may_see_patient, people, place_of
from .pictures import change_photos, describe_photos, photos_of, sent_photos
from .wizard import Page
from .wording import gone_said, known_before

Answer = Callable[[StaffRequest, Page], HttpResponse]
NOTICE_SHORTEST: Final = 15


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(roles=MAY_BOOK)
def booking_start(request: StaffRequest) -> HttpResponse:
    """Choose the service; nothing is kept before that. A service may be named in the address (tiles of the day)."""
    now = timezone.now()
    if request.method == "POST":
        service = _service(request, request.POST.get("service", ""))
        if service is None:
            page = Page(request, now, None, notice=str(errors.NotOffered.message))
            return _shown(request, page, status=422)
        draft = drafts.start_draft(user=request.user, unit=request.unit, service_type=service)
        draft = drafts_of(request.user, request.unit).get(pk=draft.pk)
        if about := _patient(request, request.POST.get("about", "")):
            drafts.choose_patient(draft=draft, patient=about)
            _note_reading(request, draft)
        if _asked_for(request) in {"patient", "search", "wide", "new_patient", "no_patient"}:
            return _step(request, Page(request, now, draft))
        return hx_redirect(request, "scheduling:booking", draft=draft.uid)
    preset = _service(request, request.GET.get("service", ""))
    about = _patient(request, request.GET.get("pasient", ""))
    notice = str(errors.NotOffered.message) if request.GET.get("service") and preset is None else ""
    page = Page(request, now, None, step=request.GET.get("step", ""), preset=preset, notice=notice)
    page.extra["about"] = about
    return _shown(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(roles=MAY_BOOK)
def booking(request: StaffRequest, draft: UUID) -> HttpResponse:
    now = timezone.now()
    found = _draft(request, draft)
    if found is None:
        return _gone(request)
    if request.method == "POST":
        return _step(request, Page(request, now, found))
    page = Page(request, now, found, step=request.GET.get("step", ""))
    if page.step == "summary" and page.find_time() is None:
        drafts.let_go_of_time(draft=found)
        page = Page(request, now, found, step="time", notice=str(errors.TimeTaken.message))
    if found.patient is not None:
        _note_reading(request, found)
    return _shown(request, page)


@require_POST
@staff_required(roles=MAY_BOOK)
def keep(request: StaffRequest, draft: UUID) -> HttpResponse:
    """Keep what is typed while it is typed, and say when."""
    found = _draft(request, draft)
    if found is None:
        return _gone(request)
    _keep_typed(request, found, on_the_way=True)
    return render(request, "scheduling/booking/_saved.html", {"draft": found, "saved_at": timezone.now()})


@require_POST
@staff_required(roles=MAY_BOOK)
def draft_photos(request: StaffRequest, draft: UUID) -> HttpResponse:
    """Take pictures in, or one away; what is typed around them is kept too."""
    found, now = _draft(request, draft), timezone.now()
    if found is None:
        return _gone(request)
    _keep_typed(request, found, on_the_way=True)
    refusal = change_photos(request, sent_photos(request, found), now=now, draft=found)
    status = 422 if refusal else 200
    if is_htmx(request):
        context = {"photos_url": request.path, "photos": photos_of(found), "photo_error": refusal}
        return render(request, "scheduling/booking/_photos.html", context, status=status)
    if refusal:
        return _shown(request, Page(request, now, found, step="details", extra={"photo_error": refusal}), status=422)
    return redirect(f"{Page(request, now, found).url}?step=details#photos")


@require_POST
@staff_required(roles=MAY_BOOK)
def discard(request: StaffRequest, draft: UUID) -> HttpResponse:
    found = _draft(request, draft)
    if found is not None:
        drafts.discard_draft(draft=found)
    return redirect("scheduling:booking_start")


@require_safe
@staff_required
def booked(request: StaffRequest, reference: str) -> HttpResponse:
    """Say that it is booked, and what happens now."""
    appointment = find(request, reference)
    if appointment.patient is not None and may_see_patient(appointment, request.staff):
        services.note_access(appointment, Action.READ, actor=actor_of(request))
    return render(
        request,
        "scheduling/booking/booked.html",
        {
            "appointment": appointment,
            "now": timezone.now(),
            "look": look_of(appointment.service_type),
            "people": people(appointment, request.staff),
            "place": place_of(appointment, request.unit),
            "opens_at": appointment.starts_at - settings.LINK_OPENS_BEFORE,
            "may_see_patient": may_see_patient(appointment, request.staff),
            "registers": registering_unit(appointment),
            "form_missing": form_missing(appointment, with_form_filled([appointment]))
            and may_fill_in(appointment, request.staff),
        },
    )


# What each step's form does --------------------------------------------------------------------------------------------
def _step(request: StaffRequest, page: Page) -> HttpResponse:
    """Do what the sent step asks for. An unknown one is answered with where the booking stands."""
    answers: dict[str, Answer] = {
        "service": _choose_service,
        "search": _search,
        "wide": _search_widely,
        "patient": _choose_patient,
        "new_patient": _new_patient,
        "no_patient": _no_patient,
        "details": _details,
        "wish": _wish,
        "time": _hold,
        "summary": _book,
    }
    answer = answers.get(_asked_for(request))
    return answer(request, page) if answer else _next(request, page)


def _choose_service(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    service = _service(request, request.POST.get("service", ""))
    if service is None:
        return _again(request, page, "service", notice=str(errors.NotOffered.message))
    drafts.choose_service(draft=draft, service_type=service)
    return _next(request, page)


def _search(request: StaffRequest, page: Page) -> HttpResponse:
    text = request.POST.get("q", "")[:100]
    hits = None
    if text.strip():
        hits = search(user=request.user, unit=request.unit, text=text, actor=actor_of(request))
    found = {"hits": hits, "q": text, "reason": request.POST.get("reason", "")[:300]}
    page = Page(request, page.now, page.draft, step="patient", extra=found)
    if is_htmx(request) and request.headers.get("HX-Target", "").endswith("hits"):
        return render(request, "scheduling/booking/_hits.html", page.context())
    return _shown(request, page)


def _search_widely(request: StaffRequest, page: Page) -> HttpResponse:
    """Search among the whole organisation's patients, for a reason that stands in each one's access log."""
    text, reason = request.POST.get("q", "")[:100], request.POST.get("reason", "")[:300]
    found: dict[str, Any] = {"q": text, "reason": reason, "wide": True, "hits": []}
    try:
        found["hits"] = search_widely(unit=request.unit, text=text, reason=reason, actor=actor_of(request))
    except DomainError as refusal:
        found |= {"wide": False, "reason_error": str(refusal)}
        found["hits"] = search(user=request.user, unit=request.unit, text=text, actor=actor_of(request))
        return _again(request, page, "patient", extra=found)
    return _shown(request, Page(request, page.now, page.draft, step="patient", extra=found))


def _choose_patient(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    patient = _patient(request, request.POST.get("patient", "")) or _patient_for_a_reason(request, page)
    if patient is None:
        return _again(request, page, "patient", notice=_("This patient is not in your list any more. Search again."))
    drafts.choose_patient(draft=draft, patient=patient)
    _note_reading(request, draft)
    return _next(request, page)


def _new_patient(request: StaffRequest, page: Page) -> HttpResponse:
    draft, form = _of(page), NewPatientForm(request.POST, label_suffix="")
    if form.is_valid():
        try:
            patient = register_patient(
                organisation=request.unit.organisation,
                unit=request.unit,
                actor=actor_of(request),
                now=page.now,
                **form.cleaned_data,
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            drafts.choose_patient(draft=draft, patient=patient)
            return _next(request, page, notice=known_before(patient, page.now))
    return _again(request, page, "patient", extra={"new_patient": form})


def _no_patient(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    if draft.service_type.patient_present:
        return _again(request, page, "patient", notice=str(errors.PatientMissing.message))
    drafts.choose_patient(draft=draft, patient=None)
    return _next(request, page)


def _details(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    _keep_typed(request, draft)
    refusal = change_photos(request, sent_photos(request, draft), now=page.now, draft=draft)
    slug = draft.service_type.form
    form = None
    if questionnaire.has_form(slug):
        form = questionnaire.form_class(slug)(
            request.POST, today=timezone.localdate(page.now), unfinished="later" in request.POST
        )
    page = Page(request, page.now, draft, step="details")
    people_form = page.people_form(request.POST)
    form_right, people_right = form is None or form.is_valid(), people_form.is_valid()
    if refusal or not (form_right and people_right):
        extra = {"form": form, "people": people_form, "photo_error": refusal}
        return _again(request, page, "details", extra=extra)
    answers = form.answers() if form is not None else {}
    drafts.keep_details(
        draft=draft,
        answers=answers,
        guests=people_form.guests(),
        choices=people_form.choices(answers),
        complete=form is None or form.is_complete(),
    )
    return _next(request, page)


def _wish(request: StaffRequest, page: Page) -> HttpResponse:
    """Look for other times: one specialist only, shorter, the interpreter by telephone or not at all."""
    draft, sent = _of(page), request.POST
    wishes: dict[str, Any] = {}
    if "only" in sent:
        wishes["only"] = int(sent["only"]) if sent["only"].isdecimal() and len(sent["only"]) < 13 else None
    if sent.get("by_phone"):
        wishes["by_phone"] = True
    if sent.get("interpreter") == "without" and draft.choices.get("interpreter"):
        wishes |= {"interpreter": "", "left_out_interpreter": draft.choices["interpreter"]}
    elif sent.get("interpreter") == "with" and draft.choices.get("left_out_interpreter"):
        wishes |= {"interpreter": draft.choices["left_out_interpreter"], "left_out_interpreter": "", "by_phone": False}
    if "length" in sent:
        minutes = int(sent["length"]) if sent["length"].isdecimal() and len(sent["length"]) < 4 else 0
        usable = minutes % 5 == 0 and NOTICE_SHORTEST <= minutes <= draft.service_type.length_minutes
        wishes["length"] = minutes if usable and minutes != draft.service_type.length_minutes else None
    drafts.wish(draft=draft, **wishes)
    return _next(request, page)


def _hold(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    if page.furthest not in {"time", "summary"}:
        return _next(request, page)
    slot = read_slot(request.POST.get("starts_at", ""))
    if slot is None:
        return _again(request, page, "time", notice=_("Choose one of the times in the list."))
    starts_at, who = slot
    try:
        drafts.hold_for_draft(draft=draft, request=_asked(request, draft), starts_at=starts_at, who=who, now=page.now)
    except DomainError as refusal:
        draft = drafts_of(request.user, request.unit).get(pk=draft.pk)
        return _again(request, Page(request, page.now, draft), "time", notice=gone_said(refusal), status=409)
    return _next(request, page)


def _book(request: StaffRequest, page: Page) -> HttpResponse:
    draft = _of(page)
    if page.furthest != "summary":
        notice = str(errors.HoldOver.message) if page.furthest == "time" else ""
        return _again(request, page, page.furthest, notice=notice, status=409)
    booked_before = request.session.get("booked", {})
    try:
        appointment = drafts.book_draft(
            draft=draft, request=_asked(request, draft), now=page.now, logged_as=actor_of(request)
        )
    except errors.DraftGone:
        return _gone(request)
    except DomainError as refusal:
        drafts.let_go_of_time(draft=draft)
        return _again(request, Page(request, page.now, draft), "time", notice=gone_said(refusal), status=409)
    # A second click, or Back and Book once more, finds what was booked.
    request.session["booked"] = dict([*booked_before.items(), (str(draft.uid), appointment.reference)][-20:])
    return hx_redirect(request, "scheduling:booked", reference=appointment.reference)


def _asked_for(request: StaffRequest) -> str:
    """Return which step was sent; a tap on a patient names the patient only."""
    return "patient" if "patient" in request.POST else request.POST.get("step", "")


# The parts ------------------------------------------------------------------------------------------------------------
def _draft(request: StaffRequest, uid: UUID) -> BookingDraft | None:
    return draft_of(request.user, request.unit, uid, whole=request.GET.get("step") != "time")


def _of(page: Page) -> BookingDraft:
    if page.draft is None:
        raise Http404
    return page.draft


def _service(request: StaffRequest, uid: str) -> ServiceType | None:
    try:
        return bookable_services(request.unit).filter(uid=uid).first() if uid else None
    except (ValidationError, ValueError):
        return None


def _patient(request: StaffRequest, uid: str) -> Patient | None:
    try:
        mine = visible_patients(request.user).filter(organisation=request.unit.organisation_id)
        return mine.filter(uid=uid).first() if uid else None
    except (ValidationError, ValueError):
        return None


def _patient_for_a_reason(request: StaffRequest, page: Page) -> Patient | None:
    """Let the unit take part in the care of another unit's patient, where the wide search has found her."""
    reason = request.POST.get("reason", "")
    if not reason or "wide" not in request.POST:
        return None
    try:
        organisation = request.unit.organisation_id
        patient = Patient.objects.filter(organisation=organisation, uid=request.POST.get("patient", "")).first()
        if patient is not None:
            join_care(patient=patient, unit=request.unit, reason=reason, actor=actor_of(request), now=page.now)
    except (ValidationError, ValueError, DomainError):
        return None
    return patient


def _asked(request: StaffRequest, draft: BookingDraft) -> Any:
    """Return what is asked for; a user's own schedule is made when she first needs it."""
    requester = requester_schedule(draft)
    if requester is None and draft.choices.get("companion", ME) == ME and not draft.service_type.patient_joins_alone:
        requester = services.schedule_for_user(request.user, unit=request.unit)
    return request_of_draft(draft, requester)


def _keep_typed(request: StaffRequest, draft: BookingDraft, *, on_the_way: bool = False) -> bool:
    sent = request.POST.get("sent", "")
    slug = draft.service_type.form
    kept = drafts.keep_typed(
        draft=draft,
        form=slug if questionnaire.has_form(slug) else "",
        typed=questionnaire.typed(slug, request.POST) if questionnaire.has_form(slug) else {},
        people=typed_people(request.POST),
        sent=(int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 9 else 0) if on_the_way else None,
    )
    describe_photos(request, draft)
    return kept


def _note_reading(request: StaffRequest, draft: BookingDraft) -> None:
    if draft.patient is not None:
        record_access(actor=actor_of(request), action=Action.READ, what="booking", patient_uid=draft.patient.uid)


def _next(request: StaffRequest, page: Page, *, notice: str = "") -> HttpResponse:
    """Go on to the first step that is not done: the new list of steps for htmx, a redirect without it."""
    draft = draft_of(request.user, request.unit, _of(page).uid)
    if draft is None:
        return _gone(request)
    page = Page(request, page.now, draft, notice=notice)
    if not is_htmx(request) or request.path != page.url:
        if notice:
            messages.warning(request, notice)
        return hx_redirect(request, "scheduling:booking", draft=draft.uid)
    if page.step == "summary" and page.find_time() is None:
        drafts.let_go_of_time(draft=draft)
        return _again(request, page, "time", notice=str(errors.TimeTaken.message), status=409)
    return _shown(request, page)


def _again(
    request: StaffRequest,
    page: Page,
    step: str,
    *,
    notice: str = "",
    extra: dict[str, Any] | None = None,
    status: int = 422,
) -> HttpResponse:
    return _shown(
        request, Page(request, page.now, page.draft, step=step, notice=notice, extra=extra or {}), status=status
    )


def _shown(request: StaffRequest, page: Page, *, status: int = 200) -> HttpResponse:
    context = page.context()
    if is_htmx(request) and request.headers.get("HX-Target", "").endswith(("steg", "times")):
        return render(request, "scheduling/booking/_swap.html", {**context, "swapped": True}, status=status)
    context["swapped"] = page.draft is not None  # who comes from a step goes on at the next one
    if page.draft is None:
        context["unfinished"] = drafts_of(request.user, request.unit)[:3]
    return render(request, "scheduling/booking/booking.html", context, status=status)


def _gone(request: StaffRequest) -> HttpResponse:
    """Answer for a draft that is booked, thrown away, or not hers."""
    uid = str(request.resolver_match.kwargs.get("draft", "")) if request.resolver_match else ""
    reference = request.session.get("booked", {}).get(uid)
    if reference:
        return hx_redirect(request, "scheduling:booked", reference=reference)
    if is_htmx(request):
        # 410 would be shown as a failure; the page that says it in words is loaded instead.
        return hx_redirect(request, "scheduling:booking", draft=uid)
    return render(request, "scheduling/booking/gone.html", status=404)
