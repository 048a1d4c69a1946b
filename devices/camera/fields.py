"""Reading the loose JSON and text of cameras: what is missing or odd becomes a default or a BadPush.

Firmware versions write the same field as number or text, leave it out, or write GB2312 where UTF-8 is
promised. A field that decides what happened must be there; any other is taken when it can be used. Pure.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from devices.types import BadPush, Photo

#: The most that one picture of a push may have; a larger one is left out, the read stands.
MAX_PHOTO_BYTES = 3 * 1024 * 1024

#: The longest text that is taken over from a camera, and the longest plate.
MAX_TEXT = 128
MAX_PLATE = 16

#: What cameras write for a vehicle without a readable plate.
NO_PLATE = frozenset(
    {"", "_无_", "无", "无牌", "无牌车", "未识别", "unknown", "noplate", "none", "null", "未知"}
)

#: Cameras that say no time zone are set to the time of China.
CHINA = timezone(timedelta(hours=8))

_SOI = b"\xff\xd8"

Json = Mapping[str, object]


def decode_text(data: bytes) -> str:
    """Return text that is UTF-8, else GB18030 (a superset of GB2312); raise BadPush for neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadPush("the body is neither UTF-8 nor GB18030 text; is the content type right?")


def json_object(data: bytes) -> Json:
    """Return the JSON object in `data`; raise BadPush for anything else."""
    text = decode_text(data)
    try:
        value = json.loads(text)
    except RecursionError:
        raise BadPush("the JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        raise BadPush(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise BadPush("the JSON holds a number that is too long") from None
    if not isinstance(value, dict):
        raise BadPush(f"the body must be a JSON object, got {type(value).__name__}")
    return value


def inner(value: object, *path: str) -> Json:
    """Return the object at `path`, an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text_of(value: object, limit: int = MAX_TEXT) -> str:
    """Return a text or number as a text of at most `limit` printable characters; "" for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    kept = "".join(one for one in str(value)[: limit * 2] if one.isprintable())
    return kept.strip()[:limit]


def whole_number(value: object) -> int | None:
    """Return a whole number given as number or text, None for all else or for more than 18 digits."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        value = f"{value:.0f}" if value == value and abs(value) < 1e18 else ""
    text = str(value).strip() if isinstance(value, str | int) else ""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return None
    return int(text)


def truth(value: object) -> bool:
    """Return whether a field says yes: true, 1, "1", "true"."""
    return value is True or text_of(value).lower() in ("1", "true")


def plate_text(value: object) -> str:
    """Return a plate as the camera wrote it without blanks and dots; "" for what says that there is none."""
    kept = text_of(value, MAX_TEXT).upper()
    for separator in (" ", "·", "•", "-", "."):
        kept = kept.replace(separator, "")
    return "" if kept.lower() in NO_PLATE or len(kept) > MAX_PLATE else kept


def base64_bytes(value: object) -> bytes:
    """Return what a base64 text stands for; b"" for what is none."""
    if not isinstance(value, str) or len(value) > MAX_PHOTO_BYTES * 3 // 2:
        return b""
    try:
        return base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError):
        return b""


def photo(kind: str, data: bytes) -> tuple[Photo, ...]:
    """Return the picture in a tuple, or an empty one when the bytes are no JPEG of a taken size."""
    usable = data.startswith(_SOI) and len(data) <= MAX_PHOTO_BYTES
    return (Photo(kind, data),) if usable else ()


def wall_ms(text: str, layouts: tuple[str, ...] = ()) -> int | None:
    """Return an ISO time, or one of `layouts` (strptime), as Unix milliseconds; no zone is China's."""
    moment = _moment(text.strip(), layouts)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=CHINA)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


def _moment(text: str, layouts: tuple[str, ...]) -> datetime | None:
    if not text or len(text) > 40:
        return None
    for layout in layouts:
        try:
            return datetime.strptime(text, layout)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
