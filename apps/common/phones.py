"""Phone numbers as people type them, kept in one form (E.164)."""

import re
from typing import Final

_SPACING: Final = re.compile(r"[\s().\-\u00a0\u202f]")
_WHOLE: Final = re.compile(r"\+[0-9]{8,15}")


def normalise_phone(typed: str) -> str | None:
    """Return «+4700001020» for «00 00 10 20», or None where it is no phone number; eight digits are Norwegian."""
    compact = _SPACING.sub("", typed)
    if re.fullmatch(r"[0-9]{8}", compact):
        return f"+47{compact}"
    if compact.startswith("00"):
        compact = f"+{compact[2:]}"
    return compact if _WHOLE.fullmatch(compact) else None
