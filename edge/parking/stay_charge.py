"""A line of a basket or order that asks for the fee of a stay. Pure."""

from __future__ import annotations

from dataclasses import dataclass

#: The article and tenant of such lines, by which they are told from goods.
PARKING_SKU = "PARKING"
PARKING_TENANT = "parking"


@dataclass(frozen=True, slots=True)
class StayCharge:
    """What a line asks for, frozen when it was made.

    quote: the explained quote as JSON. covers_until: the moment that it was for. order_id: "" while the line
    is in a basket. debt_id: of the debt that the line collects, "" for the fee of a stay inside.
    covers_boot, covers_ns: boot id and boot time of `covers_until`.
    """

    line_id: str
    session_id: str
    amount_fen: int
    covers_until: int
    charged_at: int
    quote: str = "{}"
    order_id: str = ""
    debt_id: str = ""
    covers_boot: str = ""
    covers_ns: int = 0
