"""Two tariffs over the same stays: sums, who pays more, the stays that change most, and the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.price_plot import HOURS, curve, difference_svg, round_up, step_path
from edge.parking.tariff_diff import (
    Comparison,
    Difference,
    PastStay,
    Row,
    difference_lines,
    length_labels,
    read_stays,
)
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.tariff_plan import MINUTE_MS, Plan
from edge.parking.vehicle import PlateColour, VehicleClass

ZONE = ZoneInfo("Asia/Shanghai")

OLD = Tariff("old", "旧", 0, 30, None, (RateLine(60, 500),))
NEW = Tariff("new", "新", 0, 0, 2_000, (RateLine(60, 500), RateLine(60, 900, "large")))


def at(clock: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-20T{clock}").replace(tzinfo=ZONE).timestamp() * 1000)


def stay(begin: str, minutes: int, vehicle: VehicleClass = VehicleClass.SMALL) -> PastStay:
    return PastStay(at(begin), at(begin) + minutes * MINUTE_MS, vehicle)


def compare(*stays: PastStay) -> Difference:
    comparison = Comparison(OLD, NEW, ZONE)
    for one in stays:
        comparison.add(one)
    return comparison.result()


STAYS = (stay("09:10", 20), stay("09:20", 120), stay("10:00", 600), stay("11:00", 60, VehicleClass.LARGE))


def test_sums_and_who_pays_more_or_less() -> None:
    found = compare(*STAYS)
    assert found.total == Row(4, 0 + 1_000 + 5_000 + 500, 500 + 1_000 + 2_000 + 900, 2, 1)
    assert found.by_hour[9] == Row(2, 1_000, 1_500, 1, 0)
    assert sum(row.stays for row in found.by_hour) == sum(row.stays for row in found.by_length) == 4
    labelled = dict(zip(length_labels(), found.by_length, strict=True))
    assert labelled["<= 30 min"] == Row(1, 0, 500, 1, 0)
    assert labelled["<= 2 h"] == Row(1, 1_000, 1_000, 0, 0)


def test_the_stays_that_change_most_are_told() -> None:
    lines = difference_lines(compare(*STAYS), ZONE)
    assert "rises most: 2026-11-20 09:10 to 2026-11-20 09:30: 0.00 -> 5.00" in lines
    assert "falls most: 2026-11-20 10:00 to 2026-11-20 20:00: 50.00 -> 20.00" in lines
    assert [line.split() for line in lines if line.startswith("all")] == [
        ["all", "4", "65.00", "44.00", "-21.00", "2", "1"]
    ]


def test_nothing_changes_most_when_nothing_changes() -> None:
    found = compare(stay("09:20", 120))
    assert (found.rise, found.fall) == (None, None)


def test_stays_are_read_from_a_table() -> None:
    table = b"entered_at,left_at,colour\n2026-11-20T09:00,2026-11-20T10:00,green\n"
    assert read_stays(table.splitlines(), ZONE) == (
        PastStay(at("09:00"), at("10:00"), VehicleClass.SMALL, PlateColour.GREEN),
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2026-11-20T09:00,2026-11-20T08:00", "line 2, left_at: is before entered_at"),
        ("yesterday,2026-11-20T08:00", "line 2, entered_at: 'yesterday' is no time"),
    ],
)
def test_a_wrong_stay_is_named_by_line_and_column(row: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_stays(f"entered_at,left_at\n{row}\n".encode().splitlines(), ZONE)


def test_a_curve_has_the_moments_at_which_the_price_changes() -> None:
    points = curve(Plan(OLD, ZONE), at("09:00"), hours=2)
    assert points == ((0, 0), (35, 500), (65, 1_000), (120, 1_000))
    assert step_path(points, 2, 1_000) == "M0 220 H210.0 V110.0 H390.0 V0.0 H720.0 V0.0"


@pytest.mark.parametrize(
    ("fen", "top"), [(0, 1_000), (1_000, 1_000), (1_001, 2_000), (9_999_999, 10_000_000)]
)
def test_axes_end_at_round_amounts(fen: int, top: int) -> None:
    assert round_up(fen) == top


def test_the_picture_is_well_formed_and_has_a_bar_for_each_tariff_and_length() -> None:
    curves = (curve(Plan(OLD, ZONE), at("09:00")), curve(Plan(NEW, ZONE), at("09:00")))
    assert curves[0][-1][0] == HOURS * 60
    picture = difference_svg(compare(*STAYS), ("old <旧>", "new & 新"), curves, "2026-11-20 09:00")
    root = ET.fromstring(picture)
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{space}g/{space}rect")) == 2 * len(length_labels())
    assert "旧 old 元/yuan: old <旧>" in [one.text for one in root.iter(f"{space}text")]
