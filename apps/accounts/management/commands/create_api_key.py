"""Make a key by which a program acts as a user."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.models import ApiKey, User
from apps.accounts.services import create_api_key
from apps.common.plain_text import is_plain, longest_in

MOST_DAYS: Final = 3650


class Command(BaseCommand):
    help = "Make an API key for a user and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whom the program acts as")
        parser.add_argument("--name", default="API", help="what the key is for")
        parser.add_argument("--days", type=int, default=None, help="how long it lasts (default: until revoked)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] is not None and not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days is a number from 1 to {MOST_DAYS}.")
        longest = longest_in(ApiKey, "name")
        if not 1 <= len(options["name"]) <= longest or not is_plain(options["name"]):
            raise CommandError(f"--name is one line of 1 to {longest} characters.")
        user = User.objects.filter(email__iexact=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(
                "No active user has this e-mail address. Look how it is spelt; manage.py invite_user makes an account."
            )
        _key, plain = create_api_key(user=user, name=options["name"], days=options["days"], now=timezone.now())
        self.stdout.write(plain)
