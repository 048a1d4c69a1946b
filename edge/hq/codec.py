"""Payloads on the wire to HQ that are not events: acks in, presence out. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid
from edge.services.ports import HqAck, Rejection

#: The largest ack payload, and the most holes, overtakers and refusals in it; HQ lowers `through` rather
#: than list more.
MAX_ACK_BYTES = 8_192
MAX_HOLES = 100
MAX_REJECTED = 20

#: The longest reason kept of a refusal.
MAX_REASON = 120

#: The largest sequence that an ack may name.
MAX_SEQUENCE = 10**16 - 1

#: The largest session number that is believed: Unix milliseconds of the year 33658.
MAX_SESSION = 10**15


class Presence(StrEnum):
    """What the retained state says of a box. LOST is what the broker says in its place (the will)."""

    ONLINE = "online"
    OFFLINE = "offline"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class OwnState:
    """What the broker retains of a box."""

    presence: Presence
    session: int


def decode_ack(payload: bytes) -> HqAck:
    """Return HQ's ack of `{"through": n, "holes": [...], "also": [...], "rejected": [...]}`.

    Raises Invalid naming what is wrong. Unknown fields are ignored, so that HQ may grow. Holes and
    overtakers (`also`) come back sorted, once each.
    """
    if len(payload) > MAX_ACK_BYTES:
        raise Invalid(f"ack has {len(payload)} bytes, {MAX_ACK_BYTES} at most")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"ack is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise Invalid(f"ack must be an object, got {type(message).__name__}")
    through = _sequence(message.get("through"), "through", 0)
    holes = _sequences(message, "holes")
    if holes and holes[-1] >= through:
        raise Invalid(f"ack has a hole at {holes[-1]}, which must be below through {through}")
    also = _sequences(message, "also")
    if also and also[0] <= through:
        raise Invalid(f"ack lists {also[0]} in also, which must be above through {through}")
    refused = _listed(message, "rejected", MAX_REJECTED)
    return HqAck(through, holes, also, tuple(_rejection(one) for one in refused))


def encode_presence(presence: Presence, session: int) -> bytes:
    """Return the retained state; `session` ties a will to the birth that it ends."""
    return json.dumps({"state": presence.value, "session": session}, separators=(",", ":")).encode()


def decode_presence(payload: bytes) -> OwnState:
    """Return the retained state; raise Invalid naming what is wrong."""
    try:
        message = json.loads(payload[:MAX_ACK_BYTES])
        presence, session = Presence(message["state"]), message["session"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(f"not a presence: {error!r:.80}") from error
    if type(session) is not int or not 0 <= session <= MAX_SESSION:
        raise Invalid(f"presence: session must be 0 to {MAX_SESSION}, got {session!r:.40}")
    return OwnState(presence, session)


def _listed(message: dict[str, object], name: str, most: int) -> list[object]:
    value = message.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise Invalid(f"ack's {name} must be a list of {most} at most")
    return value


def _sequences(message: dict[str, object], name: str) -> tuple[int, ...]:
    return tuple(sorted({_sequence(one, f"one of {name}", 1) for one in _listed(message, name, MAX_HOLES)}))


def _rejection(value: object) -> Rejection:
    reason = value.get("reason") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(reason, str):
        raise Invalid(f"ack: one of rejected must have sequence and reason, got {value!r:.60}")
    printable = "".join(letter if letter.isprintable() else " " for letter in reason[:MAX_REASON])
    return Rejection(_sequence(value.get("sequence"), "a rejected sequence", 1), printable)


def _sequence(value: object, name: str, least: int) -> int:
    if type(value) is not int or not least <= value <= MAX_SEQUENCE:
        raise Invalid(f"ack: {name} must be a whole number from {least}, got {value!r:.40}")
    return value
