"""A nudge to the sockets of a room after the commit. What is true stands in the database; this only says: look."""

import asyncio
import logging
from typing import Final
from uuid import UUID

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

LOG = logging.getLogger(__name__)

PATIENCE: Final = 2.0
"""Seconds. A Valkey that does not answer must not hold up whoever lets a patient in."""


def group_of(appointment_uid: UUID) -> str:
    return f"room.{appointment_uid.hex}"


def announce(appointment_uid: UUID) -> None:
    """Ask every socket of the room to look at its seat again; each looks every few seconds anyway."""
    transaction.on_commit(lambda: _send(appointment_uid), robust=True)


def _send(appointment_uid: UUID) -> None:
    layer = get_channel_layer()
    if layer is None:
        return

    async def send() -> None:
        async with asyncio.timeout(PATIENCE):
            await layer.group_send(group_of(appointment_uid), {"type": "look.again"})

    try:
        async_to_sync(send)()
    except (OSError, redis.RedisError):
        LOG.warning("sockets could not be nudged; they look again by themselves")
