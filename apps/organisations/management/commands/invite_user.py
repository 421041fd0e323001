"""Make an account with a role, and mail the link by which its password is chosen."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import DomainError
from apps.common.plain_text import is_plain, longest_in
from apps.organisations.models import Role, Unit
from apps.organisations.queries import units_called
from apps.organisations.services import invite_user


class Command(BaseCommand):
    help = (
        "Give somebody a role in a unit. Who has no account gets one, and a mail with a link to choose a password, "
        "good for three days. Run it again to send a fresh link, or to give one more role."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--given-name", required=True)
        parser.add_argument("--family-name", required=True)
        parser.add_argument("--title", default="", help="for example Sykepleier")
        parser.add_argument("--unit", required=True, metavar="UID_OR_NAME")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        parser.add_argument("--until", default=None, metavar="DATE", help="last day of the role, as 2026-12-31")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
        except ValidationError:
            raise CommandError("--email is not an e-mail address.") from None
        for name in ("given_name", "family_name", "title", "email"):
            if len(options[name]) > (longest := longest_in(User, name)):
                raise CommandError(f"--{name.replace('_', '-')} has more than {longest} characters.")
            if not is_plain(options[name]) or "<" in options[name]:
                raise CommandError(f"--{name.replace('_', '-')} is one line of letters, digits and ordinary signs.")
        for name in ("given_name", "family_name"):
            if not options[name].strip():
                raise CommandError(f"--{name.replace('_', '-')} is empty.")
        if options["role"] not in Role.values:
            raise CommandError(f"No role is called {options['role']}. Use one of: {', '.join(Role.values)}.")
        try:
            invited = invite_user(
                email=options["email"],
                given_name=options["given_name"],
                family_name=options["family_name"],
                title=options["title"],
                unit=_unit(options["unit"]),
                role=options["role"],
                valid_to=_until(options["until"]),
                now=timezone.now(),
            )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        account = "New account" if invited.is_new else "Account known"
        mail = "the link is on its way by mail" if invited.mailed else "a password is set already, so nothing is mailed"
        self.stdout.write(f"{account}: {invited.user.email}, {options['role']}; {mail}.")


def _unit(text: str) -> Unit:
    found = units_called(text)
    if not found:
        names = ", ".join(Unit.objects.values_list("name", flat=True)[:20])
        raise CommandError(
            f"No unit is called {text}. Use one of: {names}."
            if names
            else "There are no units yet. Make them with set_up FILE.yaml."
        )
    if len(found) > 1:
        uids = "; ".join(f"{unit.uid} ({unit.organisation.name})" for unit in found)
        raise CommandError(f"{len(found)} units are called {text}. Use the uid of one of them: {uids}.")
    return found[0]


def _until(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError("--until is a date such as 2026-12-31.") from None
    if day < timezone.localdate():
        raise CommandError("--until has passed. Use a day from today on.")
    return day
