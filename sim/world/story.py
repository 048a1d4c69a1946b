"""What happened in a run, for whoever must understand it: a line a moment, with its step and its time.

Told are the moments around each death and those that speak of what is wrong, or all.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sim.world.brief import short
from sim.world.moments import Moment, Reading
from sim.world.world import World

#: Moments that are told before and after each death, of a run without one its last, and about what is wrong.
BEFORE, AFTER, LAST, ABOUT = 14, 10, 24, 40

#: What names something in a violation: ids, plates, numbers of orders and refunds.
_NAMES = re.compile(
    r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|~\w+|[\u4e00-\u9fff][A-Z]\w{5,6}|[a-z]+-\d+-\d{4}"
)

#: How far a clock must have been set to be told of, ms.
_STEP_MS = 1_000


class Watched(World):
    """A world that keeps what its steps were about, and what its people, lanes and machine went through.

    times: the last step, and the true milliseconds since the beginning, after each time that time passed.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.seen: list[Moment] = []
        self.times: list[tuple[int, int]] = [(0, 0)]
        self._shown: dict[str, str] = {}
        super().__init__(*arguments, **named)
        self.steps.about = {}
        self._clock_was = self._clock()

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows."""
        screen = super().look(workstation)
        self._see("screen", workstation, _screen(screen))
        return screen

    def _die(self) -> None:
        super()._die()
        self._note_time()

    def _pass(self, *, quiet: bool) -> None:
        super()._pass(quiet=quiet)
        self._note_time()

    def _see(self, kind: str, what: str, words: str) -> None:
        if self._shown.get(what) != words:
            self._shown[what] = words
            self.seen.append(Moment(self.steps.count, kind, f"{what}: {words}"))

    def _note_time(self) -> None:
        self.times.append((self.steps.count, self.clock.passed_ms))
        (boot, wrong_ms), (was, wrong_before_ms) = self._clock(), self._clock_was
        self._clock_was = boot, wrong_ms
        wrong = f"it is {wrong_ms / 1_000:+.0f} s wrong" if abs(wrong_ms) >= _STEP_MS else "it is right"
        if boot != was:
            self._tell_machine(f"started anew; of its clock: {wrong}")
        elif abs(wrong_ms - wrong_before_ms) >= _STEP_MS:
            self._tell_machine(f"its clock was set by {(wrong_ms - wrong_before_ms) / 1_000:+.0f} s; {wrong}")
        for name, boom in self.garage.booms.items():
            cars = ", ".join(car.plate for car in self.garage.queues[name])
            self._see("lanes", name, f"boom {'up' if boom.is_up else 'down'}, {cars or 'nobody'}")

    def _tell_machine(self, words: str) -> None:
        vouched = "" if self.clock.now().trusted else ", nobody vouches for it"
        self.seen.append(Moment(self.steps.count, "machine", f"{words}{vouched}"))

    def _clock(self) -> tuple[str, int]:
        now = self.clock.now()
        return now.boot_id, now.wall_at - self.clock.true_at


def story(world: Watched, wrong: Sequence[str] = (), *, whole: bool = False) -> Iterator[str]:
    """Yield the moments around each death of a run, or its last, and those about what is `wrong`; or all."""
    found = _moments(world)
    wanted = set(range(len(found))) if whole else _wanted(found, wrong)
    yield "what happened, by the last step of each and its second (~ stands for the beginning of an id):"
    before = -1
    for at in sorted(wanted):
        if at != before + 1:
            yield f"{'...':>8}"
        yield _line(world.times, found[at])
        before = at
    if before + 1 < len(found):
        yield f"{'...':>8}"


def _moments(world: Watched) -> list[Moment]:
    reading = Reading(world.steps.about or {}, world.crash_at)
    read = (one for step, name in enumerate(world.steps.names, 1) for one in reading.take(step, name))
    return sorted([*read, *world.seen], key=lambda one: one.step)


def _wanted(found: Sequence[Moment], wrong: Sequence[str]) -> set[int]:
    """Return which moments are told: around deaths or the last, and the last that name what is wrong."""
    deaths = [at for at, one in enumerate(found) if one.kind == "DIED"]
    near = {one for at in deaths for one in range(max(0, at - BEFORE), min(len(found), at + AFTER + 1))}
    near = near or set(range(max(0, len(found) - LAST), len(found)))
    names = {short(one) for text in wrong for one in _NAMES.findall(text)}
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names)) or r"(?!)")
    about = [at for at, one in enumerate(found) if named.search(one.words)]
    return near | set(about[-ABOUT:])


def _line(times: Sequence[tuple[int, int]], moment: Moment) -> str:
    """Return a moment as a line, with what belongs to it below."""
    after_ms = times[bisect_right(times, (moment.step - 1, 1 << 62)) - 1][1]
    words = moment.words.replace("\n", f"\n{'':33}")
    return f"{moment.step:8} {after_ms / 1_000:9.1f} s  {moment.kind:9}  {words}"


def _screen(screen: Mapping[str, Any]) -> str:
    words = [str(screen["screen"])]
    if screen["order"] is not None:
        words.append(f"order {screen['order']['number']}, paid {screen['order']['paid_fen']} fen")
    if screen["notice"] is not None:
        words.append(f"notice {screen['notice'].get('code', '')}")
    return ", ".join(words)
