"""How HQ misbehaves, switched while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

MAX_DELAY_MS = 60_000
MAX_COPIES = 10
MAX_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """away: HQ is not at the broker. reject: events are dropped unapplied. refuse: events are refused for
    good, with a reason, and acknowledged so. ack_delay_ms: acks come late.
    ack_copies: how often each ack is sent. forget_every: every n-th ack is not sent; 1 forgets all, 0 none.
    """

    away: bool = False
    reject: bool = False
    refuse: bool = False
    ack_delay_ms: int = 0
    ack_copies: int = 1
    forget_every: int = 0

    def as_json(self) -> dict[str, bool | int]:
        """Return the switches by name."""
        return asdict(self)

    def changed(self, wanted: Mapping[str, object]) -> Behaviour:
        """Return the behaviour with these switches; raise ValueError naming what cannot be set."""
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        limits = {
            "ack_delay_ms": (0, MAX_DELAY_MS),
            "ack_copies": (1, MAX_COPIES),
            "forget_every": (0, MAX_EVERY),
        }
        for name, value in wanted.items():
            if name not in kinds:
                raise ValueError(f"there is no switch {name!r}; there are {', '.join(kinds)}")
            if type(value) is not kinds[name]:
                raise ValueError(f"{name} must be {kinds[name].__name__}, got {value!r}")
            low, high = limits.get(name, (0, 1))
            if isinstance(value, int) and not low <= value <= high:
                raise ValueError(f"{name} must be {low} to {high}, got {value}")
        return replace(self, **wanted)  # type: ignore[arg-type]
