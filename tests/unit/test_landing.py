"""Which page a shopper sees after paying."""

from __future__ import annotations

import pytest

from edge.members.landing import LandingPage, choose_landing

MALL = LandingPage("mall", "", "谢谢")
COFFEE = LandingPage("coffee", "t-coffee", "咖啡")
BAKERY = LandingPage("bakery", "t-bakery", "面包")


@pytest.mark.parametrize(
    ("pages", "spent", "chosen"),
    [
        ([MALL, COFFEE, BAKERY], {"t-coffee": 300, "t-bakery": 299}, COFFEE),
        ([MALL, COFFEE], {"t-coffee": 1, "t-bakery": 9_999}, COFFEE),
        ([COFFEE, BAKERY], {"t-coffee": 5, "t-bakery": 5}, BAKERY),
        ([MALL, COFFEE], {"t-toys": 5}, MALL),
        ([MALL], {}, MALL),
        ([COFFEE], {"t-toys": 5}, None),
        ([], {"t-toys": 5}, None),
    ],
)
def test_the_tenant_with_the_largest_share_that_has_a_page_shows_it(
    pages: list[LandingPage], spent: dict[str, int], chosen: LandingPage | None
) -> None:
    assert choose_landing(pages, spent) == chosen
    assert choose_landing(pages[::-1], dict(reversed(spent.items()))) == chosen
