"""Lists of plates, parking tariffs and the calendar as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.parking.calendar import CalendarDay
from edge.parking.plate_list import PlateEntry
from edge.parking.tariff_document import Tariff


class PlateLists(Protocol):
    """The plates on lists. A new set is staged unseen in short units and shown by one number."""

    def find(self, plate: str) -> tuple[PlateEntry, ...]:
        """Return what the lists in force say of a plate, in their order."""

    def all(self, after: str, limit: int) -> tuple[PlateEntry, ...]:
        """Return entries in force by plate, of plates above `after`; all or none of a plate's entries."""

    def count(self) -> int:
        """Return how many entries are in force."""

    def begin(self) -> int:
        """Start a new set and end any other that is under way; return its number."""

    def stage(self, number: int, first: int, entries: Sequence[PlateEntry]) -> None:
        """Write entries, unseen, from place `first` on. Raises Invalid for any set but the present one."""

    def finish(self, number: int, entries: int) -> None:
        """Show the set that was staged, of so many entries, in place of the one before."""

    def tidy(self, limit: int) -> bool:
        """Delete up to `limit` entries of other sets; return whether there may be more."""


class Tariffs(Protocol):
    """The tariffs in force and those to come."""

    def all(self) -> tuple[Tariff, ...]:
        """Return all, by id and moment."""

    def in_force(self, tariff_id: str, at: int) -> Tariff | None:
        """Return the tariff of that id in force at a moment, or its first; None without any."""

    def replace(self, tariffs: Sequence[Tariff]) -> None:
        """Write these in place of all others."""


class CalendarDays(Protocol):
    """The days that are not as their day of the week."""

    def all(self) -> tuple[CalendarDay, ...]:
        """Return all, by date."""

    def replace(self, days: Sequence[CalendarDay]) -> None:
        """Write these in place of all others."""
