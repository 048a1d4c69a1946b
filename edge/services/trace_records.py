"""Where members are named all over the store: what follows when two become one, and what goes with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Handing:
    """That one member's traces are another's from now on. ..._seen: as pages' variants know them."""

    gone: str
    into: str
    gone_seen: str
    into_seen: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose traces go, and by what they are found.

    identities: openid, unionid and card as they are. plates: bound ones in plain, as far as they are known
    from past stays. seen: as pages' variants know the member and their payments. alias: stands for each
    plate in what was counted together, so that a refund is still counted right; nobody can tell the plate
    from it.
    """

    member_id: str
    identities: tuple[str, ...]
    plates: tuple[str, ...]
    seen: tuple[str, ...]
    alias: str


class Traces(Protocol):
    """Everything beside profile, identities, consents and points that names a member."""

    def hand_over(self, handing: Handing) -> None:
        """Make one member's ways, credits, tasks, parking, shown pages and notices another's."""

    def pays(self, identities: tuple[str, ...]) -> bool:
        """Return whether money of one of these payers may still move."""

    def plates_of(self, member_id: str) -> tuple[str, ...]:
        """Return the plates that a member's purchases were counted for, sorted."""

    def past_plates(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the plates of stays that are over and of no car inside, by plate above `after`."""

    def erase(self, erasure: Erasure) -> None:
        """Remove names, openids, cards and plates; counts, money and the bare number in the books stay.

        A car that is inside keeps its plate until it has left, and an open debt keeps its own.
        """
