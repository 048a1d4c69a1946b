"""Kill a stock Mosquitto at every packet between box, broker and HQ; then count what HQ has.

Somebody buys at a kiosk for each boundary; the broker is killed there, loses all that it held, and is
started again on the same port. Once the outbox is empty, each event that the box has committed must have
had exactly one effect at HQ: sequences, orders, turnover and money agree, after each single kill.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.clocks import monotonic_s
from sim.crowd.calls import CallError, Calls, Json, Meter
from sim.goods import demo_goods
from sim.kills.books import compare_at_rest, newest, waiting
from sim.kills.broker_wire import KilledBroker
from sim.mall import Mall, MallSettings
from sim.shopper import payment_code

_RULES = "poll_ms = 200\npaid_idle_ms = 600000\nrepeat_window_ms = 100"
# HQ comes back after half a second: a box that is there before it speaks to nobody, and waits 5 s for an ack.
_HQ = "first_delay_s = 0.8\nlast_delay_s = 0.9"
_LOOK_S, _PATIENCE_S = 0.02, 30.0
_KIOSK = "/api/kiosk/K01"


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """What to kill: the broker at each `every`-th boundary from `first` on, in `most` purchases at the most.

    again: it is killed once more while box and HQ come back, at their boundaries 1 to `again` in turn, or
    always at the last of them when `only_again`; 0 lets it live.
    """

    every: int = 1
    most: int = 1000
    first: int = 1
    again: int = 0
    only_again: bool = False


@dataclass(slots=True)
class BrokerToll:
    """What it came to. kills: all of them, `twice` while box and HQ came back. events: committed by the box.

    points: what kind of packet was killed how often. took_s: of all purchases.
    """

    kills: int = 0
    twice: int = 0
    boundaries: int = 0
    purchases: int = 0
    events: int = 0
    took_s: float = 0.0
    points: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


class _Stage:
    """A mall behind a broker that can be killed, and a shopper at its kiosk."""

    def __init__(
        self, folder: Path, now_ms: Callable[[], int], digits: Callable[[int], str], kept: ExitStack
    ) -> None:
        self.broker = KilledBroker(folder)
        settings = MallSettings(folder / "mall", 0, 0, 0, rules=_RULES, hq=_HQ)
        self.mall = Mall(settings, now_ms, digits, broker=self.broker)
        self.folder = folder / "mall"
        kept.callback(self.mall.close)
        self.mall.open()
        self._kiosk = kept.enter_context(Calls(self.mall.url, Meter(), self.mall.stop))
        self._code = next(one for one in demo_goods() if not one.age_min and one.sold_by == "piece").barcodes[
            0
        ]

    def buy(self) -> None:
        """Buy something at the kiosk and leave; raises CallError."""
        self._do("type_code", {"text": self._code})
        self._see("basket")
        self._do("checkout", {})
        self._see("checkout")
        if not self.mall.scanner.scan(payment_code(self.mall.gateway.url)):
            raise CallError("scan", 0, "nobody", "nobody listens to the scanner")
        self._see("paid")
        self._do("done", {})
        self._see("attract")

    def _do(self, act: str, given: Json) -> None:
        self._kiosk.post(f"kiosk {act}", f"{_KIOSK}/{act}", given)

    def _see(self, screen: str) -> None:
        end_s = monotonic_s() + _PATIENCE_S
        while (seen := self._kiosk.get("kiosk view", f"{_KIOSK}/view")["screen"]) != screen:
            if monotonic_s() > end_s or self.mall.stop.wait(_LOOK_S):
                raise CallError("kiosk", 0, str(seen), f"waited {_PATIENCE_S:.0f} s for {screen}")


def play(plan: BrokerPlan, now_ms: Callable[[], int], digits: Callable[[int], str]) -> BrokerToll:
    """Kill as planned; raises BrokerError where Mosquitto is not installed."""
    toll = BrokerToll()
    with ExitStack() as kept:
        folder = Path(kept.enter_context(TemporaryDirectory(prefix="broker-kills-")))
        stage = _Stage(folder, now_ms, digits, kept)
        stage.buy()
        _rest(stage, toll, "before the first kill")
        begun_s = monotonic_s()
        for turn in range(plan.most):
            at = plan.first + turn * plan.every
            again = plan.again if plan.only_again or not plan.again else turn % plan.again + 1
            if stage.mall.stop.is_set() or not _one(stage, at, again, toll):
                break
            toll.boundaries = at
        toll.took_s = monotonic_s() - begun_s
        toll.events = newest(stage.folder)
    return toll


def table(toll: BrokerToll) -> list[str]:
    """Return the lines that tell a person what came of it."""
    lines = [f"{'the broker was killed at':58}{'kills':>6}"]
    lines += [f"{what:58}{count:>6}" for what, count in sorted(toll.points.items())]
    lines += [f"VIOLATION {one}" for one in toll.violations]
    each = f"{toll.took_s / toll.kills:.2f} s each" if toll.kills else "none"
    lines.append(
        f"{toll.kills} kills ({each}, {toll.twice} while box and HQ came back) at {toll.boundaries}"
        f" boundaries, {toll.purchases} purchases, {toll.events} events, {len(toll.violations)} violations"
    )
    return lines


def _one(stage: _Stage, at: int, again: int, toll: BrokerToll) -> bool:
    """Let somebody buy and kill the broker at that boundary; return whether it came to that."""
    where = f"{at}:{again}" if again else str(at)
    why = f"python -m sim kills --broker --at {where}"
    broker = stage.broker
    broker.arm(at)
    try:
        stage.buy()
    except CallError as error:
        toll.violations.append(f"the shopper: {error}; {why} ({broker.where})")
    died = _await_death(stage)
    if died:
        _start_again(stage, toll, again)
    broker.arm(0)
    _rest(stage, toll, why)
    return died


def _await_death(stage: _Stage) -> bool:
    """Wait until the broker is dead, or all is told without it; return whether it is."""
    while waiting(stage.folder) and not stage.mall.stop.is_set():
        if stage.broker.died.wait(_LOOK_S):
            return True
    # The box is told a moment before it has told the broker that it knows.
    return stage.broker.died.wait(0.1)


def _start_again(stage: _Stage, toll: BrokerToll, again: int) -> None:
    broker = stage.broker
    _count(toll, broker.where)
    broker.arm(again)
    broker.start()
    if again and _await_death(stage):
        _count(toll, broker.where)
        toll.twice += 1
        broker.start()


def _count(toll: BrokerToll, where: str) -> None:
    toll.kills += 1
    what = where.partition(" ")[2]
    toll.points[what] = toll.points.get(what, 0) + 1


def _rest(stage: _Stage, toll: BrokerToll, why: str) -> None:
    """Hold the books together once all is quiet."""
    toll.purchases += 1
    found = compare_at_rest(stage.folder, stage.mall.stop, stage.mall.gateway.books.taken_fen)
    toll.violations += [f"{one}; {why}" for one in found]
