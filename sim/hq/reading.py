"""What an arrival says: one event, read and weighed before any database is touched. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_HOLES = 100
MAX_ALSO = 100
MAX_REJECTED = 20

#: A reason's length in characters and, so that the fullest ack keeps within 8 KiB, in bytes of UTF-8.
MAX_REASON = 120
MAX_REASON_BYTES = 160

#: How far above `settled` one ack looks.
LOOK_AHEAD = 10_000

#: What stands for a lateness that cannot be told, since the box's clock is not to be trusted.
UNTRUSTED_MS = -1

#: The largest amount of one line of the books: what stays exact in 64 bits over a billion of them.
MAX_FEN = 10**9

_TYPE = re.compile(r"cn\.mall\.([a-z]+\.[a-z_]+)\.v1")

Box = tuple[str, str]


class Outcome(StrEnum):
    """What became of one arrival."""

    APPLIED = "applied"
    REPEAT = "repeat"
    PUT_ASIDE = "put aside"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message from one box; event_id, sequence, oldest and newest are the user properties, 0 when
    absent. arrived_at: Unix milliseconds at HQ, 0 when not noted.
    """

    site: str
    edge: str
    body: bytes
    event_id: str = ""
    sequence: int = 0
    oldest: int = 0
    arrived_at: int = 0
    newest: int = 0

    @property
    def box(self) -> Box:
        """Which box sent it."""
        return self.site, self.edge


@dataclass(frozen=True, slots=True)
class Word:
    """HQ's ack: all up to `through` is settled but for the holes, and so is what stands in `also`. rejected:
    (sequence, reason) of what was settled by refusing it.
    """

    through: int
    holes: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()

    def as_json(self) -> bytes:
        """Return the payload, 8 KiB at most."""
        said: dict[str, object] = {"through": self.through, "holes": list(self.holes)}
        if self.also:
            said["also"] = list(self.also)
        if self.rejected:
            said["rejected"] = [{"sequence": each, "reason": reason} for each, reason in self.rejected]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Reading:
    """One readable or unreadable event. kind: "unreadable" with the complaint, or what it tells of.
    shares: (tenant, fen) and tenders: (kind, fen) that it adds to the books. late_ms: how long it was on
    its way, None when the box's clock is not to be trusted.
    """

    event_id: str
    sequence: int
    kind: str
    subject: str = ""
    time: str = ""
    data: str = "{}"
    shares: tuple[tuple[str, int], ...] = ()
    tenders: tuple[tuple[str, int], ...] = ()
    late_ms: int | None = None
    complaint: str = ""


def read(arrival: Arrival) -> Reading:
    """Return what an arrival says; whatever is wrong with it becomes its complaint."""
    try:
        return _parse(arrival)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return aside(arrival, f"unreadable: {error!r}")


def aside(arrival: Arrival, complaint: str) -> Reading:
    """Return the reading of what is refused: it takes its sequence, so that this is no hole for ever, and
    leaves its id free, so that it may come again repaired. Without a sequence it can only be kept.
    """
    sequence = arrival.sequence
    name = f"refused:{sequence}" if sequence else ""
    text = "".join(each if each.isprintable() else "?" for each in complaint)
    clipped = text[:MAX_REASON].encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore")
    return Reading(name, sequence, "refused", complaint=clipped)


def word_of(
    settled: int, above: Sequence[int], refused: Sequence[tuple[int, str]] = (), most_holes: int = MAX_HOLES
) -> Word:
    """Return the ack. above: sequences known above `settled`, ascending. refused: (sequence, reason) that the
    box may not have heard of, ascending; with more than fit, all from the first unsaid one on waits.
    most_holes: 0 while what is missing may still be on its way through another worker.
    """
    end = refused[MAX_REJECTED][0] if len(refused) > MAX_REJECTED else 1 << 62
    through, holes, also = min(settled, end - 1), list[int](), list[int]()
    for sequence in (each for each in above if each < end):
        missing = range(through + 1, sequence)
        if also or len(holes) + len(missing) > most_holes:
            also.append(sequence)
        else:
            holes.extend(missing)
            through = max(through, sequence)
    beside = set(also[:MAX_ALSO])
    said = [(each, reason) for each, reason in refused if each < end and (each <= through or each in beside)]
    return Word(through, tuple(holes), tuple(sorted(beside)), tuple(said))


def settled_of(settled: int, above: Sequence[int]) -> int:
    """Return the sequence up to which nothing is missing."""
    for sequence in above:
        if sequence > settled + 1:
            break
        settled = max(settled, sequence)
    return settled


def _parse(arrival: Arrival) -> Reading:
    envelope = json.loads(arrival.body)
    if envelope["specversion"] != "1.0":
        raise ValueError(f"specversion {envelope['specversion']!r}")
    kind = _TYPE.fullmatch(envelope["type"])
    if kind is None:
        raise ValueError(f"type {envelope['type']!r}")
    if envelope["source"] != f"/mall/{arrival.site}/edge/{arrival.edge}":
        raise ValueError(f"source {envelope['source']!r} came on the topic of {arrival.site}/{arrival.edge}")
    data = envelope["data"]
    if not isinstance(data, dict):
        raise ValueError("data is not an object")
    sequence = int(envelope["sequence"])
    if not 0 < sequence < 10**16:
        raise ValueError(f"sequence {sequence}")
    paid = kind[1] == "order.paid"
    return Reading(
        _text(envelope["id"]),
        sequence,
        kind[1],
        _text(envelope["subject"]),
        _text(envelope["time"]),
        json.dumps(data, ensure_ascii=False),
        tuple((_text(row["tenant_id"]), _fen(row["amount_fen"])) for row in data["tenants"]) if paid else (),
        tuple((_text(row["kind"]), _fen(row["amount_fen"])) for row in data["tenders"]) if paid else (),
        _late_ms(arrival, envelope),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 <= len(value) <= 200 or not value.isprintable():
        raise ValueError(f"{value!r:.60} is not a text of 200 printable characters at most")
    return value


def _fen(value: object) -> int:
    if type(value) is not int or abs(value) > MAX_FEN:
        raise ValueError(f"{value!r:.40} is not an amount in fen")
    return value


def _late_ms(arrival: Arrival, envelope: dict[str, object]) -> int | None:
    if not arrival.arrived_at or envelope.get("clocktrusted") is not True:
        return None
    happened = datetime.fromisoformat(str(envelope["time"]))
    return max(0, arrival.arrived_at - int(happened.timestamp() * 1000))
