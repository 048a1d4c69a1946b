"""A text as a QR code that a page shows."""

from __future__ import annotations

import io

import segno
from flask import Response


def qr_picture(text: str) -> Response:
    """Return the QR code of a text as an SVG picture."""
    svg = io.BytesIO()
    picture = segno.make(text, error="m", micro=False)
    picture.save(svg, kind="svg", xmldecl=False, omitsize=True, border=2, svgclass=None, lineclass=None)
    return Response(svg.getvalue(), mimetype="image/svg+xml")
