"""SIGKILL of the real service in the middle of a sale: the same basket or the finished order, money once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.gateway.books import Habit
from sim.gateway.faults import Fault
from sim.mall import Mall, MallSettings
from tests.system.books import box_books, leaks, tracebacks
from tests.system.mall_process import Person, View, audit, code_of, eventually, open_mall, skus_of

pytestmark = pytest.mark.broker

BREAD, TEA, WATER = "BK-001", "MK-002", "MK-001"
RULES = "poll_ms = 200\nrepeat_window_ms = 200\npaid_idle_ms = 600000"


@dataclass
class Scene:
    """A mall whose service can be killed, and the shopper at its kiosk."""

    mall: Mall
    folder: Path
    shopper: Person

    def kill(self) -> None:
        """End the service with SIGKILL and start it again."""
        self.mall.kill_edge()
        self.mall.start_edge()

    def fill(self, *skus: str) -> View:
        """Scan articles; return the screen that shows them all."""
        for sku in skus:
            self.shopper.scan(code_of(sku))
        return self.shopper.sees_skus(*skus)

    def order(self, *skus: str) -> View:
        """Scan articles and go to the payment screen."""
        self.fill(*skus)
        self.shopper.touch("checkout")
        return self.shopper.sees("checkout")

    def leave(self) -> None:
        """Go away from the paid screen; the books must close then."""
        self.shopper.touch("done")
        self.shopper.sees("attract")
        audit(self.mall, self.folder)

    def taken_fen(self, wallet_id: str) -> list[int]:
        """Return every movement of this wallet's money."""
        entries = self.mall.gateway.books.ledger()
        return [entry.amount_fen for entry in entries if entry.wallet_id == wallet_id]

    def papers(self, number: str) -> int:
        """Return how many papers of this order the printer has put out whole."""
        return sum(paper.complete and number in paper.text for paper in self.mall.printer.receipts)


@pytest.fixture(scope="module")
def mall_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("kill")
    with open_mall(folder, MallSettings(folder, rules=RULES)) as mall:
        yield Scene(mall, folder, Person(mall))


@pytest.fixture
def scene(mall_of_all: Scene) -> Iterator[Scene]:
    mall_of_all.shopper.sees("attract")
    yield mall_of_all
    assert tracebacks(mall_of_all.folder) == []
    assert leaks(mall_of_all.folder) == []


def test_after_a_scan_the_same_basket_is_there(scene: Scene) -> None:
    before = scene.fill(BREAD, TEA)
    scene.kill()
    assert scene.shopper.view()["basket"] == before["basket"]
    _pay_and_leave(scene)


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.006, 0.02])
def test_a_scan_on_its_way_is_taken_whole_or_not_at_all(scene: Scene, after_s: float) -> None:
    scene.fill(BREAD)
    scene.shopper.scan(code_of(TEA))
    threading.Event().wait(after_s)
    scene.kill()
    skus = skus_of(scene.shopper.view())
    assert skus in ([BREAD], [BREAD, TEA])
    scene.shopper.scan(code_of(WATER))
    scene.shopper.sees_skus(*skus, WATER)
    _pay_and_leave(scene)


def test_at_checkout_the_same_order_waits_for_payment(scene: Scene) -> None:
    before = scene.order(BREAD, TEA)
    scene.kill()
    after = scene.shopper.view()
    assert (after["screen"], after["order"]) == ("checkout", before["order"])
    _pay_and_leave(scene)


@pytest.mark.parametrize("after_s", [0.001, 0.004, 0.01])
def test_a_checkout_on_its_way_is_done_or_not(scene: Scene, after_s: float) -> None:
    scene.fill(BREAD, WATER)
    toucher = threading.Thread(target=_touch_in_vain, args=(scene.shopper, "checkout"))
    toucher.start()
    threading.Event().wait(after_s)
    scene.kill()
    toucher.join()
    view = scene.shopper.view()
    if view["screen"] == "basket":
        assert skus_of(view) == [BREAD, WATER]
    else:
        assert (view["screen"], view["order"]["total_fen"]) == ("checkout", 700)  # type: ignore[index]
    _pay_and_leave(scene)


