"""The Celery app and beat's table: sweepers only, each safe to run twice or never."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "react to appointment events": {"task": "scheduling.react", "schedule": 20.0},
    "deliver messages that are due": {"task": "messaging.deliver_due", "schedule": 15.0},
    "make the rooms that are owed": {"task": "rooms.make_due", "schedule": 30.0},
    "close what is over": {"task": "scheduling.close_past", "schedule": 60.0},
    "remove holds that ran out": {"task": "scheduling.remove_expired", "schedule": 300.0},
    "forget what has had its time": {"task": "portal.forget", "schedule": 3600.0},
    "seal the access log": {"task": "audit.seal", "schedule": 60.0},
}
