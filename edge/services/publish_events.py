"""Bring the outbox to HQ, one step at a time: take HQ's acks in, hand unacknowledged events over.

A row leaves the outbox only on HQ's own ack; the broker's acknowledgement is not delivery. What may
be lost on the way is sent again: everything unacknowledged after a new connection, a hole as soon as
HQ reports it, and the rest when no ack came for a pause that doubles. HQ drops repeats by event id.

There are two lanes. Urgent events go first, however many others wait; within a lane the oldest goes
first. An event that was overtaken is a hole for HQ, but not a lost one: it is lost only when HQ has
got something that was sent behind it.
The cursor is a value, so that a test can drive the step on one thread under a virtual clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Corrupt
from edge.services.outbox_records import OutboxDepth, OutboxMessage
from edge.services.ports import Clock, HqAck, HqLink, LinkStatus, Store
from edge.services.records import Unit

#: Ordinary events that may be on their way without HQ's ack: two batches, so that HQ never waits for one; few
#: enough to resend.
WINDOW = 400

#: Urgent events that may be on their way beside them.
URGENT_WINDOW = 50

#: Events handed over in one step, and holes remembered; what is beyond waits for the next step.
OFFER = 100

#: Urgent events remembered as sent ahead; one forgotten costs a repeat.
MAX_AHEAD = 1_000

#: The pause before unacknowledged events are sent again: it doubles from the first to the last.
FIRST_PAUSE_MS = 5_000
LAST_PAUSE_MS = 300_000

#: The longest wait between two steps; new events are looked for at least this often.
IDLE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane's place. through: the highest sequence handed over and not rewound; highest: the highest
    ever. resend_ns: boot time of the next rewind, None when nothing waits for an ack. pause_ms: how long
    the present wait is.
    """

    through: int = 0
    highest: int = 0
    resend_ns: int | None = None
    pause_ms: int = FIRST_PAUSE_MS


@dataclass(frozen=True, slots=True)
class PublishCursor:
    """Where publishing stands; a new process starts with `PublishCursor()` and loses nothing by it.

    connection_ns: the `since_ns` of the connection that the rest belongs to. ahead: urgent sequences sent
    on it that may have overtaken ordinary ones. holes: lost, still to be sent again. resent: reported
    holes that were. first_pause_ms: what the pauses begin with.
    """

    connection_ns: int | None = None
    ordinary: Lane = Lane()
    urgent: Lane = Lane()
    ahead: tuple[int, ...] = ()
    holes: tuple[int, ...] = ()
    resent: tuple[int, ...] = ()
    first_pause_ms: int = FIRST_PAUSE_MS

    @classmethod
    def starting(cls, first_pause_ms: int) -> PublishCursor:
        """Return the cursor of a new process whose pauses begin with so much."""
        lane = Lane(pause_ms=first_pause_ms)
        return cls(ordinary=lane, urgent=lane, first_pause_ms=first_pause_ms)


@dataclass(frozen=True, slots=True)
class PublishStep:
    """What one step did. acked: rows that left the outbox. sent: handed over, of which `resent` again.

    rejected: how many of those that left are dead letters now. unfillable: holes that HQ reported and this
    box no longer has, because HQ had acknowledged them before; a person must look at HQ's books. wait_ms:
    when the next step is due, unless woken earlier.
    """

    cursor: PublishCursor
    depth: OutboxDepth
    acked: int = 0
    sent: int = 0
    resent: int = 0
    rejected: int = 0
    unfillable: tuple[int, ...] = ()
    wait_ms: int = IDLE_MS


def publish_events(store: Store, link: HqLink, clock: Clock, cursor: PublishCursor) -> PublishStep:
    """Run one step; it waits for nothing but the store.

    Raises Corrupt when HQ acknowledged a sequence that was never written; what other acks covered has
    left the outbox by then, and the next step goes on sending with the old cursor.
    """
    now = clock.now()
    acks = link.acks()
    acked, rejected = _acknowledge(store, acks, now) if acks else (0, 0)
    cursor = _after_acks(cursor, acks, acked, now)
    status = link.status()
    if not status.connected:
        return PublishStep(cursor, store.read(_depth), acked, rejected=rejected)
    cursor = _rewound_if_due(_on_connection(cursor, status), now)
    picked = store.read(lambda unit: _pick(unit, cursor))
    taken = 0
    if picked.messages:
        taken = link.send(picked.messages, picked.depth.oldest_sequence or 1, picked.depth.last_sequence)
    return replace(_after_send(cursor, picked, taken, now), acked=acked, rejected=rejected)


