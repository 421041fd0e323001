"""Encryption at rest with keys from the environment, and blind indexes for look-up.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the column's name is
the associated data, so that a value cannot be moved to another column unnoticed.
Stored form: one byte of version, four bytes of key id, nonce, ciphertext with tag.
"""

import base64
import hashlib
import hmac
import json
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.checks import CheckMessage
from django.db import models

VERSION: Final = b"\x01"


class WrongKey(Exception):
    """A stored value cannot be opened with any key that this installation has."""


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"videotime key id" + key).digest()[:4]


@lru_cache(maxsize=8)
def _keys(encoded: tuple[str, ...]) -> dict[bytes, bytes]:
    raw = [base64.urlsafe_b64decode(text) for text in encoded]
    return {_key_id(key): key for key in raw}


def encrypt(plain: bytes, context: str) -> bytes:
    """Encrypt under the first key of FIELD_KEYS; `context` must be given again to decrypt."""
    key_id, key = next(iter(_keys(tuple(settings.FIELD_KEYS)).items()))
    nonce = secrets.token_bytes(12)
    return VERSION + key_id + nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def decrypt(stored: bytes, context: str) -> bytes:
    key = _keys(tuple(settings.FIELD_KEYS)).get(stored[1:5])
    if stored[:1] != VERSION or key is None:
        raise WrongKey("no key for this value")
    try:
        return AESGCM(key).decrypt(stored[5:17], stored[17:], context.encode())
    except InvalidTag as fault:
        raise WrongKey("value was changed or moved") from fault


def key_ids() -> list[bytes]:
    """Return the ids of the keys of FIELD_KEYS, in their order: what is stored says by which of them it is opened."""
    return list(_keys(tuple(settings.FIELD_KEYS)))


def blind_index(value: str, purpose: str) -> bytes:
    """Return a keyed digest by which an encrypted value can be looked up (HMAC-SHA-256, one purpose a column)."""
    key = base64.urlsafe_b64decode(settings.INDEX_KEY)
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


if TYPE_CHECKING:
    _Column = models.Field[Any, Any]  # what is read and written is text, JSON or bytes, as each class below says
else:
    _Column = models.BinaryField


class Encrypted(_Column):
    """A column whose value is encrypted on its way to the database and opened on its way back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def _check_str_default_value(self) -> list[CheckMessage]:
        return []  # a default is what a person would type: it is encrypted like any other value

    def _context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def rewritten(self, stored: bytes) -> bytes:
        """Return a stored value under the first key."""
        return encrypt(decrypt(stored, self._context()), self._context())

    def _pack(self, value: Any) -> bytes:
        raise NotImplementedError

    def _unpack(self, raw: bytes) -> Any:
        raise NotImplementedError

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        sealed = encrypt(self._pack(value), self._context())
        return connection.Database.Binary(sealed)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else self._unpack(decrypt(bytes(value), self._context()))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        raise NotImplementedError("encrypted columns are not serialised")


class EncryptedTextField(Encrypted):
    def _pack(self, value: Any) -> bytes:
        return str(value).encode()

    def _unpack(self, raw: bytes) -> str:
        return raw.decode()


class EncryptedJSONField(Encrypted):
    def _pack(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def _unpack(self, raw: bytes) -> Any:
        return json.loads(raw)


class EncryptedBytesField(Encrypted):
    def _pack(self, value: Any) -> bytes:
        return bytes(value)

    def _unpack(self, raw: bytes) -> bytes:
        return raw
