"""Who is signed in, looked up at every request."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.core import context
from django.utils import timezone

from apps.accounts.models import User
from apps.common.prepared import Prepared

from .queries import user_with_work

_USER = Prepared(lambda pk: User.objects.filter(pk=pk), pk=int)


class SignIn(AuthenticationBackend):
    """allauth's way in; the user who came with the session of this request is not looked up again."""

    def get_user(self, user_id: Any) -> User | None:
        pk = int(user_id)
        user: User | None = getattr(getattr(context.request, "session", None), "whose", None)
        if user is None or user.pk != pk:
            user = user_with_work(pk, timezone.localdate()) or _USER.first(pk=pk)
        return user if user is not None and self.user_can_authenticate(user) else None
