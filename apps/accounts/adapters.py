"""How allauth signs people in here: nobody signs up by herself, and refusals are in our words."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class InvitedOnly(DefaultAccountAdapter):
    """Accounts are made by the organisation (or its identity provider), never by a visitor."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is closed. Ask your manager."),
        "email_password_mismatch": _("E-mail address and password do not match. Try again."),
        "too_many_login_attempts": _("Too many tries. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing extra: the page one comes to says that one is signed in."""
