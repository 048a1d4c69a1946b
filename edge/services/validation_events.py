"""What HQ is told of parking validations. A plate is told masked; HQ knows members by their ids."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.plate import mask_plate
from edge.parking.validation import Validation, ValidationState
from edge.services.box import Box
from edge.services.events import Data, EventKind, record_event
from edge.services.records import Unit

_KINDS = {
    ValidationState.GRANTED: EventKind.VALIDATION_GRANTED,
    ValidationState.REVOKED: EventKind.VALIDATION_REVOKED,
    ValidationState.USED: EventKind.VALIDATION_USED,
}


def tell_validation(unit: Unit, box: Box, validation: Validation, now: Instant) -> None:
    """Record the event of what a validation has become, tied to its order; expiry alone is not told."""
    kind = _KINDS.get(validation.state)
    if kind is not None:
        data = validation_step(validation)
        correlation = validation.order_id
        record_event(unit, box.ids, now, box.origin, kind, validation.validation_id, data, correlation)


def validation_step(one: Validation) -> Data:
    """Return the data of the three kinds "validation.": whose, what, which merchant, its end."""
    return {
        "validation_id": one.validation_id,
        "state": one.state.value,
        "session_id": one.holder.session_id,
        "plate": mask_plate(one.holder.plate),
        "member_id": one.holder.member_id,
        "order_id": one.order_id,
        "merchant": one.merchant,
        "source": one.source.value,
        "reference": one.reference,
        "rule_id": one.rule_id,
        "benefit": {"kind": one.grant.kind.value, "value": one.grant.value, "tariff_id": one.grant.tariff_id},
        "business_day": one.day,
        "granted_at": one.granted_at,
        "granted_by": one.granted_by,
        "expires_at": one.expires_at,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
        "reason": one.reason,
        "currency": "CNY",
        "forgone_fen": one.forgone_fen,
    }
