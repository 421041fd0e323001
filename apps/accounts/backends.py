"""Who is signed in, looked up at every request."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from apps.common.prepared import Prepared

from .models import User

_USER = Prepared(lambda pk: User.objects.filter(pk=pk), pk=int)


class SignIn(AuthenticationBackend):
    """allauth's way in; only the look-up of the session's user is written out once instead of every time."""

    def get_user(self, user_id: Any) -> User | None:
        user = _USER.first(pk=int(user_id))
        return user if user is not None and self.user_can_authenticate(user) else None
