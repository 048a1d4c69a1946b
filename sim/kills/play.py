"""Kill the real service at every boundary of some journeys, over the real broker, relay and gateway.

Each journey is walked once for each boundary: the process kills itself there, is started again as systemd
would, and the shopper goes on. In the end wallets, the books of HQ, the box and the gateway, and the
touchpoints' chains are held together.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sim.clocks import monotonic_s
from sim.crowd.audit import audit
from sim.crowd.calls import CallError, Calls, Dice, Meter
from sim.crowd.desk import Desk
from sim.crowd.journeys import Place
from sim.crowd.own_mall import cars_of, guides_of
from sim.crowd.phone import Phone
from sim.guard import RobotGuard
from sim.kills.books import compare_at_rest
from sim.kills.journeys import JOURNEYS, PatientCalls
from sim.kills.site import KillSite
from sim.mall_config import DEMO_PIN
from sim.mall_drivers import some_plate

_LOOK_S = 0.02
_LONGEST_S = 120.0

#: How long a question of a lane waits for the guard.
_GUARD_S = 1.0

#: After how many walks a mall tells how far it is.
_TELL_EVERY = 10

#: Malls side by side, at most.
MAX_WORKERS = 16


@dataclass(frozen=True, slots=True)
class KillPlan:
    """What to kill. names: of journeys, empty for all; walked `most` times at the most.

    The service dies at each `every`-th boundary from `first` on. again: the restarted service is killed, too,
    at its boundaries 1 to `again` in turn, or always at the last of them when `only_again`; 0 lets it live.
    loads: as of KillSite. tells: each mall says on standard error how far it is.
    """

    names: tuple[str, ...] = ()
    every: int = 1
    most: int = 1000
    first: int = 1
    again: int = 0
    only_again: bool = False
    workers: int = 1
    loads: bool = True
    tells: bool = False


@dataclass(slots=True)
class KillToll:
    """What the kills of a journey came to. kills: all of them, `twice` those of a service that had just died.

    boundaries: the last of the journey that killed. starts_s: from a kill to the answering service.
    """

    kills: int = 0
    twice: int = 0
    boundaries: int = 0
    walks: int = 0
    took_s: float = 0.0
    starts_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, other: KillToll) -> None:
        """Take up what another mall's kills came to."""
        self.kills += other.kills
        self.twice += other.twice
        self.boundaries = max(self.boundaries, other.boundaries)
        self.walks += other.walks
        self.took_s += other.took_s
        self.starts_s += other.starts_s
        self.problems += other.problems


