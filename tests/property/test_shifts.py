"""Random days at a till and a kiosk: drawers, Z numbers and day totals agree with the books to the fen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.errors import Declined, Invalid
from edge.retail.shift import CashKind, Shift
from edge.services.business_day import business_day
from edge.services.check_out import leave
from edge.services.close_day import close_day, roll_shifts
from edge.services.close_shift import begin_count, close_shift, give_count, look_at_shift
from edge.services.move_cash import move_cash
from edge.services.open_shift import open_shift
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.report_json import decode_day, decode_report
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from sim.fakes.box import BREAD, COLA, KIOSK, RULES, TILL
from tests.unit.shop import Shop

WHO = "李雷"
BOSS = StaffMember("王主管", "supervisor", "")
GOODS = st.lists(st.sampled_from([COLA, BREAD]), min_size=1, max_size=3)
AMOUNT = st.integers(1, 50_000)

CASH = st.tuples(st.just("cash"), GOODS, st.integers(0, 5_000))
STEP = st.one_of(
    CASH,
    CASH,
    st.tuples(st.just("code"), st.sampled_from([TILL, KIOSK]), GOODS),
    st.tuples(st.just("move"), st.sampled_from([CashKind.PAY_IN, CashKind.PICK_UP]), AMOUNT),
    st.tuples(st.just("refund"), st.integers(1, 300)),
    st.tuples(st.just("x")),
    st.tuples(st.just("close"), st.integers(-2_000, 2_000)),
    st.tuples(st.just("open"), st.integers(0, 100_000)),
    st.tuples(st.just("day")),
    st.tuples(st.just("wait"), st.integers(1, 14)),
)


class Day:
    """A shop at work, and what its drawer really holds."""

    def __init__(self) -> None:
        self.shop = Shop(replace(RULES, cash_needs_shift=True))
        self.drawer_fen = 0
        self.cash_orders: list[str] = []
        self.numbers: list[int] = []

    def shift(self) -> Shift | None:
        return self.shop.box.store.read(lambda unit: unit.shifts.current(TILL))

    def do_open(self, float_fen: int) -> None:
        if self.shift() is None:
            open_shift(self.shop.box, TILL, WHO, float_fen)
            self.drawer_fen = float_fen

    def do_cash(self, goods: list[str], more_fen: int) -> None:
        order = self.shop.order_of(*goods, place=TILL)
        if self.shift() is not None:
            change_fen = take_cash(self.shop.box, TILL, order.due_fen + more_fen)
            assert change_fen == more_fen
            self.drawer_fen += order.total_fen
            self.cash_orders.append(order.order_id)
            leave(self.shop.box, TILL)
        else:
            self.shop.pay(self.shop.code(), TILL)
            leave(self.shop.box, TILL)

    def do_code(self, place: str, goods: list[str]) -> None:
        self.shop.order_of(*goods, place=place)
        self.shop.pay(self.shop.code(), place)
        leave(self.shop.box, place)

    def do_move(self, kind: CashKind, amount_fen: int) -> None:
        if self.shift() is not None:
            move_cash(self.shop.box, TILL, kind, amount_fen, "零钱", WHO)
            self.drawer_fen += amount_fen if kind is CashKind.PAY_IN else -amount_fen

    def do_refund(self, amount_fen: int) -> None:
        if self.shift() is not None and self.cash_orders:
            order_id = self.cash_orders.pop()
            refund_order(
                self.shop.box,
                RefundAsk(f"refund-{order_id}", order_id, TILL, "破损", amount_fen=amount_fen),
                WHO,
                BOSS,
            )
            self.drawer_fen -= amount_fen

    def do_x(self) -> None:
        shift, now = self.shift(), self.shop.box.clock.now()
        if shift is not None:
            read: Callable[[], object] = lambda: self.shop.box.store.read(  # noqa: E731
                lambda unit: look_at_shift(unit, shift, now)
            )
            assert read() == read()

    def do_close(self, off_fen: int) -> None:
        if self.shift() is None:
            return
        # A drawer cannot hold less than nothing, however the draw went.
        counted_fen = max(self.drawer_fen + off_fen, 0)
        begin_count(self.shop.box, TILL)
        shift = give_count(self.shop.box, TILL, {}, counted_fen, WHO)
        if shift.number is None:
            shift = close_shift(self.shop.box, TILL, WHO, "未查明")
        assert shift.expected_fen == self.drawer_fen
        assert shift.over_short_fen == counted_fen - self.drawer_fen
        assert shift.number is not None
        self.numbers.append(shift.number)

    def do_day(self) -> None:
        day = business_day(self.shop.box, self.shop.box.clock.now())
        try:
            close_day(self.shop.box, day, "王主管")
        except (Declined, Invalid):
            return

    def do_wait(self, hours: int) -> None:
        self.shop.wait(hours * 3_600_000)
        roll_shifts(self.shop.box)


def balances(day: Day) -> dict[str, int]:
    """Return what every closed day and shift told, as the books would have it."""
    found: dict[str, int] = {}

    def add(account: str, fen: int) -> None:
        found[account] = found.get(account, 0) + fen

    store = day.shop.box.store
    shifts = store.read(lambda unit: unit.shifts.recent(10_000))
    for shift in shifts:
        text = store.read(lambda unit, one=shift: unit.shifts.report(one.shift_id))  # type: ignore[misc]
        assert text is not None, f"{shift} is not closed"
        report = decode_report(text)
        for tender in report.tenders:
            add(f"tender/{tender.kind}", tender.net_fen)
        for tenant in report.tenants:
            add(f"sales/{tenant.tenant_id}", -tenant.net_fen)
    return found


def day_totals(day: Day) -> int:
    store = day.shop.box.store
    days = {shift.business_day for shift in store.read(lambda unit: unit.shifts.recent(10_000))}
    kept = [store.read(lambda unit, one=one: unit.shifts.day(one)) for one in days]  # type: ignore[misc]
    return sum(decode_day(one.report).taken_fen for one in kept if one is not None)


BUSY = [
    ("open", 20_000),
    ("cash", [COLA, BREAD], 850),
    ("code", KIOSK, [COLA]),
    ("move", CashKind.PICK_UP, 10_000),
    ("x",),
    ("refund", 300),
    ("close", -1_000),
    ("code", TILL, [BREAD]),
    ("open", 0),
    ("close", 0),
    ("day",),
    ("code", KIOSK, [BREAD]),
    ("wait", 14),
]


@settings(max_examples=100, deadline=None)
@example(BUSY)
@given(st.lists(STEP, min_size=1, max_size=40))
def test_shifts_and_days_agree_with_the_books_to_the_fen(steps: list[tuple[object, ...]]) -> None:
    day = Day()
    for name, *values in steps:
        getattr(day, f"do_{name}")(*values)
    # The end: all that is open is closed, the till's first, then its last late money, then the days.
    day.do_close(0)
    day.do_open(0)
    day.do_close(0)
    day.do_wait(48)
    day.do_wait(48)
    books = {
        account: fen for account, fen in day.shop.balances().items() if not account.startswith("due/") and fen
    }
    assert {account: fen for account, fen in balances(day).items() if fen} == books
    assert day_totals(day) == sum(fen for account, fen in books.items() if account.startswith("tender/"))
    assert day.numbers == list(range(1, len(day.numbers) + 1))
    kiosk = day.shop.box.store.read(lambda unit: unit.shifts.recent(10_000))
    numbers = sorted(shift.number or 0 for shift in kiosk if shift.workstation == KIOSK)
    assert numbers == list(range(1, len(numbers) + 1))
