"""A basket before payment. Values in, values out; the next basket is a new value."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid
from edge.money import check_fen, scale_fen
from edge.retail.catalogue import Product, SoldBy

#: Limits that keep a basket one that a person could carry.
MAX_LINES = 200
MAX_QUANTITY = 999
MAX_WEIGHT_G = 99_999


class BasketState(StrEnum):
    """OPEN on a workstation, HELD aside (挂单), ORDERED once frozen, ABANDONED when given up."""

    OPEN = "open"
    HELD = "held"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of a basket or order.

    quantity: pieces; a weighed article is one piece with `weight_g`. unit_price_fen: per piece, or per
    kilogram when weighed. amount_fen: what the line costs. barcode: as scanned.
    """

    line_id: str
    sku: str
    tenant_id: str
    name: str
    name_en: str
    barcode: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    weight_g: int | None = None
    age_min: int = 0


@dataclass(frozen=True, slots=True)
class Basket:
    """The goods of one shopper. cleared_age: the age that a cashier has checked, 0 if none."""

    basket_id: str
    workstation: str
    opened_at: int
    state: BasketState = BasketState.OPEN
    lines: tuple[LineItem, ...] = ()
    cleared_age: int = 0
    changed_at: int = 0

    @property
    def total_fen(self) -> int:
        """What the lines cost together."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def count(self) -> int:
        """How many articles are in the basket."""
        return sum(line.quantity for line in self.lines)

    @property
    def age_needed(self) -> int:
        """The age that a cashier still has to check, 0 when nothing waits."""
        needed = max((line.age_min for line in self.lines), default=0)
        return needed if needed > self.cleared_age else 0


def piece_line(line_id: str, product: Product, barcode: str, quantity: int = 1) -> LineItem:
    """Return a line of `quantity` pieces; raise Invalid for a product sold by weight."""
    if product.sold_by is not SoldBy.PIECE:
        raise Invalid(f"{product.sku} is sold by weight; scan the label of the scale")
    return _line(line_id, product, barcode, _check_quantity(quantity), product.price_fen * quantity, None)


def weighed_line(
    line_id: str, product: Product, barcode: str, weight_g: int | None, amount_fen: int | None
) -> LineItem:
    """Return a line for a scale label that carries weight, amount or both.

    The label's amount wins, as it is what the shopper has read. With an amount alone, the weight of a
    product sold by weight follows from its price, to the gram and at least one. Raises Invalid for an
    amount of nothing, and for a weight alone on a product sold by the piece.
    """
    if weight_g is None and amount_fen is None:
        raise Invalid(f"label {barcode} carries neither weight nor amount")
    if amount_fen is not None and amount_fen <= 0:
        raise Invalid(f"label {barcode}: amount {amount_fen} fen; set the price at the scale and weigh again")
    if amount_fen is None and product.sold_by is SoldBy.PIECE:
        raise Invalid(f"label {barcode} carries a weight, but {product.sku} is sold by the piece")
    if weight_g is not None and not 0 < weight_g <= MAX_WEIGHT_G:
        raise Invalid(f"label {barcode}: weight {weight_g} g is outside 1-{MAX_WEIGHT_G} g; weigh again")
    if amount_fen is None:
        amount_fen = scale_fen(product.price_fen, weight_g or 0, 1000)
    elif weight_g is None and product.sold_by is SoldBy.WEIGHT and product.price_fen > 0:
        weight_g = min(MAX_WEIGHT_G, max(1, scale_fen(amount_fen, 1000, product.price_fen)))
    return _line(line_id, product, barcode, 1, amount_fen, weight_g)


def add_line(basket: Basket, line: LineItem, at: int, apart: Collection[str] = frozenset()) -> Basket:
    """Return the basket with `line`; pieces of the same product at the same price join one line.

    A joined line moves to the end, so that the last thing scanned is the last thing shown. apart: ids of
    lines that nothing joins.
    """
    _require_open(basket)
    mine = (old for old in basket.lines if old.line_id not in apart)
    same = next((old for old in mine if _joins(old, line)), None)
    if same is None:
        if len(basket.lines) >= MAX_LINES:
            raise Invalid(f"a basket holds {MAX_LINES} lines at most; pay for these first")
        return _with_lines(basket, (*basket.lines, line), at)
    joined = _requantified(same, same.quantity + line.quantity)
    return _with_lines(basket, (*_without(basket.lines, same.line_id), joined), at)


def set_quantity(basket: Basket, line_id: str, quantity: int, at: int) -> Basket:
    """Return the basket with that line's quantity; 0 removes it. Lines of a label can only be removed."""
    _require_open(basket)
    line = find_line(basket, line_id)
    if quantity == 0:
        return _with_lines(basket, _without(basket.lines, line_id), at)
    if not _is_by_piece(line):
        raise Invalid(f"{line.name} has its own label; scan another one instead of changing the quantity")
    changed = _requantified(line, quantity)
    return _with_lines(basket, tuple(changed if old is line else old for old in basket.lines), at)


