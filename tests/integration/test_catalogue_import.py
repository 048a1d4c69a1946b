"""Whole imports into a real store: all or nothing, again and again, and what a till sees meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from edge.clock import Instant
from edge.codes.classify import classify
from edge.codes.reading import code_rules
from edge.errors import Invalid, Unavailable
from edge.retail.basket import Basket, add_line, piece_line
from edge.retail.catalogue import CatalogueEntry, Product, SoldBy, Tenant, scan_keys
from edge.services.change_price import change_price, describe_change, parse_valid_from
from edge.services.import_catalogue import ImportOptions, ImportReport, import_catalogue
from edge.services.records import Unit
from edge.services.show_product import show_product
from edge.store.sqlite_store import SqliteStore
from sim.goods import Good, catalogue_csv, demo_goods, many_goods, scale_label

T = TypeVar("T")

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = 1_795_000_000_000
RULES = code_rules()
MANY = tuple(many_goods(700))
GONE = MANY[600:]
# The same goods, cheaper, some of them gone and one with another barcode.
NEXT = tuple(replace(good, price="1.00") for good in MANY[1:600]) + (replace(MANY[0], barcodes=("NEW-0",)),)


class StepClock:
    """A clock that goes on by one second whenever it is read."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> Instant:
        self.at += 1000
        return Instant(self.at, "boot", self.at * 1_000_000, True)


@dataclass
class FailingStore:
    """A real store whose `fail_at`-th write fails, before it began or after it ran but before its commit."""

    store: SqliteStore
    fail_at: int
    inside: bool
    writes: int = 0

    def write(self, work: Callable[[Unit], T]) -> T:
        self.writes += 1
        if self.writes != self.fail_at:
            return self.store.write(work)
        return self.store.write(lambda unit: self._fail(work, unit))

    def read(self, query: Callable[[Unit], T]) -> T:
        return self.store.read(query)

    def _fail(self, work: Callable[[Unit], T], unit: Unit) -> T:
        if self.inside:
            work(unit)
        raise Unavailable("disk I/O error (injected)")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "box.db", START)
    yield store
    store.close()


def bring_in(
    store: SqliteStore | FailingStore, goods: tuple[Good, ...], at: int | None = None, **options: object
) -> ImportReport:
    clock = StepClock()
    clock.at = at or START
    wanted = ImportOptions(**options)  # type: ignore[arg-type]
    return import_catalogue(store, clock, catalogue_csv(goods), SHANGHAI, wanted)


def text_file(*lines: str) -> bytes:
    header = "sku,tenant_id,tenant_name,name,barcodes,price,valid_from"
    return "\n".join((header, *lines)).encode()


def found(store: SqliteStore, code: str, at: int = START + 60_000) -> Product | None:
    keys = scan_keys(classify(code, None, RULES))
    return store.read(lambda unit: unit.catalogue.find(keys, at))


def everything(store: SqliteStore) -> tuple[tuple[Tenant, ...], list[CatalogueEntry | None], dict[str, str]]:
    """Return all that the catalogue shows of MANY and its next version."""

    def look(unit: Unit) -> tuple[tuple[Tenant, ...], list[CatalogueEntry | None], dict[str, str]]:
        keys = [key for good in MANY for key in scan_keys(classify(good.barcodes[0], None, RULES))]
        entries = [unit.catalogue.entry(good.sku) for good in MANY]
        return unit.catalogue.intake.tenants(), entries, unit.catalogue.intake.owners([*keys, "NEW-0"])

    return store.read(look)


def rows(store: SqliteStore) -> dict[str, int]:
    connection = store._db.conn
    tables = ("products", "prices", "product_keys")
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_the_demonstration_mall_is_sold_by_any_of_its_barcodes(store: SqliteStore) -> None:
    goods = demo_goods()
    report = bring_in(store, goods)

    assert (report.applied, report.added, report.bad) == (True, len(goods), ())
    assert len(goods) >= 60
    for good in goods:
        for barcode in good.barcodes:
            product = found(store, barcode)
            assert product is not None, barcode
            assert (product.sku, product.name) == (good.sku, good.name)
    assert store.read(lambda unit: unit.catalogue.tenant("cellar")) == Tenant(
        "cellar", "醇香烟酒", "Chunxiang Wine & Tobacco"
    )


