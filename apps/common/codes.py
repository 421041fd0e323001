"""Codes that people read, type and say: references and link codes."""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

from django.conf import settings
from stdnum import luhn

REFERENCE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty characters: no 0/O, 1/I/L, U. An even number, as Luhn mod N demands."""

LINK_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Thirty-two lower-case characters: no 0/o, 1/l. Five bits each."""


def new_reference() -> str:
    """Return a new portal reference such as `VT-7K3M-92QX`: seven random characters and a check character.

    It has no meaning and no patient data; thirty to the seventh is 2.2e10 values.
    The check character is Luhn mod 30 (ISO/IEC 7812-1 generalised), which finds
    every single wrong character and most swapped neighbours.
    """
    body = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(7))
    return format_reference(body + luhn.calc_check_digit(body, REFERENCE_ALPHABET))


def format_reference(compact: str) -> str:
    return f"VT-{compact[:4]}-{compact[4:]}"


def normalise_reference(typed: str) -> str | None:
    """Return the reference in its written form, or None if it is not one (wrong length, character or check)."""
    compact = "".join(ch for ch in typed.upper() if ch.isalnum())
    compact = compact.removeprefix("VT") if len(compact) == 10 else compact
    if len(compact) != 8 or any(ch not in REFERENCE_ALPHABET for ch in compact):
        return None
    return format_reference(compact) if luhn.is_valid(compact, REFERENCE_ALPHABET) else None


def encode_link(raw: bytes) -> str:
    """Write 16 bytes as 26 lower-case characters without look-alikes."""
    number, out = int.from_bytes(raw, "big") << 2, []
    for _index in range(26):
        number, digit = divmod(number, 32)
        out.append(LINK_ALPHABET[digit])
    return "".join(reversed(out))


def derive(nonce: UUID, *, purpose: str = "") -> str:
    """Return the code that belongs to a nonce; only who has LINK_KEY can work it out.

    Join links came first: they name no purpose and take the key as it is written. Whatever came after names its
    purpose and takes the bytes that are written. Codes of both kinds are in people's hands, so both stay as they are.
    """
    if purpose:
        key, said = base64.urlsafe_b64decode(settings.LINK_KEY), purpose.encode() + b"\0"
    else:
        key, said = settings.LINK_KEY.encode(), b""
    return encode_link(hmac.digest(key, said + nonce.bytes, "sha256")[:16])


def digest_of(code: str) -> bytes:
    """Return what is stored of a code."""
    return hashlib.sha256(code.encode()).digest()


def normalise_link(typed: str) -> str:
    """Lower-case a typed link code and drop what people add between groups."""
    return "".join(ch for ch in typed.lower() if ch in LINK_ALPHABET)
