"""What a shopper is told about a cart, an exit and a kiosk's basket; the pages have a text for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CartNotice(StrEnum):
    """Why something was not done as asked, or what was done elsewhere."""

    UNKNOWN = "unknown"
    NOT_GOODS = "not_goods"
    PAYMENT_CODE = "payment_code"
    WEIGH = "weigh"
    AGE = "age"
    NOT_THIS_WAY = "not_this_way"
    CANNOT_ADD = "cannot_add"
    PAYING = "paying"
    CLOSED = "closed"
    BAD_PICTURE = "bad_picture"
    NOTHING_SEEN = "nothing_seen"
    HANDED_OVER = "handed_over"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class CartWord:
    """One notice. params: what fills it; names of goods are in both languages."""

    code: CartNotice
    params: Mapping[str, str | int] = field(default_factory=dict)
