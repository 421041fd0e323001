"""Months of sessions: the past written at once, today's around this minute, the coming booked as people book them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import User
from apps.catalogue import questionnaire
from apps.catalogue.models import ServiceType
from apps.common.data_files import read_yaml
from apps.common.images import CleanPhoto, clean_photo
from apps.organisations.models import Unit
from apps.patients.models import Patient
from apps.registration.models import NotNeededReason, Registration, RegistrationState
from apps.registration.queries import Rules, sheet_for
from apps.scheduling import queries, services
from apps.scheduling.errors import Refusal
from apps.scheduling.holidays import public_holidays
from apps.scheduling.models import (
    Answer,
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    CancelReason,
    EventKind,
    FormAnswers,
    Occupancy,
    OccupancyKind,
    Participant,
    ParticipantRole,
    Photo,
    Schedule,
)

from .region import FOLDER, Region

DAYS_BACK: Final = 84
UNREGISTERED_DAYS: Final = 6
COMING: Final = 44
AWAY: Final = ("elvebygd_south", "Marit Solbær", 3)
"""Of which unit, who, and for how many days of the next week."""

# How often, which service, and who asks for it
USUAL: Final = (
    (10, "wound/wound-care", ("elvebygd_south", "elvebygd_north", "fjellvik_home_care", "skogdal_home_care", "oyvaer_home_care", "elvebygd_home")),
    (4, "palliative/palliative", ("elvebygd_south", "elvebygd_north", "fjellvik_home_care", "elvebygd_house")),
    (4, "rehab/rehab", ("elvebygd_south", "elvebygd_house", "fjellvik_home_care", "skogdal_home_care")),
    (2, "medical/interpreter", ("elvebygd_south", "elvebygd_north", "gp_office")),
    (2, "elvebygd_allocation/geriatric-discharge", ("geriatric",)),
    (1, "fjellvik_home_care/geriatric-discharge", ("geriatric",)),
    (3, "medical/outpatient-video-visit", ("medical",)),
    (2, "medical/cancer-care", ("elvebygd_south", "skogdal_home_care")),
    (1, "ent/ent-follow-up", ("elvebygd_home", "gp_office")),
)  # fmt: skip
RETROSPECT: Final = {"booked": (3, 12), "cancelled": (1, 3)}


@lru_cache(maxsize=1)
def _answers() -> dict[str, list[dict[str, Any]]]:
    loaded: dict[str, list[dict[str, Any]]] = read_yaml(FOLDER / "answers.yaml")
    return loaded


@lru_cache(maxsize=1)
def _pictures() -> list[CleanPhoto]:
    return [clean_photo((FOLDER / "img" / f"wound-{number}.jpg").read_bytes()) for number in (1, 2, 3)]


@dataclass
class Plan:
    """A session to write down: who, when, and how it went."""

    service: ServiceType
    requester_unit: Unit
    patient: Patient
    performer: Schedule
    requester: Schedule | None
    interpreter: Schedule | None
    starts_at: datetime
    status: AppointmentStatus = AppointmentStatus.BOOKED

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.service.length

    def people(self, made: Region) -> list[tuple[str, Schedule]]:
        found = [(ParticipantRole.PERFORMER, self.performer)]
        if self.requester is not None:
            found.append((ParticipantRole.REQUESTER, self.requester))
        if self.interpreter is not None:
            found.append((ParticipantRole.INTERPRETER, self.interpreter))
        if self.service.patient_present:
            found.append((ParticipantRole.PATIENT, made.diary_of(self.patient)))
        return [(str(role), diary) for role, diary in found]


class Writer:
    """Collects rows and writes each kind in one go."""

    def __init__(self, made: Region) -> None:
        self.made = made
        self.rules = Rules()
        self.appointments: list[Appointment] = []
        self.participants: list[Participant] = []
        self.occupancies: list[Occupancy] = []
        self.events: list[AppointmentEvent] = []
        self.registrations: list[Registration] = []
        self.answers: list[FormAnswers] = []
        self.photos: list[Photo] = []
        self.busy: dict[int, list[tuple[datetime, datetime]]] = {}
        self.numbers = iter(range(30412886, 99999999, 7))

    def read_busy(self, start: datetime, end: datetime) -> None:
        """Take along what the database has taken of everybody's time."""
        rows = Occupancy.objects.filter(during__overlap=DateTimeTZRange(start, end))
        for schedule_id, during in rows.values_list("schedule_id", "during"):
            self.busy.setdefault(schedule_id, []).append((during.lower, during.upper))

    def fits(self, plan: Plan) -> bool:
        return not any(
            start < plan.ends_at + timedelta(minutes=20) and plan.starts_at < end
            for _role, diary in plan.people(self.made)
            for start, end in self.busy.get(diary.pk, [])
        )

    def add(self, plan: Plan, *, booked_by: User, booked_at: datetime) -> Appointment:
        held = plan.status in {AppointmentStatus.FULFILLED, AppointmentStatus.ARRIVED}
        over, cancelled = plan.status == AppointmentStatus.FULFILLED, plan.status == AppointmentStatus.CANCELLED
        late = timedelta(minutes=self.made.chance.randint(0, 4))
        appointment = Appointment(
            service_type=plan.service,
            patient=plan.patient,
            requester_unit=plan.requester_unit,
            performer_unit=plan.service.unit,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            status=plan.status,
            patient_present=plan.service.patient_present,
            patient_joins_alone=plan.service.patient_joins_alone,
            place=self.made.place_of.get(plan.requester_unit.pk, "home"),
            interpreter_language=plan.patient.language if plan.interpreter else "",
            booked_by=booked_by,
            booked_at=booked_at,
            started_at=plan.starts_at + late if held else None,
            ended_at=plan.ends_at - late if over else None,
            cancelled_at=plan.starts_at - timedelta(days=1, hours=2) if cancelled else None,
            cancel_reason=self.made.chance.choice(list(CancelReason)[:4]) if cancelled else "",
        )
        self.appointments.append(appointment)
        for role, diary in plan.people(self.made):
            self.participants.append(
                Participant(appointment=appointment, role=role, schedule=diary, answer=Answer.ACCEPTED)
            )
            if not cancelled:
                during = DateTimeTZRange(plan.starts_at, plan.ends_at)
                self.occupancies.append(
                    Occupancy(schedule=diary, during=during, kind=OccupancyKind.APPOINTMENT, appointment=appointment)
                )
                self.busy.setdefault(diary.pk, []).append((plan.starts_at, plan.ends_at))
        self._answers(appointment, booked_at)
        return appointment

    def event(self, appointment: Appointment, kind: EventKind, at: datetime, *, done: bool) -> None:
        """Write what happened; `done` says that what follows from it is already written too."""
        self.events.append(
            AppointmentEvent(
                appointment=appointment,
                kind=kind,
                version=0,
                at=at,
                actor=appointment.booked_by,
                reacted_at=at if done else None,
            )
        )

    def register(self, appointment: Appointment, clerk: User, *, registered: bool) -> None:
        unit = queries.registering_unit(appointment)
        if unit is None:
            return
        rule = self.rules.for_session(appointment, unit)
        state, reason = RegistrationState.AWAITING, ""
        if appointment.status == AppointmentStatus.CANCELLED:
            state, reason = RegistrationState.NOT_NEEDED, NotNeededReason.CANCELLED
        elif appointment.status == AppointmentStatus.NO_SHOW:
            state, reason = RegistrationState.NOT_NEEDED, NotNeededReason.NO_SHOW
        elif registered:
            state = RegistrationState.REGISTERED
        settled = state == RegistrationState.REGISTERED
        self.registrations.append(
            Registration(
                appointment=appointment,
                unit=unit,
                organisation=unit.organisation,
                rule=rule,
                sheet=sheet_for(appointment, unit=unit, rule=rule),
                state=state,
                not_needed_reason=reason,
                held_at=appointment.started_at,
                settled_at=appointment.ends_at + timedelta(hours=self.made.chance.randint(1, 20)) if settled else None,
                settled_by=clerk if settled else None,
                dips_contact_id=str(next(self.numbers)) if settled and self.made.chance.random() < 0.96 else "",
                version=1 + settled,
            )
        )

    def _answers(self, appointment: Appointment, at: datetime) -> None:
        form = appointment.service_type.form
        choices = _answers().get(form)
        if not choices:
            return
        chosen = _dated(self.made.chance.choice(choices), timezone.localdate(at))
        if form == "interpreter_request" and appointment.interpreter_language:
            chosen["language"] = appointment.interpreter_language
        self.answers.append(
            FormAnswers(
                appointment=appointment,
                form=form,
                form_version=questionnaire.version(form),
                answers=chosen,
                updated_at=at,
            )
        )

    def photograph(self, appointment: Appointment, at: datetime) -> None:
        for number in range(self.made.chance.choice([1, 1, 2])):
            picture = _pictures()[(appointment.starts_at.day + number) % 3]
            self.photos.append(
                Photo(
                    appointment=appointment,
                    image=picture.image,
                    thumbnail=picture.thumbnail,
                    width=picture.width,
                    height=picture.height,
                    description=["Såret med linjal", "Såret nært"][number],
                    uploaded_by=appointment.booked_by,
                    uploaded_at=at,
                )
            )

    def write(self) -> None:
        rows: Iterable[tuple[Any, list[Any]]] = (
            (Appointment, self.appointments),
            (Participant, self.participants),
            (Occupancy, self.occupancies),
            (AppointmentEvent, self.events),
            (Registration, self.registrations),
            (FormAnswers, self.answers),
            (Photo, self.photos),
        )
        for model, collected in rows:
            model.objects.bulk_create(collected, batch_size=1000)
            collected.clear()


