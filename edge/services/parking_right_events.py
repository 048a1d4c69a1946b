"""The data of what HQ is told of corrected stays and of passes."""

from __future__ import annotations

from collections.abc import Sequence

from edge.parking.parking_pass import ParkingPass, PassEntry
from edge.services.events import Data
from edge.services.plate_records import PlateCorrection


def parking_corrected(one: PlateCorrection) -> Data:
    """Return the data of "parking.corrected": what a person put right in a stay, and why."""
    return {
        "correction_id": one.correction_id,
        "session_id": one.session_id,
        "corrected_at": one.corrected_at,
        "by": one.by,
        "reason": one.reason,
        "plate_before": one.plate_before,
        "plate_after": one.plate_after,
        "entered_before": one.entered_before,
        "entered_after": one.entered_after,
        "camera": one.camera,
        "read": one.read,
    }


def pass_changed(one: ParkingPass, what: str, by: str, paid_fen: int, balance: int) -> Data:
    """Return the data of "pass.changed": a pass as it is now, what was done and what was paid for that.

    what: "issued", "renewed", "topped_up", "blocked", "unblocked", "cancelled" or "edited".
    """
    return {
        "pass_id": one.pass_id,
        "what": what,
        "by": by,
        "kind": one.kind.value,
        "plates": list(one.plates),
        "spaces": one.spaces,
        "zones": list(one.zones),
        "valid_from": one.hours.valid_from,
        "valid_to": one.hours.valid_to,
        "state": one.state.value,
        "currency": "CNY",
        "paid_fen": paid_fen,
        "balance": balance,
    }


def pass_used(one: ParkingPass, lines: Sequence[PassEntry], balance: int) -> Data:
    """Return the data of "pass.used": what a stay took from a stored pass, or what was given back."""
    return {
        "pass_id": one.pass_id,
        "kind": one.kind.value,
        "session_id": lines[0].session_id,
        "at": lines[0].at,
        "by": lines[0].by,
        "lines": [{"key": line.key, "kind": line.kind.value, "amount": line.amount} for line in lines],
        "balance": balance,
    }
