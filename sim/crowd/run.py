"""Lets a crowd in: who comes when and for what follows from the seed; the rest is the mall's doing."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from sim.clocks import monotonic_s
from sim.crowd.audit import Audited, audit
from sim.crowd.calls import CallError, Calls, Dice, Meter
from sim.crowd.journeys import JOURNEYS, Place
from sim.crowd.phone import Phone

#: How often each journey is chosen where all are possible.
SHARES: Mapping[str, int] = {"scan and go": 45, "ticket": 30, "kiosk": 15, "parking": 10}

#: Of a hundred phones so many are browsers, which nobody signs in.
BROWSERS = 15

#: Phones that are out at the same time, at most; each holds a thread.
AT_ONCE = 32
_SAY_S = 5.0
_NAMES = ("陈", "林", "黄", "李", "Wang", "Zhou", "Mia", "Tom")


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """shoppers over minutes; the same seed sends the same people for the same things at the same times."""

    shoppers: int
    minutes: float
    seed: int
    gateway: str
    hq_url: str


@dataclass(slots=True)
class Tally:
    """Journeys by name: how many were finished, and what ended the others."""

    finished: Counter[str] = field(default_factory=Counter)
    failed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, journey: str, why: str = "") -> None:
        """Count a journey that ended; why: what ended it early."""
        with self.lock:
            if why:
                self.failed[journey][why] += 1
            else:
                self.finished[journey] += 1

    @property
    def ended(self) -> int:
        """All journeys that ended."""
        with self.lock:
            return self.finished.total() + sum(each.total() for each in self.failed.values())


@dataclass(frozen=True, slots=True)
class CrowdReport:
    """lines: for a person. good: every journey was finished and everything holds."""

    lines: tuple[str, ...]
    good: bool


def play_crowd(
    settings: CrowdSettings,
    place: Place,
    meter: Meter,
    digits: Callable[[int], str],
    say: Callable[[str], None],
) -> CrowdReport:
    """Send the crowd, wait until all are home, and look whether everything holds.

    digits: that many random decimal digits, for keys that no other run uses.
    """
    tally, begun_s = Tally(), monotonic_s()
    dice = Dice(settings.seed)
    shares = _possible(place)
    arrivals = sorted(dice.below(1_000_000) / 1e6 * settings.minutes * 60 for _ in range(settings.shoppers))
    with ExitStack() as open_calls:
        phones: list[Phone] = []
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="crowd") as pool:
            said_s = 0.0
            for number, at_s in enumerate(arrivals):
                _wait_until(begun_s + at_s, place.stop)
                if place.stop.is_set():
                    break
                phone = _phone(settings, place, meter, digits, Dice(settings.seed, number), open_calls)
                phones.append(phone)
                pool.submit(_walk, place, phone, Dice(settings.seed, number, 1), shares, tally)
                if at_s - said_s >= _SAY_S:
                    said_s = at_s
                    say(f"crowd: {at_s:.0f} s, {number + 1} came, {tally.ended} are done")
        took_s = monotonic_s() - begun_s
        return _report(tally, meter, audit(phones, settings.hq_url, place.stop), took_s)


def _possible(place: Place) -> dict[str, int]:
    shares = dict(SHARES)
    if place.lanes is None:
        del shares["parking"]
    if not place.counters:
        del shares["ticket"]
    return shares


def _phone(
    settings: CrowdSettings,
    place: Place,
    meter: Meter,
    digits: Callable[[int], str],
    dice: Dice,
    open_calls: ExitStack,
) -> Phone:
    language = ("zh", "en")[dice.below(5) == 0]
    signs_in = dice.below(100) >= BROWSERS
    box = open_calls.enter_context(Calls(place.public_url, meter, place.stop, language))
    office = open_calls.enter_context(Calls(settings.gateway, meter, place.stop, language))
    return Phone(box, office, place.stop, digits, signs_in)


def _walk(place: Place, phone: Phone, dice: Dice, shares: Mapping[str, int], tally: Tally) -> None:
    """Walk one journey to its end; a supervisor, so that one shopper's trouble is counted and not lost."""
    name = dice.weighted(shares)
    try:
        phone.take_out(dice.one_of(_NAMES))
        JOURNEYS[name](place, phone, dice)
        tally.note(name)
    except CallError as error:
        tally.note(name, str(error))
    except Exception as error:
        tally.note(name, f"{type(error).__name__}: {error}")


def _wait_until(at_s: float, stop: threading.Event) -> None:
    stop.wait(max(0.0, at_s - monotonic_s()))


def _report(tally: Tally, meter: Meter, found: Audited, took_s: float) -> CrowdReport:
    lines = [f"{tally.ended} journeys in {took_s:.0f} s"]
    for name in JOURNEYS:
        done, lost = tally.finished[name], tally.failed[name].total()
        if done + lost:
            lines.append(f"  {name:<14}{done:>6} finished{lost:>6} not")
    lines += [f"    {count} x {why}" for each in tally.failed.values() for why, count in each.most_common(8)]
    lines += ["", *meter.lines(), ""]
    lines += [f"refused or lost: {count} x {name}" for name, count in meter.failed.most_common(12)]
    lines.append(
        f"{found.paid} orders paid, {found.at_hq} of them at HQ, {found.whole_chains} with their whole chain "
        f"({found.steps} steps); {len(found.violations)} violations"
    )
    lines += [f"  VIOLATION {one}" for one in found.violations[:20]]
    good = not found.violations and not any(each.total() for each in tally.failed.values())
    return CrowdReport(tuple(lines), good)
