"""The wall clock of the simulators: they are other machines and have a clock of their own."""

from __future__ import annotations

from datetime import UTC, datetime


def unix_ms() -> int:
    """Return Unix milliseconds."""
    return int(datetime.now(UTC).timestamp() * 1000)  # noqa: TID251 - the simulators are not replayed
