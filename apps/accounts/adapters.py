"""How allauth signs people in here: nobody signs up by herself, and refusals are in our words."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class InvitedOnly(DefaultAccountAdapter):
    """Accounts are made by the organisation (or its identity provider), never by a visitor."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("E-mail address and password do not match. Try again."),
        "too_many_login_attempts": _("Too many tries. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Answer for a closed account as for a wrong password: nobody learns that it was there."""
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing extra: the page one comes to says that one is signed in."""
