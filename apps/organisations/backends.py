"""Who is signed in, looked up at every request."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.utils import timezone

from apps.accounts.models import User
from apps.common.prepared import Prepared

from .queries import signed_in

_USER = Prepared(lambda pk: User.objects.filter(pk=pk), pk=int)


class SignIn(AuthenticationBackend):
    """allauth's way in; the session's user comes with her second factor and her work, in one prepared query."""

    def get_user(self, user_id: Any) -> User | None:
        pk = int(user_id)
        user = signed_in(pk, timezone.localdate()) or _USER.first(pk=pk)
        return user if user is not None and self.user_can_authenticate(user) else None
