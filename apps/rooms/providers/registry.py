"""Which providers this installation has, by the name that stands in service types and rooms."""

from collections.abc import Callable
from typing import Final

from django.conf import settings

from apps.catalogue.models import Provider

from .base import RoomProvider
from .builtin import Builtin
from .fixed_link import FixedLink

BUILTIN: Final = Provider.BUILTIN.value
FIXED_LINK: Final = Provider.FIXED_LINK.value

PROVIDERS: Final[dict[str, Callable[[], RoomProvider]]] = {
    BUILTIN: Builtin,
    FIXED_LINK: lambda: FixedLink(settings.FIXED_ROOM_URL),
}


def provider_named(name: str) -> RoomProvider:
    """Return the provider. Raises KeyError for one that this installation does not have."""
    return PROVIDERS[name]()
