"""The cast: a hospital trust with a wound clinic, a municipality with home care, and strangers to both.

Kari is a home nurse, Dr Berg a specialist, Tor a clerk at the hospital, Amina an interpreter, Lie works elsewhere and
must see nothing. Ada and Bo are patients of the home care.
"""

import gc
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone, translation
from django_otp import DEVICE_ID_SESSION_KEY

from apps.accounts.models import User
from apps.accounts.services import add_authenticator
from apps.organisations.models import Organisation, OrganisationKind, Role, Unit, UnitKind
from apps.organisations.services import add_organisation, add_unit, give_role
from apps.patients.models import CareRelation, IdentifierKind, Patient
from tests.scheduling_cast import *  # noqa: F403  (diaries, services, `book`, `react`)
from tests.witnesses import log  # noqa: F401  (a fixture)

OSLO = ZoneInfo("Europe/Oslo")
LONG_AGO = date(2020, 1, 1)
PASSWORD = "blue kettle over stone"
ADA_ID = "13836810184"
BO_ID = "02884410013"


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again, nor come round after every request.

    It would take a quarter of the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def _language() -> None:
    """A request leaves its language in the thread, for the next request to change: no test begins with another's."""
    translation.deactivate()


@pytest.fixture
def now() -> datetime:
    """Monday 2 March 2026, 08.00 in Oslo."""
    return datetime(2026, 3, 2, 8, 0, tzinfo=OSLO)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], datetime]:
    """Set what pages take for now, in Oslo: `clock("2026-03-03 09.50")`."""

    def set_to(text: str) -> datetime:
        moment = datetime.strptime(text, "%Y-%m-%d %H.%M").replace(tzinfo=OSLO)
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    return set_to


def _user(given_name: str, family_name: str, title: str) -> User:
    user = User.objects.create_user(
        f"{given_name}.{family_name}@staff.example".lower(),
        PASSWORD,
        given_name=given_name,
        family_name=family_name,
        title=title,
    )
    add_authenticator(user=user)
    return user


# Organisations and units ---------------------------------------------------------------------------------------------
@pytest.fixture
def hospital(db: None) -> Organisation:
    return add_organisation(
        name="Elvebygd sykehus HF",
        kind=OrganisationKind.HOSPITAL_TRUST,
        number="310000019",
        sms_sender="Elvebygd",
        phone="+4700002000",
    )


@pytest.fixture
def wound_clinic(hospital: Organisation) -> Unit:
    return add_unit(
        organisation=hospital,
        name="Sårpoliklinikken",
        public_name="Elvebygd sykehus",
        kind=UnitKind.OUTPATIENT_CLINIC,
        phone="+4700002010",
    )


@pytest.fixture
def municipality(db: None) -> Organisation:
    return add_organisation(
        name="Elvebygd kommune",
        kind=OrganisationKind.MUNICIPALITY,
        number="310000027",
        sms_sender="Elvebygd",
        phone="+4700001000",
    )


@pytest.fixture
def home_care(municipality: Organisation) -> Unit:
    return add_unit(
        organisation=municipality,
        name="Hjemmetjenesten sør",
        public_name="Elvebygd kommune",
        kind=UnitKind.HOME_CARE,
        phone="+4700001010",
    )


@pytest.fixture
def other_municipality(db: None) -> Organisation:
    """A municipality that has nothing to do with the others."""
    return add_organisation(
        name="Fjellvik kommune", kind=OrganisationKind.MUNICIPALITY, number="310000035", phone="+4700003000"
    )


@pytest.fixture
def other_home_care(other_municipality: Organisation) -> Unit:
    return add_unit(
        organisation=other_municipality, name="Hjemmetjenesten nord", kind=UnitKind.HOME_CARE, phone="+4700003010"
    )


@pytest.fixture
def other_hospital(db: None) -> Organisation:
    return add_organisation(
        name="Fjellvik sykehus HF", kind=OrganisationKind.HOSPITAL_TRUST, number="310000043", phone="+4700004000"
    )


