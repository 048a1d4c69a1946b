"""How long it was between two instants, by evidence that no step of a wall clock harms. Pure.

Boot time is true within a boot; over boots the heartbeats of each tell what it lasted for certain, and
synchronised clocks tell when it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import Instant

#: By so many percent a clock that no time source disciplines may be fast: a bad crystal, with room to spare.
DRIFT_PERCENT = 2

#: Wall and boot time that disagree by more were not drifting: the wall clock was set.
STEP_MS = 2_000

_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Boot:
    """One run of the machine, as its last heartbeat left it: boot time pinned to wall time.

    number: 1, 2, 3 in the order in which they were. seen_ns, wall_at: boot time and wall time of the last
    heartbeat. synced_ns: boot time of the first heartbeat with a synchronised clock, None before; zero_at:
    the wall time at which the boot began, by the last such one. stepped_ns: boot time of the last heartbeat
    that found the wall clock set. begun_ns: boot time of the first heartbeat.
    """

    number: int
    boot_id: str
    seen_ns: int
    wall_at: int
    synced_ns: int | None = None
    zero_at: int | None = None
    stepped_ns: int | None = None
    begun_ns: int = 0

    @property
    def is_doubted(self) -> bool:
        """Whether the wall clock was set again after it had been synchronised: one of the two was wrong."""
        if self.synced_ns is None or self.stepped_ns is None:
            return False
        return self.stepped_ns > self.synced_ns

    def is_doubted_at(self, seen: Instant) -> bool:
        """Whether it is doubted, or by an instant of it would be: no heartbeat has told of that step yet."""
        if self.synced_ns is None or not seen.trusted:
            return self.is_doubted
        run_ms = (seen.boottime_ns - self.seen_ns) // _MS
        set_ms = abs(seen.wall_at - self.wall_at - run_ms)
        return self.is_doubted or set_ms > STEP_MS + abs(run_ms) * DRIFT_PERCENT // 100


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How long it was between two instants. most_ms: None when nothing bounds it.

    sure: the evidence is whole, and `least_ms` is what it was. early_at, late_at: the wall time of the
    earlier and the later instant, None where no synchronised clock has said it.
    """

    least_ms: int
    most_ms: int | None
    sure: bool
    early_at: int | None = None
    late_at: int | None = None


def elapsed(boots: Sequence[Boot], earlier: Instant, later: Instant) -> Elapsed:
    """Return how long it was from one instant to another, by evidence that no step of a wall clock harms.

    boots: what heartbeats left, oldest first; the later instant's own boot may be missing. Within one boot it
    is boot time, shortened by what an undisciplined clock may be fast. Over boots it is wall time if both
    were synchronised; else it lies between what the boots lasted for certain and what known times leave.
    """
    if earlier.boot_id == later.boot_id:
        own = next((one for one in boots if one.boot_id == later.boot_id), None)
        return _within(own, earlier, later)
    chain, at = _chained(boots, earlier, later)
    begin, lasted = _ms(earlier.boottime_ns), _ms(later.boottime_ns)
    least = _ran_ms(chain, at, begin)
    early_at, late_at = chain[at].wall_at(begin), chain[-1].wall_at(lasted)
    if early_at is not None and late_at is not None:
        by_wall = late_at - early_at
        # Less than what has passed for certain: one of the two was wrong, whatever it said of itself.
        exact = max(least, by_wall)
        return Elapsed(exact, exact, by_wall >= least - STEP_MS, early_at, late_at)
    early, late = _zero(chain, at), _zero(chain, len(chain) - 1)
    if late[0] is not None and early[1] is not None:
        # A known moment is taken as it is; of a bound only what its run has lasted for certain.
        last = late[0] + chain[-1].sure_ms if late_at is None else late_at
        first = early[1] + begin if early_at is None else early_at
        least = max(least, last - first)
    most = None
    if late_at is not None and early[0] is not None:
        most = max(least, late_at - early[0] - chain[at].sure_until(begin))
    return Elapsed(least, most, False, early_at, late_at)


def ran_ms(boots: Sequence[Boot], earlier: Instant, later: Instant) -> int:
    """Return how long the machine has run for certain from one instant to another: no less has passed.

    By boot time alone: over a restart a wall clock may have been set by hand, whatever it says of itself.
    """
    if earlier.boot_id == later.boot_id:
        return later.since_ms(earlier)
    chain, at = _chained(boots, earlier, later)
    return _ran_ms(chain, at, _ms(earlier.boottime_ns))


