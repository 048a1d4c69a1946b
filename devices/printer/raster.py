"""Lines of text and QR codes as dots, for printers without a Chinese font or a QR command.

Pillow draws on a grid of cells, so that columns stand as they would with the printer's own font.
Reading the font file is the only I/O. Source of the command: Epson ESC/POS reference, GS v 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from devices.printer.layout import aligned, cells
from devices.printer.profile import Chinese, EncodeError, PrinterProfile
from devices.types import TextLine

# One band is the longest thing that a printer swallows blindly when a job breaks off; see codec.FILLER.
BAND_ROWS = 24
_FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)


def find_font(configured: str = "") -> str:
    """Return the path of a CJK font: the configured one, else the first usual one that is there.

    Raises EncodeError that says which package to install.
    """
    for path in (configured,) if configured else _FONTS:
        if Path(path).is_file():
            return path
    looked = configured or ", ".join(_FONTS)
    raise EncodeError(
        f"no Chinese font for raster printing (looked for {looked}): "
        "install fonts-wqy-microhei or set the printer's font_path"
    )


def draw_lines(lines: Sequence[TextLine], profile: PrinterProfile) -> Image.Image:
    """Draw laid-out lines below one another; black on white, mode "1", `profile.dots` wide."""
    cell = profile.dots // profile.width
    font = find_font(profile.font_path)
    heights = [cell * 5 // 2 * line.scale for line in lines]
    paper = Image.new("1", (profile.dots, max(1, sum(heights))), 1)
    pen = ImageDraw.Draw(paper)
    top = 0
    for line, height in zip(lines, heights, strict=True):
        _draw_line(pen, line, top, cell * line.scale, profile, font)
        top += height
    return paper


def draw_qr(text: str, profile: PrinterProfile) -> Image.Image:
    """Draw a QR code in the middle of the line; mode "1". Raises EncodeError when it cannot fit."""
    matrix = segno.make(text, error="m", micro=False).matrix
    side = len(matrix) + 8
    scale = qr_scale(len(matrix), profile.dots)
    paper = Image.new("1", (profile.dots, side * scale), 1)
    pen = ImageDraw.Draw(paper)
    left = (profile.dots - side * scale) // 2
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                at = left + (x + 4) * scale, (y + 4) * scale
                pen.rectangle((*at, at[0] + scale - 1, at[1] + scale - 1), fill=0)
    return paper


def qr_scale(modules: int, dots: int) -> int:
    """Return the dots of one QR module so that it is easy to scan: about half the paper, 2 to 8."""
    scale = min(8, max(3, dots // 2 // modules))
    while scale > 2 and (modules + 8) * scale > dots:
        scale -= 1
    if (modules + 8) * scale > dots:
        raise EncodeError(f"a QR code of {modules} modules does not fit on {dots} dots: use a shorter text")
    return scale


def bands(image: Image.Image) -> Iterator[bytes]:
    """Yield GS v 0 commands of at most 24 rows each, safe against real-time commands in the dots.

    A printer obeys DLE EOT, DLE ENQ and DLE DC4 (status, recovery, drawer pulse) even inside image data,
    so that a picture can open the drawer. One dot more breaks such a sequence and nobody sees it.
    """
    row_bytes = (image.width + 7) // 8
    dots = bytes(byte ^ 0xFF for byte in image.convert("1").tobytes())
    dots = _without_padding(dots, image.width, row_bytes)
    for start in range(0, len(dots), BAND_ROWS * row_bytes):
        data = _defused(dots[start : start + BAND_ROWS * row_bytes])
        rows = len(data) // row_bytes
        yield b"\x1dv0\x00" + row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little") + data


def _defused(data: bytes) -> bytes:
    for real_time in (b"\x10\x04", b"\x10\x05", b"\x10\x14"):
        data = data.replace(real_time, b"\x11" + real_time[1:])
    return data


def _without_padding(dots: bytes, width: int, row_bytes: int) -> bytes:
    """Blank the bits right of the picture, which Pillow leaves undefined."""
    if width % 8 == 0:
        return dots
    mask = 0xFF00 >> (width % 8) & 0xFF
    rows = [bytearray(dots[at : at + row_bytes]) for at in range(0, len(dots), row_bytes)]
    for row in rows:
        row[-1] &= mask
    return b"".join(rows)


def _draw_line(
    pen: ImageDraw.ImageDraw, line: TextLine, top: int, cell: int, profile: PrinterProfile, font: str
) -> None:
    wide, narrow = _fonts(font, cell)
    left = aligned(line, profile.width // line.scale, Chinese.RASTER) * cell
    baseline = top + cell * 2
    for character in line.text:
        taken = cells(character, Chinese.RASTER)
        shifts = (0, line.scale) if line.bold else (0,)
        for shift in shifts if character != " " else ():
            pen.text((left + shift, baseline), character, 0, wide if taken == 2 else narrow, anchor="ls")
        left += taken * cell


@lru_cache(maxsize=8)
def _fonts(path: str, cell: int) -> tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont]:
    """Return the fonts for two-cell and for one-cell characters."""
    face = 1 if path.endswith("wqy-microhei.ttc") else 0  # the second face is its fixed-width one
    wide = ImageFont.truetype(path, cell * 2, index=face)
    size = cell * 2
    while size > 6 and ImageFont.truetype(path, size, index=face).getlength("M") > cell:
        size -= 1
    return wide, ImageFont.truetype(path, size, index=face)