@pytest.fixture
def other_clinic(other_hospital: Organisation) -> Unit:
    return add_unit(
        organisation=other_hospital, name="Hudpoliklinikken", kind=UnitKind.OUTPATIENT_CLINIC, phone="+4700004010"
    )


# People who sign in --------------------------------------------------------------------------------------------------
@pytest.fixture
def kari(home_care: Unit) -> User:
    """A home nurse, who books."""
    user = _user("Kari", "Kvist", "Sykepleier")
    give_role(user=user, unit=home_care, role=Role.BOOKER, valid_from=LONG_AGO)
    return user


@pytest.fixture
def berg(wound_clinic: Unit) -> User:
    """Dr Berg, a specialist of the wound clinic."""
    user = _user("Berit", "Berg", "Overlege")
    give_role(user=user, unit=wound_clinic, role=Role.CLINICIAN, valid_from=LONG_AGO)
    return user


@pytest.fixture
def tor(wound_clinic: Unit) -> User:
    """The clerk who registers in DIPS."""
    user = _user("Tor", "Tang", "Helsesekretær")
    give_role(user=user, unit=wound_clinic, role=Role.CLERK, valid_from=LONG_AGO)
    return user


@pytest.fixture
def amina(hospital: Organisation) -> User:
    """An interpreter of the hospital's interpreter service."""
    unit = add_unit(
        organisation=hospital, name="Tolketjenesten", kind=UnitKind.INTERPRETER_SERVICE, phone="+4700002090"
    )
    user = _user("Amina", "Ask", "Tolk")
    give_role(user=user, unit=unit, role=Role.INTERPRETER, valid_from=LONG_AGO)
    return user


@pytest.fixture
def lie(other_home_care: Unit) -> User:
    """A stranger: a home nurse in another municipality."""
    user = _user("Liv", "Lie", "Sykepleier")
    give_role(user=user, unit=other_home_care, role=Role.BOOKER, valid_from=LONG_AGO)
    return user


@pytest.fixture
def ola(home_care: Unit) -> User:
    """The administrator of Kari's municipality, who gives and ends access and sees no patient."""
    unit = add_unit(
        organisation=home_care.organisation, name="IKT og e-helse", kind=UnitKind.ADMINISTRATION, phone="+4700003090"
    )
    user = _user("Ola", "Ost", "Rådgiver")
    give_role(user=user, unit=unit, role=Role.ORGANISATION_ADMIN, valid_from=LONG_AGO)
    return user


# Patients ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def ada(home_care: Unit) -> Patient:
    """A patient of the home care, with a telephone."""
    return _patient(home_care, "Ada", "Alm", date(1968, 3, 13), ADA_ID, "+4700010001")


@pytest.fixture
def bo(home_care: Unit) -> Patient:
    """Another patient of the home care."""
    return _patient(home_care, "Bo", "Bjørk", date(1944, 8, 2), BO_ID, "+4700010002")


def _patient(unit: Unit, given_name: str, family_name: str, born: date, national_id: str, phone: str) -> Patient:
    from apps.common.crypto import blind_index

    patient = Patient.objects.create(
        organisation=unit.organisation,
        given_name=given_name,
        family_name=family_name,
        birth_date=born,
        identifier_kind=IdentifierKind.FNR,
        national_id=national_id,
        person_index=blind_index(national_id, "person"),
        phone=phone,
        phone_index=blind_index(phone, "phone"),
    )
    CareRelation.objects.create(patient=patient, unit=unit, since=LONG_AGO)
    return patient


# Signing in ----------------------------------------------------------------------------------------------------------
def sign_in(client: Client, user: User) -> Client:
    """Sign in with the second factor given."""
    client.force_login(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = user.authenticator_set.get(confirmed=True).persistent_id
    session.save()
    UserSession.objects.create(user=user, session_key=session.session_key, ip="127.0.0.1")
    return client


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """Give a client of one's own, signed in: `as_user(kari).get(...)`."""
    return lambda user: sign_in(Client(), user)
