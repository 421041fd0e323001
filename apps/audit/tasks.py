"""Each minute from beat: seal what was written."""

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="audit.seal")
def seal() -> None:
    services.seal_records(now=timezone.now())
