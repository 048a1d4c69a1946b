"""Bytes of a QR code or Data Matrix to text, for codes that do not declare their character set. Pure.

ISO/IEC 18004 says Latin-1 (before 2005: JIS X 0201); Chinese generators write UTF-8 or GB18030 without
saying so.
"""

from __future__ import annotations

import itertools
import re

_KANA_TAKES_MARK = frozenset([*range(0xB3, 0xB4), *range(0xB6, 0xC5), *range(0xCA, 0xCF)])
_MARKS = (0xDE, 0xDF)


def text_of(raw: bytes) -> str:
    """Return the text of `raw`: UTF-8, then GB18030, or Shift-JIS where the bytes speak for Japanese.

    Lone accented letters among ASCII are Latin-1.
    Never raises: what fits nothing comes back as Latin-1.
    """
    for name in ("utf-8-sig", *_legacy_order(raw)):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _legacy_order(raw: bytes) -> tuple[str, ...]:
    if not re.search(rb"[\x80-\xff]{2}", raw):
        return ("latin-1",)
    japanese = _voiced_kana(raw) or _common_share(raw) < 0.5
    return ("cp932", "gb18030") if japanese else ("gb18030", "cp932")


def _voiced_kana(raw: bytes) -> bool:
    """Two voiced marks behind half-width kana that take one; GB2312 has such a pair once in 2,000."""
    pairs = itertools.pairwise(raw)
    voiced = sum(after in _MARKS and kana in _KANA_TAKES_MARK for kana, after in pairs)
    high = sum(byte >= 0x80 for byte in raw)
    return voiced >= 2 and voiced * 8 >= high


def _common_share(raw: bytes) -> float:
    """The share of double bytes that lie in GB2312, where nearly all written Chinese does.

    Kanji in Shift-JIS begin with 0x88-0x9F, which GB2312 does not use.
    """
    common = pairs = place = 0
    while place < len(raw) - 1:
        if raw[place] < 0x80:
            place += 1
            continue
        pairs += 1
        common += 0xA1 <= raw[place] <= 0xF7 and raw[place + 1] >= 0xA1
        place += 2
    return common / pairs if pairs else 1.0