def test_a_scale_label_finds_its_goods_by_item_number_and_by_number_without_weight(
    store: SqliteStore,
) -> None:
    bring_in(store, demo_goods())

    with_number, by_item_alone = (
        found(store, scale_label("01001", 2750)),
        found(store, scale_label("01002", 310)),
    )

    assert with_number is not None
    assert (with_number.name, with_number.sold_by) == ("红富士苹果", SoldBy.WEIGHT)
    assert by_item_alone is not None
    assert by_item_alone.name == "香蕉"


def test_ten_thousand_products_come_in_and_are_found(store: SqliteStore) -> None:
    goods = tuple(many_goods(10_000))
    seen: list[tuple[int, int]] = []
    report = import_catalogue(
        store, StepClock(), catalogue_csv(goods), SHANGHAI, progress=lambda *step: seen.append(step)
    )

    assert (report.added, report.lines, report.applied) == (10_000, 10_000, True)
    assert seen == sorted(seen)
    assert seen[-1] == (20_000, 20_000)
    assert len(seen) > 50
    for good in goods[::997]:
        assert [found(store, code).sku for code in good.barcodes] == [good.sku] * 3  # type: ignore[union-attr]


def test_the_same_file_again_changes_nothing_and_writes_no_rows(store: SqliteStore) -> None:
    bring_in(store, MANY)
    before, count = everything(store), rows(store)

    report = bring_in(store, MANY, at=START + 86_400_000)

    assert (report.added, report.changed, report.unchanged) == (0, 0, len(MANY))
    assert (everything(store), rows(store)) == (before, count)


def applied(store: SqliteStore, fail_at: int, inside: bool) -> bool:
    """Return whether an import of NEXT was applied although its `fail_at`-th write failed."""
    failing = FailingStore(store, fail_at, inside)
    try:
        report = bring_in(failing, NEXT, at=START + 20_000, replace=True)
    except Unavailable:
        return False
    assert failing.writes >= fail_at
    return report.applied


@pytest.mark.parametrize("inside", [False, True])
def test_a_failure_at_any_step_leaves_the_old_catalogue_whole_and_the_next_import_clears_up(
    store: SqliteStore, tmp_path: Path, inside: bool
) -> None:
    bring_in(store, MANY)
    before = everything(store)
    clean = SqliteStore(tmp_path / "clean.db", START)
    bring_in(clean, MANY)
    bring_in(clean, NEXT, at=START + 20_000, replace=True)
    after = everything(clean)
    assert before != after

    failures = 0
    while not applied(store, failures + 1, inside):
        failures += 1
        assert everything(store) == before, failures
        assert failures < 100
    # begin, clearing up after the one before, products, withdrawals, keys, finish
    assert failures >= 1 + 6 + 3 + 1 + 4 + 1

    # The write that failed last was the clearing up behind an import that had already happened.
    assert everything(store) == after
    assert rows(store)["products"] > rows(clean)["products"]
    bring_in(store, NEXT, at=START + 40_000, replace=True)
    assert everything(store) == after
    assert rows(store) == rows(clean)
    clean.close()


def test_nothing_is_seen_before_everything_is(store: SqliteStore) -> None:
    bring_in(store, MANY)
    seen: set[tuple[bool, bool]] = set()
    names = tuple(replace(good, name="新") for good in MANY)

    def look(done: int, total: int) -> None:
        first, last = (found(store, names[place].barcodes[0]) for place in (0, -1))
        assert first is not None
        assert last is not None
        seen.add((first.name == "新", last.name == "新"))

    import_catalogue(store, StepClock(), catalogue_csv(names), SHANGHAI, progress=look)

    assert seen == {(False, False), (True, True)}


