"""Photos come from strangers' phones: what is kept is the picture, and nothing that is not one gets through."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from apps.common.images import (
    MAX_BYTES,
    PhotoEmpty,
    PhotoIsHeic,
    PhotoRefused,
    PhotoTooLarge,
    PhotoTooManyPixels,
    clean_photo,
)


def jpeg(size=(640, 480), colour="firebrick", **options):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **options)
    return out.getvalue()


def reread(raw):
    picture = Image.open(io.BytesIO(raw))
    picture.load()
    return picture


def test_where_and_when_the_picture_was_taken_is_removed():
    exif = Image.Exif()
    exif[0x010F] = "Telefonfabrikken"
    exif.get_ifd(0x8825)[1] = "N"
    kept = clean_photo(jpeg(exif=exif, comment=b"Ada, Granveien 4"))
    for raw in (kept.image, kept.thumbnail):
        assert not reread(raw).getexif()
        assert b"Telefonfabrikken" not in raw
        assert b"Ada" not in raw


def test_a_picture_held_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = clean_photo(jpeg((640, 480), exif=exif))
    assert (kept.width, kept.height) == (480, 640)


def test_a_large_picture_is_made_smaller_and_keeps_its_shape():
    kept = clean_photo(jpeg((4000, 3000)))
    assert (kept.width, kept.height) == (2048, 1536)
    assert reread(kept.image).size == (2048, 1536)
    assert max(reread(kept.thumbnail).size) == 320


def test_a_small_picture_is_not_blown_up():
    assert clean_photo(jpeg((64, 48))).width == 64


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGB"), ("JPEG", "CMYK")]
)
def test_the_usual_kinds_become_jpeg(kind, mode):
    out = io.BytesIO()
    Image.new(mode, (40, 30)).save(out, kind)
    assert reread(clean_photo(out.getvalue()).image).format == "JPEG"


def test_text_inside_a_png_is_removed():
    out, notes = io.BytesIO(), PngImagePlugin.PngInfo()
    notes.add_text("Comment", "Ada")
    Image.new("RGB", (10, 10)).save(out, "PNG", pnginfo=notes)
    assert b"Ada" not in clean_photo(out.getvalue()).image


def test_heic_is_refused_with_what_to_do():
    with pytest.raises(PhotoIsHeic):
        clean_photo(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")


def test_an_empty_file_and_one_that_is_too_large_are_refused():
    with pytest.raises(PhotoEmpty):
        clean_photo(b"")
    with pytest.raises(PhotoTooLarge):
        clean_photo(b"\xff\xd8\xff" + bytes(MAX_BYTES))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_picture_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked():
    for side in (8000, 60000):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
        with pytest.raises(PhotoRefused):
            clean_photo(bomb)
    with pytest.raises(PhotoTooManyPixels):
        clean_photo(jpeg((8000, 5001)))


@pytest.mark.parametrize(
    "raw",
    [
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(40),
        b"%PDF-1.7",
        b"MZ" + bytes(100),
        jpeg()[:300],
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(20),
        bytes(5000),
    ],
    ids=["text", "svg", "gif", "pdf", "program", "cut off", "broken png", "broken webp", "zeros"],
)
def test_what_is_not_a_picture_is_refused(raw):
    with pytest.raises(PhotoRefused):
        clean_photo(raw)


def test_a_picture_with_bytes_changed_at_random_is_read_or_refused_and_never_more():
    whole = jpeg((320, 240))
    for place in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        try:
            clean_photo(bytes(broken))
        except PhotoRefused:
            continue
