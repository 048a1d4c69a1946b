"""A text as a QR code: a picture that a page of ours shows, or one inside of a JSON answer."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache

import segno
from flask import Response

#: A longer text makes modules that are too small on a phone's screen. In bytes of UTF-8.
LONGEST = 256

#: Phones ask about the same few codes every few seconds; so many pictures, of less than 2 KB each, are kept.
_KEPT = 512


def qr_picture(text: str) -> Response:
    """Return the QR code of a text as an SVG picture."""
    svg = io.BytesIO()
    picture = segno.make(text, error="m", micro=False)
    picture.save(svg, kind="svg", xmldecl=False, omitsize=True, border=2, svgclass=None, lineclass=None)
    return Response(svg.getvalue(), mimetype="image/svg+xml")


def with_qr(answer: Mapping[str, object], code: str = "code") -> dict[str, object]:
    """Return an answer with `qr` beside its code: the QR code as a PNG in a data URL.

    code: the name of the field whose text is shown; `qr` is None without a text, and for one longer than
    LONGEST, which can only be shown as it is written. The picture has its quiet zone of four modules
    (ISO/IEC 18004), so that it can be shown on any ground.
    """
    text = str(answer.get(code) or "")
    return {**answer, "qr": _data_url(text) if text and len(text.encode()) <= LONGEST else None}


@lru_cache(maxsize=_KEPT)
def _data_url(text: str) -> str:
    return segno.make(text, error="m", micro=False).png_data_uri(scale=6, border=4)
