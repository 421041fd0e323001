"""Participants' own links, for other programs: given again, and taken back."""

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from ninja import Path, Router

from apps.common.api import Problem, Shown, answer
from apps.organisations.api import ApiRequest, demand
from apps.organisations.models import MAY_BOOK
from apps.organisations.queries import actor_of
from apps.scheduling.api import find_known, find_participant
from apps.scheduling.errors import NotOpenAnyMore
from apps.scheduling.services import change_and_note

from . import services

router = Router(tags=["links"])
ERRORS = {401: Problem, 403: Problem, 404: Problem, 409: Problem}


class LinkOut(Shown):
    """The participant's own address. The one before it stopped working."""

    participant: UUID
    url: str


@router.post("/appointments/{reference}/participants/{uid}/link", response={201: LinkOut, **ERRORS}, summary="New link")
def issue_again(request: ApiRequest, reference: Path[str], uid: Path[UUID]) -> HttpResponse:
    """Give a participant a new link, and send it to her; the old one stops working at once."""
    demand(request, MAY_BOOK)
    now, found = timezone.now(), find_known(request, reference)
    if not found.is_still_on(now):
        raise NotOpenAnyMore
    participant = find_participant(found, uid)
    reissue = partial(services.reissue_link, participant, now=now, actor=request.user)
    url = change_and_note(found, reissue, actor=actor_of(request), what="link")
    return answer(LinkOut(participant=participant.uid, url=url), status=201)


@router.delete("/appointments/{reference}/participants/{uid}/link", response={204: None, **ERRORS}, summary="Take back")
def revoke(request: ApiRequest, reference: Path[str], uid: Path[UUID]) -> HttpResponse:
    """Take a participant's link back: it stops working at once."""
    demand(request, MAY_BOOK)
    found = find_known(request, reference)
    revoke = partial(services.revoke_link, find_participant(found, uid), now=timezone.now(), actor=request.user)
    change_and_note(found, revoke, actor=actor_of(request), what="link")
    return HttpResponse(status=204)
