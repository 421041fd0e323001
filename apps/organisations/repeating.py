"""Repeated requests: the same answer to the same request."""

import hashlib
import inspect
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts import services
from apps.common.api import fault_problem, problem
from apps.common.crypto import blind_index

from .keys import key_of

KEPT: Final = frozenset({200, 201, 202, 204, 409})
"""Answers that a repeated request gets again. Where nothing was begun (400, 401, 404, 422) it may be corrected."""
LONGEST_KEY: Final = 200
TRIES: Final = 3


class _GoBack(Exception):
    """The operation failed: leave nothing behind, not even the answer."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def repeatable(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Honour `Idempotency-Key`: the work and its answer are one transaction, so a repeated request finds both or neither.

    The same key with the same request gets the same answer for seven days, with another request 422, and
    409 while the first is still under way.
    """

    @wraps(run)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        name = request.headers.get("Idempotency-Key")
        if request.method != "POST" or name is None or (key := key_of(request)) is None:
            return run(request, **kwargs)
        if not 1 <= len(name) <= LONGEST_KEY or not name.isascii() or not name.isprintable():
            return problem(400, "idempotency-key-unusable", _("An Idempotency-Key has 1 to 200 ordinary characters."))
        slot = services.AnswerSlot(
            user_id=key.user_id,
            key=hashlib.sha256(f"{key.user_id}\0{name}".encode()).digest(),
            request=_fingerprint(request),
        )
        for left in reversed(range(TRIES)):
            try:
                return _once(run, request, slot, kwargs)
            except _GoBack as failed:
                return failed.response
            except (IntegrityError, OperationalError) as fault:
                # Somebody was first by a hair, or the database ended one of two that waited for each other.
                if not left:
                    return fault_problem(fault)
        raise AssertionError("unreachable")

    return wrapped


def _fingerprint(request: HttpRequest) -> bytes:
    """Return a keyed digest of what is asked: of what its JSON says, not of how it is written.

    A program that serialises anew when it tries again may order and space it otherwise.
    """
    try:
        said = json.dumps(json.loads(request.body), sort_keys=True)
    except (ValueError, RecursionError):
        said = request.body.decode("latin-1")  # each byte is a sign
    return blind_index("\0".join([request.get_full_path(), request.headers.get("X-Unit", ""), said]), "request")


@transaction.atomic
def _once(
    run: Callable[..., HttpResponse], request: HttpRequest, slot: services.AnswerSlot, kwargs: dict[str, Any]
) -> HttpResponse:
    now = timezone.now()
    state, kept = services.claim_answer(slot, now=now)
    if state == services.AnswerState.UNDER_WAY:
        return problem(
            409,
            "idempotency-key-in-progress",
            _("The first request with this key is still under way."),
            headers={"Retry-After": "1"},
        )
    if state == services.AnswerState.OTHER_REQUEST:
        return problem(
            422, "idempotency-key-reused", _("This Idempotency-Key was used for another request. Make a new one.")
        )
    if kept is not None:
        if (refusal := _shut_out(run, request)) is not None:
            return refusal
        response = HttpResponse(kept["body"], status=kept["status"], content_type=kept["type"])
        if kept["location"]:
            response["Location"] = kept["location"]
        response["Idempotent-Replay"] = "true"
        return response
    response = run(request, **kwargs)
    if response.status_code >= 500:
        raise _GoBack(response)
    if response.status_code in KEPT:
        services.keep_answer(
            slot,
            now=now,
            answer={
                "status": response.status_code,
                "type": response.headers.get("Content-Type", ""),
                "location": response.headers.get("Location", ""),
                "body": response.content.decode(),
            },
        )
    return response


def _shut_out(run: Callable[..., HttpResponse], request: HttpRequest) -> HttpResponse | None:
    """Ask the API's own door before an answer is given again: it holds what may be closed to her by now."""
    operation: Any = inspect.unwrap(run).__self__
    refusal: HttpResponse | None = operation._run_authentication(request)
    return refusal
