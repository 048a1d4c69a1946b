"""Which version of a page is shown when, and what may not be published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import (
    LandingSlot,
    LandingVariant,
    LandingVersion,
    Occasion,
    check_version,
    choose_version,
    given_version,
    in_force,
)

PAGE = LandingPage("t", "t", "谢谢")
TEA = LandingSlot("t")
JOIN = LandingBlock(BlockKind.JOIN, "入会")


def version(
    number: int = 1, begin: int = 0, end: int | None = None, slot: LandingSlot = TEA
) -> LandingVersion:
    return LandingVersion(slot, number, (LandingVariant("A", PAGE),), begin, end)


@pytest.mark.parametrize(("at", "number"), [(9, None), (10, 1), (20, 2), (29, 2), (30, 3), (99, 3)])
def test_a_page_for_a_while_gives_way_to_the_usual_one_afterwards(at: int, number: int | None) -> None:
    versions = [version(1, 10), version(3, 10), version(2, 20, 30)]
    found = in_force(versions if at >= 20 else versions[:1], at)
    assert (found.number if found else None) == number


def of(tenant: str, occasion: Occasion = Occasion.ANY, campaign: str = "") -> LandingVersion:
    return version(slot=LandingSlot(tenant, occasion, campaign))


@pytest.mark.parametrize(
    ("held", "occasion", "campaign", "chosen"),
    [
        ([of("t"), of("")], Occasion.KIOSK, "", ("t", "any", "")),
        ([of("t"), of("t", Occasion.KIOSK)], Occasion.KIOSK, "", ("t", "kiosk", "")),
        ([of("t"), of("t", Occasion.KIOSK)], Occasion.COUNTER, "", ("t", "any", "")),
        ([of("t", Occasion.KIOSK), of("t", campaign="may")], Occasion.KIOSK, "may", ("t", "any", "may")),
        ([of("t", campaign="may"), of("")], Occasion.KIOSK, "june", ("", "any", "")),
        ([of("u"), of("t", Occasion.JOIN)], Occasion.KIOSK, "", ("u", "any", "")),
        ([of("v")], Occasion.KIOSK, "", None),
    ],
)
def test_campaign_goes_before_occasion_and_the_larger_share_before_both(
    held: list[LandingVersion], occasion: Occasion, campaign: str, chosen: tuple[str, str, str] | None
) -> None:
    found = choose_version(held, {"t": 500, "u": 100}, occasion, campaign)
    said = (found.slot.tenant_id, found.slot.occasion.value, found.slot.campaign) if found else None
    assert said == chosen
    assert choose_version(held[::-1], {"u": 100, "t": 500}, occasion, campaign) == found


def test_a_withdrawn_page_counts_as_none() -> None:
    gone = replace(of("t"), variants=())
    assert choose_version([gone, of("")], {"t": 5}, Occasion.KIOSK) == of("")


def test_a_given_page_is_version_nought_with_one_variant() -> None:
    given = given_version(PAGE)
    assert (given.number, given.page_of("A")) == (0, PAGE)
    with pytest.raises(Invalid, match="no variant 'B'"):
        given.page_of("B")


def test_a_slots_id_fits_into_events_however_long_its_tenants_is() -> None:
    assert LandingSlot("").landing_id == "mall"
    assert LandingSlot("t").landing_id == "t"
    assert LandingSlot("t", Occasion.KIOSK, "may").landing_id == "t.kiosk.may"
    assert LandingSlot("t", campaign="may").landing_id == "t.any.may"
    long = {LandingSlot("t" * 64, one).landing_id for one in Occasion}
    assert {len(one) for one in long} == {64}
    assert len(long) == len(Occasion)
    with pytest.raises(Invalid, match="campaign"):
        LandingSlot("t", campaign="五月")


def with_page(**changes: object) -> LandingVersion:
    return replace(version(), variants=(LandingVariant("A", replace(PAGE, **changes)),))  # type: ignore[arg-type]


def with_block(**changes: object) -> LandingVersion:
    return with_page(blocks=(JOIN, replace(JOIN, **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(version(), variants=version().variants * 7), "6 variants at most"),
        (replace(version(), variants=version().variants * 2), "same name"),
        (version(begin=5, end=5), "end before it begins"),
        (replace(version(), variants=(LandingVariant("a b", PAGE),)), "capital letters"),
        (replace(version(), variants=(LandingVariant("A", PAGE, 0),)), "weight 0"),
        (with_page(title=""), "needs a title"),
        (with_page(title_en="x" * 81), "needs a title of 80"),
        (with_page(picture="../secret.png"), "no name of an uploaded picture"),
        (with_page(picture="a..png"), "no name of an uploaded picture"),
        (with_page(blocks=(JOIN,) * 21), "20 blocks"),
        (with_block(title=""), "block 2: it needs a title"),
        (with_block(title="x" * 81), "block 2: a title has 80"),
        (with_block(body_en="x" * 2_001), "block 2: a text has 2000"),
        (with_block(url="javascript:alert(1)"), "block 2: address"),
        (with_block(url="//evil.example"), "block 2: address"),
        (with_block(code="<b>"), "block 2: a coupon's code"),
        (with_block(picture="x.svg"), "no name of an uploaded picture"),
        (with_block(kind=BlockKind.PICTURE), "block 2: choose a picture"),
    ],
)
def test_what_may_not_be_published_is_refused_by_its_place(bad: LandingVersion, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_version(bad)


def test_what_may_be_published_comes_back() -> None:
    block = LandingBlock(BlockKind.PICTURE, "", picture="a-1.png", url="weixin://dl/business", code="C-1")
    good = with_page(picture="tea.jpeg", blocks=(JOIN, block))
    assert check_version(good) == good
    assert check_version(replace(good, variants=())).variants == ()