def test_readers_and_writers_go_on_during_an_import(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    over, wrong, rounds = threading.Event(), [], [0]

    def sell() -> None:
        while not over.is_set() and rounds[0] < 100_000:
            product = found(store, "BK0001")
            if product is None or product.name != "蛋挞":
                wrong.append(product)
            store.write(lambda unit: unit.outbox.next_sequence())
            rounds[0] += 1

    till = threading.Thread(target=sell)
    till.start()
    try:
        bring_in(store, tuple(many_goods(3_000)))
    finally:
        over.set()
        till.join(30)

    assert wrong == []
    assert rounds[0] > 10


def test_a_newer_import_ends_an_older_one(store: SqliteStore) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > len(MANY) and found(store, "BK0001") is None:
            bring_in(store, demo_goods())

    with pytest.raises(Invalid, match="ended by a newer one"):
        import_catalogue(store, StepClock(), catalogue_csv(MANY), SHANGHAI, progress=interrupt)

    assert found(store, "BK0001") is not None
    assert found(store, MANY[0].barcodes[0]) is None
    assert rows(store)["products"] == len(demo_goods())


def test_one_bad_line_stops_everything(store: SqliteStore) -> None:
    goods = (*MANY[:5], replace(MANY[5], price="free"))

    report = bring_in(store, goods)

    assert (report.applied, report.added, report.bad_lines, report.problem_count) == (False, 0, 1, 1)
    assert [str(bad) for bad in report.bad] == [
        "line 7, price: 'free' is no price in yuan; write it like 12.50, at most two decimals"
    ]
    assert found(store, MANY[0].barcodes[0]) is None
    assert store.read(lambda unit: unit.catalogue.intake.tenants()) == ()


def test_with_skip_bad_the_good_lines_come_in_and_the_bad_are_reported(store: SqliteStore) -> None:
    report = bring_in(store, (*MANY[:5], replace(MANY[5], price="free")), skip_bad=True)

    assert (report.applied, report.added, report.bad_lines) == (True, 5, 1)
    assert found(store, MANY[0].barcodes[0]) is not None
    assert found(store, MANY[5].barcodes[0]) is None


def test_a_file_with_bad_lines_only_changes_nothing_even_when_it_replaces(store: SqliteStore) -> None:
    bring_in(store, MANY)
    report = bring_in(store, (replace(GONE[0], price="free"),), skip_bad=True, replace=True)

    assert not report.applied
    assert found(store, MANY[0].barcodes[0]) is not None


def test_a_dry_run_counts_and_writes_nothing(store: SqliteStore) -> None:
    bring_in(store, MANY)
    before, count = everything(store), rows(store)

    report = bring_in(store, NEXT, dry_run=True, replace=True)

    assert (report.applied, report.added, report.changed, report.withdrawn) == (
        False,
        0,
        len(NEXT),
        len(GONE),
    )
    assert (everything(store), rows(store)) == (before, count)


def test_an_update_leaves_products_that_the_file_does_not_name(store: SqliteStore) -> None:
    bring_in(store, MANY)
    report = bring_in(store, NEXT, at=START + 20_000)

    assert report.withdrawn == 0
    assert found(store, GONE[0].barcodes[0]) is not None


def test_a_replacing_import_withdraws_them_but_keeps_their_record(store: SqliteStore) -> None:
    bring_in(store, MANY)
    report = bring_in(store, NEXT, at=START + 20_000, replace=True)
    gone = store.read(lambda unit: unit.catalogue.entry(GONE[0].sku))

    assert report.withdrawn == len(GONE)
    assert found(store, GONE[0].barcodes[0]) is None
    assert store.read(lambda unit: unit.catalogue.by_sku(GONE[0].sku, START + 60_000)) is None
    assert gone is not None
    assert (gone.withdrawn, gone.name) == (True, GONE[0].name)


def test_a_withdrawn_product_comes_back_with_its_barcodes(store: SqliteStore) -> None:
    bring_in(store, MANY)
    bring_in(store, NEXT, at=START + 20_000, replace=True)
    report = bring_in(store, GONE, at=START + 30_000)

    assert (report.added, report.changed) == (0, len(GONE))
    assert found(store, GONE[0].barcodes[1]) is not None


def test_a_product_named_by_a_bad_line_is_not_withdrawn(store: SqliteStore) -> None:
    bring_in(store, MANY)
    report = bring_in(store, (*MANY[:10], replace(MANY[10], price="?")), skip_bad=True, replace=True)

    assert report.withdrawn == len(MANY) - 11
    assert found(store, MANY[10].barcodes[0]) is not None


def test_an_import_for_one_tenant_withdraws_only_its_products(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    bakery = tuple(good for good in demo_goods() if good.tenant.tenant_id == "bakery")

    report = bring_in(store, bakery[:3], replace=True, only_tenant="bakery")

    assert report.withdrawn == len(bakery) - 3
    assert found(store, bakery[-1].barcodes[0]) is None
    assert found(store, "WT0001") is not None


def test_a_barcode_dropped_by_one_product_may_go_to_another_in_the_same_file(store: SqliteStore) -> None:
    a, b = replace(MANY[0], barcodes=("KEY-1", "KEY-2")), replace(MANY[1], barcodes=("KEY-3",))
    bring_in(store, (a, b))
    bring_in(store, (replace(a, barcodes=("KEY-2",)), replace(b, barcodes=("KEY-1",))), at=START + 20_000)

    owners = [found(store, key) for key in ("KEY-1", "KEY-2", "KEY-3")]
    assert [owner and owner.sku for owner in owners] == [b.sku, a.sku, None]


def test_a_barcode_of_a_product_outside_the_file_is_refused_by_line(store: SqliteStore) -> None:
    bring_in(store, (replace(MANY[0], barcodes=("KEY-1",)),))
    report = bring_in(store, (replace(MANY[1], barcodes=("KEY-1",)),))

    assert not report.applied
    assert [(bad.line, bad.column) for bad in report.bad] == [(2, "barcodes")]
    assert MANY[0].sku in report.bad[0].problem


def test_a_line_refused_for_its_barcode_keeps_its_own_barcodes_from_others(store: SqliteStore) -> None:
    a, b, c = (replace(MANY[n], barcodes=(f"KEY-{n}",)) for n in range(3))
    bring_in(store, (a, b, c))
    # b would take a's barcode, and c would take b's: b is refused, so c must be refused, too.
    report = bring_in(
        store, (replace(b, barcodes=("KEY-0",)), replace(c, barcodes=("KEY-1",))), skip_bad=True
    )

    assert [bad.line for bad in report.bad] == [2, 3]
    assert [found(store, f"KEY-{n}").sku for n in range(3)] == [a.sku, b.sku, c.sku]  # type: ignore[union-attr]


def test_a_withdrawn_product_gives_its_barcode_free_and_does_not_take_it_back(store: SqliteStore) -> None:
    a, b = replace(MANY[0], barcodes=("KEY-1",)), replace(MANY[1], barcodes=("KEY-1",))
    bring_in(store, (a,))
    bring_in(store, (b,), replace=True)
    report = bring_in(store, (replace(a, barcodes=("KEY-9",)),))

    assert report.applied
    assert found(store, "KEY-1").sku == b.sku  # type: ignore[union-attr]
    assert found(store, "KEY-9").sku == a.sku  # type: ignore[union-attr]


def test_a_tenant_cannot_take_over_another_ones_sku(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    market = next(good for good in demo_goods() if good.sku == "MK-001")
    stolen = replace(market, sku="BK-001", barcodes=())

    report = bring_in(store, (stolen,))

    assert not report.applied
    assert [(bad.line, bad.column) for bad in report.bad] == [(2, "tenant_id")]
    assert "bakery" in report.bad[0].problem


def test_a_tenant_known_to_the_box_need_not_be_named_again(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    data = text_file("BK-001,bakery,,蛋挞,BK0001,5.50,")

    report = import_catalogue(store, StepClock(), data, SHANGHAI)

    assert (report.applied, report.changed) == (True, 1)
    assert store.read(lambda unit: unit.catalogue.tenant("bakery")).name == "麦香坊"  # type: ignore[union-attr]


def test_a_product_is_sold_from_its_first_price_on(store: SqliteStore) -> None:
    import_catalogue(store, StepClock(), text_file("N-1,t,店,月饼,NEW-1,88,2026-12-01"), SHANGHAI)
    opens = parse_valid_from("2026-12-01", SHANGHAI)
    assert opens is not None

    assert found(store, "NEW-1", opens - 1) is None
    assert found(store, "NEW-1", opens).price_fen == 8800  # type: ignore[union-attr]
    shown = show_product(store, StepClock(), "NEW-1", RULES)
    assert shown is not None
    assert (shown.sellable, shown.entry.sku, shown.price) == (False, "N-1", None)


def test_prices_change_at_their_moment_and_not_in_a_basket(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    before = found(store, "BK0001")
    assert before is not None
    basket = add_line(Basket("b", "kiosk-1", START), piece_line("l", before, "BK0001"), START)
    change_at = START + 3_600_000

    change = change_price(store, StepClock(), "BK-001", "6.50", change_at)

    assert describe_change(change).startswith("BK-001 蛋挞: 5.00 -> 6.50 from 2026-11-")
    prices = [found(store, "BK0001", at).price_fen for at in (change_at - 1, change_at)]  # type: ignore[union-attr]
    assert prices == [500, 650]
    assert basket.total_fen == 500


def test_a_price_without_a_time_holds_at_once_and_replaces_no_later_one(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    clock = StepClock()
    clock.at = START + 60_000
    change_price(store, clock, "BK-001", "7", START + 3_600_000)
    change_price(store, clock, "BK-001", "6.50")

    prices = [found(store, "BK0001", at).price_fen for at in (clock.at, START + 3_600_000)]  # type: ignore[union-attr]
    assert prices == [650, 700]


def test_a_price_for_at_once_that_came_under_a_clock_far_ahead_gives_way_to_the_next(
    store: SqliteStore,
) -> None:
    bring_in(store, demo_goods())
    clock = StepClock()
    year = 365 * 86_400_000
    clock.at = START + year
    change_price(store, clock, "BK-001", "7")
    clock.at = START + 60_000
    change_price(store, clock, "BK-001", "6.50")

    prices = [found(store, "BK0001", at).price_fen for at in (clock.at, START + 2 * year)]  # type: ignore[union-attr]
    assert prices == [650, 650]


def test_an_import_without_a_time_keeps_the_price_that_is_planned(store: SqliteStore) -> None:
    bring_in(store, demo_goods())
    change_price(store, StepClock(), "BK-001", "7", START + 3_600_000)
    bring_in(store, demo_goods(), at=START + 60_000)

    assert found(store, "BK0001", START + 3_600_000).price_fen == 700  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sku", "price", "at", "problem"),
    [
        ("NO-1", "5", None, "no product NO-1"),
        ("BK-001", "0", None, "out of range"),
        ("BK-001", "5,5", None, "no price"),
        ("BK-001", "5", START, "in the past"),
        ("MK-001", "5", None, "withdrawn"),
    ],
)
def test_a_price_change_that_cannot_be_is_refused(
    store: SqliteStore, sku: str, price: str, at: int | None, problem: str
) -> None:
    bring_in(store, demo_goods())
    bring_in(store, tuple(good for good in demo_goods() if good.sku != "MK-001"), replace=True)

    with pytest.raises(Invalid, match=problem):
        change_price(store, StepClock(), sku, price, at)


def test_a_product_is_shown_by_label_barcode_or_sku(store: SqliteStore) -> None:
    bring_in(store, demo_goods())

    shown = [show_product(store, StepClock(), code, RULES) for code in (scale_label("01001", 500), "FR-001")]

    assert [each.entry.name for each in shown if each] == ["红富士苹果", "红富士苹果"]
    assert [each.key for each in shown if each] == ["plu:01001", ""]
    assert all(each.sellable and each.tenant is not None for each in shown if each)
    assert show_product(store, StepClock(), "nobody's", RULES) is None


def test_a_look_up_with_too_many_keys_is_refused(store: SqliteStore) -> None:
    with pytest.raises(Invalid, match="64 at most"):
        store.read(lambda unit: unit.catalogue.find(["x"] * 65, START))


def test_the_first_key_that_is_sellable_wins(store: SqliteStore) -> None:
    bring_in(store, demo_goods())

    product = store.read(lambda unit: unit.catalogue.find(["nobody's", "WT0001", "BK0001"], START + 60_000))

    assert product is not None
    assert (product.sku, product.age_min) == ("WT-001", 18)
