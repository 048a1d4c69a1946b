"""Refunds in the running service: many at once on the real store, sent by its own worker."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from devices.types import Scan
from edge.clock import boottime_ns
from edge.errors import Declined, Invalid
from edge.retail.refund import RefundPhase
from edge.services.receive_scan import receive_scan
from edge.services.refund_order import RefundAsk, quote_refund, refund_order
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import KIOSK
from sim.fakes.gateway import FakeGateway, Shopper
from sim.fakes.refund_gateway import FakeRefundGateway, RefundFault
from tests.integration.test_money_service import Running, eventually, running

BOSS = StaffMember("Wang", "supervisor", "")
CODE = "130000000000000001"


def sold(it: Running, gateway: FakeGateway) -> str:
    """Sell a cola for 1.00 in cash and 2.50 by code; return the order's id."""
    gateway.show_code(CODE, Shopper("openid-1", 100_000))
    order_id = it.order(KIOSK)
    take_cash(it.box, KIOSK, 100)
    outcome = receive_scan(it.box, KIOSK, Scan("test", CODE.encode(), CODE, None, boottime_ns()))
    submit(it.box, outcome.attempt_id, outcome.code)
    return order_id


def test_refunds_asked_for_at_once_never_come_to_more_than_was_paid(tmp_path: Path) -> None:
    gateway = FakeGateway()
    with running(tmp_path, gateway) as it:
        order_id = sold(it, gateway)
        refunder = it.box.refunders["wechat_pay"]
        assert isinstance(refunder, FakeRefundGateway)
        refunder.fail_next("refund", RefundFault.LOST)
        together = threading.Barrier(8)

        def ask(who: int) -> None:
            together.wait()
            for number in range(4):
                one = RefundAsk(f"refund-{who}-{number}", order_id, KIOSK, "broken", amount_fen=30)
                with contextlib.suppress(Invalid, Declined):
                    refund_order(it.box, one, "Li", BOSS)

        threads = [threading.Thread(target=ask, args=(who,)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        quote = it.store.read(lambda unit: quote_refund(unit, order_id))
        assert (len(quote.refunds), quote.left.amount_fen) == (11, 20)
        refund_order(it.box, RefundAsk("the-rest", order_id, KIOSK, "broken"), "Li", BOSS)
        assert len({refund.number for refund in quote.refunds}) == 11

        def all_done() -> bool:
            refunds = it.store.read(lambda unit: unit.refunds.of_order(order_id))
            return all(refund.phase is RefundPhase.DONE for refund in refunds)

        eventually(all_done, "the money to be back")
        balances = it.store.read(lambda unit: unit.ledger.balances())
        assert not any(balances.values())
        assert gateway.total_fen() == 0


def test_a_refund_under_way_when_the_service_ends_goes_on_with_the_next_one(tmp_path: Path) -> None:
    gateway = FakeGateway()
    with running(tmp_path, gateway) as it:
        order_id = sold(it, gateway)
        refunder = it.box.refunders["wechat_pay"]
        assert isinstance(refunder, FakeRefundGateway)
        refunder.slow_queries = 1_000_000
        refund_order(it.box, RefundAsk("refund-1", order_id, KIOSK, "broken"), "Li", BOSS)

        def sent() -> bool:
            refund = it.store.read(lambda unit: unit.refunds.get("refund-1"))
            return refund is not None and refund.legs[0].state.value == "processing"

        eventually(sent, "the refund to be sent")
    # The gateway of the next service is a new one that has never heard of it, as if it had been lost there:
    # what is on its way is asked about, and never sent anew by a guess.
    with running(tmp_path, gateway) as again:
        refund = again.store.read(lambda unit: unit.refunds.get("refund-1"))
        assert refund is not None

        def asked() -> bool:
            found = again.store.read(lambda unit: unit.refunds.get("refund-1"))
            return found is not None and found.legs[0].polls > refund.legs[0].polls

        eventually(asked, "the refund to be asked about")
        assert gateway.total_fen() == 250
