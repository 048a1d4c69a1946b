"""The pictures on the demonstration's landing pages, drawn here so that none has to be shipped."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

_SIZE = (1200, 600)


def draw_pictures(folder: Path) -> None:
    """Draw mall.png and bakery.png into `folder`, 1200 x 600 pixels, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("mall.png", _mall), ("bakery.png", _bakery)):
        if not (folder / name).exists():
            draw().save(folder / name)


def _mall() -> Image.Image:
    """An arcade at dusk: arches one behind the other, lit from inside."""
    image = _gradient((126, 32, 38), (236, 142, 84))
    draw = ImageDraw.Draw(image)
    for depth in range(7):
        inset = depth * 62
        box = (170 + inset, 60 + depth * 26, 1030 - inset, 980 - depth * 60)
        shade = 70 + depth * 27
        draw.rounded_rectangle(box, 400, fill=(min(255, shade + 60), shade, max(30, 90 - depth * 4)))
    for lamp in range(9):
        x = 200 + lamp * 100
        y = 90 + abs(lamp - 4) * 22
        draw.ellipse((x - 14, y - 14, x + 14, y + 14), fill=(255, 236, 190))
    return image.filter(ImageFilter.GaussianBlur(1.2))


def _bakery() -> Image.Image:
    """A tray of buns seen from above."""
    image = _gradient((92, 52, 30), (150, 88, 46))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((70, 50, 1130, 550), 60, fill=(58, 36, 26))
    for row in range(2):
        for column in range(5):
            _bun(draw, 190 + column * 205, 175 + row * 245)
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _bun(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for ring in range(46):
        radius = 92 - ring * 2
        tint = (186 + ring, 112 + ring * 2, 48 + ring)
        draw.ellipse((x - radius, y - radius - ring // 3, x + radius, y + radius - ring // 3), fill=tint)
    for seed in range(11):
        angle, reach = seed * 2.399, 12 + seed * 5
        sx, sy = x + reach * math.cos(angle), y - 14 + reach * 0.8 * math.sin(angle)
        draw.ellipse((sx - 6, sy - 3, sx + 6, sy + 3), fill=(252, 240, 210))


def _gradient(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    column = Image.new("RGB", (1, _SIZE[1]))
    for y in range(_SIZE[1]):
        share = y / (_SIZE[1] - 1)
        column.putpixel((0, y), tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)))
    return column.resize(_SIZE)
