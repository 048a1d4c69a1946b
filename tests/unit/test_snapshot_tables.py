"""Tables of members, plates, tariffs and prices: what is wrong is named by line and column."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.members.member_snapshot import Member, phone_hmac, plate_hmac, read_members
from edge.parking.plate_list import DayKind, PlateEntry, PlateListKind, read_entries
from edge.parking.tariff_document import RateLine, read_tariffs, tariff_at
from edge.services.take_snapshot import return_snapshot
from sim.goods import catalogue_csv, demo_goods
from sim.mall_lists import members_csv, prices_csv, tariffs_csv
from sim.snapshots import Content
from tests.unit.snapshot_bench import Bench

ZONE = ZoneInfo("Asia/Shanghai")
HMAC = "0123456789abcdef" * 2
MEMBERS = "member_id,card,tier,points,points_at,phone_hmac,phone_tail,plate_hmacs"
GOOD = f"m1,6600,gold,12,1790000000000,{HMAC},8000,{HMAC}"


def lines(head: str, *rows: str) -> list[bytes]:
    return [line.encode() for line in (head, *rows)]


def test_a_member_is_read() -> None:
    member = Member("m1", "6600", "gold", 12, 1_790_000_000_000, HMAC, "8000", (HMAC,))
    assert list(read_members(lines(MEMBERS, GOOD))) == [member]
    assert len(list(read_members(members_csv(50).splitlines()))) == 50


WRONG_MEMBERS = {
    "an id": ("m 1,6600,gold,1,1,,,", "line 2, member_id: 'm 1' cannot be used"),
    "points": ("m1,6600,gold,1.5,1,,,", "line 2, points: '1.5' is no whole number"),
    "a moment": ("m1,6600,gold,1,99999999999999,,,", "line 2, points_at"),
    "a whole phone number": ("m1,6600,gold,1,1,,13812348000,", "line 2, phone_tail.*never the whole number"),
    "a phone number as card": ("m1,13812348000,gold,1,1,,,", "line 2, card: looks like a mobile number"),
    "a phone number as id": ("8613812348000,,gold,1,1,,,", "line 2, member_id: looks like a mobile number"),
    "a plate that is not hashed": ("m1,,gold,1,1,,,粤B12345", "line 2, plate_hmacs.*HMAC-SHA256"),
    "one plate twice": (f"m1,,gold,1,1,,,{HMAC} {HMAC}", "line 2, plate_hmacs: has 2; give 8 different"),
    "too few cells": ("m1,6600,gold", "line 2 has 3 cells, the first line names 8"),
    "a quote that is not closed": ('m1,"6600', "line 2: unexpected end of data"),
}


@pytest.mark.parametrize("name", WRONG_MEMBERS)
def test_a_wrong_member_is_named_by_line_and_column(name: str) -> None:
    row, words = WRONG_MEMBERS[name]
    with pytest.raises(Invalid, match=words):
        list(read_members(lines(MEMBERS, row)))


def test_members_out_of_order_and_doubles_are_refused() -> None:
    for second in (GOOD, GOOD.replace("m1", "m0")):
        with pytest.raises(Invalid, match=r"line 3, member_id: m[01] comes after m1; sort by member_id"):
            list(read_members(lines(MEMBERS, GOOD, second)))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("member_id,card", "tier is missing"),
        (MEMBERS + ",card", "names the column card twice"),
        (",".join([MEMBERS, *(f"c{number}" for number in range(64))]), "64 at most"),
        ("", "the table is empty"),
    ],
)
def test_a_first_line_that_is_wrong_is_told(head: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        list(read_members(lines(head)))


def test_other_columns_and_another_order_do_no_harm() -> None:
    head = "\ufefftier,new,points,points_at,member_id,card"
    [member] = read_members(lines(head, "gold,x,5,6,m1,66", ""))
    assert member == Member("m1", "66", "gold", 5, 6)


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    with pytest.raises(Invalid, match="line 2 is not UTF-8"):
        list(read_members([MEMBERS.encode(), b"\xff"]))


def test_a_phone_and_a_plate_are_known_by_their_hash_however_they_are_written() -> None:
    key = b"k"
    assert phone_hmac(key, "138 1234-8000") == phone_hmac(key, "+86 138-1234-8000")
    assert plate_hmac(key, "粤B·12345") == plate_hmac(key, "粤b 12345")
    assert phone_hmac(key, "13812348000") != phone_hmac(b"other", "13812348000")
    assert phone_hmac(key, "1") != plate_hmac(key, "1")
    assert len(phone_hmac(key, "13812348000")) == 32


PLATES = "plate,list,class,valid_from,valid_to,days,from,to,note"


def test_a_plate_on_a_list_is_read_and_holds_in_its_window() -> None:
    row = "粤b·d12345,white,staff,2026-01-01,2027-01-01,workday,22:00,06:00,夜班"
    [entry] = read_entries(lines(PLATES, row), ZONE)
    assert (entry.plate, entry.kind, entry.plate_class) == ("粤BD12345", PlateListKind.WHITE, "staff")
    inside = entry.valid_from
    assert entry.holds(inside, 23 * 60, DayKind.WORKDAY)
    assert entry.holds(inside, 5 * 60, DayKind.WORKDAY)
    assert not entry.holds(inside, 6 * 60, DayKind.WORKDAY)
    assert not entry.holds(inside, 23 * 60, DayKind.RESTDAY)
    assert not entry.holds(entry.valid_to, 23 * 60, DayKind.WORKDAY)
    assert PlateEntry("粤B12345", PlateListKind.FREE).holds(0, 0, DayKind.RESTDAY)


WRONG_PLATES = {
    "a plate": ("粤B,free,,,,,,,", "line 2, plate: '粤B' cannot be used"),
    "a list": ("粤B12345,grey,,,,,,,", "line 2, list: 'grey' is not one of free, white, black"),
    "a day": ("粤B12345,free,,,,monday,,,", "line 2, days: 'monday' is not one of"),
    "a time": ("粤B12345,free,,,,,8,,", "line 2, from: '8' is no time of day"),
    "a minute": ("粤B12345,free,,,,,08:60,,", "line 2, from: '08:60' is no time of day"),
    "a window of nothing": ("粤B12345,free,,,,,08:00,08:00,", "line 2, to: is the same as from"),
    "a date": ("粤B12345,free,,soon,,,,,", "line 2, valid_from: 'soon' is no time"),
    "an end before the beginning": (
        "粤B12345,free,,2027-01-01,2026-01-01,,,,",
        "line 2, valid_to: is not after",
    ),
    "a note": (f"粤B12345,free,,,,,,,{'n' * 61}", "line 2, note: .* 60 printable"),
}


@pytest.mark.parametrize("name", WRONG_PLATES)
def test_a_wrong_plate_is_named_by_line_and_column(name: str) -> None:
    row, words = WRONG_PLATES[name]
    with pytest.raises(Invalid, match=words):
        list(read_entries(lines(PLATES, row), ZONE))


TARIFFS = "tariff_id,name,valid_from,free_min,day_cap,vehicle_class,from,to,after_min,step_min,price,cap"


def test_tariffs_are_read_with_their_lines_and_found_by_moment() -> None:
    tariffs = read_tariffs(tariffs_csv().splitlines(), ZONE)
    [mall] = tariffs
    assert (mall.free_min, mall.day_cap_fen, len(mall.lines)) == (30, 6_000, 3)
    assert mall.lines[1] == RateLine(60, 200, from_min=22 * 60, to_min=8 * 60, cap_fen=1_000)
    assert tariff_at(tariffs, "mall", mall.valid_from) == mall
    assert tariff_at(tariffs, "mall", mall.valid_from - 1) is None


DAY = "m,Mall,2026-01-01,30,60,,,,0,60,5.00,"
WRONG_TARIFFS = {
    "a price": (("m,Mall,2026-01-01,30,60,,,,0,60,five,",), "line 2, price: 'five' is no amount"),
    "no step": (("m,Mall,2026-01-01,30,60,,,,0,0,5.00,",), "line 2, step_min: '0' is no whole number from 1"),
    "no name": (("m,,2026-01-01,30,60,,,,0,60,5.00,",), "line 2, name: is empty"),
    "a cap below a step": (("m,Mall,2026-01-01,30,60,,,,0,60,5.00,4",), "line 2, cap: is below"),
    "another free time": ((DAY, "m,Mall,2026-01-01,15,60,,,,60,60,5.00,"), "line 3, free_min: is not as in"),
    "the same line": ((DAY, DAY), "line 3, after_min: another line .* the same point"),
    "lines apart": (
        (DAY, DAY.replace("m,", "n,", 1), DAY),
        "line 4, tariff_id: m of that moment stands above",
    ),
    "none": ((), "no rate lines"),
}


@pytest.mark.parametrize("name", WRONG_TARIFFS)
def test_a_wrong_tariff_is_named_by_line_and_column(name: str) -> None:
    rows, words = WRONG_TARIFFS[name]
    with pytest.raises(Invalid, match=words):
        read_tariffs(lines(TARIFFS, *rows), ZONE)


GOODS = demo_goods()


def with_goods() -> Bench:
    bench = Bench()
    bench.wire.publish(Content("catalogue", 1, catalogue_csv(GOODS)))
    bench.steps(4)
    return bench


def price(bench: Bench, place: int = 0) -> int | None:
    at = bench.clock.now().wall_at
    product = bench.store.read(lambda unit: unit.catalogue.by_sku(GOODS[place].sku, at))
    return None if product is None else product.price_fen


def test_prices_hold_from_their_moment() -> None:
    bench = with_goods()
    later = bench.clock.now().wall_at + 30_000
    table = prices_csv(GOODS, "3.00") + f"{GOODS[0].sku},9.90,{later}\n".encode()
    bench.wire.publish(Content("prices", 1, table))
    bench.steps(5)
    assert price(bench) == price(bench, 1) == 300
    bench.steps(40)
    assert (price(bench), price(bench, 1)) == (990, 300)


def test_going_back_to_older_prices_leaves_newer_products_alone() -> None:
    bench = Bench()
    for name, version, data in (
        ("catalogue", 1, catalogue_csv(GOODS[:2])),
        ("prices", 1, prices_csv(GOODS[:2], "3.00")),
        ("prices", 2, prices_csv(GOODS[:2], "4.00")),
        ("catalogue", 2, catalogue_csv(GOODS[1:3])),
    ):
        bench.wire.publish(Content(name, version, data))
        bench.steps(4)
    new = price(bench, 2)
    return_snapshot(bench.shelf, "prices")
    assert (price(bench), price(bench, 1), price(bench, 2)) == (None, 300, new)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (prices_csv(GOODS[1:], "3.00"), "1 products on sale have no price here"),
        (prices_csv(GOODS) + b"none,1.00,\n", "sku: none is not on sale; send the catalogue first"),
        (prices_csv(GOODS).replace(GOODS[0].price.encode(), b"0", 1), "line 2, price: is zero"),
        (prices_csv(GOODS) + prices_csv(GOODS[:1]).splitlines()[1], "has a price from that moment above"),
    ],
)
def test_prices_that_are_not_whole_are_refused(table: bytes, words: str) -> None:
    bench = with_goods()
    before = price(bench)
    bench.wire.publish(Content("prices", 1, table))
    bench.steps(4)
    data = bench.told()[-1][1]
    assert data["reason"] == "content"
    assert words in data["detail"]
    assert price(bench) == before


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("members", members_csv(900) + b"m000000001,,gold,1,1,,,\n"),
        ("lists", b"plate,list\n" + b"\xe7\xb2\xa4B12345,free\n" * 600 + b"x,free\n"),
        ("tariffs", b"tariff_id,name\n"),
    ],
)
def test_a_bad_line_at_the_end_refuses_all_of_it_and_leaves_nothing(name: str, table: bytes) -> None:
    bench = Bench()
    bench.wire.publish(Content(name, 1, table))
    bench.steps(4)
    [(kind, data)] = bench.told()
    assert (kind, data["reason"]) == ("snapshot.refused", "content")
    assert "line" in data["detail"]
    counts = bench.store.read(
        lambda unit: (unit.members.count(), unit.plate_lists.count(), unit.tariffs.all())
    )
    assert counts == (0, 0, ())
