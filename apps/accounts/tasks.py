"""Each hour from beat: forget what nobody may come back to."""

from django.utils import timezone

from apps.common.nudge import sweeper

from . import services


@sweeper("accounts.remove_ended_sessions")
def remove_ended_sessions() -> None:
    services.remove_ended_sessions(now=timezone.now())


@sweeper("accounts.forget_answers")
def forget_answers() -> None:
    services.forget_answers(now=timezone.now())
