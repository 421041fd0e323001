"""Each minute from beat: seal what was written."""

from django.utils import timezone

from apps.common.nudge import sweeper

from . import services


@sweeper("audit.seal")
def seal() -> None:
    services.seal_records(now=timezone.now())
