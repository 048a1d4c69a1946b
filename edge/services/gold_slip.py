"""The slip that WeChat Pay shows within its own page after payment (点金计划, 商家小票).

The page is loaded as LINK?sub_mch_id=..&out_trade_no=..&check_code=.. in a frame of payapp.weixin.qq.com.
The order is looked up here by its number; the check code tells whether the page may show what belongs to
the shopper alone, as the number by itself proves nothing. Source: 点金计划, 商家小票开发指引.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.services.box import Box
from edge.services.offer_landing import landing_of
from edge.services.records import Unit
from edge.services.show_landing import order_landing, show_landing

_NUMBER = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SlipAsk:
    """How WeChat asked for a slip. link: the address of the page without its query."""

    link: str
    sub_mch_id: str
    out_trade_no: str
    check_code: str


def check_code(ask: SlipAsk, transaction_id: str) -> str:
    """Return the check code that goes with a transaction: MD5 over the link and its three numbers."""
    text = (
        f"{ask.link}?sub_mch_id={ask.sub_mch_id}&out_trade_no={ask.out_trade_no}"
        f"&transaction_id={transaction_id}"
    )
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def gold_slip(box: Box, ask: SlipAsk) -> Mapping[str, object] | None:
    """Return the slip as JSON, None for an order that this box does not know or that has no page.

    "ready" is False while the payment is not confirmed; "verified" whether the check code fits. Only then
    there are "token", "number" and "total_fen", and what was validated of parking.
    """
    return box.store.read(lambda unit: _slip(unit, box, ask))


def _slip(unit: Unit, box: Box, ask: SlipAsk) -> Mapping[str, object] | None:
    attempt = _attempt(unit, ask.out_trade_no)
    order = unit.orders.get(attempt.order_id) if attempt else None
    if attempt is None or order is None:
        return None
    if attempt.is_open:
        return {"ready": False, "verified": False, "landing": None}
    receipt = unit.receipts.of_order(order.order_id)
    page = landing_of(unit, order)
    if attempt.state is not AttemptState.APPROVED or receipt is None or page is None:
        return None
    verified = hmac.compare_digest(
        check_code(ask, attempt.transaction_id or "").encode(), ask.check_code.lower().encode()
    )
    if not verified:
        return {"ready": True, "verified": False, "landing": show_landing(page)}
    return {
        "ready": True,
        "verified": True,
        "landing": order_landing(unit, box, order),
        "token": receipt.token,
        "number": order.number,
        "total_fen": order.total_fen,
    }


def _attempt(unit: Unit, out_trade_no: str) -> PaymentAttempt | None:
    """Our numbers at the gateway are the attempt's id without its dashes."""
    if _NUMBER.fullmatch(out_trade_no) is None:
        return None
    found = unit.attempts.get(str(UUID(out_trade_no)))
    return found if found is not None and found.merchant_order_no == out_trade_no else None
