"""Pages after payment in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Invalid
from edge.members.landing import LandingPage
from edge.members.landing_version import LandingSlot, LandingVersion, in_force
from edge.services.landing_records import LandingCount, ShownLanding

VersionKey = tuple[str, str, str, int]


@dataclass(slots=True)
class LandingRows:
    """pages: given ones by tenant. versions, shown: as published and by order."""

    pages: dict[str, LandingPage] = field(default_factory=dict)
    versions: dict[VersionKey, LandingVersion] = field(default_factory=dict)
    shown: dict[str, ShownLanding] = field(default_factory=dict)

    def copy(self) -> LandingRows:
        """Return rows that can be changed without changing these."""
        return LandingRows(dict(self.pages), dict(self.versions), dict(self.shown))


class FakeLandings:
    """Implements landing_records.Landings."""

    def __init__(self, rows: LandingRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def pages(self) -> tuple[LandingPage, ...]:
        """Return all pages of the configuration or of HQ."""
        return tuple(self._rows.pages[one] for one in sorted(self._rows.pages))

    def put(self, page: LandingPage) -> None:
        """Write such a page."""
        self._writing()
        self._rows.pages[page.tenant_id] = page

    def clear(self) -> None:
        """Delete all such pages."""
        self._writing()
        self._rows.pages.clear()

    def slots(self) -> tuple[LandingSlot, ...]:
        """Return the slots that have versions."""
        return tuple(dict.fromkeys(self._rows.versions[key].slot for key in sorted(self._rows.versions)))

    def publish(self, version: LandingVersion) -> None:
        """Add a version; raise Invalid for a number that its slot has already."""
        self._writing()
        if self.version(version.slot, version.number) is not None:
            raise Invalid(f"version {version.number} is there already")
        self._rows.versions[_key(version.slot, version.number)] = version

    def version(self, slot: LandingSlot, number: int) -> LandingVersion | None:
        """Return one version."""
        return self._rows.versions.get(_key(slot, number))

    def versions(self, slot: LandingSlot, limit: int) -> tuple[LandingVersion, ...]:
        """Return a slot's versions, the highest number first."""
        found = [one for one in self._rows.versions.values() if one.slot == slot]
        return tuple(sorted(found, key=lambda one: -one.number)[:limit])

    def current(self, tenant_id: str, at: int) -> tuple[LandingVersion, ...]:
        """Return what is in force of a tenant, one for each slot."""
        of = [slot for slot in self.slots() if slot.tenant_id == tenant_id]
        found = [in_force(self.versions(slot, len(self._rows.versions)), at) for slot in of]
        return tuple(one for one in found if one is not None)

    def shown_of(self, order_id: str) -> ShownLanding | None:
        """Return what an order ended on."""
        return self._rows.shown.get(order_id)

    def assigned(self, slot: LandingSlot, number: int, shopper: str) -> str:
        """Return the variant that a shopper has seen of a version, "" for none."""
        for order_id in sorted(self._rows.shown):
            one = self._rows.shown[order_id]
            if (one.slot, one.number, one.shopper) == (slot, number, shopper):
                return one.variant
        return ""

    def put_shown(self, shown: ShownLanding) -> None:
        """Keep what an order ended on; the same order again changes nothing."""
        self._writing()
        self._rows.shown.setdefault(shown.order_id, shown)

    def mark_acted(self, order_id: str, at: int) -> bool:
        """Note the first act on an order's page; return whether it was the first."""
        self._writing()
        shown = self._rows.shown.get(order_id)
        if shown is None or shown.acted_at is not None:
            return False
        self._rows.shown[order_id] = replace(shown, acted_at=at)
        return True

    def counts(self, slot: LandingSlot, number: int) -> tuple[LandingCount, ...]:
        """Return the counts of a version's variants that were ever shown, by name."""
        of = [one for one in self._rows.shown.values() if (one.slot, one.number) == (slot, number)]
        shown = Counter(one.variant for one in of)
        acted = Counter(one.variant for one in of if one.acted_at is not None)
        return tuple(LandingCount(name, shown[name], acted[name]) for name in sorted(shown))


def _key(slot: LandingSlot, number: int) -> VersionKey:
    return slot.tenant_id, slot.occasion.value, slot.campaign, number
