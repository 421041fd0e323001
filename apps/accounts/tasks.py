"""Each hour from beat: forget the answers that no program may ask for again."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="accounts.forget_answers")
def forget_answers() -> None:
    services.forget_answers(now=timezone.now())
