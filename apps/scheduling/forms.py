"""What the booking pages ask for besides the structured form: a new patient, who comes, and which time."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalogue import questionnaire
from apps.common.errors import DomainError
from apps.common.languages import LANGUAGES, language_name
from apps.organisations.models import Unit, UnitKind
from apps.patients.forms import AskingToCheck, PhoneField
from apps.patients.models import ContactChannel, InterpreterMode, NextOfKin, Patient
from apps.patients.services import BirthDateMissing

from .appointment_forms import GuestForm
from .models import BookingDraft, ParticipantRole, PlaceOfPatient, Schedule
from .queries.drafts import ALONE, ME
from .services import GuestInput

PLACES: Final = {
    UnitKind.NURSING_HOME: PlaceOfPatient.NURSING_HOME,
    UnitKind.HEALTH_HOUSE: PlaceOfPatient.HEALTH_HOUSE,
    UnitKind.WARD: PlaceOfPatient.WARD,
}
capfirst_lazy = lazy(capfirst, str)
WAYS_TO_TELL: Final = [(one.value, one.label) for one in ContactChannel if one != ContactChannel.NEXT_OF_KIN]
SPOKEN_HERE: Final = {"nob", "nno"}


def language_choices() -> list[tuple[str, str]]:
    return sorted(((code, str(said)) for code, said in LANGUAGES.items()), key=lambda one: one[1])


class NewPatientForm(AskingToCheck):
    """A patient whom the unit does not know yet. The service knows the rules; here all that is wrong is said at once."""

    use_required_attribute = False

    national_id = forms.CharField(
        label=_("National identity number"),
        max_length=20,
        required=False,
        help_text=_("Eleven digits. Leave it empty if it is not known."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "data-width": "short"}),
        error_messages={"max_length": _("A national identity number has eleven digits.")},
    )
    given_name = forms.CharField(
        label=_("Given name"),
        max_length=80,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Write the given name.")},
    )
    family_name = forms.CharField(
        label=_("Family name"),
        max_length=80,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Write the family name.")},
    )
    birth_date = forms.CharField(
        label=_("Date of birth"),
        max_length=24,
        required=False,
        help_text=_("Needed only without an identity number."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "data-width": "short"}),
    )
    phone = PhoneField(label=_("Mobile number"), required=False, help_text=_("The link goes here."))
    language = forms.ChoiceField(label=_("Language"), choices=language_choices, initial="nob")
    interpreter_needed = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.TextInput({"type": "email", "autocomplete": "off"}),
    )
    channel = forms.ChoiceField(
        label=_("Messages go by"),
        choices=lambda: [("", gettext("what is filled in")), *WAYS_TO_TELL],
        required=False,
    )
    reserved = forms.BooleanField(
        label=_("Has declined digital messages"),
        help_text=_("The patient then gets a letter or a call. Nothing is sent to her telephone."),
        required=False,
    )

    def clean_birth_date(self) -> Any:
        text = self.cleaned_data["birth_date"].strip()
        if not text:
            return None
        born = questionnaire.read_date(text, today=timezone.localdate())
        if born is None:
            raise forms.ValidationError(_("Write the date of birth as day, month and year, for example 12.05.1943."))
        return born

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not any(found.get(name) or name in self.errors for name in ("national_id", "birth_date")):
            self.add_error("birth_date", str(BirthDateMissing.message))
        self.ask_to_check(found)
        return found

    def refuse(self, refusal: DomainError) -> None:
        """Show the service's refusal at the field it names, else above the form."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