@dataclass(slots=True)
class Outcome:
    """What all came to.

    books: what does not hold in the end, with the command that shows it again where it names a shopper.
    """

    tolls: dict[str, KillToll] = field(default_factory=dict)
    paid: int = 0
    books: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """All that went wrong."""
        return [*(one for toll in self.tolls.values() for one in toll.problems), *self.books]


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return these journeys, or all; raise ValueError for a name that is none."""
    unknown = [name for name in names if name not in JOURNEYS]
    if unknown:
        raise ValueError(f"there is no journey {unknown[0]!r}; there are {', '.join(JOURNEYS)}")
    return tuple(names) or tuple(JOURNEYS)


def play(plan: KillPlan, now_ms: Callable[[], int], digits: Callable[[int], str]) -> Outcome:
    """Kill as planned, in as many malls side by side as there are workers.

    Raises ValueError for a name or a number that is none, shim.NoShim where the library cannot be made.
    """
    names = chosen(plan.names)
    if not 1 <= plan.workers <= MAX_WORKERS:
        raise ValueError(f"workers must be 1 to {MAX_WORKERS}, got {plan.workers}")
    if plan.workers == 1:
        return _in_one_mall(plan, names, 0, now_ms, digits)
    found = Outcome({name: KillToll() for name in names})
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.workers, mp_context=fresh) as pool:
        shares = [
            pool.submit(_in_one_mall, plan, names, share, now_ms, digits) for share in range(plan.workers)
        ]
        for share in shares:
            part = share.result()
            for name, toll in part.tolls.items():
                found.tolls[name].add(toll)
            found.paid += part.paid
            found.books += part.books
    return found


def table(found: Outcome) -> list[str]:
    """Return the lines that tell a person what came of it."""
    titles = ("boundaries", "kills", "twice", "s/kill", "s to ready", "violations")
    lines = [f"{'journey':12}" + "".join(f"{title:>12}" for title in titles)]
    for name, toll in found.tolls.items():
        starts = sorted(toll.starts_s)
        ready = f"{starts[len(starts) // 2]:.2f}" if starts else "-"
        each = f"{toll.took_s / toll.kills:.2f}" if toll.kills else "-"
        cells = (toll.boundaries, toll.kills, toll.twice, each, ready, len(toll.problems))
        lines.append(f"{name:12}" + "".join(f"{cell:>12}" for cell in cells))
    lines += [f"VIOLATION {one}" for one in found.violations]
    kills = sum(toll.kills for toll in found.tolls.values())
    lines.append(f"{kills} kills, {found.paid} orders paid, {len(found.violations)} violations")
    return lines


class _Stage:
    """A mall with people who try again, and who of them was hit by which kill."""

    def __init__(self, site: KillSite, digits: Callable[[int], str], kept: ExitStack, guarded: bool) -> None:
        self.site, self._digits = site, digits
        self._meter = Meter()
        mall, stop = site.mall, site.mall.stop
        kiosk, office = (kept.enter_context(PatientCalls(mall.url, self._meter, stop)) for _ in range(2))
        self.place = Place(
            mall.public_url,
            kiosk,
            Desk(office, DEMO_PIN),
            DEMO_PIN,
            stop,
            guides_of(mall, kept, self._meter),
            lanes=cars_of(mall),
            plate=lambda: some_plate(digits),
            workstation="K02",
        )
        self._wechat = kept.enter_context(Calls(mall.gateway.url, self._meter, stop))
        self.phones: list[tuple[Phone, str]] = []
        # A pulse that may have been sent is never sent again unasked: a person looks at the lane and answers.
        if guarded:
            guard = RobotGuard(mall.url, DEMO_PIN, mall.lanes.plate_at, lambda _: None, _GUARD_S)
            threading.Thread(target=guard.watch, args=(stop,), name="sim-guard", daemon=True).start()

    @contextmanager
    def shopper(self, why: str) -> Iterator[Phone]:
        """Let another shopper come, and leave."""
        mall = self.site.mall
        with PatientCalls(mall.public_url, self._meter, mall.stop) as box:
            phone = Phone(box, self._wechat, mall.stop, self._digits)
            phone.take_out("Lin")
            self.phones.append((phone, why))
            yield phone

    def blame(self, violation: str) -> str:
        """Return a violation of the books with the kill that hit whom it names."""
        named = set(re.findall(r"[\w-]+", violation))
        for phone, why in self.phones:
            if named & {phone.wallet_id, *(one.order_id for one in phone.paid)}:
                return f"{violation}; {why}"
        return violation


def _in_one_mall(
    plan: KillPlan,
    names: Sequence[str],
    share: int,
    now_ms: Callable[[], int],
    digits: Callable[[int], str],
) -> Outcome:
    found = Outcome()
    with ExitStack() as kept:
        site = kept.enter_context(KillSite(now_ms, digits, plan.loads))
        stage = _Stage(site, digits, kept, guarded="parking" in names)
        for name in names:
            found.tolls[name] = _enumerate(stage, name, plan, share)
        found.books = [stage.blame(one) for one in _close(stage)]
        found.paid = sum(len(phone.paid) for phone, _ in stage.phones)
    return found


def _close(stage: _Stage) -> list[str]:
    """Return what does not hold once all is quiet."""
    site, mall = stage.site, stage.site.mall
    shopping = audit([phone for phone, _ in stage.phones], mall.hq_url, mall.stop)
    folder = site.folder / "mall"
    books = compare_at_rest(folder, mall.stop, mall.gateway.books.taken_fen)
    logged = [f"the service's log tells of {line[:200]}" for line in site.problems_logged[:3]]
    return [*shopping.violations, *books, *logged]


def _enumerate(stage: _Stage, name: str, plan: KillPlan, share: int) -> KillToll:
    """Walk the journey once for each boundary, until it ends before its boundary is reached."""
    toll, begun_s = KillToll(), monotonic_s()
    for turn in range(share, plan.most, plan.workers):
        at = plan.first + turn * plan.every
        again = plan.again if plan.only_again or not plan.again else turn % plan.again + 1
        if stage.place.stop.is_set() or not _walk(stage, name, at, again, toll):
            break
        toll.boundaries = at
        if plan.tells and toll.walks % _TELL_EVERY == 0:
            told = f"{name}: {toll.kills} kills up to boundary {at}, {len(toll.problems)} violations"
            print(told, file=sys.stderr, flush=True)
    toll.took_s = monotonic_s() - begun_s
    return toll


def _walk(stage: _Stage, name: str, at: int, again: int, toll: KillToll) -> bool:
    """Walk the journey once with a kill at boundary `at`; return whether it came to that."""
    journey, site = JOURNEYS[name], stage.site
    where = f"{at}:{again}" if again else str(at)
    why = f"{name}, boundary {where}; python -m sim kills --journey {name!r} --at {where}"
    toll.walks += 1
    died = True
    try:
        with stage.shopper(why) as phone, ThreadPoolExecutor(1) as pool:
            word = journey.ready(stage.place, phone, Dice(at))
            site.arm(at)
            died = _watch(site, pool.submit(journey.go, stage.place, phone, word), toll, again)
            journey.end(stage.place)
        if site.is_dying():
            _start_again(site, toll, 0)
    except CallError as error:
        toll.problems.append(f"{error}; {why} ({site.where or site.last})")
        print(f"VIOLATION {toll.problems[-1]}", file=sys.stderr, flush=True)
        if site.is_dying():
            site.start()
    return died


def _watch(site: KillSite, walk: Future[None], toll: KillToll, again: int) -> bool:
    """Start the service again whenever it has died, until the shopper is done; return whether it died."""
    died, end_s = False, monotonic_s() + _LONGEST_S
    while not walk.done() and monotonic_s() < end_s:
        if site.await_death(_LOOK_S):
            _start_again(site, toll, 0 if died else again)
            died = True
    # What the service does when the shopper is done belongs to no boundary of the journey.
    if site.is_dying():
        _start_again(site, toll, 0)
        died = True
    if not walk.done():
        raise CallError("journey", 0, "late", f"the shopper still waits after {_LONGEST_S:.0f} s")
    walk.result()
    return died


def _start_again(site: KillSite, toll: KillToll, again: int) -> None:
    """Start the service that has died; it dies once more at boundary `again` of its new life, 0 for not."""
    died_s = monotonic_s()
    toll.kills += 1
    where = site.where
    if again:
        site.arm(again)
    else:
        site.disarm()
    while not site.start():
        toll.kills += 1
        toll.twice += 1
        where = site.where
        site.disarm()
    if not where:
        raise CallError("service", 0, "died", "it ended by itself, see its log")
    toll.starts_s.append(monotonic_s() - died_s)


def steps_of(at: str) -> tuple[int, int]:
    """Return boundary and second boundary, 0 for none, of N or N:M; raise ValueError for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,5})(?::([1-9]\d{0,5}))?", at, re.ASCII)
    if found is None:
        raise ValueError(
            f"--at {at!r} is no boundary; give N, or N:M for a second kill at boundary M of the restart"
        )
    return int(found[1]), int(found[2] or 0)
