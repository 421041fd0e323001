"""Photos from phones: read with care, stripped of everything but the picture, made small."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.common.errors import DomainError

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MAX_BYTES: Final = 15 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 2048
THUMBNAIL_SIDE: Final = 320

_HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
# What Pillow raises on broken and hostile files, by its own documentation and its fuzzers' findings.
_UNREADABLE: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    struct.error,
    zlib.error,
)


class PhotoRefused(DomainError):
    """A file that is not kept as a photo."""

    code = "photo-refused"
    field = "photo"
    message = _("The file could not be read as a picture. Take the picture again, or choose a JPEG or PNG file.")


class PhotoEmpty(PhotoRefused):
    message = _("The file is empty. Take the picture again.")


class PhotoTooLarge(PhotoRefused):
    message = _("The picture is larger than 15 MB. Take it again with the camera's ordinary setting.")


class PhotoTooManyPixels(PhotoRefused):
    message = _("The picture has more than 40 million pixels. Take it again with the camera's ordinary setting.")


class PhotoIsHeic(PhotoRefused):
    """HEIC and AVIF need decoders with a long history of faults; phones turn them into JPEG when asked."""

    message = _(
        "This is a HEIC picture. On an iPhone: Settings, Camera, Formats, choose Most compatible. "
        "Then take the picture again."
    )


@dataclass(frozen=True)
class CleanPhoto:
    """A JPEG without metadata, and a small one for lists."""

    image: bytes
    thumbnail: bytes
    width: int
    height: int


def clean_photo(raw: bytes) -> CleanPhoto:
    """Turn an uploaded file into a JPEG that holds the pixels and nothing else, or refuse it."""
    if not raw:
        raise PhotoEmpty
    if len(raw) > MAX_BYTES:
        raise PhotoTooLarge
    if raw[4:8] == b"ftyp" and raw[8:12] in _HEIF_BRANDS:
        raise PhotoIsHeic
    try:
        picture = _pixels(raw)
    except _UNREADABLE:
        # The library's words may quote the file: they go neither to the log nor to the user.
        raise PhotoRefused from None
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return CleanPhoto(
        image=_jpeg(picture, quality=88), thumbnail=_jpeg(small, quality=80), width=picture.width, height=picture.height
    )


def _pixels(raw: bytes) -> Image.Image:
    with Image.open(io.BytesIO(raw), formats=FORMATS) as source:
        # Opening reads the header only, so a bomb is turned away before it is unpacked.
        if source.width * source.height > MAX_PIXELS:
            raise PhotoTooManyPixels
        # JPEG can be unpacked at a half, a quarter or an eighth: less memory for a large camera.
        source.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(source)
        if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
            upright = upright.convert("RGBA")
        else:
            upright = upright.convert("RGB")
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        # A new image has no EXIF, no profile, no text and no second frame.
        clean = Image.new("RGB", upright.size, "white")
        clean.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    return clean


def _jpeg(picture: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
