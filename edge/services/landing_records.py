"""What a unit of work knows of pages after payment: given ones, versions, who saw which, and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.members.landing import LandingPage
from edge.members.landing_version import LandingSlot, LandingVersion

#: Versions of one slot that a page lists.
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class ShownLanding:
    """The page that one order ended on; kept, so that nothing changes what was promised.

    number: of the version, 0 for the page of the configuration or of HQ. shopper: a key that is the same
    at the next visit, the order's id without one. acted_at: the first act on the page, Unix milliseconds.
    """

    order_id: str
    slot: LandingSlot
    number: int
    variant: str
    shopper: str
    shown_at: int
    acted_at: int | None = None

    @property
    def label(self) -> str:
        """What the funnel calls this variant, 32 characters at most: "mall.3B"."""
        return f"{self.slot.landing_id[:18]}.{self.number}{self.variant}"[:32]


@dataclass(frozen=True, slots=True)
class LandingCount:
    """How often a variant was shown, and how many of those orders led to an act on it."""

    variant: str
    shown: int
    acted: int


class Landings(Protocol):
    """Pages after payment."""

    def pages(self) -> tuple[LandingPage, ...]:
        """Return all pages of the configuration or of HQ, the mall's own among them."""

    def put(self, page: LandingPage) -> None:
        """Write such a page."""

    def clear(self) -> None:
        """Delete all such pages; published versions stay."""

    def slots(self) -> tuple[LandingSlot, ...]:
        """Return the slots that have versions, by tenant, occasion and campaign."""

    def publish(self, version: LandingVersion) -> None:
        """Add a version; raise Invalid for a number that its slot has already."""

    def version(self, slot: LandingSlot, number: int) -> LandingVersion | None:
        """Return one version."""

    def versions(self, slot: LandingSlot, limit: int) -> tuple[LandingVersion, ...]:
        """Return a slot's versions, the highest number first."""

    def current(self, tenant_id: str, at: int) -> tuple[LandingVersion, ...]:
        """Return what is in force of a tenant, one for each slot, as landing_version.in_force says."""

    def shown_of(self, order_id: str) -> ShownLanding | None:
        """Return what an order ended on."""

    def assigned(self, slot: LandingSlot, number: int, shopper: str) -> str:
        """Return the variant that a shopper has seen of a version, "" for none."""

    def put_shown(self, shown: ShownLanding) -> None:
        """Keep what an order ended on and count it; the same order again changes nothing."""

    def mark_acted(self, order_id: str, at: int) -> bool:
        """Note and count the first act on an order's page; return whether it was the first."""

    def counts(self, slot: LandingSlot, number: int) -> tuple[LandingCount, ...]:
        """Return the counts of a version's variants that were ever shown, by name."""