@dataclass(frozen=True, slots=True)
class _Picked:
    """What could be handed over: `filled` holes, then urgent ones, then ordinary ones, each up to a window.

    in_flight, urgent_in_flight: what waits for HQ's ack, by lane.
    """

    depth: OutboxDepth
    messages: tuple[OutboxMessage, ...]
    filled: int
    unfillable: tuple[int, ...]
    in_flight: int
    urgent_in_flight: int


def _acknowledge(store: Store, acks: Sequence[HqAck], now: Instant) -> tuple[int, int]:
    def work(unit: Unit) -> tuple[int, int, int]:
        last = unit.outbox.depth().last_sequence
        known = [ack for ack in acks if ack.newest <= last]
        aside = sum(
            unit.outbox.set_aside(one.sequence, one.reason, now.wall_at)
            for ack in known
            for one in ack.rejected
        )
        removed = sum(
            unit.outbox.acknowledge(ack.through_sequence, ack.holes, now.wall_at, ack.also) for ack in known
        )
        return removed + aside, aside, last

    removed, aside, last = store.write(work)
    beyond = max(ack.newest for ack in acks)
    if beyond > last:
        raise Corrupt(
            f"HQ acknowledged event {beyond}, but this box has written only {last}; is an old backup "
            "restored, or does another box use this edge id? Nothing was removed for it"
        )
    return removed, aside


def _after_acks(cursor: PublishCursor, acks: Sequence[HqAck], acked: int, now: Instant) -> PublishCursor:
    for ack in acks:
        cursor = _after_ack(cursor, ack)
    soon_ns = _later(now, cursor.first_pause_ms)
    if acked:
        # The urgent lane's wait goes on: progress of the ordinary one says nothing of it.
        return replace(cursor, ordinary=_progressing(cursor.ordinary, soon_ns, cursor.first_pause_ms))
    if acks:
        # HQ is alive, perhaps after a long absence: do not wait out the present pause.
        return replace(cursor, ordinary=_soon(cursor.ordinary, soon_ns), urgent=_soon(cursor.urgent, soon_ns))
    return cursor


def _after_ack(cursor: PublishCursor, ack: HqAck) -> PublishCursor:
    """Take note of what is lost: holes below the newest event that did not overtake others."""
    ahead, missing = set(cursor.ahead), set(ack.holes)
    reached = ack.through_sequence
    while reached in ahead or reached in missing:
        reached -= 1
    lost = [hole for hole in ack.holes if hole < reached or hole in ahead]
    return replace(
        cursor,
        ordinary=replace(cursor.ordinary, through=max(cursor.ordinary.through, reached)),
        urgent=replace(cursor.urgent, through=max(cursor.urgent.through, reached)),
        ahead=tuple(sequence for sequence in cursor.ahead if sequence > reached or sequence in missing),
        holes=tuple(hole for hole in lost if hole not in cursor.resent)[:OFFER],
        resent=tuple(hole for hole in cursor.resent if hole in missing),
    )


def _progressing(lane: Lane, soon_ns: int, first_pause_ms: int) -> Lane:
    resend_ns = None if lane.resend_ns is None else soon_ns
    return replace(lane, pause_ms=first_pause_ms, resend_ns=resend_ns)


def _soon(lane: Lane, soon_ns: int) -> Lane:
    return lane if lane.resend_ns is None else replace(lane, resend_ns=min(lane.resend_ns, soon_ns))


def _on_connection(cursor: PublishCursor, status: LinkStatus) -> PublishCursor:
    if cursor.connection_ns == status.since_ns:
        return cursor
    first_ms = cursor.first_pause_ms
    return PublishCursor(
        status.since_ns,
        ordinary=Lane(highest=cursor.ordinary.highest, pause_ms=first_ms),
        urgent=Lane(highest=cursor.urgent.highest, pause_ms=first_ms),
        first_pause_ms=first_ms,
    )


def _rewound_if_due(cursor: PublishCursor, now: Instant) -> PublishCursor:
    ordinary, urgent = (_rewound(lane, now) for lane in (cursor.ordinary, cursor.urgent))
    if ordinary is cursor.ordinary:
        return replace(cursor, urgent=urgent)
    return replace(cursor, ordinary=ordinary, urgent=urgent, ahead=(), holes=(), resent=())