def find_line(basket: Basket, line_id: str) -> LineItem:
    """Return the line; raise Invalid when it is not in the basket (any more)."""
    for line in basket.lines:
        if line.line_id == line_id:
            return line
    raise Invalid(f"line {line_id} is no longer in basket {basket.basket_id}; look at the list again")


def clear_age(basket: Basket, at: int) -> Basket:
    """Return the basket after a cashier has checked the shopper's age."""
    return replace(basket, cleared_age=max(basket.cleared_age, basket.age_needed), changed_at=at)


def drop_restricted(basket: Basket, at: int) -> Basket:
    """Return the basket without the lines that wait for an age check."""
    kept = tuple(line for line in basket.lines if line.age_min <= basket.cleared_age)
    return _with_lines(basket, kept, at)


def change_state(basket: Basket, state: BasketState, at: int) -> Basket:
    """Return the basket in `state`; raise Invalid for a step that makes no sense.

    A held basket forgets an age check: whoever recalls it may be another person.
    """
    allowed = {
        BasketState.OPEN: {BasketState.HELD, BasketState.ORDERED, BasketState.ABANDONED},
        BasketState.HELD: {BasketState.OPEN, BasketState.ABANDONED},
        BasketState.ORDERED: {BasketState.OPEN},
        BasketState.ABANDONED: set(),
    }
    if state not in allowed[basket.state]:
        raise Invalid(f"basket {basket.basket_id} is {basket.state}; it cannot become {state}")
    cleared_age = 0 if state is BasketState.HELD else basket.cleared_age
    return replace(basket, state=state, cleared_age=cleared_age, changed_at=at)


def _line(
    line_id: str, product: Product, barcode: str, quantity: int, amount_fen: int, weight_g: int | None
) -> LineItem:
    return LineItem(
        line_id=line_id,
        sku=product.sku,
        tenant_id=product.tenant_id,
        name=product.name,
        name_en=product.name_en,
        barcode=barcode,
        quantity=quantity,
        unit_price_fen=product.price_fen,
        amount_fen=check_fen(amount_fen),
        weight_g=weight_g,
        age_min=product.age_min,
    )


def _check_quantity(quantity: int) -> int:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Invalid(f"quantity must be 1 to {MAX_QUANTITY}, got {quantity}")
    return quantity


def _requantified(line: LineItem, quantity: int) -> LineItem:
    _check_quantity(quantity)
    return replace(line, quantity=quantity, amount_fen=check_fen(line.unit_price_fen * quantity))


def _joins(old: LineItem, new: LineItem) -> bool:
    same = old.sku == new.sku and old.unit_price_fen == new.unit_price_fen
    return same and _is_by_piece(old) and _is_by_piece(new)


def _is_by_piece(line: LineItem) -> bool:
    """Return whether the line costs its price times its quantity; a label's amount may differ from that."""
    return line.weight_g is None and line.amount_fen == line.unit_price_fen * line.quantity


def _without(lines: Iterable[LineItem], line_id: str) -> tuple[LineItem, ...]:
    return tuple(line for line in lines if line.line_id != line_id)


def _with_lines(basket: Basket, lines: tuple[LineItem, ...], at: int) -> Basket:
    check_fen(sum(line.amount_fen for line in lines), "the basket's total")
    return replace(basket, lines=lines, changed_at=at)


def _require_open(basket: Basket) -> None:
    if basket.state is not BasketState.OPEN:
        raise Invalid(f"basket {basket.basket_id} is {basket.state}; it cannot be changed")
