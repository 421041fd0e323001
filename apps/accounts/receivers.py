"""Signing in and out, and every new password, is written to the access log."""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from allauth.core.internal.httpkit import get_client_ip
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from apps.audit.models import Action
from apps.audit.services import Actor, record_access

from . import services
from .models import User


def _actor(user: User | None, request: HttpRequest | None) -> Actor:
    origin = get_client_ip(request) if request is not None else None
    return Actor(id=user.pk, label=user.name, origin=origin) if user else Actor(origin=origin)


@receiver(user_logged_in)
def note_sign_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    record_access(actor=_actor(user, request), action=Action.SIGN_IN, what="session")


@receiver(user_logged_in)
def keep_chosen_language(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Go on in the language that was chosen on the sign-in page."""
    chosen = request.session.pop(services.CHOSEN_LANGUAGE, None) if request is not None else None
    if chosen is not None and chosen != user.language:
        services.set_language(user=user, language=chosen)


@receiver(user_logged_out)
def note_sign_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_access(actor=_actor(user, request), action=Action.SIGN_OUT, what="session")


@receiver(user_login_failed)
def note_failed_sign_in(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Keep where it came from, not what was typed: people type passwords into the wrong field."""
    record_access(actor=_actor(None, request), action=Action.REFUSED, what="session")


@receiver([password_changed, password_reset])
def note_new_password(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record_access(actor=_actor(user, request), action=Action.CHANGE, what="password")
