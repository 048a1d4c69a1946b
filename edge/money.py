"""Money as integer fen (1/100 yuan). No float can enter; every rounding is named.

Fields that hold money end in `_fen`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge.errors import Invalid

#: The largest amount this service will handle in one number: 10 million yuan.
MAX_FEN = 1_000_000_000

_YUAN = re.compile(r"(-?)(\d{1,8})(?:\.(\d{1,2}))?", re.ASCII)


def check_fen(amount_fen: int, name: str = "amount_fen") -> int:
    """Return `amount_fen`; raise Invalid unless it is an int within ±MAX_FEN."""
    if type(amount_fen) is not int:
        raise Invalid(f"{name} must be a whole number of fen, got {amount_fen!r}")
    if abs(amount_fen) > MAX_FEN:
        raise Invalid(f"{name} {amount_fen} is beyond ±{MAX_FEN} fen; check the price")
    return amount_fen


def parse_yuan(text: str) -> int:
    """Return the fen of a decimal yuan string such as "12.5"; raise Invalid for anything else."""
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        raise Invalid(f"{text!r} is not an amount in yuan; write it like 12.50")
    sign, whole, cents = match.groups()
    amount_fen = int(whole) * 100 + int((cents or "0").ljust(2, "0"))
    return check_fen(-amount_fen if sign else amount_fen)


def format_yuan(amount_fen: int) -> str:
    """Return fen as yuan with two decimals, e.g. 1250 -> "12.50"."""
    whole, cents = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{whole}.{cents:02d}"


def scale_fen(amount_fen: int, numerator: int, denominator: int) -> int:
    """Return amount × numerator / denominator, half away from zero (四舍五入).

    Used for weight × unit price: `scale_fen(price_per_kg_fen, weight_g, 1000)`.
    """
    if denominator <= 0:
        raise Invalid(f"denominator must be positive, got {denominator}")
    product = amount_fen * numerator
    rounded = (2 * abs(product) + denominator) // (2 * denominator)
    return check_fen(-rounded if product < 0 else rounded)


def allocate(amount_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `amount_fen` in proportion to `weights`; the parts sum to it exactly.

    Each share is floored, then the fen left over go to the largest remainders, the earlier one
    first on a tie. Weights must be non-negative and not all zero.
    """
    total = sum(weights)
    if any(weight < 0 for weight in weights) or total <= 0:
        raise Invalid(f"weights must be non-negative with a positive sum, got {list(weights)}")
    sign = -1 if amount_fen < 0 else 1
    shares = [divmod(abs(amount_fen) * weight, total) for weight in weights]
    left_over = abs(amount_fen) - sum(share for share, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))
    extra = set(by_remainder[:left_over])
    return tuple(sign * (share + (i in extra)) for i, (share, _) in enumerate(shares))