class PeopleForm(GuestForm):
    """Who is with the patient, where she is, an interpreter, and who else is invited."""

    use_required_attribute = False

    companion = forms.ChoiceField(label=_("Who is with the patient?"), error_messages={"required": _("Choose who.")})
    place = forms.ChoiceField(
        label=_("Where is the patient?"),
        choices=[(value, capfirst_lazy(label)) for value, label in PlaceOfPatient.choices],
        error_messages={"required": _("Choose where the patient is."), "invalid_choice": _("Choose from the list.")},
    )
    wants_interpreter = forms.BooleanField(label=_("Interpreter"), required=False)
    interpreter = forms.ChoiceField(label=_("Language"), required=False)
    by_phone = forms.ChoiceField(
        label=_("The interpreter takes part"),
        choices=[("screen", capfirst_lazy(_("by video"))), ("phone", capfirst_lazy(_("by telephone")))],
        required=False,
        widget=forms.RadioSelect,
    )
    kin = forms.MultipleChoiceField(
        label=_("Next of kin, with links of their own"), required=False, widget=forms.CheckboxSelectMultiple
    )

    field_order = ["companion", "place", "wants_interpreter", "interpreter", "by_phone", "kin"]

    def __init__(
        self,
        *args: Any,
        draft: BookingDraft,
        has_requester: bool,
        colleagues: list[Schedule],
        next_of_kin: list[NextOfKin],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"prefix": "people", "label_suffix": "", **kwargs})
        self.patient, self.service = draft.patient, draft.service_type
        self.next_of_kin = {str(one.pk): one for one in next_of_kin}
        if has_requester and self.patient is not None:
            self._choose_companion(draft, colleagues)
        else:
            del self.fields["companion"]
        if self.patient is None:
            for name in ("place", "kin"):
                del self.fields[name]
        elif next_of_kin:
            self.fields["kin"].choices = [  # type: ignore[attr-defined]
                (str(one.pk), _said(one)) for one in next_of_kin
            ]
        else:
            del self.fields["kin"]
        if self.asks_for_interpreter:
            self.fields["interpreter"].choices = [("", gettext("Choose")), *language_choices()]  # type: ignore[attr-defined]
            self.fields["by_phone"].look = "pills"  # type: ignore[attr-defined]
            self.fields["interpreter"].required = self.fields["by_phone"].required = True
        else:
            for name in ("wants_interpreter", "interpreter", "by_phone"):
                del self.fields[name]
        for name in ("name", "phone", "email"):
            self.fields[name].required = False
        for name, value in defaults(draft).items():
            self.initial.setdefault(name, value)

    @property
    def asks_for_interpreter(self) -> bool:
        """A form about interpreting asks for the language itself."""
        return self.service.interpreter_possible and not questionnaire.asks_for_language(self.service.form)

    def _choose_companion(self, draft: BookingDraft, colleagues: list[Schedule]) -> None:
        choices = [(ME, gettext("I am"))]
        choices += [(str(one.pk), one.name) for one in colleagues]
        choices += [(ALONE, gettext("Nobody: the patient has a link of her own"))]
        widget = forms.RadioSelect if len(choices) <= 4 else forms.Select
        self.fields["companion"] = forms.ChoiceField(
            label=_("Who is with the patient?"),
            choices=choices,
            widget=widget,
            error_messages={"required": _("Choose who."), "invalid_choice": _("Choose from the list.")},
        )
        self.order_fields(self.field_order)

    def full_clean(self) -> None:
        """The interpreter's language is asked for only with an interpreter; it is no wish then, so it says so."""
        asked = [self.fields[name] for name in ("interpreter", "by_phone") if name in self.fields]
        for one in asked:
            one.required = False
        super().full_clean()
        for one in asked:
            one.required = True

    def clean(self) -> dict[str, Any]:
        cleaned = forms.Form.clean(self) or self.cleaned_data
        if cleaned.get("wants_interpreter") and not cleaned.get("interpreter") and "interpreter" not in self.errors:
            self.add_error("interpreter", _("Choose the language that is interpreted."))
        guest = [cleaned.get(name) for name in ("name", "relation", "phone", "email")]
        if any(guest):
            if not cleaned.get("name") and "name" not in self.errors:
                self.add_error("name", _("Write the name of the one you invite."))
            if not cleaned.get("phone") and not cleaned.get("email") and not {"phone", "email"} & self.errors.keys():
                self.add_error("phone", _("Write a mobile number or an e-mail address, so that the link can be sent."))
        return cleaned

    def clean_kin(self) -> list[str]:
        chosen: list[str] = self.cleaned_data["kin"]
        if any(not self.next_of_kin[one].phone for one in chosen):
            raise forms.ValidationError(_("This next of kin has no mobile number. Add it, or invite by e-mail below."))
        return chosen

    def guests(self) -> list[GuestInput]:
        chosen = [self.next_of_kin[one] for one in self.cleaned_data.get("kin", [])]
        invited = [
            GuestInput(name=one.name, relation=one.relation, phone=one.phone or "", role=ParticipantRole.NEXT_OF_KIN)
            for one in chosen
        ]
        return [*invited, self.guest()] if self.cleaned_data.get("name") else invited

    def choices(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the search must know, in the shape that the draft keeps."""
        cleaned = self.cleaned_data
        found: dict[str, Any] = {"place": cleaned.get("place", PlaceOfPatient.OTHER), "kin": cleaned.get("kin", [])}
        if "companion" in cleaned:
            companion = cleaned["companion"]
            found["companion"] = companion if companion in {ME, ALONE} else int(companion)
        if self.asks_for_interpreter:
            found["interpreter"] = cleaned.get("interpreter", "") if cleaned.get("wants_interpreter") else ""
            found["by_phone"] = cleaned.get("by_phone") == "phone"
        elif self.service.interpreter_possible:
            found["interpreter"] = answers.get("language", "")
            found["by_phone"] = answers.get("mode") == "phone"
            if minutes := answers.get("duration_minutes"):
                found["length"] = -(-minutes // 5) * 5
        return found

    def typed(self) -> dict[str, list[str]]:
        return typed_people(self.data) if isinstance(self.data, MultiValueDict) else {}


def typed_people(data: MultiValueDict[str, str]) -> dict[str, list[str]]:
    """Keep what stands in the controls about people, cut where no person could have typed so much."""
    names = [*PeopleForm.base_fields]
    return {
        name: [value.replace("\0", "")[:300] for value in data.getlist(f"people-{name}")[:20]]
        for name in names
        if f"people-{name}" in data
    }


def people_as_initial(kept: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what was kept as what stands in the controls. An unticked box was kept as nothing at all."""
    found: dict[str, Any] = {
        name: values if name == "kin" else values[0]
        for name, values in kept.items()
        if values and name != "wants_interpreter"
    }
    if kept:
        found["wants_interpreter"] = bool(kept.get("wants_interpreter"))
        found.setdefault("kin", [])
    return found


def defaults(draft: BookingDraft) -> dict[str, Any]:
    """Return what is most likely, from the unit, the service and what is known of the patient."""
    patient, service = draft.patient, draft.service_type
    spoken = interpreted_language(patient)
    return {
        "companion": ALONE if service.patient_joins_alone else ME,
        "place": place_of(draft.unit),
        "wants_interpreter": bool(patient is not None and patient.interpreter_needed),
        "interpreter": spoken,
        "by_phone": "phone" if patient is not None and patient.interpreter_mode == InterpreterMode.PHONE else "screen",
    }


def place_of(unit: Unit) -> str:
    return PLACES.get(UnitKind(unit.kind), PlaceOfPatient.HOME)


def interpreted_language(patient: Patient | None) -> str:
    if patient is None:
        return ""
    if patient.interpreter_mode == InterpreterMode.SIGN and patient.interpreter_needed:
        return "nsl"
    return "" if patient.language in SPOKEN_HERE else patient.language


def interpreter_hint(draft: BookingDraft) -> str:
    """Say why the interpreter is ticked already."""
    patient = draft.patient
    if patient is None or not patient.interpreter_needed:
        return ""
    return gettext("The need is registered: %(language)s") % {"language": language_of_need(patient)}


def language_of_need(patient: Patient) -> str:
    """Name the language of the registered need, in the reader's."""
    return language_name(interpreted_language(patient) or patient.language)


def _said(one: NextOfKin) -> str:
    return f"{one.name}, {one.relation}" if one.relation else one.name


_SLOT: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})Z((?:~\d{1,12}-\d{1,12}){0,12})", re.ASCII)


def slot_time(starts_at: datetime) -> str:
    """Write a start in UTC, to the minute (ISO 8601): «2026-03-17T09:30Z»."""
    return f"{starts_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='minutes')}Z"


def slot_people(who: Mapping[int, int]) -> str:
    """Write who comes, need by need, to stand after the time in the value of a button."""
    return "".join(f"~{need}-{schedule}" for need, schedule in who.items())


def read_slot(value: str) -> tuple[datetime, dict[int, int]] | None:
    """Read a button's value back; None where it is not one."""
    found = _SLOT.fullmatch(value)
    if found is None:
        return None
    try:
        starts_at = datetime.strptime(found[1], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    pairs = [pair.split("-") for pair in found[2].split("~") if pair]
    return starts_at, {int(need): int(schedule) for need, schedule in pairs}
