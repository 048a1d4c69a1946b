"""A small day of payments with faults: nobody is stuck, three ledgers agree, planted differences are found.

The large one is `python -m tests.bench --only money`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.clocks import unix_ms
from sim.gateway.faults import CALL_FAULTS, Fault, Rate
from sim.gateway.ledger import Why
from sim.mall import Mall
from tests.system.books import leaks, tracebacks
from tests.system.money_bills import bill_days, compare, have_bills_ready, plant
from tests.system.money_books import await_settled, count, differences
from tests.system.money_day import DayPlan, open_money_mall, spend_day

pytestmark = pytest.mark.broker

PAYMENTS = 100

#: After these nobody can tell for six minutes whether the charge will still arrive; the large day has them.
_NEVER_ARRIVED = (Fault.DROP_BEFORE, Fault.SYSTEM_ERROR_BEFORE, Fault.RATE_LIMIT)
_CHARGES = ("codepay", "alipay.trade.pay")
_OTHERS = (
    *("query", "reverse", "refund", "query_refund", "alipay.trade.query", "alipay.trade.cancel"),
    *("alipay.trade.refund", "alipay.trade.fastpay.refund.query"),
)
PLAN = DayPlan(
    PAYMENTS,
    rates=(
        Rate(1, 200, _CHARGES, tuple(one for one in CALL_FAULTS if one not in _NEVER_ARRIVED), 1_600),
        Rate(2, 100, _OTHERS, delay_ms=1_600),
    ),
    read_s=1.0,
    pay_read_s=1.0,
    refund_every=8,
)

#: More than a charge takes that may never have arrived: on a busy machine one may be given up before it is
#: heard, though none of the faults does that. Seldom more than seconds are used of it.
SETTLE_S = 450.0


@pytest.mark.timeout(700)
def test_a_day_with_faults_ends_with_free_screens_and_equal_ledgers(tmp_path: Path) -> None:
    began_at = unix_ms()
    with open_money_mall(tmp_path, PLAN) as mall:
        told = spend_day(mall, PLAN)
        assert (told.stuck, dict(told.refused)) == ([], {})
        await_settled(tmp_path, SETTLE_S)
        assert differences(mall, tmp_path, told) == []
        counts = count(tmp_path)
        assert counts.payments >= PAYMENTS
        assert min(counts.doubted, counts.refunds, counts.attempts["approved"], counts.cash) > 0, counts
        assert sum(mall.gateway.faults.done().values()) > 5

        days = bill_days(began_at)
        have_bills_ready(mall)
        expected = plant(mall, tmp_path, days, each=2)
        assert compare(mall, tmp_path, days).found == expected
        number = _give_a_fen_back(mall)
        assert [line.partition(":")[0] for line in differences(mall, tmp_path, told)] == [f"payment {number}"]
    assert leaks(tmp_path) == []
    assert tracebacks(tmp_path) == []


def _give_a_fen_back(mall: Mall) -> str:
    """Give a fen of a payment back behind everybody's back; return the payment's number."""
    paid = next(one for one in mall.gateway.books.orders() if one.state == "SUCCESS")
    why = Why("reverse", paid.charge.mchid, paid.charge.order_no)
    mall.gateway.office.ledger.move(paid.charge.account, f"wallet:{paid.wallet_id}", 1, why)
    return paid.charge.order_no