def test_money_taken_while_nobody_was_there_to_hear_it_pays_the_order(scene: Scene) -> None:
    before = scene.order(BREAD, TEA)
    wallet_id = _charge_held_up(scene, Fault.DELAY_AFTER)
    eventually(lambda: scene.taken_fen(wallet_id) or None, "the gateway to take the money")
    scene.kill()
    _is_paid_once(scene, before, wallet_id)


def test_money_taken_after_the_start_pays_the_order(scene: Scene) -> None:
    before = scene.order(BREAD, TEA)
    wallet_id = _charge_held_up(scene, Fault.DELAY_BEFORE)
    scene.mall.kill_edge()
    assert scene.taken_fen(wallet_id) == []
    scene.mall.start_edge()
    _is_paid_once(scene, before, wallet_id)


def test_a_password_typed_after_the_start_pays_the_order(scene: Scene) -> None:
    before = scene.order(BREAD)
    wallet, code = scene.shopper.shows_code(password_above_fen=0)
    scene.mall.gateway.books.change_wallet(wallet.wallet_id, habit=Habit.WAITS)
    scene.shopper.scan(code)
    orders = scene.mall.gateway.books.orders
    asked = eventually(lambda: orders(wallet.wallet_id) or None, "the password question")
    scene.kill()
    scene.shopper.sees("waiting")
    scene.mall.gateway.books.enter_password(asked[0].charge.order_no, Habit.TYPES)
    _is_paid_once(scene, before, wallet.wallet_id)


def test_a_payment_in_doubt_is_asked_for_again_after_the_start(scene: Scene) -> None:
    before = scene.order(TEA)
    wallet, code = scene.shopper.shows_code()
    faults = scene.mall.gateway.faults
    faults.add("codepay", Fault.SYSTEM_ERROR_AFTER)
    faults.add("query", Fault.DROP_BEFORE, times=20)
    scene.shopper.scan(code)
    scene.shopper.sees_that(lambda view: _attempt_state(view) == "unknown", "a payment in doubt")
    scene.mall.kill_edge()
    faults.clear()
    scene.mall.start_edge()
    _is_paid_once(scene, before, wallet.wallet_id)


def test_a_receipt_on_its_way_to_paper_is_not_printed_twice(scene: Scene) -> None:
    scene.mall.printer.switches.speed = 400
    number = _pay(scene, BREAD)
    scene.shopper.sees_that(lambda view: _printing(view) == "printing", "the receipt being printed")
    scene.kill()
    scene.mall.printer.switches.speed = 0
    scene.shopper.sees_that(lambda view: _printing(view) == "uncertain", "the doubt about the paper")
    # A second receipt passes through the same queue: whatever wanted to be printed again was before it.
    scene.leave()
    later = _pay(scene, WATER)
    scene.shopper.sees_that(lambda view: _printing(view) == "printed", "the next receipt")
    assert (scene.papers(number) <= 1, scene.papers(later)) == (True, 1)
    scene.leave()


def test_a_receipt_that_waits_for_paper_is_printed_once_after_the_start(scene: Scene) -> None:
    scene.mall.printer.switches.paper_out = True
    number = _pay(scene, BREAD, WATER)
    scene.shopper.sees_that(lambda view: _printing(view) == "queued" and _problem(view) != "", "no paper")
    scene.kill()
    assert scene.papers(number) == 0
    scene.mall.printer.switches.paper_out = False
    scene.shopper.sees_that(lambda view: _printing(view) == "printed", "the receipt")
    assert scene.papers(number) == 1
    scene.leave()


def test_the_paid_screen_and_its_receipt_are_the_same(scene: Scene) -> None:
    _pay(scene, TEA)
    before = scene.shopper.sees_that(lambda view: _printing(view) == "printed", "the receipt")
    scene.kill()
    after = scene.shopper.view()
    assert all(after[part] == before[part] for part in ("screen", "order", "receipt", "landing"))
    scene.leave()


def test_what_hq_could_not_be_told_before_is_told_once_after(scene: Scene) -> None:
    scene.mall.broker.kill()
    _pay(scene, BREAD, TEA, WATER)
    assert box_books(scene.folder).waiting > 0
    scene.mall.kill_edge()
    scene.mall.broker.start()
    scene.mall.start_edge()
    scene.leave()


