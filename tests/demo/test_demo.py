"""The made-up region: whole, made up throughout, made once, and nowhere but in the demo."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from apps.accounts.models import User
from apps.accounts.queries import demo_users
from apps.catalogue import questionnaire
from apps.catalogue.models import PortalUse, Scenario, ServiceType
from apps.organisations.models import Membership, Organisation, Role
from apps.patients.identifiers import parse_identifier
from apps.patients.models import Patient
from apps.registration.models import Registration
from apps.scheduling import queries
from apps.scheduling.models import Appointment, AppointmentEvent, Schedule
from portal.demo import sessions
from portal.demo.national_ids import synthetic_ids
from portal.demo.region import PASSWORD, find_region


@pytest.fixture(scope="module")
def region(django_db_setup, django_db_blocker):
    """Make the region once for this module, and take it away again."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo", verbosity=0)
        yield timezone.now()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _in_it(region, db):
    """Every test stands in the region."""


def test_a_second_run_changes_nothing(region):
    def everything():
        return [
            model.objects.count() for model in (User, Patient, Appointment, AppointmentEvent, Registration, Schedule)
        ]

    before = everything()
    call_command("demo", verbosity=0)
    assert everything() == before


def test_on_a_later_day_there_is_a_new_today_once(region, monkeypatch):
    morrow = region + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: morrow)
    maja = User.objects.get(email="maja.myrull@demo.videotime.example")

    def around_now():
        return Appointment.objects.filter(
            participants__schedule__user=maja,
            starts_at__gt=morrow - timedelta(hours=4),
            starts_at__lt=morrow + timedelta(hours=4),
        ).count()

    before = around_now()
    call_command("demo", verbosity=0)
    fresh = around_now()
    assert fresh > before
    assert Appointment.objects.filter(status="arrived", starts_at__gt=morrow - timedelta(hours=1)).exists()
    call_command("demo", verbosity=0)
    assert around_now() == fresh


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (0, 1), (12, 40), (20, 40), (23, 40), (23, 59)])
def test_a_late_evening_does_not_take_the_next_day(region, hour, minute):
    evening = (timezone.localtime(region) + timedelta(days=40)).replace(hour=hour, minute=minute)
    for now in [evening, evening + timedelta(days=1)]:
        assert not sessions.today_is_written(now)
        sessions.write_today(find_region(now))
        assert sessions.today_is_written(now)


def test_it_is_refused_outside_the_demo(settings):
    settings.DEMO = False
    for options in [[], ["--accounts"]]:
        with pytest.raises(CommandError, match="DEMO is off"):
            call_command("demo", *options)


def test_every_role_has_somebody_who_can_sign_in():
    roles = set(Membership.objects.filter(user__in=demo_users()).values_list("role", flat=True))
    assert roles == set(Role.values)
    for user in demo_users():
        assert user.check_password(PASSWORD)
        assert user.authenticator_set.filter(confirmed=True).count() == 1


def test_the_accounts_are_listed_with_all_that_signing_in_takes():
    out = io.StringIO()
    call_command("demo", "--accounts", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 1 + demo_users().count()
    assert "maja.myrull@demo.videotime.example" in lines[1]
    assert PASSWORD in lines[1]


def test_nobody_in_it_could_be_real():
    assert Patient.objects.count() == 120
    assert len({patient.national_id for patient in Patient.objects.all()}) == 120
    for patient in Patient.objects.all():
        identifier = parse_identifier(patient.national_id)
        assert identifier.synthetic
        assert not identifier.rule_2032
        assert identifier.birth_date == patient.birth_date
        assert patient.phone.startswith("+4700")
    for phone in Organisation.objects.values_list("phone", flat=True):
        assert phone.startswith("+4700")
    assert all(email.endswith(".example") for email in User.objects.values_list("email", flat=True))


def test_every_bookable_entry_of_the_catalogue_is_offered_with_somebody_to_perform_it():
    wanted = set(Scenario.objects.filter(portal_use=PortalUse.BOOK).values_list("code", flat=True))
    offered = set(ServiceType.objects.values_list("scenario__code", flat=True))
    assert wanted <= offered
    for service in ServiceType.objects.all():
        need = service.needs.filter(role="performer").first()
        assert need.team.members.exists(), service


def test_there_is_a_past_a_today_and_a_time_to_come(region):
    now = timezone.now()
    assert Appointment.objects.filter(starts_at__lt=now - timedelta(days=60)).count() > 50
    assert Appointment.objects.filter(starts_at__gt=now + timedelta(days=1)).count() > 20
    assert Appointment.objects.filter(status="arrived").count() == 1
    assert Appointment.objects.filter(status="booked", starts_at__range=(now, now + timedelta(hours=1))).exists()
    states = set(Registration.objects.values_list("state", flat=True))
    assert states == {"not_held", "awaiting", "registered", "not_needed"}
    assert not AppointmentEvent.objects.filter(reacted_at__isnull=True).exists()


def test_there_is_a_joint_time_for_every_service_that_is_booked_ahead(region):
    for service in ServiceType.objects.filter(scenario__portal_use=PortalUse.BOOK):
        request = queries.BookingRequest(service_type=service, requester_unit=service.unit)
        assert queries.open_times(request, now=timezone.now(), limit=1), service.scenario.code


@pytest.mark.parametrize("slug", sorted(sessions._answers()))
def test_the_answers_are_such_as_the_form_takes(slug):
    for answers in sessions._answers()[slug]:
        dated = sessions._dated(answers, timezone.localdate())
        data = questionnaire.as_data(questionnaire.written(slug, dated))
        form = questionnaire.form_class(slug)(MultiValueDict(data))
        assert form.is_valid(), form.errors.as_json()
        assert form.answers() == dated


def test_synthetic_numbers_hold_and_are_never_the_same():
    born = timezone.localdate().replace(year=1944, month=2, day=29)
    numbers = list(synthetic_ids(born))
    assert len(numbers) == len(set(numbers)) > 100
    assert all(parse_identifier(number).birth_date == born for number in numbers)
    young = timezone.localdate().replace(year=2012, month=12, day=31)
    assert all(parse_identifier(number).birth_date == young for number in synthetic_ids(young))
