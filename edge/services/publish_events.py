"""Bring the outbox to HQ, one step at a time: take HQ's acks in, hand unacknowledged events over.

A row leaves the outbox only on HQ's own ack; the broker's acknowledgement is not delivery. What may
be lost on the way is sent again: everything unacknowledged after a new connection, a hole as soon as
HQ reports it, and the rest when no ack came for a pause that doubles. HQ drops repeats by event id.
The cursor is a value, so that a test can drive the step on one thread under a virtual clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Corrupt
from edge.services.ports import Clock, HqAck, HqLink, LinkStatus, Store
from edge.services.records import OutboxDepth, OutboxMessage, Unit

#: Events that may be on their way without HQ's ack; more than a fast HQ needs, few enough to resend.
WINDOW = 200

#: Events handed over in one step, and holes remembered; what is beyond waits for the next step.
OFFER = 100

#: The pause before unacknowledged events are sent again: it doubles from the first to the last.
FIRST_PAUSE_MS = 5_000
LAST_PAUSE_MS = 300_000

#: The longest wait between two steps; new events are looked for at least this often.
IDLE_MS = 1_000


@dataclass(frozen=True, slots=True)
class PublishCursor:
    """Where publishing stands; a new process starts with `PublishCursor()` and loses nothing by it.

    connection_ns: the `since_ns` of the connection that the rest belongs to. sent_through: the highest
    sequence handed over and not rewound. highest_sent: the highest ever handed over. holes: reported by
    HQ, still to be sent again. resent: reported holes that were. resend_ns: boot time of the next
    rewind, None when nothing waits for an ack. pause_ms: how long the present wait is; it begins with
    first_pause_ms.
    """

    connection_ns: int | None = None
    sent_through: int = 0
    highest_sent: int = 0
    holes: tuple[int, ...] = ()
    resent: tuple[int, ...] = ()
    resend_ns: int | None = None
    pause_ms: int = FIRST_PAUSE_MS
    first_pause_ms: int = FIRST_PAUSE_MS


@dataclass(frozen=True, slots=True)
class PublishStep:
    """What one step did. acked: rows that left the outbox. sent: handed over, of which `resent` again.

    unfillable: holes that HQ reported and this box no longer has, because HQ had acknowledged them
    before; a person must look at HQ's books. wait_ms: when the next step is due, unless woken earlier.
    """

    cursor: PublishCursor
    depth: OutboxDepth
    acked: int = 0
    sent: int = 0
    resent: int = 0
    unfillable: tuple[int, ...] = ()
    wait_ms: int = IDLE_MS


def publish_events(store: Store, link: HqLink, clock: Clock, cursor: PublishCursor) -> PublishStep:
    """Run one step; it waits for nothing but the store.

    Raises Corrupt when HQ acknowledged a sequence that was never written; what other acks covered has
    left the outbox by then, and the next step goes on sending with the old cursor.
    """
    now = clock.now()
    acks = link.acks()
    acked = _acknowledge(store, acks, now) if acks else 0
    cursor = _after_acks(cursor, acks, acked, now)
    status = link.status()
    if not status.connected:
        return PublishStep(cursor, store.read(_depth), acked)
    cursor = _rewound_if_due(_on_connection(cursor, status), now)
    picked = store.read(lambda unit: _pick(unit, cursor))
    taken = link.send(picked.messages) if picked.messages else 0
    return _after_send(cursor, picked, taken, acked, now)


@dataclass(frozen=True, slots=True)
class _Picked:
    """What could be handed over: holes first, then the next unsent ones up to the window."""

    depth: OutboxDepth
    messages: tuple[OutboxMessage, ...]
    filled: int
    unfillable: tuple[int, ...]
    in_flight: int


def _acknowledge(store: Store, acks: Sequence[HqAck], now: Instant) -> int:
    def work(unit: Unit) -> tuple[int, int]:
        last = unit.outbox.depth().last_sequence
        known = [ack for ack in acks if ack.through_sequence <= last]
        removed = sum(unit.outbox.acknowledge(a.through_sequence, a.holes, now.wall_at) for a in known)
        return removed, last

    removed, last = store.write(work)
    beyond = max(ack.through_sequence for ack in acks)
    if beyond > last:
        raise Corrupt(
            f"HQ acknowledged event {beyond}, but this box has written only {last}; is an old backup "
            "restored, or does another box use this edge id? Nothing was removed for it"
        )
    return removed


def _after_acks(cursor: PublishCursor, acks: Sequence[HqAck], acked: int, now: Instant) -> PublishCursor:
    for ack in acks:
        waiting = tuple(hole for hole in ack.holes if hole not in cursor.resent)[:OFFER]
        cursor = replace(
            cursor,
            sent_through=max(cursor.sent_through, ack.through_sequence),
            holes=waiting,
            resent=tuple(hole for hole in cursor.resent if hole in ack.holes),
        )
    soon_ns = _later(now, cursor.first_pause_ms)
    if acked:
        resend_ns = None if cursor.resend_ns is None else soon_ns
        return replace(cursor, pause_ms=cursor.first_pause_ms, resend_ns=resend_ns)
    if acks and cursor.resend_ns is not None:
        # HQ is alive, perhaps after a long absence: do not wait out the present pause.
        return replace(cursor, resend_ns=min(cursor.resend_ns, soon_ns))
    return cursor


def _on_connection(cursor: PublishCursor, status: LinkStatus) -> PublishCursor:
    if cursor.connection_ns == status.since_ns:
        return cursor
    first_ms = cursor.first_pause_ms
    return PublishCursor(
        status.since_ns, highest_sent=cursor.highest_sent, pause_ms=first_ms, first_pause_ms=first_ms
    )


def _rewound_if_due(cursor: PublishCursor, now: Instant) -> PublishCursor:
    if cursor.resend_ns is None or now.boottime_ns < cursor.resend_ns:
        return cursor
    pause_ms = min(cursor.pause_ms * 2, LAST_PAUSE_MS)
    return replace(
        cursor, sent_through=0, holes=(), resent=(), pause_ms=pause_ms, resend_ns=_later(now, pause_ms)
    )


def _depth(unit: Unit) -> OutboxDepth:
    return unit.outbox.depth()


def _pick(unit: Unit, cursor: PublishCursor) -> _Picked:
    depth = unit.outbox.depth()
    found = [unit.outbox.window(hole - 1, 1) for hole in cursor.holes]
    rows = [row[0] for row in found if row]
    holes = tuple(row for row in rows if row.sequence in cursor.holes)
    have = {row.sequence for row in holes}
    # Above what HQ acknowledged nothing is missing; below it only holes are left, and they count as sent.
    in_flight = depth.count - (depth.last_sequence - max(cursor.sent_through, depth.acked_through))
    room = min(WINDOW - in_flight, OFFER)
    fresh = unit.outbox.window(cursor.sent_through, room) if room > 0 else ()
    return _Picked(
        depth=depth,
        messages=holes + fresh,
        filled=len(holes),
        unfillable=tuple(hole for hole in cursor.holes if hole not in have),
        in_flight=in_flight,
    )


def _after_send(cursor: PublishCursor, picked: _Picked, taken: int, acked: int, now: Instant) -> PublishStep:
    gone = picked.messages[:taken]
    filled = tuple(message.sequence for message in gone[: picked.filled])
    fresh = gone[picked.filled :]
    waits = picked.in_flight + len(fresh) > 0
    resend_ns = cursor.resend_ns
    if not waits:
        resend_ns = None
    elif resend_ns is None:
        resend_ns = _later(now, cursor.pause_ms)
    after = replace(
        cursor,
        sent_through=fresh[-1].sequence if fresh else cursor.sent_through,
        highest_sent=max([cursor.highest_sent, *(message.sequence for message in gone)]),
        holes=tuple(message.sequence for message in picked.messages[taken : picked.filled]),
        resent=(cursor.resent + filled + picked.unfillable)[-OFFER:],
        resend_ns=resend_ns,
    )
    return PublishStep(
        cursor=after,
        depth=picked.depth,
        acked=acked,
        sent=taken,
        resent=sum(message.sequence <= cursor.highest_sent for message in gone),
        unfillable=picked.unfillable,
        wait_ms=_wait_ms(after, picked, taken, now),
    )


def _wait_ms(cursor: PublishCursor, picked: _Picked, taken: int, now: Instant) -> int:
    if taken and taken == len(picked.messages) and cursor.sent_through < picked.depth.last_sequence:
        fresh = taken - picked.filled
        if picked.in_flight + fresh < WINDOW:
            return 0
    if cursor.resend_ns is None:
        return IDLE_MS
    return max(0, min(IDLE_MS, -(-(cursor.resend_ns - now.boottime_ns) // 1_000_000)))


def _later(now: Instant, pause_ms: int) -> int:
    return now.boottime_ns + pause_ms * 1_000_000
