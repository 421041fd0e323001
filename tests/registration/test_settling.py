"""What a clerk settles: one wins, the other is told, and the day's mistakes can be undone."""

from datetime import date, timedelta
from functools import partial

import pytest

from apps.audit.models import AccessRecord
from apps.common.errors import ChangedMeanwhile
from apps.organisations.models import Role
from apps.organisations.services import give_role
from apps.registration import services
from apps.registration.models import Registration, RegistrationState
from tests.conftest import _user
from tests.scheduling_cast import at
from tests.together import together

pytestmark = pytest.mark.django_db

NOON = at("2026-03-03 12.00")


@pytest.fixture
def vera(wound_clinic):
    """Another clerk of the same clinic."""
    user = _user("Vera", "Vier", "Helsesekretær")
    give_role(user=user, unit=wound_clinic, role=Role.CLERK, valid_from=date(2020, 1, 1))
    return user


def test_a_session_is_registered_with_its_contact_id(held, mark, ada, tor):
    registration = mark(held(ada, "2026-03-03 10.00"), tor, " 3041 2886 ")
    assert registration.state == RegistrationState.REGISTERED
    assert registration.dips_contact_id == "30412886"
    assert (registration.settled_by, registration.settled_at) == (tor, NOON)


def test_registering_is_written_in_the_access_log(held, mark, ada, tor):
    registration = mark(held(ada, "2026-03-03 10.00"), tor)
    record = AccessRecord.objects.get(action="change")
    assert record.patient_uid == ada.uid
    assert record.actor_id == tor.pk
    assert record.what_reference == registration.appointment.reference


@pytest.mark.parametrize("typed", ["12a", "١٢٣", "12.5", "-1", "1" * 21, "' OR 1=1 --", "12\x00", "１２"])
def test_a_contact_id_that_is_no_number_is_refused_and_nothing_changes(held, mark, ada, tor, typed):
    registration = held(ada, "2026-03-03 10.00")
    with pytest.raises(services.ContactIdWrong):
        mark(registration, tor, typed)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.AWAITING


def test_one_contact_id_is_one_sessions_within_the_organisation(held, mark, ada, bo, tor):
    mark(held(ada, "2026-03-03 10.00"), tor, "30412886")
    second = held(bo, "2026-03-03 11.00")
    with pytest.raises(services.ContactIdTaken) as refused:
        mark(second, tor, "30412886")
    assert refused.value.field == "dips_contact_id"
    second.refresh_from_db()
    assert second.state == RegistrationState.AWAITING


def test_another_hospital_may_have_the_same_contact_id(held, mark, ada, bo, tor, other_clinic):
    mark(held(ada, "2026-03-03 10.00"), tor, "30412886")
    second = held(bo, "2026-03-03 11.00")
    Registration.objects.filter(pk=second.pk).update(unit=other_clinic, organisation=other_clinic.organisation)
    assert mark(second, tor, "30412886").state == RegistrationState.REGISTERED


def test_the_second_clerk_is_told_and_the_firsts_number_stays(held, mark, ada, tor, vera):
    registration = held(ada, "2026-03-03 10.00")
    stale = Registration.objects.get(pk=registration.pk)
    mark(registration, tor, "111")
    with pytest.raises(services.SettledMeanwhile):
        mark(stale, vera, "222")
    registration.refresh_from_db()
    assert (registration.settled_by, registration.dips_contact_id) == (tor, "111")


def test_the_same_clerks_second_click_does_no_harm(held, mark, ada, tor):
    registration = held(ada, "2026-03-03 10.00")
    stale = Registration.objects.get(pk=registration.pk)
    first = mark(registration, tor, "111")
    assert mark(stale, tor, "111").version == first.version


