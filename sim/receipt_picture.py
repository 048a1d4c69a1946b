"""A printed receipt as a picture of paper, and as text."""

from __future__ import annotations

import segno
from PIL import Image, ImageDraw, ImageFilter

from devices.printer.layout import cells, wrap
from devices.printer.profile import Chinese, PrinterProfile
from devices.printer.raster import draw_lines
from devices.types import TextLine
from sim.escpos import Code, Dots, Effect, Feed, Kick, Printed

_PAPER = (252, 251, 246)
_INK = (38, 38, 42)
_DESK = (214, 216, 220)
_MARGIN = 28
_LINE_DOTS = 30


def as_text(effects: list[Effect]) -> str:
    """Return the receipt as text; what is not text stands in brackets."""
    lines: list[str] = []
    picture_rows = 0
    for effect in effects:
        if isinstance(effect, Dots):
            picture_rows += len(effect.data) // max(1, effect.row_bytes)
            continue
        if picture_rows:
            lines.append(f"[picture of {picture_rows} rows]")
            picture_rows = 0
        lines.extend(_words(effect))
    if picture_rows:
        lines.append(f"[picture of {picture_rows} rows]")
    return "\n".join(lines)


def draw(effects: list[Effect], width: int, dots: int) -> Image.Image:
    """Draw the paper strip on a desk, RGB."""
    profile = PrinterProfile(width=width, dots=dots, chinese=Chinese.RASTER)
    pieces = [piece for effect in effects for piece in _pieces(effect, profile)]
    height = sum(piece.height for piece in pieces) + 2 * _LINE_DOTS
    ink = Image.new("L", (dots, height), 0)
    top = _LINE_DOTS
    for piece in pieces:
        ink.paste(piece, (0, top))
        top += piece.height
    return _on_desk(ink)


def _words(effect: Effect) -> list[str]:
    match effect:
        case Printed(text):
            return [text]
        case Code(text):
            return [f"[QR {text}]"]
        case Kick(pin):
            return [f"[drawer {pin}]"]
        case Feed(lines):
            return [""] * lines
        case _:
            return []


def _pieces(effect: Effect, profile: PrinterProfile) -> list[Image.Image]:
    """Return strips of paper, mode "L", 255 where there is ink."""
    match effect:
        case Printed():
            return _text_strips(effect, profile)
        case Dots(row_bytes, data):
            rows = len(data) // max(1, row_bytes)
            dots = Image.frombytes("1", (row_bytes * 8, rows), data)
            return [_strip(dots.convert("L"), profile.dots)]
        case Code(text, module):
            return [_code_strip(text, module, profile.dots)]
        case Feed(lines):
            return [Image.new("L", (profile.dots, lines * _LINE_DOTS), 0)] if lines else []
        case _:
            return []


def _text_strips(line: Printed, profile: PrinterProfile) -> list[Image.Image]:
    strips = []
    across, down = line.scale
    for text in wrap(line.text, profile.width // across, Chinese.GB18030):
        spare = profile.width // across - cells(text, Chinese.GB18030)
        left = {1: spare // 2, 2: spare}.get(line.align, 0)
        plain = draw_lines([TextLine(" " * left + text, bold=line.bold)], profile)
        ink = plain.convert("L").point(lambda value: 255 - value)
        big = ink.resize((ink.width * across, ink.height * down), Image.Resampling.NEAREST)
        strips.append(big.crop((0, 0, profile.dots, big.height)))
    return strips


def _code_strip(text: str, module: int, dots: int) -> Image.Image:
    matrix = segno.make(text, error="m", micro=False).matrix
    side = len(matrix)
    flat = bytes(255 if cell else 0 for row in matrix for cell in row)
    code = Image.frombytes("L", (side, side), flat).resize(
        (side * module, side * module), Image.Resampling.NEAREST
    )
    strip = Image.new("L", (dots, code.height + 8 * module), 0)
    strip.paste(code, ((dots - code.width) // 2, 4 * module))
    return strip


def _strip(ink: Image.Image, dots: int) -> Image.Image:
    strip = Image.new("L", (dots, ink.height), 0)
    strip.paste(ink, (0, 0))
    return strip


def _on_desk(ink: Image.Image) -> Image.Image:
    paper = Image.new("RGB", (ink.width + 2 * _MARGIN, ink.height), _PAPER)
    soft = ink.filter(ImageFilter.GaussianBlur(0.5))
    paper.paste(Image.new("RGB", ink.size, _INK), (_MARGIN, 0), soft)
    desk = Image.new("RGB", (paper.width + 2 * _MARGIN, paper.height + 2 * _MARGIN), _DESK)
    outline = _torn_outline(paper.width, paper.height)
    shadow = Image.new("L", desk.size, 0)
    shadow.paste(outline.point(lambda value: value // 3), (_MARGIN + 4, _MARGIN + 6))
    desk.paste(Image.new("RGB", desk.size, (60, 60, 66)), (0, 0), shadow.filter(ImageFilter.GaussianBlur(6)))
    desk.paste(paper, (_MARGIN, _MARGIN), outline)
    return desk


def _torn_outline(width: int, height: int) -> Image.Image:
    """A mask of paper whose ends show the teeth of the cutter."""
    teeth, tooth = [], 10
    for x in range(0, width + tooth, tooth):
        teeth.append((x, 0 if x // tooth % 2 else 4))
    bottom = [(x, height - 1 - y) for x, y in reversed(teeth)]
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).polygon([*teeth, *bottom], fill=255)
    return mask
