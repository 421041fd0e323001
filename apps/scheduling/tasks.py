"""Sweepers: read the clock, call a service."""

from celery import shared_task
from django.utils import timezone

from . import services
from .services import drafts


@shared_task(name="scheduling.react")
def react() -> None:
    services.react_to_events(now=timezone.now())


@shared_task(name="scheduling.close_past")
def close_past() -> None:
    services.close_past(now=timezone.now())


@shared_task(name="scheduling.remove_expired")
def remove_expired() -> None:
    services.remove_expired(now=timezone.now())
    drafts.remove_old_drafts(now=timezone.now())
