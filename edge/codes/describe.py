"""The fields of each payload, for people: what it is called, what stands there, what that means."""

from __future__ import annotations

from edge.codes.gs1 import Gs1Message
from edge.codes.gtin import GtinForm, ItemCode, prefix_meaning
from edge.codes.house import HouseCode
from edge.codes.payment import WALLET_SHAPES, PaymentCode
from edge.codes.reading import Field
from edge.codes.scale_label import ScaleLabel
from edge.money import format_yuan


def item_fields(item: ItemCode) -> tuple[Field, ...]:
    """Return the fields of a code that names goods."""
    if item.gtin is None:
        return (Field("stock code", item.text, "the shop's own code, looked up as written"),)
    number = item.gtin.gtin14
    fields = [
        Field("code", item.text, item.gtin.form.value),
        Field("prefix", number[1:4], prefix_meaning(item.gtin)),
        Field("check digit", number[-1], "right"),
        Field("GTIN-14", number, "the catalogue's key"),
    ]
    if item.gtin.form is GtinForm.ITF_14:
        fields.insert(1, Field("indicator", number[0], _indicator(number[0])))
    if item.add_on is not None:
        meaning = "issue of a magazine" if len(item.add_on) == 2 else "price or edition of a book"
        fields.append(Field("add-on", item.add_on, meaning))
    return tuple(fields)


def label_fields(label: ScaleLabel) -> tuple[Field, ...]:
    """Return the fields of a scale label, in the order in which they are printed."""
    layout = label.layout
    fields = [
        Field("layout", layout.pattern, "as configured for this box"),
        Field("prefix", layout.prefix, "chose the layout"),
        Field("item", label.item, "PLU of the goods"),
    ]
    if layout.amount is not None and label.amount_fen is not None:
        fields.append(
            Field("amount", label.text[slice(*layout.amount)], f"{format_yuan(label.amount_fen)} yuan")
        )
    if layout.verifier is not None:
        fields.append(Field("verifier", label.text[slice(*layout.verifier)], "of the amount, right"))
    if layout.weight is not None and label.weight_g is not None:
        fields.append(Field("weight", label.text[slice(*layout.weight)], f"{label.weight_g / 1000:.3f} kg"))
    fields.append(Field("check digit", label.text[-1], "right"))
    return tuple(fields)


def gs1_fields(message: Gs1Message) -> tuple[Field, ...]:
    """Return one field for each element, then what was passed over."""
    fields = [
        Field(f"({element.ai})", element.value, f"{element.title}: {element.meaning}".removesuffix(": "))
        for element in message.elements
    ]
    fields += [Field("note", "", note) for note in message.notes]
    return tuple(fields)


def payment_fields(code: PaymentCode) -> tuple[Field, ...]:
    """Return the fields of a payment code, masked."""
    return (
        Field("wallet", code.wallet.value, WALLET_SHAPES[code.wallet]),
        Field("code", code.masked, f"{len(code.code)} digits; a secret for about a minute, not stored"),
    )


def house_fields(code: HouseCode) -> tuple[Field, ...]:
    """Return the fields of one of our own codes."""
    return (
        Field("known by", code.form, f"this mall's {code.kind.value} codes"),
        Field("token", code.token, "names the record"),
    )


def _indicator(digit: str) -> str:
    if digit == "9":
        return "variable measure: the weight stands in another code"
    return "the item itself" if digit == "0" else "a carton or other grouping of the item"