def _within(own: Boot | None, earlier: Instant, later: Instant) -> Elapsed:
    from_ms, to_ms = _ms(earlier.boottime_ns), _ms(later.boottime_ns)
    run_ms, wall_ms_ = max(0, to_ms - from_ms), later.wall_at - earlier.wall_at
    known = _Run(to_ms, _synced(own, earlier, later), None)
    if earlier.trusted and later.trusted:
        stepped = own is not None and (own.stepped_ns or -1) >= earlier.boottime_ns
        drifted = run_ms * (100 - DRIFT_PERCENT) // 100 <= wall_ms_ < run_ms
        # A disciplined wall clock that was never set is the better of the two.
        exact = wall_ms_ if drifted and not stepped else run_ms
        return Elapsed(exact, exact, True, later.wall_at - exact, later.wall_at)
    least = known.sure_ms - known.sure_until(from_ms) if run_ms else 0
    zero = later.wall_at - to_ms if later.trusted else None if own is None else own.zero_at
    if zero is None and earlier.trusted:
        zero = earlier.wall_at - from_ms
    if zero is None:
        return Elapsed(least, run_ms, False)
    late_at = zero + to_ms
    return Elapsed(least, run_ms, True, late_at - least, late_at)


@dataclass(frozen=True, slots=True)
class _Run:
    """A boot in the chain, in milliseconds. synced_ms: from then on its clock is disciplined."""

    lasted_ms: int
    synced_ms: int | None
    zero_at: int | None

    @property
    def sure_ms(self) -> int:
        """How long it lasted for certain."""
        return self.sure_until(self.lasted_ms)

    def sure_until(self, at_ms: int) -> int:
        """How much of it had passed for certain by then."""
        loose = at_ms if self.synced_ms is None else min(at_ms, self.synced_ms)
        return at_ms - loose * DRIFT_PERCENT // 100

    def wall_at(self, at_ms: int) -> int | None:
        """Return what time it was then, where a time source has said so."""
        return None if self.zero_at is None else self.zero_at + at_ms

    @property
    def zero_until(self) -> int | None:
        """The latest moment at which it can have begun, where a time source has said when."""
        return None if self.zero_at is None else self.zero_at + self.lasted_ms - self.sure_ms


def _chained(boots: Sequence[Boot], earlier: Instant, later: Instant) -> tuple[list[_Run], int]:
    """Return the runs up to the later instant's, and which of them is the earlier one's.

    Those before it reach back to the last that was synchronised. One without a heartbeat is made up.
    """
    ids = [one.boot_id for one in boots]
    last = ids.index(later.boot_id) if later.boot_id in ids else len(ids)
    first = ids.index(earlier.boot_id) if earlier.boot_id in ids[:last] else -1
    begun = boots[first] if first >= 0 else None
    here = boots[last] if last < len(ids) else None
    before: list[_Run] = []
    for one in reversed(boots[: max(first, 0)]):
        before.insert(0, _run(one, None, one.seen_ns))
        if one.zero_at is not None:
            break
    between = boots[first + 1 : last] if first >= 0 else ()
    runs = [
        *before,
        _run(begun, earlier, max(earlier.boottime_ns, 0 if begun is None else begun.seen_ns)),
        *(_run(one, None, one.seen_ns) for one in between),
        _run(here, later, later.boottime_ns),
    ]
    return runs, len(before)


def _run(boot: Boot | None, seen: Instant | None, lasted_ns: int) -> _Run:
    zero_at = None if boot is None else boot.zero_at
    if seen is not None and seen.trusted:
        zero_at = seen.wall_at - _ms(seen.boottime_ns)
    if boot is not None and (boot.is_doubted if seen is None else boot.is_doubted_at(seen)):
        zero_at = None
    synced = None if boot is None or boot.synced_ns is None else _ms(boot.synced_ns)
    if seen is not None and seen.trusted:
        at_ms = _ms(seen.boottime_ns)
        synced = at_ms if synced is None else min(synced, at_ms)
    return _Run(_ms(lasted_ns), synced, zero_at)


def _ran_ms(chain: Sequence[_Run], at: int, begin_ms: int) -> int:
    return max(0, sum(one.sure_ms for one in chain[at:]) - chain[at].sure_until(begin_ms))


def _zero(chain: Sequence[_Run], at: int) -> tuple[int | None, int | None]:
    """Return the earliest and the latest wall time at which a boot of the chain can have begun."""
    if chain[at].zero_at is not None:
        return chain[at].zero_at, chain[at].zero_until
    earliest, latest, before, after = None, None, 0, 0
    for one in reversed(chain[:at]):
        before += one.sure_ms
        if one.zero_at is not None:
            earliest = one.zero_at + before
            break
    for index in range(at + 1, len(chain)):
        after += chain[index - 1].sure_ms
        until = chain[index].zero_until
        if until is not None:
            latest = until - after
            break
    return earliest, latest


def _synced(own: Boot | None, earlier: Instant, later: Instant) -> int | None:
    known = [_ms(one.boottime_ns) for one in (earlier, later) if one.trusted]
    if own is not None and own.synced_ns is not None:
        known.append(_ms(own.synced_ns))
    return min(known, default=None)


def _ms(nanoseconds: int) -> int:
    return nanoseconds // _MS
