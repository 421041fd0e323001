"""Each hour from beat: forget the answers that no program may ask for again."""

from django.utils import timezone

from apps.common.nudge import sweeper

from . import services


@sweeper("accounts.forget_answers")
def forget_answers() -> None:
    services.forget_answers(now=timezone.now())
