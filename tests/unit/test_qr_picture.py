"""Codes as pictures inside of answers."""

from __future__ import annotations

import pytest

from edge.web.phone.qr_picture import LONGEST, with_qr


def test_the_picture_stands_beside_the_code_and_the_rest_stays() -> None:
    answer = with_qr({"code_url": "weixin://x", "state": "open"}, "code_url")
    assert str(answer.pop("qr")).startswith("data:image/png;base64,")
    assert answer == {"code_url": "weixin://x", "state": "open"}


@pytest.mark.parametrize("answer", [{"code": None}, {"code": ""}, {}])
def test_without_a_code_there_is_no_picture(answer: dict[str, object]) -> None:
    assert with_qr(answer) == {**answer, "qr": None}


@pytest.mark.parametrize(("letter", "most"), [("x", LONGEST), ("券", LONGEST // 3)])
def test_the_longest_code_makes_a_small_picture_and_a_longer_one_none(letter: str, most: int) -> None:
    assert len(str(with_qr({"code": letter * most})["qr"])) < 2_000
    assert with_qr({"code": letter * (most + 1)})["qr"] is None
