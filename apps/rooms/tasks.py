from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="rooms.make_due")
def make_due() -> None:
    """Each half minute from beat, and at once when a room is owed."""
    services.make_due_rooms(now=timezone.now())