def test_an_old_page_cannot_register_what_was_undone(held, mark, as_actor, ada, tor):
    registration = held(ada, "2026-03-03 10.00")
    stale = Registration.objects.get(pk=registration.pk)
    marked = mark(registration, tor)
    services.undo(registration=marked, version=marked.version, actor=as_actor(tor), now=NOON)
    with pytest.raises(ChangedMeanwhile) as refused:
        mark(stale, tor)
    assert refused.type is ChangedMeanwhile, "nobody has settled it"


def test_a_session_that_has_not_been_held_cannot_be_registered(planned, mark, ada, tor):
    with pytest.raises(services.NotHeldYet):
        mark(planned(ada, "2026-03-03 10.00"), tor)


def test_undo_puts_it_back_on_the_same_day_and_not_on_the_next(held, mark, as_actor, ada, bo, tor):
    first = mark(held(ada, "2026-03-03 10.00"), tor, "111")
    undone = services.undo(registration=first, version=first.version, actor=as_actor(tor), now=at("2026-03-03 23.59"))
    assert (undone.state, undone.dips_contact_id, undone.settled_by) == (RegistrationState.AWAITING, "", None)
    second = mark(held(bo, "2026-03-03 11.00"), tor, "111")
    with pytest.raises(services.TooLateToUndo):
        services.undo(registration=second, version=second.version, actor=as_actor(tor), now=at("2026-03-04 00.00"))


def test_what_followed_from_the_appointment_cannot_be_undone(planned, as_actor, ada, tor):
    registration = planned(ada, "2026-03-03 10.00")
    services.withdraw_registration(appointment=registration.appointment)
    registration.refresh_from_db()
    with pytest.raises(services.TooLateToUndo):
        services.undo(registration=registration, version=registration.version, actor=as_actor(tor), now=NOON)


def test_a_session_can_be_taken_off_the_list_with_a_reason(held, as_actor, ada, tor):
    registration = held(ada, "2026-03-03 10.00")
    for reason in ["", "cancelled", "because", "x" * 500]:
        with pytest.raises(services.ReasonUnknown):
            services.mark_not_needed(
                registration=registration, version=registration.version, reason=reason, actor=as_actor(tor), now=NOON
            )
    settled = services.mark_not_needed(
        registration=registration, version=registration.version, reason="by_phone", actor=as_actor(tor), now=NOON
    )
    assert (settled.state, settled.not_needed_reason) == ("not_needed", "by_phone")
    back = services.undo(registration=settled, version=settled.version, actor=as_actor(tor), now=NOON)
    assert (back.state, back.not_needed_reason) == ("awaiting", "")


def test_a_contact_id_can_be_written_back_later(held, mark, as_actor, ada, bo, tor):
    mark(held(bo, "2026-03-03 11.00"), tor, "222")
    registration = mark(held(ada, "2026-03-03 10.00"), tor)

    def write(number):
        return services.write_back_contact_id(
            registration=registration, version=registration.version, dips_contact_id=number, actor=as_actor(tor)
        )

    for number in ["", "abc"]:
        with pytest.raises(services.ContactIdWrong):
            write(number)
    with pytest.raises(services.ContactIdTaken):
        write("222")
    assert write("333").dips_contact_id == "333"
    with pytest.raises(ChangedMeanwhile):
        services.write_back_contact_id(registration=registration, version=0, dips_contact_id="444", actor=as_actor(tor))


def test_a_settled_sheet_stays_as_it_was(held, mark, ada, tor, wound_review):
    registration = mark(held(ada, "2026-03-03 10.00"), tor)
    before = registration.sheet
    wound_review.speciality = "240"
    wound_review.save()
    services.redraw_open_sheets()
    services.move_registration(appointment=registration.appointment)
    registration.refresh_from_db()
    assert registration.sheet == before


