"""Sessions stand in the database, and come with whom they belong to.

Every page of staff asks first for its session, its user, her second factor and her work. Each question is a journey to
a server, and costs more than its answer: this is one.
"""

from datetime import datetime
from typing import Any, Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.accounts.models import User
from apps.common.prepared import Prepared

from .queries import user_of_session

KEY_LENGTH: Final = 32

_SESSION = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), key=str, now=datetime
)


class SessionStore(db.SessionStore):
    """`whose` is the user whom a session that was read is said to belong to; that it is true is Django's to check."""

    whose: User | None = None

    def load(self) -> Any:
        key, now = self.session_key or "", timezone.now()
        found = user_of_session(key, now=now)
        if found is not None:
            self.whose, data = found
            return self.decode(data)
        session = _SESSION.first(key=key, now=now)
        if session is None:
            self._session_key = None
            return {}
        return self.decode(session.session_data)

    def _validate_session_key(self, key: str | None) -> bool:
        """Look up nothing that is not shaped as Django makes its keys: else it would stand in a warning."""
        return key is not None and len(key) == KEY_LENGTH and key.isascii() and key.isalnum()
