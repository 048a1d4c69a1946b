"""The way out: a code is good once, for a while, for what was paid; some bags are looked into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.types import Scan
from edge.codes.signed_token import TokenKind, sign_token
from edge.errors import Declined, Invalid
from edge.retail.exit_pass import CheckOutcome, ExitState, ExitVerdict
from edge.services.pass_exit import check_exit, end_recheck, keep_exits, last_look, waits_for_look
from edge.services.receive_scan import receive_scan
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.scan_and_go import pay_cart
from edge.services.show_cart import show_pass
from sim.fakes.box import BREAD, COLA
from sim.world.people.staff import SUPERVISOR
from tests.unit.cart_shop import ALL, DOOR, KEY, CartShop


def bought(shop: CartShop) -> str:
    """Buy two colas and a bread; return the order."""
    phone = shop.phone()
    shop.put(phone, COLA, BREAD, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    shop.pays(shop.stored_order(attempt.order_id))
    return attempt.order_id


def look(shop: CartShop, order_id: str, place: str = DOOR) -> ExitVerdict:
    return check_exit(shop.box, shop.exit(order_id).code, place, "Li").check.verdict


def watched() -> CartShop:
    """Return a shop that looks into every bag."""
    return CartShop(go=replace(ALL, recheck_permille=1_000))


def test_a_code_is_good_once_and_then_says_who_used_it_when_and_where() -> None:
    shop = CartShop()
    order_id = bought(shop)
    assert shop.exit(order_id).one.state is ExitState.UNUSED
    assert look(shop, order_id) is ExitVerdict.PASS
    used_at = shop.box.clock.now().wall_at
    shop.wait(60_000)
    again = check_exit(shop.box, shop.exit(order_id).code, "door-2", "Wang")
    assert again.check.verdict is ExitVerdict.USED
    assert again.shown is not None
    before = again.shown.before
    assert before is not None
    assert (before.place, before.by, before.at) == (DOOR, "Li", used_at)
    told = shop.event_data("exit.checked")
    assert (told["verdict"], told["place"], told["by"]) == ("used", "door-2", "Wang")


def test_a_scanner_that_reads_twice_in_a_moment_is_one_look() -> None:
    shop = CartShop()
    order_id = bought(shop)
    assert [look(shop, order_id), look(shop, order_id)] == [ExitVerdict.PASS, ExitVerdict.PASS]
    assert len(shop.box.store.read(lambda unit: unit.exits.checks_of(order_id))) == 1
    assert look(shop, order_id, "door-2") is ExitVerdict.USED


def test_a_restart_forgets_nothing() -> None:
    shop = CartShop()
    order_id = bought(shop)
    look(shop, order_id)
    shop.restart()
    shop.wait(5_000)
    assert look(shop, order_id) is ExitVerdict.USED


def test_what_is_not_paid_does_not_leave() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    assert look(shop, attempt.order_id) is ExitVerdict.UNPAID
    shop.pays(shop.stored_order(attempt.order_id))
    assert look(shop, attempt.order_id) is ExitVerdict.PASS


@pytest.mark.parametrize("text", ["", "hello", "x" * 32, sign_token(TokenKind.EXIT, "abc", b"j" * 32)])
def test_a_foreign_code_is_unknown_and_noted(text: str) -> None:
    shop = CartShop()
    found = check_exit(shop.box, text, DOOR)
    assert found.shown is None
    assert found.check.verdict is ExitVerdict.UNKNOWN
    assert "exit.checked" not in shop.events()


def test_a_genuine_code_of_no_pass_is_unknown() -> None:
    shop = CartShop()
    assert check_exit(shop.box, sign_token(TokenKind.EXIT, "abc", KEY), DOOR).shown is None


def test_an_expired_code_needs_a_look_into_the_bag() -> None:
    shop = CartShop()
    order_id = bought(shop)
    shop.wait(31 * 60_000)
    assert look(shop, order_id) is ExitVerdict.EXPIRED
    lines = shop.exit(order_id).goods
    done = end_recheck(shop.box, order_id, DOOR, "Li", {line.line_id: pieces for line, pieces in lines})
    assert done.check.outcome is CheckOutcome.COMPLETE
    shop.wait(5_000)
    assert look(shop, order_id) is ExitVerdict.USED


def test_who_is_chosen_is_looked_at_until_the_guard_has_ended_it() -> None:
    shop = watched()
    order_id = bought(shop)
    assert look(shop, order_id) is ExitVerdict.RECHECK
    shop.restart()
    shop.wait(60 * 60_000)
    assert look(shop, order_id) is ExitVerdict.RECHECK
    (bread, one), (cola, two) = sorted(shop.exit(order_id).goods, key=lambda each: each[0].sku)
    assert (one, two) == (1, 2)
    found = {bread.line_id: 1, cola.line_id: 1}
    done = end_recheck(shop.box, order_id, DOOR, "Li", found, "  one bottle \n of wine ")
    assert done.check.outcome is CheckOutcome.EXTRA
    told = shop.event_data("exit.checked")
    assert told["missing"] == [{"line_id": cola.line_id, "name": "可乐", "quantity": 1}]
    assert (told["extra"], told["chosen"], told["by"]) == ("one bottle of wine", True, "Li")
    with pytest.raises(Declined, match="left already"):
        end_recheck(shop.box, order_id, DOOR, "Li", found)


def test_a_bag_is_not_looked_into_before_its_code_was_shown() -> None:
    shop = watched()
    with pytest.raises(Invalid, match="scan its exit code first"):
        end_recheck(shop.box, bought(shop), DOOR, "Li", {})


def test_what_was_given_back_does_not_leave_and_the_rest_is_looked_at() -> None:
    shop = CartShop()
    order_id, other = bought(shop), bought(shop)
    refund_order(shop.box, RefundAsk("r-1", order_id, "till-1", "broken"), "cashier", SUPERVISOR)
    assert look(shop, order_id) is ExitVerdict.REFUNDED
    bread = next(line for line in shop.stored_order(other).lines if line.sku == "bread")
    ask = RefundAsk("r-2", other, "till-1", "broken", quantities={bread.line_id: 1})
    refund_order(shop.box, ask, "cashier", SUPERVISOR)
    assert look(shop, other) is ExitVerdict.RECHECK
    assert [(line.sku, pieces) for line, pieces in shop.exit(other).goods] == [("cola", 2)]
    gone, rest = show_pass(shop.exit(order_id)), show_pass(shop.exit(other))
    assert (gone["code"], gone["refunded_fen"]) == (None, shop.stored_order(order_id).total_fen)
    assert (rest["code"], rest["refunded_fen"], rest["count"]) == (
        shop.exit(other).code,
        bread.unit_price_fen,
        2,
    )


def test_a_code_is_typed_in_groups_as_it_is_written_under_its_picture() -> None:
    shop = CartShop()
    code = shop.exit(bought(shop)).code
    typed = " ".join(code[at : at + 4] for at in range(0, len(code), 4))
    assert check_exit(shop.box, f" {typed} ", DOOR).check.verdict is ExitVerdict.PASS


def test_the_exits_own_scanner_looks_and_nothing_else_happens_there() -> None:
    shop = CartShop()
    order_id = bought(shop)
    for text in (COLA, "134567890123456789", shop.exit(order_id).code):
        shop.wait(5_000)
        now_ns = shop.ports.clock.now().boottime_ns
        outcome = receive_scan(shop.box, DOOR, Scan("usb", text.encode(), text, None, now_ns))
    assert outcome.outcome == "pass"
    assert outcome.attempt_id == ""
    seen = shop.box.store.read(lambda unit: last_look(unit, shop.box, DOOR, shop.box.clock.now()))
    assert seen is not None
    assert seen.check.verdict is ExitVerdict.PASS
    assert not waits_for_look(seen)
    assert DOOR in shop.drawn
    shop.wait(5_000)
    now_ns = shop.ports.clock.now().boottime_ns
    assert receive_scan(shop.box, DOOR, Scan("usb", text.encode(), text, None, now_ns)).outcome == "used"


def test_old_passes_are_tidied() -> None:
    shop = CartShop()
    order_id = bought(shop)
    shop.wait(91 * 86_400_000)
    assert keep_exits(shop.box) == 1
    assert shop.box.store.read(lambda unit: unit.exits.get(order_id)) is None
