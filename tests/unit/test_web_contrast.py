"""The palette against WCAG 2.2 AA: text 4.5 to 1, large text and signs 3 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "edge" / "web" / "static"
SHEETS = (STATIC / "kiosk" / "base.css", STATIC / "page.css")

#: (ink, ground) of every text on the pages; a colour of the palette or its own value.
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "sand"), ("ink", "honey"), ("ink", "mint"), ("ink", "rose"),
    ("soft", "paper"), ("soft", "card"), ("soft", "sand"),
    ("red", "paper"), ("red", "card"), ("red-deep", "rose"), ("red-deep", "paper"), ("red-deep", "card"),
    ("amber", "honey"), ("amber", "card"), ("green", "mint"), ("green", "paper"), ("green", "card"),
    ("#ffffff", "red"), ("#ffffff", "red-deep"), ("#ffffff", "green"), ("#ffffff", "ink"),
    ("#4d3d2d", "honey"), ("#4d3d2d", "rose"), ("#4d3d2d", "mint"),
]  # fmt: skip

#: Signs and the focus ring.
SIGNS = [("red", "rose"), ("#3b7dd8", "paper"), ("#3b7dd8", "card"), ("soft", "paper")]


def palette(sheet: Path) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", sheet.read_text(encoding="utf-8")))


def ratio(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb; source: WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_formula_gives_the_known_ratio_of_black_on_white() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_text_and_signs_stand_out_from_their_ground(sheet: Path) -> None:
    colours = palette(sheet)
    pairs = [(pair, 4.5) for pair in TEXT] + [(pair, 3.0) for pair in SIGNS]
    known = [(one, other, least) for (one, other), least in pairs if other in colours]
    weak = [
        (one, other, round(found, 2))
        for one, other, least in known
        if (found := ratio(colours.get(one, one), colours[other])) < least
    ]
    assert len(known) > 20
    assert weak == []


def test_both_style_sheets_share_one_palette() -> None:
    kiosk, pages = (palette(sheet) for sheet in SHEETS)
    assert {name: kiosk[name] for name in pages} == pages
