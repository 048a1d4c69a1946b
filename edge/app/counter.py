"""Counters and their guides' PINs, from the configuration."""

from __future__ import annotations

from edge.config import Config
from edge.services.counter_rules import CounterRules
from edge.services.ports import Clock
from edge.services.staff import StaffBook, StaffMember


def build_counter(config: Config, clock: Clock) -> CounterRules:
    """Return how counters write tickets; each guide with a PIN has a lock of their own."""
    own = config.counter
    pins = {
        one.id: StaffBook([StaffMember(one.id, "guide", one.pin_hash)], clock)
        for one in config.guide
        if one.pin_hash
    }
    return CounterRules(
        own.expire_minutes,
        own.guide_override_permille,
        own.supervisor_override_permille,
        own.foreign_goods,
        pins,
        own.hand_over_hours,
    )
