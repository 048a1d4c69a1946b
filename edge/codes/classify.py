"""What a scanned string is: every possible reading is found, then one written rule picks among them.

The rule (docs/protocols/codes.md): the AIM id decides first; a wrong check digit rules a reading out;
what the box was configured for beats what merely fits; then the context. Where only the context
decided, the reading is marked ambiguous and carries the other one.
"""

from __future__ import annotations

from dataclasses import replace

from edge.codes.payment import mask, may_hold_payment_code
from edge.codes.reading import Alternative, CodeKind, CodeReading, CodeRules, Context
from edge.codes.recognise import STOCK_CODE, Family, Found, Refused, Scan, outcomes, scan_of, stock

#: In these contexts goods are expected, so a label wins over a payment code; in the others it loses.
GOODS_CONTEXTS = frozenset((Context.IDLE, Context.BASKET))

_GOODS_ORDER = tuple(Family)
_OTHER_ORDER = (
    Family.HOUSE,
    Family.PAYMENT,
    Family.LABEL,
    Family.GS1,
    Family.ITEM,
    Family.UPC_E,
    Family.STOCK,
)
_SHOWN = 80


def classify(text: str, aim: str | None, rules: CodeRules, context: Context = Context.IDLE) -> CodeReading:
    """Return what `text` is, without its AIM id, at a workstation in `context`; it never raises.

    aim: the AIM id with its bracket, e.g. "]E0", or None when the scanner sends none. Blanks and line
    ends around the text do not count.
    """
    scan = scan_of(text, aim, rules, context)
    answers = outcomes(scan)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    found = [answer for answer in answers if isinstance(answer, Found)] or _last_resort(scan, refused)
    notes = tuple(refusal.reason for refusal in refused)
    return _best(scan, found, notes) if found else _unknown(scan, notes)


def _best(scan: Scan, found: list[Found], notes: tuple[str, ...]) -> CodeReading:
    order = _GOODS_ORDER if scan.context in GOODS_CONTEXTS else _OTHER_ORDER
    best, *others = sorted(found, key=lambda one: order.index(one.family))
    text = _shown_text(best.family, scan.text)
    return replace(
        best.reading,
        text=text,
        reasons=best.reading.reasons + _tie_reasons(best, others, scan) + notes,
        also=tuple(_alternative(best, other, scan) for other in others),
        ambiguous=any(other.rival for other in others),
    )


def _last_resort(scan: Scan, refused: list[Refused]) -> list[Found]:
    as_stock = None if any(refusal.final for refusal in refused) else stock(scan)
    return [as_stock] if as_stock else []


def _unknown(scan: Scan, reasons: tuple[str, ...]) -> CodeReading:
    return CodeReading(
        kind=CodeKind.UNKNOWN,
        payload=None,
        text=_shown_text(None, scan.text),
        reasons=reasons or ("it has the form of no code that this box knows",),
        keys=(scan.text,) if STOCK_CODE.fullmatch(scan.text) else (),
        aim=scan.aim,
        context=scan.context,
    )


def _tie_reasons(best: Found, others: list[Found], scan: Scan) -> tuple[str, ...]:
    rivals = [other for other in others if other.rival]
    if not rivals:
        return ()
    kinds = " and ".join(sorted({rival.reading.kind.value.replace("_", " ") for rival in rivals}))
    return (f"it could be {kinds} too; in context {scan.context.value} {_preference(best, rivals[0])}",)


def _shown_text(family: Family | None, text: str) -> str:
    """Return the text that may be shown: masked for payment codes, and for what may be part of one."""
    if family is Family.PAYMENT or (family in (None, Family.STOCK) and may_hold_payment_code(text)):
        return mask(text)
    return text if family is not None or len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _alternative(best: Found, other: Found, scan: Scan) -> Alternative:
    reading = replace(other.reading, text=_shown_text(other.family, scan.text))
    if best.family is Family.PAYMENT:
        reading = replace(reading, text=mask(scan.text), fields=())  # they would spell the code out
    if other.rival:
        return Alternative(reading, f"in context {scan.context.value} {_preference(best, other)}")
    return Alternative(
        reading, "its prefix is configured as a scale label, which goes before in-store numbers"
    )


def _preference(best: Found, other: Found) -> str:
    """Return in words why `best` goes before `other` where both fit."""
    families = {best.family, other.family}
    if families == {Family.LABEL, Family.PAYMENT}:
        if best.family == Family.LABEL:
            return "goods are expected and its check digit as a label is right (1 in 10 is by chance)"
        return "money is expected, and a label sent to a wallet is declined at no cost"
    if families == {Family.ITEM, Family.UPC_E}:
        return "EAN-8 goes before UPC-E; AIM ids ]E4 and ]E0 would tell them apart"
    if Family.HOUSE in families:
        return (
            "labels go before our own numeric codes"
            if best.family == Family.LABEL
            else "our own prefixes go first"
        )
    return "the first in the order of docs/protocols/codes.md is taken"
