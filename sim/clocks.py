"""The clocks of the simulators: they are other machines and have clocks of their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def unix_ms() -> int:
    """Return Unix milliseconds."""
    return int(datetime.now(UTC).timestamp() * 1000)  # noqa: TID251 - the simulators are not replayed


def monotonic_s() -> float:
    """Return seconds of a clock that no one sets."""
    return time.monotonic()


def iso(at: int) -> str:
    """Return Unix milliseconds as UTC text with milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
