"""The key that a program sends along."""

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import queries as accounts
from apps.accounts import services
from apps.accounts.models import ApiKey

from . import queries


def key_of(request: HttpRequest) -> ApiKey | None:
    """Return the live key that the request carries, with its user and her work; looked up once."""
    if not hasattr(request, "api_key"):
        scheme, _space, plain = request.headers.get("Authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer" and plain.startswith(services.KEY_MARK) and len(plain) < 100:
            now, digest = timezone.now(), services.key_digest(plain)
            found = queries.key_with_work(digest, now) or accounts.live_key(digest, now)
            if found is not None:
                services.note_key_used(key=found, now=now)
        request.api_key = found  # type: ignore[attr-defined]
    return request.api_key  # type: ignore[attr-defined, no-any-return]
