"""What must hold of counters, their guides' PINs and their prices."""

from __future__ import annotations

import re

from edge.config.sections import Config
from edge.errors import Invalid

#: A ticket that could be paid for longer would be of another business day.
MAX_EXPIRE_MINUTES = 720

#: A ticket of more than 30 days ago is nothing that a counter still remembers.
MAX_HAND_OVER_HOURS = 720

PIN_HASH = re.compile(r"(?:[0-9a-f]{2}){8,64}\$[0-9a-f]{64}", re.ASCII)


def check_counters(config: Config, source: str) -> None:
    """Raise Invalid for counters without a tenant, hashes that are none, and values that cannot work."""
    for place in config.workstation:
        if (place.kind == "counter") != bool(place.tenant):
            raise Invalid(
                f"{source}: workstation {place.name!r}: a tenant is given for a counter, and only there"
            )
    for guide in config.guide:
        if guide.pin_hash and not PIN_HASH.fullmatch(guide.pin_hash):
            raise Invalid(f"{source}: the pin_hash of guide {guide.id!r} is none; make one with: hash-pin")
    own = config.counter
    if not 1 <= own.expire_minutes <= MAX_EXPIRE_MINUTES:
        raise Invalid(
            f"{source}: counter.expire_minutes is 1 to {MAX_EXPIRE_MINUTES}, got {own.expire_minutes}"
        )
    if not 1 <= own.hand_over_hours <= MAX_HAND_OVER_HOURS:
        raise Invalid(
            f"{source}: counter.hand_over_hours is 1 to {MAX_HAND_OVER_HOURS}, got {own.hand_over_hours}"
        )
    if not 0 <= own.guide_override_permille <= own.supervisor_override_permille < 1_000:
        raise Invalid(
            f"{source}: counter.guide_override_permille must not be above supervisor_override_permille, both"
            " 0 to 999"
        )
