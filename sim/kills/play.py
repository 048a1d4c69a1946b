"""Kill the real service at every boundary of some journeys, over the real broker, relay and gateway.

Each journey is walked once for each boundary: the process kills itself there, is started again as systemd
would, and the shopper goes on. In the end wallets, HQ's books and the touchpoints' chains are held together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.clocks import monotonic_s
from sim.crowd.audit import audit
from sim.crowd.calls import CallError, Calls, Dice, Meter
from sim.crowd.desk import Desk
from sim.crowd.journeys import Place
from sim.crowd.own_mall import guides_of
from sim.crowd.phone import Paid, Phone
from sim.kills.journeys import JOURNEYS, PatientCalls
from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from sim.shim import built

_RULES = "poll_ms = 200\npaid_idle_ms = 600000"
_LOOK_S = 0.02
_LONGEST_S = 120.0


@dataclass(slots=True)
class KillToll:
    """What the kills of a journey came to. starts_s: from the kill to the answering service."""

    kills: int = 0
    boundaries: int = 0
    starts_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Site:
    """A mall whose service kills itself, and is started again by whoever watches."""

    def __init__(self, mall: Mall, shim: Path, folder: Path) -> None:
        self.mall = mall
        self._shim, self._armed, self._done = shim, folder / "armed", folder / "done"

    def aim(self, at: int) -> None:
        """Start the service anew so that it dies at boundary `at` after `arm`; 0: never."""
        self.disarm()
        self.mall.kill_edge()
        self.start(at)

    def start(self, at: int) -> None:
        """Start the service."""
        told = {"LD_PRELOAD": str(self._shim), "MALL_KILL_AT": str(at)}
        told |= {"MALL_KILL_ARMED": str(self._armed), "MALL_KILL_DONE": str(self._done)}
        self.mall.start_edge(told if at else {})

    def arm(self) -> None:
        """Count from now on."""
        self._done.unlink(missing_ok=True)
        self._armed.touch()

    def disarm(self) -> None:
        """Count no more."""
        self._armed.unlink(missing_ok=True)

    @property
    def died(self) -> bool:
        """Whether the service is gone."""
        return self.mall.edge is not None and self.mall.edge.poll() is not None

    @property
    def where(self) -> str:
        """At which boundary it died."""
        return self._done.read_text().strip() if self._done.exists() else ""


def play(
    names: Sequence[str],
    every: int,
    most: int,
    now_ms: Callable[[], int],
    digits: Callable[[int], str],
    say: Callable[[str], None],
) -> int:
    """Kill at each `every`-th boundary of these journeys, `most` times each; return how many violations.

    Raises ValueError for a name that is none, shim.NoShim where the library cannot be made.
    """
    unknown = [name for name in names if name not in JOURNEYS]
    if unknown:
        raise ValueError(f"there is no journey {unknown[0]!r}; there are {', '.join(JOURNEYS)}")
    with ExitStack() as kept:
        folder = Path(kept.enter_context(TemporaryDirectory(prefix="kills-")))
        shim = built(Path(__file__).with_name("shim.c"), folder)
        mall = Mall(
            MallSettings(folder / "mall", port=0, hq_port=0, gateway_port=0, rules=_RULES), now_ms, digits
        )
        kept.callback(mall.close)
        mall.open()
        return _play_in(_Site(mall, shim, folder), names or tuple(JOURNEYS), every, most, digits, say, kept)


def _play_in(
    site: _Site,
    names: Sequence[str],
    every: int,
    most: int,
    digits: Callable[[int], str],
    say: Callable[[str], None],
    kept: ExitStack,
) -> int:
    mall, meter = site.mall, Meter()
    kiosk, office = (kept.enter_context(PatientCalls(mall.url, meter, mall.stop)) for _ in range(2))
    counters = guides_of(mall, kept, meter)
    place = Place(
        mall.public_url, kiosk, Desk(office, DEMO_PIN), DEMO_PIN, mall.stop, counters, workstation="K02"
    )
    phones: list[Phone] = []
    wrong = 0
    say(f"{'journey':16} {'boundaries':>10} {'kills':>6} {'ready again':>12} {'violations':>10}")
    for name in names:
        toll = _enumerate(site, place, name, every, most, _shoppers(mall, meter, digits, kept, phones))
        starts = sorted(toll.starts_s)
        ready = f"{starts[len(starts) // 2]:.1f} s" if starts else "-"
        say(f"{name:16} {toll.boundaries:10} {toll.kills:6} {ready:>12} {len(toll.problems):10}")
        for problem in toll.problems:
            say(f"  {problem}")
        wrong += len(toll.problems)
    found = audit(phones, mall.hq_url, mall.stop)
    say(f"{found.paid} orders paid, {found.at_hq} at HQ, {found.whole_chains} with their whole chain")
    for violation in found.violations:
        say(f"  {violation}")
    return wrong + len(found.violations)


def _shoppers(
    mall: Mall, meter: Meter, digits: Callable[[int], str], kept: ExitStack, phones: list[Phone]
) -> Callable[[], Phone]:
    def come() -> Phone:
        box = kept.enter_context(PatientCalls(mall.public_url, meter, mall.stop))
        office = kept.enter_context(Calls(mall.gateway.url, meter, mall.stop))
        phone = Phone(box, office, mall.stop, digits)
        phone.take_out("Lin")
        phones.append(phone)
        return phone

    return come


def _enumerate(
    site: _Site, place: Place, name: str, every: int, most: int, come: Callable[[], Phone]
) -> KillToll:
    """Walk the journey once for each boundary, until it ends before its boundary is reached."""
    toll, journey, at = KillToll(), JOURNEYS[name], 1
    with ThreadPoolExecutor(1) as pool:
        while toll.kills < most and not place.stop.is_set():
            site.aim(at)
            word = journey.ready(place, phone := come(), Dice(at))
            site.arm()
            walk = pool.submit(journey.go, place, phone, word)
            killed = _watch(site, walk, toll, f"{name}, boundary {at}")
            site.disarm()
            journey.end(place)
            if not killed:
                break
            toll.boundaries = at
            at += every
    return toll


def _watch(site: _Site, walk: Future[Paid], toll: KillToll, where: str) -> bool:
    """Start the service again when it has died, and wait for the shopper; return whether it died."""
    killed, begun_s = False, monotonic_s()
    while not walk.done() and monotonic_s() < begun_s + _LONGEST_S:
        if site.died and not killed:
            killed = True
            toll.kills += 1
            died_s = monotonic_s()
            site.start(0)
            toll.starts_s.append(monotonic_s() - died_s)
        threading.Event().wait(_LOOK_S)
    if site.died and not killed:
        killed = True
        toll.kills += 1
        site.start(0)
    try:
        walk.result(timeout=1.0)
    except CallError as error:
        toll.problems.append(f"{where} ({site.where}): {error}")
    except TimeoutError:
        toll.problems.append(f"{where} ({site.where}): the shopper still waits after {_LONGEST_S:.0f} s")
    return killed
