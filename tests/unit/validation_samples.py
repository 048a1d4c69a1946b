"""Sample validations, for the tests of events and pages."""

from __future__ import annotations

from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Holder, SourceKind, Validation, revoke, use
from edge.services.events import Data, EventKind
from edge.services.validation_events import validation_step

AT = 1_795_300_000_123
TWO_HOURS = Grant(BenefitKind.MINUTES, 120, label="满300减2小时", label_en="2 h for 300")


def validation(ref: str = "order:order-1:spend", **changes: object) -> Validation:
    fields: dict[str, object] = {
        "validation_id": f"v-{ref}",
        "holder": Holder(plate="粤B12345"),
        "grant": TWO_HOURS,
        "merchant": "t-drinks",
        "source": SourceKind.SPEND,
        "source_ref": ref,
        "granted_at": AT,
        "expires_at": AT + 86_400_000,
        "day": "2026-11-22",
        "reference": "K01-0001",
        "order_id": "order-1",
        "shopper": "plate:粤B12345",
        "rule_id": "spend",
        "minutes_counted": 120,
        "fen_counted": 2_000,
        **changes,
    }
    return Validation(**fields)  # type: ignore[arg-type]


def validation_data() -> dict[EventKind, Data]:
    one = validation()
    return {
        EventKind.VALIDATION_GRANTED: validation_step(one),
        EventKind.VALIDATION_REVOKED: validation_step(revoke(one, "王主管", "goods came back", AT + 1)),
        EventKind.VALIDATION_USED: validation_step(use(one, "s-1", 1_500, AT + 1)),
    }
