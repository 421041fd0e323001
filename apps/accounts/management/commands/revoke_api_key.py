"""Take back the key of a program."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.models import ApiKey, User
from apps.accounts.services import KEY_BEGINS, key_digest, revoke_api_key


class Command(BaseCommand):
    help = "Revoke an API key: it opens nothing from then on. With --user alone, list that user's keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", nargs="?", help="the key, or its first nine characters as the list shows them")
        parser.add_argument("--user", metavar="EMAIL", help="whose keys are meant")
        parser.add_argument("--all", action="store_true", help="revoke all keys of this user")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        live = ApiKey.objects.live(now).select_related("user")
        if options["user"]:
            user = User.objects.filter(email__iexact=options["user"]).first()
            if user is None:
                raise CommandError("No user has this e-mail address. Look how it is spelt.")
            live = live.filter(user=user)
        if options["key"]:
            text = options["key"].rstrip("…")  # as the list shows it
            meant = list(live.filter(prefix=text[:KEY_BEGINS])) if len(text) >= KEY_BEGINS else []
            if len(text) > KEY_BEGINS:
                meant = [key for key in meant if bytes(key.digest) == key_digest(text)]
            if not meant:
                raise CommandError("No live key begins so. revoke_api_key --user EMAIL lists a user's.")
            if len(meant) > 1:
                raise CommandError("Several keys begin so: give the whole key.")
        elif options["user"]:
            meant = list(live)
            if not meant:
                self.stdout.write("No key of this user opens anything: there is nothing to revoke.")
            if not options["all"]:
                self._list(meant)
                return
        else:
            raise CommandError("Say which key, or whose: revoke_api_key KEY, or revoke_api_key --user EMAIL.")
        for key in meant:
            revoke_api_key(key=key, now=now)
            self.stdout.write(f"Revoked: {key} ({key.user.email})")

    def _list(self, keys: list[ApiKey]) -> None:
        for key in keys:
            used = f"last used {key.last_used_on}" if key.last_used_on else "never used"
            ends = f", until {timezone.localdate(key.expires_at)}" if key.expires_at else ""
            self.stdout.write(f"{key}  made {timezone.localdate(key.created_at)}, {used}{ends}")