@pytest.mark.django_db(transaction=True)
def test_of_two_clerks_at_once_one_wins_and_the_other_is_told(held, ada, tor, vera, as_actor):
    registration = held(ada, "2026-03-03 10.00")
    mine = [Registration.objects.get(pk=registration.pk) for _clerk in range(2)]

    def register(seen, user, number):
        services.mark_registered(
            registration=seen, version=seen.version, dips_contact_id=number, actor=as_actor(user), now=NOON
        )

    outcomes = together(partial(register, mine[0], tor, "111"), partial(register, mine[1], vera, "222"))
    assert sorted(outcome.code if outcome else "" for outcome in outcomes) == ["", "settled-meanwhile"]
    assert AccessRecord.objects.filter(action="change").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_sessions_that_take_one_contact_id_at_once_one_is_refused(held, ada, bo, tor, vera, as_actor):
    registrations = [held(ada, "2026-03-03 10.00"), held(bo, "2026-03-03 11.00")]

    def register(registration, user):
        services.mark_registered(
            registration=registration,
            version=registration.version,
            dips_contact_id="777",
            actor=as_actor(user),
            now=NOON + timedelta(minutes=1),
        )

    outcomes = together(*(partial(register, *pair) for pair in zip(registrations, [tor, vera], strict=True)))
    assert sorted(outcome.code if outcome else "" for outcome in outcomes) == ["", "contact-id-taken"]


def test_a_session_registered_while_sheets_are_drawn_anew_keeps_what_was_typed(
    held, mark, ada, bo, tor, wound_review, monkeypatch
):
    typed, other = held(ada, "2026-03-03 10.00"), held(bo, "2026-03-03 11.00")
    before = typed.sheet
    wound_review.speciality = "240"
    wound_review.save()
    draw = services._draw

    def while_drawing(registration, *rest):
        if registration.pk == typed.pk:
            mark(typed, tor, "111")
        draw(registration, *rest)

    monkeypatch.setattr(services, "_draw", while_drawing)
    services.redraw_open_sheets()
    typed.refresh_from_db()
    assert (typed.state, typed.sheet) == (RegistrationState.REGISTERED, before)
    seen = other.sheet
    other.refresh_from_db()
    assert other.sheet != seen


def test_who_has_a_sheet_of_yesterdays_rules_before_her_is_told(held, mark, ada, tor, wound_review):
    seen = held(ada, "2026-03-03 10.00")
    services.redraw_open_sheets()
    assert Registration.objects.get(pk=seen.pk).version == seen.version, "nothing was different"
    wound_review.speciality = "240"
    wound_review.save()
    services.redraw_open_sheets()
    with pytest.raises(ChangedMeanwhile):
        mark(seen, tor, "111")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_whoever_comes_first_the_sheet_that_is_registered_is_the_one_that_was_seen(
    held, mark, ada, bo, tor, wound_review, monkeypatch
):
    monkeypatch.setattr(services, "BATCH", 1)
    seen = [held(ada, f"2026-03-03 {hour}.00") for hour in ("09", "10", "11", "13", "14")]
    before = {one.pk: one.sheet for one in seen}  # who is refused gets what stands there now
    wound_review.speciality = "240"
    wound_review.save()
    together(services.redraw_open_sheets, *(partial(mark, registration, tor) for registration in seen))
    for now in Registration.objects.filter(pk__in=before):
        assert (now.state == RegistrationState.REGISTERED) == (now.sheet == before[now.pk])


def test_redrawing_that_was_cut_off_goes_on_at_the_next_start(planned, ada, monkeypatch):
    registration = planned(ada, "2026-03-10 10.00")
    wanted = services.house_rules()
    rows = [type(wanted.rules[0])(family="wound", patient_present=True, rows=[])]
    others = [rule for rule in wanted.rules if not (rule.family == "wound" and rule.patient_present)]
    newer = type(wanted)(wanted.valid_from, others + rows, wanted.specialities)
    with monkeypatch.context() as patch:
        patch.setattr(services, "redraw_open_sheets", lambda: None)
        assert services.load_code_rules(today=date(2026, 3, 3), rules=newer) == 1
    assert services.load_code_rules(today=date(2026, 3, 3), rules=newer) == 0
    before = registration.rule_id
    registration.refresh_from_db()
    assert registration.rule_id > before