def _dated(answers: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Turn `days_ago` into dates: a form is always as old as its session."""
    out: dict[str, Any] = {}
    for slug, value in answers.items():
        if isinstance(value, Mapping):
            day = today - timedelta(days=value["days_ago"])
            out[slug] = f"{day}T10:30" if slug.endswith("_at") else day.isoformat()
        else:
            out[slug] = value
    return out


def _requester(made: Region, unit: Unit, service: ServiceType) -> Schedule | None:
    staff = made.staff_of.get(unit.pk, [])
    return None if service.patient_joins_alone or not staff else made.chance.choice(staff)


def _interpreter(made: Region, service: ServiceType, patient: Patient) -> Schedule | None:
    if not patient.interpreter_needed or not service.interpreter_possible:
        return None
    able = made.interpreter_of(patient.language)
    return made.chance.choice(able) if able else None


def _someones_wish(made: Region) -> tuple[ServiceType, Unit, Patient]:
    weights = [weight for weight, _service, _units in USUAL]
    _weight, key, unit_keys = made.chance.choices(USUAL, weights)[0]
    unit = made.units[made.chance.choice(unit_keys)]
    patients = made.patients_of[unit.pk]
    if key == "medical/interpreter":
        patients = [patient for patient in patients if patient.interpreter_needed] or patients
    return made.services[key], unit, made.chance.choice(patients)


def _booker(made: Region, unit: Unit, requester: Schedule | None) -> User:
    """Return who booked: the requester, or somebody of the unit where the patient joins alone."""
    diary = requester or made.staff_of[unit.pk][0]
    assert diary.user is not None
    return diary.user


# The past ------------------------------------------------------------------------------------------------------------
def write_history(made: Region) -> None:
    writer = Writer(made)
    clerk = made.accounts["tuva"]
    for back in range(DAYS_BACK, 0, -1):
        day = made.today - timedelta(days=back)
        if day.weekday() > 4 or day in public_holidays(day.year, day.year):
            continue
        for _number in range(made.chance.randint(4, 8)):
            plan = _past_session(made, writer, day)
            if plan is None:
                continue
            booked_at = plan.starts_at - timedelta(days=made.chance.randint(*RETROSPECT["booked"]), hours=1)
            appointment = writer.add(
                plan, booked_by=_booker(made, plan.requester_unit, plan.requester), booked_at=booked_at
            )
            _what_happened(writer, appointment)
            # what was held last week waits, and here and there an older one that somebody forgot
            waits = back <= UNREGISTERED_DAYS or made.chance.random() < 0.015
            writer.register(appointment, clerk, registered=not waits)
            if plan.service.photo_upload and plan.service.scenario.family == "wound" and back <= 21:
                writer.photograph(appointment, booked_at)
    writer.write()


def _past_session(made: Region, writer: Writer, day: date) -> Plan | None:
    for _attempt in range(6):
        service, unit, patient = _someones_wish(made)
        at = time(made.chance.choice([8, 9, 10, 12, 13, 14]), made.chance.choice([0, 15, 30]))
        plan = Plan(
            service=service,
            requester_unit=unit,
            patient=patient,
            performer=made.chance.choice(made.performers(service)),
            requester=_requester(made, unit, service),
            interpreter=_interpreter(made, service, patient),
            starts_at=timezone.make_aware(datetime.combine(day, at)),
            status=made.chance.choices(
                [AppointmentStatus.FULFILLED, AppointmentStatus.NO_SHOW, AppointmentStatus.CANCELLED], [88, 5, 7]
            )[0],
        )
        different = len({diary.pk for _role, diary in plan.people(made)}) == len(plan.people(made))
        if different and writer.fits(plan):
            return plan
    return None


def _what_happened(writer: Writer, appointment: Appointment) -> None:
    writer.event(appointment, EventKind.BOOKED, appointment.booked_at, done=True)
    if appointment.status == AppointmentStatus.CANCELLED:
        assert appointment.cancelled_at is not None
        writer.event(appointment, EventKind.CANCELLED, appointment.cancelled_at, done=True)
    elif appointment.status == AppointmentStatus.NO_SHOW:
        writer.event(appointment, EventKind.NO_SHOW, appointment.ends_at, done=True)
    else:
        assert appointment.started_at is not None
        assert appointment.ended_at is not None
        writer.event(appointment, EventKind.STARTED, appointment.started_at, done=True)
        writer.event(appointment, EventKind.ENDED, appointment.ended_at, done=True)


# Today ---------------------------------------------------------------------------------------------------------------
# minutes from now, service, patient, performer, requester, how it stands; a name is an account's, else any colleague
AROUND_NOW: Final = (
    (-165, "wound/wound-care", "Blid Einer", "henrik", "maja", AppointmentStatus.FULFILLED),
    (-100, "palliative/palliative", "Sval Rosenrot", "oda", "aksel", AppointmentStatus.FULFILLED),
    (-15, "rehab/rehab", "Rolig Tindved", "jonas", "aksel", AppointmentStatus.ARRIVED),
    (10, "wound/wound-care", "Lun Bergknapp", "henrik", "maja", AppointmentStatus.BOOKED),
    (65, "wound/wound-care", "Mild Rogn", "henrik", "maja", AppointmentStatus.BOOKED),
    (70, "elvebygd_allocation/geriatric-discharge", "", "liv", "nora", AppointmentStatus.BOOKED),
    (130, "palliative/palliative", "Stille Bergmynte", "oda", "maja", AppointmentStatus.BOOKED),
    (200, "medical/interpreter", "Var Fjellflokk", "", "maja", AppointmentStatus.BOOKED),
)
BOOKED_BEFORE: Final = timedelta(days=4)


def today_is_written(now: datetime) -> bool:
    """Say whether sessions were written around any minute of today.

    A session shows its minute by its place in the list: what was written late in the evening lies partly on the next
    day, which still gets its own.
    """
    start, end = queries.local_day(timezone.localdate(now))
    written = Q()
    for minutes, _key, name, *_rest in AROUND_NOW:
        if name:
            given, family = name.split(" ", 1)
            offset = timedelta(minutes=minutes)
            written |= Q(
                patient__given_name=given,
                patient__family_name=family,
                starts_at__gt=start + offset,  # the minute is the next full five, midnight at the latest
                starts_at__lte=end + offset,
            )
    return Appointment.objects.filter(written, booked_at=F("starts_at") - BOOKED_BEFORE).exists()


def write_today(made: Region) -> None:
    """Write the sessions around this minute; what follows from them is left to the reactions, as for any session.

    What cannot be, because somebody is busy with what was booked for today earlier, is left out.
    """
    writer = Writer(made)
    writer.read_busy(made.now - timedelta(days=1), made.now + timedelta(days=1))
    hour = made.now.replace(second=0, microsecond=0)
    minute = hour + timedelta(minutes=5 - hour.minute % 5)
    kin: list[Participant] = []
    for offset, key, name, performer, requester, status in AROUND_NOW:
        service, diary = made.services.get(key), made.diaries.get(requester)
        if service is None or diary is None or diary.unit is None or diary.user is None:
            continue
        patient = made.patients.get(name) if name else next(iter(made.patients_of.get(diary.unit.pk, [])), None)
        specialist = made.diaries.get(performer) if performer else next(iter(made.performers(service)), None)
        if patient is None or specialist is None:
            continue
        plan = Plan(
            service=service,
            requester_unit=diary.unit,
            patient=patient,
            performer=specialist,
            requester=diary,
            interpreter=_interpreter(made, service, patient),
            starts_at=minute + timedelta(minutes=offset),
            status=status,
        )
        if not writer.fits(plan):
            continue
        booked_at = plan.starts_at - BOOKED_BEFORE
        appointment = writer.add(plan, booked_by=diary.user, booked_at=booked_at)
        writer.event(appointment, EventKind.BOOKED, booked_at, done=False)
        if appointment.started_at:
            writer.event(appointment, EventKind.STARTED, appointment.started_at, done=False)
        if appointment.ended_at:
            writer.event(appointment, EventKind.ENDED, appointment.ended_at, done=False)
        if service.photo_upload and service.scenario.family == "wound":
            writer.photograph(appointment, booked_at)
        if patient.pk in made.kin_of and status == AppointmentStatus.BOOKED:
            kin.append(_kin(made, appointment))
    writer.write()
    Participant.objects.bulk_create(kin)


def _kin(made: Region, appointment: Appointment) -> Participant:
    assert appointment.patient is not None
    relative = made.kin_of[appointment.patient.pk]
    return Participant(
        appointment=appointment,
        role=ParticipantRole.NEXT_OF_KIN,
        guest_name=relative.name,
        guest_relation=relative.relation,
        guest_phone=relative.phone,
        required=False,
    )


# The coming weeks ----------------------------------------------------------------------------------------------------
def note_absence(made: Region) -> None:
    """A helper of the home care goes to a course; what was booked with her before stands."""
    unit_key, name, length = AWAY
    diary = next(one for one in made.staff_of[made.units[unit_key].pk] if one.name == name)
    monday = made.today + timedelta(days=7 - made.today.weekday())
    start, _next_day = queries.local_day(monday)
    _last_day, end = queries.local_day(monday + timedelta(days=length - 1))
    services.note_absence(schedule=diary, starts_at=start, ends_at=end, now=made.now)


def book_coming(made: Region) -> None:
    """Book as people do: the first joint times some days ahead, with what follows from them."""
    for _number in range(COMING):
        service, unit, patient = _someones_wish(made)
        requester = _requester(made, unit, service)
        request = queries.BookingRequest(
            service_type=service,
            requester_unit=unit,
            patient=patient,
            requester=requester,
            interpreter_language=patient.language if _interpreter(made, service, patient) else "",
            place=made.place_of.get(unit.pk, "home"),
        )
        start = made.now + timedelta(days=made.chance.randint(1, 24))
        times = queries.open_times(request, now=made.now, start=start, limit=24)
        if not times:
            continue
        choices = _answers().get(service.form)
        answers = _dated(made.chance.choice(choices), made.today) if choices else None
        try:
            with transaction.atomic():
                services.book_appointment(
                    request=request,
                    starts_at=made.chance.choice(times).starts_at,
                    actor=_booker(made, unit, requester),
                    now=made.now,
                    answers=answers,
                )
        except Refusal:
            continue  # a rule of the service stands in the way of this one; the demo has enough others
