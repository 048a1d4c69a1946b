"""What a plate says: normal form, kinds by syntax and colour, doubts, look-alikes, masks."""

from __future__ import annotations

import pytest

from edge.parking.plate import (
    CONFUSABLE,
    LETTERS,
    MAX_PLATE,
    PROVINCES,
    PlateDoubt,
    PlateKind,
    confusion,
    fold,
    is_confusable,
    is_plausible,
    kinds_of,
    lookup_keys,
    mask_plate,
    normalise,
    why_not,
)
from edge.parking.vehicle import PlateColour

UNKNOWN = PlateColour.UNKNOWN


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("粤B12345", "粤B12345"),
        (" 粤b·123 45 ", "粤B12345"),
        ("粤Ｂ１２３４５", "粤B12345"),
        ("京A·O1I23", "京A01123"),
        ("粤BDO1234", "粤BD01234"),
        ("WJ京0001x", "WJ京0001X"),
        ("_无_", ""),
        ("无牌车", ""),
        ("unknown", ""),
        ("", ""),
        ("\x00\x1b[2J", "2J"),
        ("粤" * 500, "粤" * MAX_PLATE),
    ],
)
def test_a_plate_has_one_normal_form(text: str, plate: str) -> None:
    assert normalise(text) == plate
    assert normalise(plate) == plate


@pytest.mark.parametrize(
    ("plate", "colour", "kind"),
    [
        ("粤B12345", PlateColour.BLUE, PlateKind.STANDARD),
        ("粤BA1B2C", PlateColour.YELLOW, PlateKind.STANDARD),
        ("粤BD12345", PlateColour.GREEN, PlateKind.ENERGY_SMALL),
        ("粤BDH2345", PlateColour.GREEN, PlateKind.ENERGY_SMALL),
        ("粤B12345D", PlateColour.GREEN_YELLOW, PlateKind.ENERGY_LARGE),
        ("京A0006警", PlateColour.WHITE, PlateKind.POLICE),
        ("使014578", PlateColour.BLACK, PlateKind.EMBASSY),
        ("224578使", PlateColour.BLACK, PlateKind.EMBASSY),
        ("沪A0023领", PlateColour.BLACK, PlateKind.CONSULATE),
        ("粤ZF023港", PlateColour.BLACK, PlateKind.HONG_KONG),
        ("粤ZF023澳", PlateColour.BLACK, PlateKind.MACAU),
        ("京A0001学", PlateColour.YELLOW, PlateKind.LEARNER),
        ("京A0001挂", PlateColour.YELLOW, PlateKind.TRAILER),
        ("WJ京00012", PlateColour.WHITE, PlateKind.ARMED_POLICE),
        ("VA12345", PlateColour.WHITE, PlateKind.MILITARY),
        ("民航A1234", PlateColour.GREEN, PlateKind.CIVIL_AVIATION),
        ("京X1234应急", PlateColour.WHITE, PlateKind.EMERGENCY),
        ("浙A00123临", PlateColour.BLUE, PlateKind.TEMPORARY),
        ("AB1234CD", UNKNOWN, PlateKind.CUSTOM),
    ],
)
def test_each_kind_is_known_by_its_syntax_and_ground(
    plate: str, colour: PlateColour, kind: PlateKind
) -> None:
    assert normalise(plate) == plate
    assert kinds_of(plate, colour) == (kind,)
    assert kind in kinds_of(plate)
    assert is_plausible(plate, colour) is (kind is not PlateKind.CUSTOM)


@pytest.mark.parametrize(
    ("plate", "colour", "doubt"),
    [
        ("", UNKNOWN, PlateDoubt.EMPTY),
        ("粤B1234", UNKNOWN, PlateDoubt.TOO_SHORT),
        ("粤B1234567", UNKNOWN, PlateDoubt.TOO_LONG),
        ("AB12345", PlateColour.BLUE, PlateDoubt.COLOUR),
        ("口B12345", UNKNOWN, PlateDoubt.PROVINCE),
        ("粤812345", UNKNOWN, PlateDoubt.OFFICE),
        ("粤BX12345", UNKNOWN, PlateDoubt.SERIAL),
        ("粤BD1234", PlateColour.GREEN, PlateDoubt.EIGHTH_MISSING),
        ("粤B12345", PlateColour.WHITE, PlateDoubt.COLOUR),
        ("粤B12345", PlateColour.BLUE, None),
    ],
)
def test_a_text_that_is_hardly_a_plate_says_why(
    plate: str, colour: PlateColour, doubt: PlateDoubt | None
) -> None:
    assert why_not(plate, colour) is doubt


def test_nothing_is_no_kind_at_all() -> None:
    assert kinds_of("") == kinds_of("使") == kinds_of("应急应急") == ()


def test_look_alikes_are_the_same_both_ways_and_likelier_than_any_other_pair() -> None:
    for (one, other), share in CONFUSABLE.items():
        assert confusion(other, one) == share > confusion("A", "9")
    assert {"0O", "0Q", "0D", "1T", "1I", "7Z", "EF", "8B"} <= {one + other for one, other in CONFUSABLE}
    assert is_confusable("8", "B")
    assert not is_confusable("8", "粤")
    assert confusion("粤", "浙") > confusion("粤", "8")


def test_shares_of_one_character_never_pass_all_of_its_misreads() -> None:
    for one in LETTERS + "0123456789IO":
        met = sum(share for (true, _), share in CONFUSABLE.items() if true == one)
        assert met <= 1.3, one


def test_folding_makes_look_alikes_the_same() -> None:
    assert fold("粤BQ8T0E") == fold("粤8081DF")


@pytest.mark.parametrize(
    "other", ["粤B12845", "浙B12345", "粤812345", "粤B1234", "粤B123456", "粤B12346", "鄂C1Z345", "粤B19945"]
)
def test_near_plates_share_a_key(other: str) -> None:
    assert set(lookup_keys("粤B12345")) & set(lookup_keys(other))


def test_far_plates_share_none_and_keys_are_few() -> None:
    assert not set(lookup_keys("粤B12345")) & set(lookup_keys("粤B67890"))
    assert lookup_keys("") == ()
    assert len(lookup_keys("粤BD12345")) <= 22
    assert len(lookup_keys("A" * MAX_PLATE)) <= 2 + MAX_PLATE


def test_a_mask_hides_the_end_and_keeps_the_length() -> None:
    assert mask_plate("粤B12345") == "粤B·123··"
    assert mask_plate("粤BD12345") == "粤B·D123··"
    assert mask_plate("ABC") == "A··"
    assert mask_plate("") == ""


def test_there_are_thirty_one_provinces() -> None:
    assert len(set(PROVINCES)) == len(PROVINCES) == 31
