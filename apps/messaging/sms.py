"""How a text message is coded and how many parts it takes (3GPP TS 23.038 and 23.040). No Django in here."""

from dataclasses import dataclass
from typing import Final

GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""These take two septets, and the pair is never split over two parts."""

PLAIN: Final = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\r": None,
    }
)
"""Typographic marks that alone would turn a whole message into UCS-2. Letters are never touched."""


@dataclass(frozen=True)
class Size:
    """What a text takes: `characters` of `room` in `parts` messages."""

    encoding: str
    characters: int
    parts: int
    room: int

    @property
    def left(self) -> int:
        return self.room - self.characters


def plain(text: str) -> str:
    """Write quotes, dashes, dots and spaces the simple way."""
    return text.translate(PLAIN)


def needs_ucs2(text: str) -> bool:
    return any(ch not in GSM and ch not in GSM_EXTENDED for ch in text)


def size(text: str) -> Size:
    """Count a text as the network does: septets in GSM-7, 16-bit units in UCS-2."""
    if needs_ucs2(text):
        units = len(text.encode("utf-16-be")) // 2
        parts = 1 if units <= 70 else _parts([2 if ord(ch) > 0xFFFF else 1 for ch in text], 67)
        return Size("UCS-2", units, parts, 70 if parts == 1 else 67 * parts)
    widths = [2 if ch in GSM_EXTENDED else 1 for ch in text]
    septets = sum(widths)
    parts = 1 if septets <= 160 else _parts(widths, 153)
    return Size("GSM-7", septets, parts, 160 if parts == 1 else 153 * parts)


def _parts(widths: list[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
