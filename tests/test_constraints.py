"""What the database holds by itself, whoever writes the row: each constraint refuses what it is there to refuse."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import CheckConstraint, Model

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
END = START + timedelta(minutes=30)
DAY, DAY_BEFORE = date(2026, 3, 3), date(2026, 3, 2)
ONE = UUID(int=1)
NO_TIME = {"ends_at": START}

# The least that makes a row. What it points at need not be there: keys are checked at the commit, which never comes.
ROWS: dict[str, dict[str, Any]] = {
    "accounts.User": {"email": "kari@staff.example"},
    "audit.AccessRecord": {"at": START, "action": "read"},
    "audit.AuditSeal": {"first_record_id": 2, "last_record_id": 2, "digest": b"1", "sealed_at": START},
    "calendars.FeedToken": {"user_id": 1, "digest": b"1", "created_at": START},
    "catalogue.Agreement": {"service_type_id": 1, "organisation_id": 1},
    "catalogue.Scenario": {"code": "a", "names": {}, "priority": 1, "portal_use": "book", "defaults": {}},
    "catalogue.ServiceType": {"unit_id": 1, "scenario_id": 1, "names": {}},
    "messaging.MessageReceipt": {"message_id": 1, "said": "delivered", "received_at": START},
    "messaging.OutboxMessage": {
        "about": ONE,
        "recipient": "ada",
        "purpose": "reminder",
        "channel": "sms",
        "address": "1",
        "address_index": b"1",
        "body": "",
        "created_at": START,
        "due_at": START,
    },
    "organisations.Membership": {"user_id": 1, "unit_id": 1, "role": "booker", "valid_from": DAY},
    "organisations.Organisation": {"name": "a", "kind": "municipality", "number": "1"},
    "organisations.Unit": {"organisation_id": 1, "name": "a", "kind": "ward"},
    "patients.CareRelation": {"patient_id": 1, "unit_id": 1, "since": DAY},
    "patients.Patient": {
        "organisation_id": 1,
        "birth_date": DAY,
        "person_index": b"1",
        "identifier_kind": "FNR",
        "national_id": "1",
    },
    "registration.CodeRule": {"patient_present": True, "valid_from": DAY, "codes": {}},
    "registration.Registration": {
        "appointment_id": 1,
        "unit_id": 1,
        "organisation_id": 1,
        "state": "registered",
        "held_at": START,
        "settled_at": START,
        "settled_by_id": 1,
        "dips_contact_id": "1",
    },
    "rooms.JoinLink": {"participant_id": 1, "digest": b"1", "created_at": START},
    "rooms.Room": {"appointment_id": 1, "starts_at": START, "ends_at": END},
    "rooms.Seat": {"appointment_id": 1, "user_id": 1},
    "scheduling.Absence": {"schedule_id": 1, "starts_at": START, "ends_at": END},
    "scheduling.Appointment": {
        "service_type_id": 1,
        "requester_unit_id": 1,
        "performer_unit_id": 1,
        "patient_id": 1,
        "starts_at": START,
        "ends_at": END,
        "booked_by_id": 1,
        "booked_at": START,
        "reference": "VT-1",
    },
    "scheduling.AppointmentEvent": {"appointment_id": 1, "kind": "booked", "version": 0, "at": START},
    "scheduling.Hold": {"user_id": 1, "starts_at": START, "ends_at": END, "expires_at": END},
    "scheduling.Need": {"service_type_id": 1, "role": "performer", "source": "team", "team_id": 1},
    "scheduling.Occupancy": {
        "schedule_id": 1,
        "during": DateTimeTZRange(START, END),
        "kind": "appointment",
        "appointment_id": 1,
    },
    "scheduling.Opening": {"schedule_id": 1, "weekday": 6, "starts": time(9), "ends": time(8)},
    "scheduling.Participant": {"appointment_id": 1, "schedule_id": 1, "role": "performer"},
    "scheduling.Photo": {
        "draft_id": 1,
        "image": b"1",
        "thumbnail": b"1",
        "width": 1,
        "height": 1,
        "uploaded_by_id": 1,
        "uploaded_at": START,
    },
    "scheduling.Reaction": {"event_id": 1, "name": "rooms.plan_room", "at": START},
    "scheduling.Schedule": {"kind": "clinician"},
    "scheduling.Team": {"unit_id": 1, "name": "a"},
    "scheduling.TeamMember": {"team_id": 1, "schedule_id": 1},
}

# What makes such a row one that its check is there to refuse, in each way; where words are known, any other word does.
BREACHES: dict[str, list[dict[str, Any]]] = {
    "absence_ends_after_start": [NO_TIME],
    "appointment_cancelled_has_time_and_reason": [
        {"status": "cancelled"},
        {"status": "cancelled", "cancelled_at": START},
        {"status": "cancelled", "cancel_reason": "ill"},
        {"cancelled_at": START},
        {"cancel_reason": "ill"},
    ],
    "appointment_ends_after_start": [NO_TIME],
    "appointment_takes_at_most_eight_hours": [{"ends_at": START + timedelta(hours=8, minutes=5)}],
    "appointment_with_patient_present_has_a_patient": [{"patient_id": None}],
    "audit_seal_covers_a_record": [{"last_record_id": 1}],
    "code_rule_valid_to_not_before_valid_from": [{"valid_to": DAY_BEFORE}],
    "hold_ends_after_start": [NO_TIME],
    "membership_ends_after_it_begins": [{"valid_to": DAY_BEFORE}],
    "need_names_what_its_source_says": [
        {"team_id": None},
        {"schedule_id": 1},
        {"source": "interpreter", "team_id": None},
        {"source": "schedule"},
        {"source": "requester"},
        {"source": "patient", "team_id": None, "schedule_id": 1},
        {"source": "moon"},
    ],
    "occupancy_has_both_ends_and_takes_time": [
        {"during": DateTimeTZRange(START, None)},
        {"during": DateTimeTZRange(None, END)},
        {"during": DateTimeTZRange(START, START)},
    ],
    "occupancy_is_for_what_its_kind_says": [
        {"appointment_id": None},
        {"hold_id": 1},
        {"expires_at": END},
        {"kind": "hold", "appointment_id": None, "hold_id": 1},
        {"kind": "hold", "appointment_id": None, "expires_at": END},
        {"kind": "hold", "hold_id": 1, "expires_at": END},
        {"kind": "busy"},
        {"kind": "moon"},
    ],
    "opening_is_weekly_or_on_a_date": [
        {"weekday": 7},
        {"weekday": None},
        {"on": DAY},
        {"weekday": None, "on": DAY, "valid_from": DAY},
        {"weekday": None, "on": DAY, "valid_to": DAY},
    ],
    "opening_takes_time": [{"ends": time(9)}],
    "opening_valid_to_not_before_valid_from": [{"valid_from": DAY, "valid_to": DAY_BEFORE}],
    "outbox_due_before_it_is_too_late": [{"not_after": START}],
    "outbox_in_reserve_for_another": [{"state": "standby"}],
    "outbox_sending_has_a_lease": [{"state": "sending"}],
    "outbox_sent_has_a_time": [{"state": "sent"}, {"state": "delivered"}],
    "participant_is_a_schedule_or_a_named_guest": [{"schedule_id": None}],
    "patient_identifier_has_a_kind": [{"identifier_kind": ""}, {"national_id": None}],
    "photo_belongs_to_a_draft_or_an_appointment": [{"draft_id": None}, {"appointment_id": 1}],
    "registration_awaiting_was_held": [
        {"held_at": None},
        {"state": "awaiting", "dips_contact_id": "", "held_at": None},
    ],
    "registration_dips_contact_is_digits": [{"dips_contact_id": "1a"}, {"state": "awaiting"}],
    "registration_not_needed_has_a_reason": [
        {"state": "not_needed", "dips_contact_id": ""},
        {"state": "not_needed", "dips_contact_id": "", "not_needed_reason": "moon"},
        {"not_needed_reason": "duplicate"},
    ],
    "registration_registered_has_a_time_and_a_person": [{"settled_at": None}, {"settled_by_id": None}],
    "registration_state_known": [{"state": "moon", "dips_contact_id": ""}],
    "room_ready_has_an_id": [{"state": "ready"}],
    "schedule_of_a_patient_has_only_the_person": [
        {"kind": "patient"},
        {"kind": "patient", "person_index": b"1", "name": "Ada"},
        {"kind": "patient", "person_index": b"1", "user_id": 1},
        {"person_index": b"1"},
    ],
    "seat_guest_is_here_only_when_admitted": [{"state": "here"}],
    "seat_is_a_participants_or_a_users": [{"user_id": None}, {"participant_id": 1}],
    "service_type_buffers_on_the_grid": [
        {"buffer_before_minutes": 7},
        {"buffer_after_minutes": 7},
        {"buffer_before_minutes": 125},
        {"buffer_after_minutes": 125},
    ],
    "service_type_horizon_is_a_day_or_more": [{"horizon_days": 0}],
    "service_type_length_on_the_grid": [{"length_minutes": 0}, {"length_minutes": 7}, {"length_minutes": 485}],
    "service_type_providers_known": [{"providers": ["builtin", "anybodys"]}],
    "service_type_starts_on_a_grid": [{"start_grid_minutes": 25}],
}

# What a second row has of its own, where it would be refused for something else otherwise.
SECOND: dict[str, dict[str, Any]] = {
    "accounts.User": {"email": "KARI@staff.example"},
    "calendars.FeedToken": {"digest": b"2"},
    "registration.Registration": {"appointment_id": 2},
    "rooms.JoinLink": {"digest": b"2"},
    "scheduling.Occupancy": {"during": DateTimeTZRange(END - timedelta(minutes=1), END), "appointment_id": 2},
}


def constraints(*, checks: bool) -> list[Any]:
    ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    return [
        pytest.param(model, constraint, id=constraint.name)
        for model in ours
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint) == checks
    ]


def write(model: type[Model], **different: Any) -> None:
    model._default_manager.create(**{**ROWS[model._meta.label], **different})


def breaches_of(check: CheckConstraint) -> list[dict[str, Any]]:
    if check.name in BREACHES or not check.name.endswith("_known"):
        return BREACHES[check.name]
    ((field, _known),) = check.condition.children
    return [{field.removesuffix("__in"): "moon"}]


@pytest.mark.parametrize(("model", "check"), constraints(checks=True))
def test_a_row_that_cannot_be_is_refused(db, model, check):
    with transaction.atomic():
        for breach in breaches_of(check):
            with pytest.raises(IntegrityError, match=f'"{check.name}"'), transaction.atomic():
                write(model, **breach)
        write(model)
        transaction.set_rollback(True)


@pytest.mark.parametrize(("model", "constraint"), constraints(checks=False))
def test_what_there_is_one_of_is_not_written_twice(db, model, constraint):
    with transaction.atomic():
        write(model)
        with pytest.raises(IntegrityError, match=f'"{constraint.name}"'), transaction.atomic():
            write(model, **SECOND.get(model._meta.label, {}))
        transaction.set_rollback(True)
