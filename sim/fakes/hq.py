"""HQ and the wire to it in memory: an honest HqLink that loses, repeats and delays as scripted.

One thread, no time of its own; for the deterministic world and the contract suite. Bodies are kept as
they came; an event counts once by its id, as at the real HQ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TypeVar

from edge.services.outbox_records import OutboxMessage
from edge.services.ports import Clock, HqAck, LinkStatus, Rejection

T = TypeVar("T")

#: Holes in one ack at most, as on the real wire.
MAX_HOLES = 100

#: Acks kept until they are taken; they are cumulative, so the oldest may go.
MAX_ACKS = 256


class Fate(StrEnum):
    """What the wire does to one message or ack; DELAY lets the next one overtake it."""

    DELIVER = "deliver"
    LOSE = "lose"
    REPEAT = "repeat"
    DELAY = "delay"


class FakeHq:
    """Implements ports.HqLink, with HQ at its far end.

    applied: events that took effect, in that order. repeats: how many more came. away: HQ hears
    nothing. mute: HQ applies and does not ack. refuses: says why an event is not applied, "" to apply it.
    rejected: sequences that were refused, with the reason. lost: how many it has given up, because the box
    said that it has them no longer.
    """

    def __init__(
        self,
        clock: Clock,
        window: int = 20,
        fates: Iterable[Fate] = (),
        ack_fates: Iterable[Fate] = (),
        *,
        connected: bool = True,
    ) -> None:
        """fates, ack_fates: one for each message and ack, DELIVER once they are used up."""
        self.applied: list[OutboxMessage] = []
        self.repeats = 0
        self.rejected: dict[int, str] = {}
        self.refuses: Callable[[OutboxMessage], str] = lambda message: ""
        self.lost = 0
        self.away = False
        self.mute = False
        self._oldest = 1
        self._clock = clock
        self._window = window
        self._fates = iter(fates)
        self._ack_fates = iter(ack_fates)
        self._ids: set[str] = set()
        self._sequences: set[int] = set()
        self._wire: deque[OutboxMessage] = deque()
        self._acks: deque[HqAck] = deque(maxlen=MAX_ACKS)
        self._connected = connected
        self._since_ns = clock.now().boottime_ns

    def send(self, messages: Sequence[OutboxMessage], oldest: int, newest: int = 0) -> int:
        """Take what the window has room for onto the wire; it moves on with `deliver` or `acks`."""
        if not self._connected:
            return 0
        self._oldest = max(self._oldest, oldest)
        batch = messages[: max(0, self._window - len(self._wire))]
        self._wire.extend(batch)
        return len(batch)

    def acks(self) -> tuple[HqAck, ...]:
        """Deliver what is on the wire, then return the acks that came since the last call."""
        self.deliver()
        found = tuple(self._acks)
        self._acks.clear()
        return found

    def status(self) -> LinkStatus:
        """Return whether the wire is up."""
        return LinkStatus(self._connected, "connected" if self._connected else "unplugged", self._since_ns)

    def deliver(self) -> int:
        """Bring the wire's messages to HQ, each to its fate; return how many HQ heard."""
        arrived = list(_through(self._wire, self._fates))
        self._wire.clear()
        if self.away or not arrived:
            return 0
        for message in arrived:
            self._apply(message)
        if not self.mute:
            self._acks.extend(_through([self.word()], self._ack_fates))
        return len(arrived)

    def disconnect(self) -> None:
        """Cut the wire: what is on it is lost, in both directions."""
        self._wire.clear()
        self._acks.clear()
        self._change(connected=False)

    def connect(self) -> None:
        """Plug in again; a new connection even when the old one was never seen to end."""
        self._wire.clear()
        self._change(connected=True)

    def say(self, ack: HqAck) -> None:
        """Have HQ say this, whatever it knows; for a mistaken HQ and for contract tests."""
        if self._connected:
            self._acks.append(ack)

    def word(self) -> HqAck:
        """Return what HQ would acknowledge now."""
        last = max(self._sequences, default=0)
        holes = [sequence for sequence in range(1, last) if sequence not in self._sequences]
        if len(holes) > MAX_HOLES:
            last, holes = holes[MAX_HOLES] - 1, holes[:MAX_HOLES]
        # A hole is always below `through`.
        while holes and holes[-1] >= last:
            last, holes = last - 1, holes[:-1]
        also = tuple(sequence for sequence in sorted(self._sequences) if sequence > last)[:MAX_HOLES]
        held = [one for one in sorted(self.rejected.items()) if one[0] >= self._oldest]
        rejected = tuple(Rejection(*one) for one in held if one[0] <= last or one[0] in also)
        return HqAck(last, tuple(holes), also, rejected)

    def _apply(self, message: OutboxMessage) -> None:
        given_up = {one for one in range(1, self._oldest) if one not in self._sequences}
        self.lost += len(given_up)
        self._sequences |= {message.sequence, *given_up}
        if message.event_id in self._ids:
            self.repeats += 1
            return
        reason = self.refuses(message)
        if reason:
            self.rejected[message.sequence] = reason
            return
        self._ids.add(message.event_id)
        self.applied.append(message)

    def _change(self, *, connected: bool) -> None:
        self._connected = connected
        self._since_ns = max(self._since_ns + 1, self._clock.now().boottime_ns)


def _through(items: Iterable[T], fates: Iterator[Fate]) -> Iterator[T]:
    delayed: list[T] = []
    for item in items:
        fate = next(fates, Fate.DELIVER)
        if fate is Fate.DELAY:
            delayed.append(item)
            continue
        if fate is not Fate.LOSE:
            yield item
        if fate is Fate.REPEAT:
            yield item
        yield from delayed
        delayed.clear()
    yield from delayed