def _rewound(lane: Lane, now: Instant) -> Lane:
    if lane.resend_ns is None or now.boottime_ns < lane.resend_ns:
        return lane
    pause_ms = min(lane.pause_ms * 2, LAST_PAUSE_MS)
    return replace(lane, through=0, pause_ms=pause_ms, resend_ns=_later(now, pause_ms))


def _depth(unit: Unit) -> OutboxDepth:
    return unit.outbox.depth()


def _pick(unit: Unit, cursor: PublishCursor) -> _Picked:
    outbox = unit.outbox
    found = [outbox.window(hole - 1, 1) for hole in cursor.holes]
    holes = tuple(row[0] for row in found if row and row[0].sequence in cursor.holes)
    in_flight = outbox.count_through(cursor.ordinary.through, 2 * WINDOW, urgent=False)
    urgent_in_flight = outbox.count_through(cursor.urgent.through, 2 * WINDOW, urgent=True)
    urgent_room = URGENT_WINDOW - urgent_in_flight
    urgent = outbox.window(cursor.urgent.through, urgent_room, urgent=True) if urgent_room > 0 else ()
    room = min(WINDOW - in_flight, OFFER - len(urgent))
    ordinary = outbox.window(cursor.ordinary.through, room, urgent=False) if room > 0 else ()
    return _Picked(
        depth=outbox.depth(),
        messages=holes + urgent + ordinary,
        filled=len(holes),
        unfillable=tuple(sorted(set(cursor.holes) - {row.sequence for row in holes})),
        in_flight=in_flight,
        urgent_in_flight=urgent_in_flight,
    )


def _after_send(cursor: PublishCursor, picked: _Picked, taken: int, now: Instant) -> PublishStep:
    filled = [message.sequence for message in picked.messages[: min(taken, picked.filled)]]
    fresh = picked.messages[picked.filled : max(taken, picked.filled)]
    urgent = [message.sequence for message in fresh if message.urgent]
    ordinary = [message.sequence for message in fresh if not message.urgent]
    after = replace(
        cursor,
        ordinary=_advanced(cursor, cursor.ordinary, ordinary, picked.in_flight, now),
        urgent=_advanced(cursor, cursor.urgent, urgent, picked.urgent_in_flight, now),
        ahead=tuple(dict.fromkeys((*cursor.ahead, *urgent)))[-MAX_AHEAD:],
        holes=tuple(message.sequence for message in picked.messages[taken : picked.filled]),
        resent=(cursor.resent + tuple(filled) + picked.unfillable)[-OFFER:],
    )
    again = sum(sequence <= cursor.urgent.highest for sequence in urgent)
    again += sum(sequence <= cursor.ordinary.highest for sequence in ordinary)
    return PublishStep(
        cursor=after,
        depth=picked.depth,
        sent=taken,
        resent=again + len(filled),
        unfillable=picked.unfillable,
        wait_ms=_wait_ms(after, picked, taken, now),
    )


def _advanced(cursor: PublishCursor, lane: Lane, sent: Sequence[int], in_flight: int, now: Instant) -> Lane:
    if sent:
        lane = replace(lane, through=sent[-1], highest=max(lane.highest, sent[-1]))
    if in_flight + len(sent) == 0:
        return replace(lane, resend_ns=None, pause_ms=cursor.first_pause_ms)
    if lane.resend_ns is None:
        return replace(lane, resend_ns=_later(now, lane.pause_ms))
    return lane


def _wait_ms(cursor: PublishCursor, picked: _Picked, taken: int, now: Instant) -> int:
    all_taken = 0 < taken == len(picked.messages)
    if all_taken and cursor.ordinary.through < picked.depth.last_sequence:
        fresh = sum(not message.urgent for message in picked.messages[picked.filled :])
        if picked.in_flight + fresh < WINDOW:
            return 0
    due_ns = [lane.resend_ns for lane in (cursor.ordinary, cursor.urgent) if lane.resend_ns is not None]
    if not due_ns:
        return IDLE_MS
    return max(0, min(IDLE_MS, -(-(min(due_ns) - now.boottime_ns) // 1_000_000)))


def _later(now: Instant, pause_ms: int) -> int:
    return now.boottime_ns + pause_ms * 1_000_000
