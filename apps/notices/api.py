"""What was and will be said about an appointment, for other programs. Texts and addresses stay here."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from ninja import Path, Router
from pydantic import Field

from apps.audit.models import Action
from apps.common.api import Problem, Shown, answer, one_of
from apps.messaging.models import Channel, OutboxState
from apps.messaging.queries import messages_about
from apps.organisations.api import ApiRequest, demand
from apps.organisations.models import MAY_SEE_PATIENTS
from apps.organisations.queries import actor_of
from apps.scheduling.api import find_known
from apps.scheduling.services import note_access

from . import queries

router = Router(tags=["messages"])


class MessageOut(Shown):
    """One message: `recipient` is a participant's uid; a reminder is `waiting` until it is due."""

    reference: UUID
    purpose: str = Field(examples=["booked", "moved", "reminder_2_days"])
    channel: str = Field(json_schema_extra=one_of(Channel))
    language: str
    recipient: str
    state: str = Field(json_schema_extra=one_of(OutboxState))
    due_at: datetime
    sent_at: datetime | None
    done_at: datetime | None
    failure: str


class MessagesOut(Shown):
    items: list[MessageOut]


@router.get(
    "/appointments/{reference}/messages",
    response={200: MessagesOut, 401: Problem, 403: Problem, 404: Problem},
    summary="Messages",
)
def messages(request: ApiRequest, reference: Path[str]) -> HttpResponse:
    """List the messages of an appointment in the order in which they are due: to whom, how, and how it went."""
    demand(request, MAY_SEE_PATIENTS)
    found = find_known(request, reference)
    note_access(found, Action.READ, actor=actor_of(request), what="messages")
    items = [
        MessageOut(
            reference=message.reference,
            purpose=queries.base(message.purpose),
            channel=message.channel,
            language=message.language,
            recipient=message.recipient,
            state=message.state,
            due_at=message.due_at,
            sent_at=message.sent_at,
            done_at=message.done_at,
            failure=message.failure,
        )
        for message in messages_about(found.uid).order_by("due_at", "id")
    ]
    return answer(MessagesOut(items=items))
