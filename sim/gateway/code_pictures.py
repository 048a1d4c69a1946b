"""A payment code as pictures for a phone's screen."""

from __future__ import annotations

import re

import segno
import zxingcpp


def barcode_svg(code: str) -> str:
    """Return the payment code as a Code 128 barcode, an <svg> element that scales."""
    symbol = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128)
    svg = symbol.to_svg()
    size = re.search(r'width="(\d+)" height="(\d+)"', svg)
    assert size is not None
    view = f'viewBox="0 0 {size[1]} {size[2]}" preserveAspectRatio="none"'
    return svg[svg.index("<svg") :].replace("<svg ", f"<svg {view} ", 1)


def qr_svg(code: str) -> str:
    """Return the payment code as a QR code, an <svg> element that scales."""
    return segno.make(code, error="m", micro=False).svg_inline(border=2, omitsize=True, light="#fff")