@pytest.mark.timeout(240)
def test_a_charge_is_made_once_or_not_at_all_whenever_the_kill_comes(tmp_path: Path) -> None:
    moments = [0.0, 0.004, 0.01, 0.03]
    while moments:
        folder = tmp_path / f"{len(moments)}-to-come"
        folder.mkdir()
        with open_mall(folder, MallSettings(folder, rules=RULES)) as mall:
            scene = Scene(mall, folder, Person(mall))
            # A kiosk that cannot go on for minutes leaves the moments that are left to another mall's.
            while moments and _killed_in_a_charge(scene, moments.pop(0)):
                pass
        assert leaks(folder) == []


def _killed_in_a_charge(scene: Scene, after_s: float) -> bool:
    """Kill the service so long after a code was shown; say whether the kiosk can go on at once."""
    before = scene.order(BREAD, TEA)
    wallet, code = scene.shopper.shows_code()
    scene.shopper.scan(code)
    threading.Event().wait(after_s)
    scene.kill()
    return _ends_well(scene, before, wallet.wallet_id)


def _ends_well(scene: Scene, before: View, wallet_id: str) -> bool:
    """Check what became of a charge; say whether the kiosk can go on at once."""
    clear = {"paid", "checkout"}

    def settled(view: View) -> bool:
        # A charge that was marked but never sent is asked about for minutes; it must take nothing.
        return view["screen"] in clear or not scene.mall.gateway.books.orders(wallet_id)

    screen = scene.shopper.sees_that(settled, "the payment's end")["screen"]
    if screen == "paid":
        _is_paid_once(scene, before, wallet_id)
    elif screen == "checkout":
        assert scene.taken_fen(wallet_id) == []
        _pay_and_leave(scene)
    assert len(scene.taken_fen(wallet_id)) <= 1
    return screen in clear


def _charge_held_up(scene: Scene, fault: Fault) -> str:
    """Show a code whose charge the gateway holds up once it has it; return the wallet."""
    faults = scene.mall.gateway.faults
    wallet, code = scene.shopper.shows_code()
    faults.add("codepay", fault, delay_ms=1500)
    scene.shopper.scan(code)
    eventually(lambda: not faults.waiting() or None, "the charge at the gateway")
    return wallet.wallet_id


def _is_paid_once(scene: Scene, before: View, wallet_id: str) -> None:
    paid = scene.shopper.sees("paid")
    order, due = paid["order"], before["order"]
    assert isinstance(order, dict)
    assert isinstance(due, dict)
    assert (order["id"], order["number"], order["due_fen"]) == (due["id"], due["number"], 0)
    assert scene.taken_fen(wallet_id) == [due["total_fen"]]
    scene.leave()
    assert scene.taken_fen(wallet_id) == [due["total_fen"]]


def _pay(scene: Scene, *skus: str) -> str:
    """Buy; return the order's number with the paid screen still shown."""
    scene.order(*skus)
    _, code = scene.shopper.shows_code()
    scene.shopper.scan(code)
    return str(scene.shopper.sees("paid")["order"]["number"])  # type: ignore[index]


def _pay_and_leave(scene: Scene) -> None:
    view = scene.shopper.view()
    if view["screen"] == "basket":
        scene.shopper.touch("checkout")
        view = scene.shopper.sees("checkout")
    wallet, code = scene.shopper.shows_code()
    scene.shopper.scan(code)
    _is_paid_once(scene, view, wallet.wallet_id)


def _touch_in_vain(person: Person, action: str) -> None:
    """Touch something although nobody may be there any more."""
    try:
        person.touch(action)
    except (OSError, AssertionError):
        return


def _attempt_state(view: View) -> object:
    attempt = view["attempt"]
    return attempt["state"] if isinstance(attempt, dict) else None


def _printing(view: View) -> object:
    receipt = view["receipt"]
    return receipt["printing"] if isinstance(receipt, dict) else None


def _problem(view: View) -> object:
    receipt = view["receipt"]
    return receipt["problem"] if isinstance(receipt, dict) else None
