"""How a receipt's text stands on paper."""

from __future__ import annotations

import pytest

from devices.printer.layout import cells, columns, lay_out, printable, wrap
from devices.printer.profile import Chinese
from devices.types import Columns, Rule, TextLine

GB = Chinese.GB18030


def test_a_chinese_character_takes_two_cells() -> None:
    assert cells("苹果 A1", GB) == 7


def test_a_narrow_sign_of_the_chinese_font_takes_two_cells_too() -> None:
    assert cells("×", GB) == 2


def test_the_yen_sign_that_gbk_lacks_becomes_the_wide_one() -> None:
    assert printable("¥5", GB) == "￥5"


@pytest.mark.parametrize("chinese", list(Chinese))
def test_what_the_printer_lacks_shows_as_a_box(chinese: Chinese) -> None:
    assert printable("好😀\ud800", chinese) == "好□□"


def test_gbk_has_no_extension_a_but_gb18030_printers_have() -> None:
    assert printable("㐀", Chinese.GBK) == "□"
    assert printable("㐀", Chinese.GB18030) == "㐀"


def test_control_characters_never_reach_the_printer() -> None:
    assert printable("a\x1b@b\x10\x04\x01c\td", GB) == "a□@b□□□c d"


def test_a_long_name_wraps_and_the_amount_ends_the_last_line() -> None:
    lines = columns("非常好吃的新疆阿克苏冰糖心苹果礼盒装", "￥128.00", 32, GB)
    assert lines == ["非常好吃的新疆阿克苏冰", "糖心苹果礼盒装          ￥128.00"]
    assert cells(lines[-1], GB) == 32


def test_an_amount_as_wide_as_the_paper_gets_its_own_line() -> None:
    lines = columns("苹果苹果苹果", "1234567890123456789012345678", 32, GB)
    assert lines == ["苹果苹果苹果", "    1234567890123456789012345678"]


def test_words_are_not_split_where_there_is_a_space() -> None:
    assert wrap("fresh orange juice", 13, GB) == ["fresh orange", "juice"]


def test_a_word_longer_than_the_paper_is_split() -> None:
    assert wrap("abcdefghij", 4, GB) == ["abcd", "efgh", "ij"]


def test_a_wide_character_is_not_cut_in_half_at_the_edge() -> None:
    assert wrap("a中中", 4, GB) == ["a中", "中"]


def test_double_size_has_half_the_width() -> None:
    lines = list(lay_out((TextLine("一二三四五", scale=2), Rule(), Columns("a", "b")), 16, GB))
    assert lines == [
        TextLine("一二三四", scale=2),
        TextLine("五", scale=2),
        TextLine("-" * 16),
        TextLine("a" + " " * 14 + "b"),
    ]
