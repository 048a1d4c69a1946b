"""Pictures that somebody uploads for pages after payment: checked, made anew and named by their content."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from edge.errors import Invalid, Unavailable

#: Bytes of an upload, pixels of what is taken, the longest edge and the bytes of what is kept.
MAX_UPLOAD = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_EDGE = 1_280
MAX_KEPT = 400_000
#: Pictures in the folder, and how many of them a page offers.
MAX_PICTURES = 500
_FORMATS = ("JPEG", "PNG", "WEBP")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_QUALITIES = (82, 70, 55)


def keep_picture(folder: Path | None, content: bytes) -> str:
    """Keep a picture of a JPEG, PNG or WebP file as a new JPEG and return its name.

    What else is in the file, such as where it was taken, is left behind. Raises Invalid for what is no
    such picture or too large, Unavailable when there is no folder to keep it in.
    """
    if folder is None:
        raise Unavailable("this box keeps no pictures; set web.pictures to a folder it may write")
    if len(content) > MAX_UPLOAD:
        raise Invalid(f"the picture has {len(content)} bytes, at most {MAX_UPLOAD} are taken")
    kept = _anew(content)
    name = f"{hashlib.sha256(kept).hexdigest()[:20]}.jpg"
    path = folder / name
    try:
        if not path.exists():
            if len(list_pictures(folder)) >= MAX_PICTURES:
                raise Invalid(f"the folder has {MAX_PICTURES} pictures; remove some before adding more")
            _write(path, kept)
    except OSError as error:
        raise Unavailable(f"the picture cannot be kept: {error.strerror}; give the box that folder") from None
    return name


def list_pictures(folder: Path | None) -> Sequence[str]:
    """Return the names of the pictures in the folder, the latest first; none without a folder."""
    if folder is None or not folder.is_dir():
        return ()
    found = [path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]
    found.sort(key=lambda path: (-path.stat().st_mtime_ns, path.name))
    return tuple(path.name for path in found[:MAX_PICTURES])


def _anew(content: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Invalid(f"the picture has {opened.width} x {opened.height} pixels; make it smaller")
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise Invalid("this is no JPEG, PNG or WebP picture, or it is damaged; choose another") from None
    plain = Image.new("RGB", upright.size, "white")
    plain.paste(upright, mask=upright.getchannel("A"))
    plain.thumbnail((MAX_EDGE, MAX_EDGE))
    for quality in _QUALITIES:
        out = io.BytesIO()
        plain.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= MAX_KEPT:
            break
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when the power goes."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
