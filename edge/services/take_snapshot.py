"""Take snapshots from HQ: hear of them, fetch what is missing, check it, and put it in force when it is time.

All that was fetched is in the store, so that a cut or a restart goes on with the missing chunks. What is
kept between steps (`FetchCursor`) only says what was asked for; losing it costs asking again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from edge.clock import iso
from edge.errors import Invalid
from edge.services.events import EventKind, Origin, record_event, snapshot_applied, snapshot_refused
from edge.services.ports import Clock, IdSource, Store
from edge.services.records import Unit
from edge.services.snapshot_content import StoredContent, rebuild
from edge.services.snapshot_kind import SnapshotKind
from edge.services.snapshot_manifest import NAME, Form, Manifest, decode_manifest
from edge.services.snapshot_records import SnapshotRefusal, SnapshotRow, SnapshotState

#: Chunks asked for and not here yet, and messages that one step takes.
WINDOW = 16
MAX_HEARD = 32

#: When what was asked for and has not come is asked for again, in milliseconds: first, then doubled up to.
AGAIN_MS = 5_000
LAST_AGAIN_MS = 60_000

#: Wrong chunks before a snapshot is refused, and names of unknown snapshots that are remembered.
MAX_BAD = 20
MAX_UNKNOWN = 32

#: Chunks that are kept or let go of in one unit of work, so that no till waits for megabytes, and units of
#: letting go in one step.
UNIT_CHUNKS = 4
PURGE_UNITS = 16

#: The longest pause of the worker, in milliseconds: moments that a snapshot waits for are seen by then.
IDLE_MS = 1_000

#: What HQ is asked for when a delta cannot be used.
SEND_FULL = "send the full form"


class RefusalReason(StrEnum):
    """Why a snapshot was not taken."""

    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    TOO_LARGE = "too_large"
    OLDER = "older"
    WRONG_HASH = "wrong_hash"
    BASE = "base"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of HQ about snapshot `name`: its manifest, or chunk `number` of `version`."""

    name: str
    payload: bytes
    version: int = 0
    number: int = -1


class SnapshotWire(Protocol):
    """The wire to HQ as far as snapshots go. No call blocks."""

    def take(self, limit: int) -> Sequence[Heard]:
        """Return what is there, `limit` at most: manifests, then chunks, oldest first.

        A chunk is handed out once; a manifest, of which HQ's broker tells once, until it is `noted`.
        """

    def noted(self, manifest: Heard) -> None:
        """Say that a manifest is on record; a newer one that came meanwhile stays."""

    def ask(self, name: str, version: int, numbers: Sequence[int]) -> bool:
        """Ask for chunks; return whether that could be said. The answer may be lost."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where snapshots go. kinds: by name, what this box takes. One caller at a time puts one in force."""

    store: Store
    clock: Clock
    ids: IdSource
    origin: Origin
    kinds: Mapping[str, SnapshotKind]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What was asked for of one version.

    tries: time-outs in a row. bad: wrong chunks. checked: the whole is here and right.
    """

    version: int
    asked: frozenset[int] = frozenset()
    asked_ns: int = 0
    tries: int = 0
    bad: int = 0
    checked: bool = False


@dataclass(frozen=True, slots=True)
class FetchCursor:
    """Kept between steps, by name."""

    fetches: Mapping[str, Fetch] = field(default_factory=dict)

    def of(self, row: SnapshotRow) -> Fetch:
        """Return what was asked for of a snapshot that is coming."""
        known = self.fetches.get(row.name)
        return known if known is not None and known.version == row.version else Fetch(row.version)


@dataclass(frozen=True, slots=True)
class SnapshotStep:
    """What one step did. news: lines for the log. wait_ms: until the next, unless something comes."""

    cursor: FetchCursor
    wait_ms: int
    news: tuple[str, ...] = ()


def take_snapshots(shelf: Shelf, wire: SnapshotWire, cursor: FetchCursor, room: bool = True) -> SnapshotStep:
    """Take what came from HQ and do the next thing for every snapshot that is on its way.

    room: whether the disk has room; without it nothing is fetched and nothing put in force. Raises
    Unavailable when the store fails: what was not kept is asked for again.
    """
    heard = wire.take(MAX_HEARD)
    news = [_note(shelf, wire, one) for one in heard if one.number < 0]
    fetches: dict[str, Fetch] = {}
    for row in _coming(shelf):
        mine = [one for one in heard if one.name == row.name and one.version == row.version]
        fetch, word = _advance(shelf, wire, row, _keep(shelf, row, cursor.of(row), mine, room), room)
        fetches[row.name] = fetch
        news.append(word)
    more = len(heard) == MAX_HEARD or _purge(shelf)
    wait_ms = 0 if more else IDLE_MS
    return SnapshotStep(FetchCursor(fetches), wait_ms, tuple(word for word in news if word))


def return_snapshot(shelf: Shelf, name: str) -> str:
    """Put the previous version of a snapshot in force again; return a line that says so.

    Doing it again takes the step back. HQ's present version is not taken again by itself, only a newer one.
    Raises Invalid when there is no previous version.
    """
    row = shelf.store.read(lambda unit: unit.snapshots.get(name, SnapshotState.PREVIOUS))
    kind = shelf.kinds.get(name)
    if row is None or kind is None:
        known = ", ".join(sorted(shelf.kinds))
        raise Invalid(f"snapshot {name!r:.60} has no previous version; there are snapshots of {known}")
    content = StoredContent(shelf.store, row)
    content.check()

    def done(unit: Unit) -> None:
        active = unit.snapshots.get(name, SnapshotState.ACTIVE)
        unit.snapshots.swap(name, shelf.clock.now().wall_at)
        _tell_applied(shelf, unit, content.manifest, active, returned=True)

    detail = kind.apply(shelf.store, shelf.clock, content, done, returned=True)
    return f"{name} is back at version {row.version}: {detail}"


def describe_snapshots(unit: Unit) -> tuple[str, ...]:
    """Return one line for each snapshot that is here, and for each name's last refusal."""
    lines = []
    for row in unit.snapshots.all():
        manifest = decode_manifest(row.name, row.manifest)
        line = f"{row.name}  version {row.version}  {row.state.value} since {iso(row.changed_at)}"
        if row.state is SnapshotState.COMING:
            have = sum(number < len(manifest.chunks) for number in unit.snapshots.have(row.name, row.version))
            line += f"  {have} of {len(manifest.chunks)} chunks, valid from {iso(manifest.valid_from)}"
        form = "" if manifest.base is None else f"  delta from {manifest.base}"
        lines.append(f"{line}  {manifest.size} bytes{form}")
    for refusal in unit.snapshots.refusals():
        version = refusal.version or "?"
        lines.append(
            f"{refusal.name}  version {version}  refused {iso(refusal.refused_at)}: {refusal.detail}"
        )
    return tuple(lines)


def snapshot_figures(unit: Unit) -> dict[str, float]:
    """Return the version in force and the chunks still missing, by name, for the metrics."""
    figures: dict[str, float] = {}
    for row in unit.snapshots.all():
        name = row.name.replace("-", "_")
        if row.state is SnapshotState.ACTIVE:
            figures[f"snapshot_{name}_version"] = row.version
        if row.state is SnapshotState.COMING:
            chunks = range(len(decode_manifest(row.name, row.manifest).chunks))
            missing = set(chunks) - unit.snapshots.have(row.name, row.version)
            figures[f"snapshot_{name}_missing"] = len(missing)
    return figures


def _note(shelf: Shelf, wire: SnapshotWire, manifest: Heard) -> str:
    """Take a manifest, and let go of it when that is on record; say what is new."""
    word = _hear(shelf, manifest)
    wire.noted(manifest)
    return word


def _hear(shelf: Shelf, heard: Heard) -> str:
    """Take a manifest: note what is coming, or why not; say what is new."""
    name = heard.name
    if NAME.fullmatch(name) is None:
        return f"a snapshot with an impossible name was ignored: {name!r:.60}"
    if not heard.payload:
        # HQ has cleared its word: what was on its way is not wanted any more.
        shelf.store.write(lambda unit: unit.snapshots.drop(name, SnapshotState.COMING))
        return ""
    if shelf.store.read(lambda unit: _is_known(unit, name, heard.payload)):
        return ""
    return shelf.store.write(lambda unit: _judge(shelf, unit, heard))


def _is_known(unit: Unit, name: str, payload: bytes) -> bool:
    refusal = unit.snapshots.refusal(name)
    if refusal is not None and refusal.digest == _digest(payload):
        # A delta may come again once its base is in force.
        return refusal.reason != RefusalReason.BASE or _base_is_missing(unit, name, payload)
    return any(row.name == name and row.manifest == payload for row in unit.snapshots.all())


def _base_is_missing(unit: Unit, name: str, payload: bytes) -> bool:
    active = unit.snapshots.get(name, SnapshotState.ACTIVE)
    return active is None or decode_manifest(name, payload).base != active.version


def _judge(shelf: Shelf, unit: Unit, heard: Heard) -> str:
    """Begin what a new manifest tells of, or refuse it."""
    name, kind = heard.name, shelf.kinds.get(heard.name)
    if kind is None:
        if len(unit.snapshots.refusals()) >= MAX_UNKNOWN:
            return f"snapshot {name} was ignored: this box knows no such kind"
        detail = f"this box takes snapshots of {', '.join(sorted(shelf.kinds))}"
        return _refuse(shelf, unit, heard.payload, name, 0, RefusalReason.UNKNOWN, detail)
    try:
        manifest = decode_manifest(name, heard.payload)
    except Invalid as error:
        return _refuse(shelf, unit, heard.payload, name, 0, RefusalReason.UNREADABLE, str(error))
    reason, detail = _objection(unit, kind, manifest)
    if reason is not None:
        return _refuse(shelf, unit, heard.payload, name, manifest.version, reason, detail)
    at = shelf.clock.now().wall_at
    unit.snapshots.begin(SnapshotRow(name, manifest.version, SnapshotState.COMING, heard.payload, at))
    return f"snapshot {name} version {manifest.version} is coming in {len(manifest.chunks)} chunks"


def _objection(unit: Unit, kind: SnapshotKind, manifest: Manifest) -> tuple[RefusalReason | None, str]:
    if manifest.size > kind.max_bytes:
        detail = f"its content has {manifest.size} bytes, {kind.max_bytes} at most; split it"
        return RefusalReason.TOO_LARGE, detail
    newest = max((row.version for row in unit.snapshots.all() if row.name == manifest.name), default=0)
    if manifest.version <= newest:
        detail = f"this box has seen version {newest}; a version above that is needed, also to go back"
        return RefusalReason.OLDER, detail
    active = unit.snapshots.get(manifest.name, SnapshotState.ACTIVE)
    if manifest.base is not None and (active is None or active.version != manifest.base):
        has = "none" if active is None else f"version {active.version}"
        return (
            RefusalReason.BASE,
            f"the delta starts from version {manifest.base}, in force is {has}; {SEND_FULL}",
        )
    return None, ""


def _keep(shelf: Shelf, row: SnapshotRow, fetch: Fetch, heard: Sequence[Heard], room: bool) -> Fetch:
    """Keep the chunks that are right; count the wrong ones."""
    if not heard or not room:
        return fetch
    manifest = decode_manifest(row.name, row.manifest)
    right = {one.number: one.payload for one in heard if manifest.fits(one.number, one.payload)}
    for at in range(0, len(right), UNIT_CHUNKS):
        _put(shelf, row, dict(list(right.items())[at : at + UNIT_CHUNKS]))
    bad = fetch.bad + sum(not manifest.fits(one.number, one.payload) for one in heard)
    asked = fetch.asked - {one.number for one in heard}
    now_ns = shelf.clock.now().boottime_ns
    return replace(fetch, asked=asked, bad=bad, tries=0 if right else fetch.tries, asked_ns=now_ns)


def _put(shelf: Shelf, row: SnapshotRow, chunks: Mapping[int, bytes]) -> None:
    shelf.store.write(lambda unit: unit.snapshots.put_chunks(row.name, row.version, chunks))


def _advance(
    shelf: Shelf, wire: SnapshotWire, row: SnapshotRow, fetch: Fetch, room: bool
) -> tuple[Fetch, str]:
    """Ask for more, or check and put in force what is whole; say what is new."""
    if not room:
        return fetch, ""
    manifest = decode_manifest(row.name, row.manifest)
    if fetch.bad >= MAX_BAD:
        detail = f"{fetch.bad} chunks came with a hash that the manifest does not say"
        return fetch, _give_up(shelf, row, RefusalReason.WRONG_HASH, detail)
    have = shelf.store.read(lambda unit: unit.snapshots.have(row.name, row.version))
    missing = [number for number in range(len(manifest.chunks)) if number not in have]
    if missing:
        return _ask(shelf, wire, row, fetch, missing), ""
    due = manifest.valid_from <= shelf.clock.now().wall_at
    if fetch.checked and not due:
        return fetch, ""
    return _finish(shelf, row, fetch, due)


def _ask(shelf: Shelf, wire: SnapshotWire, row: SnapshotRow, fetch: Fetch, missing: Sequence[int]) -> Fetch:
    now_ns = shelf.clock.now().boottime_ns
    again_ms = min(AGAIN_MS * 2 ** min(fetch.tries, 8), LAST_AGAIN_MS)
    asked = fetch.asked
    if asked and now_ns - fetch.asked_ns >= again_ms * 1_000_000:
        asked, fetch = frozenset(), replace(fetch, tries=fetch.tries + 1)
    if len(asked) > WINDOW // 2:
        return fetch
    wanted = [number for number in missing if number not in asked][: WINDOW - len(asked)]
    if not wanted or not wire.ask(row.name, row.version, wanted):
        return replace(fetch, asked=asked)
    return replace(fetch, asked=asked | set(wanted), asked_ns=now_ns)


def _finish(shelf: Shelf, row: SnapshotRow, fetch: Fetch, due: bool) -> tuple[Fetch, str]:
    """Make the content whole, check it, and put it in force when it is due."""
    try:
        content = _whole(shelf, row)
    except _NoBaseError as error:
        return fetch, _give_up(shelf, row, RefusalReason.BASE, str(error))
    except Invalid as error:
        ask = f"; {SEND_FULL}" if decode_manifest(row.name, row.manifest).base else ""
        return fetch, _give_up(shelf, row, RefusalReason.WRONG_HASH, f"{error}{ask}")
    if not due:
        at = iso(content.manifest.valid_from)
        word = f"snapshot {row.name} version {row.version} is whole and waits for {at}"
        return replace(fetch, checked=True), word
    try:
        return fetch, _apply(shelf, content)
    except Invalid as error:
        return fetch, _give_up(shelf, row, RefusalReason.CONTENT, str(error))


class _NoBaseError(Exception):
    """The base of a delta has gone since the delta was announced."""


def _whole(shelf: Shelf, row: SnapshotRow) -> StoredContent:
    content = StoredContent(shelf.store, row)
    if content.manifest.form is Form.DELTA and not row.rebuilt:
        base = content.manifest.base
        rows = shelf.store.read(lambda unit: unit.snapshots.all())
        found = next((one for one in rows if one.name == row.name and one.version == base), None)
        if found is None:
            raise _NoBaseError(
                f"version {base}, which the delta starts from, is not here any more; {SEND_FULL}"
            )
        rebuild(shelf.store, row, found)
        return StoredContent(shelf.store, replace(row, rebuilt=True))
    content.check()
    return content


def _apply(shelf: Shelf, content: StoredContent) -> str:
    manifest = content.manifest

    def done(unit: Unit) -> None:
        active = unit.snapshots.get(manifest.name, SnapshotState.ACTIVE)
        unit.snapshots.activate(manifest.name, shelf.clock.now().wall_at)
        _tell_applied(shelf, unit, manifest, active, returned=False)

    detail = shelf.kinds[manifest.name].apply(shelf.store, shelf.clock, content, done, returned=False)
    return f"snapshot {manifest.name} version {manifest.version} is in force: {detail}"


def _purge(shelf: Shelf) -> bool:
    """Delete some of the chunks that were let go of; return whether there are others."""
    if not shelf.store.read(lambda unit: unit.snapshots.has_gone()):
        return False
    units = (shelf.store.write(lambda unit: unit.snapshots.purge(UNIT_CHUNKS)) for _ in range(PURGE_UNITS))
    return all(units)


def _coming(shelf: Shelf) -> list[SnapshotRow]:
    rows = shelf.store.read(lambda unit: unit.snapshots.all())
    return [row for row in rows if row.state is SnapshotState.COMING and row.name in shelf.kinds]


def _give_up(shelf: Shelf, row: SnapshotRow, reason: RefusalReason, detail: str) -> str:
    def work(unit: Unit) -> str:
        unit.snapshots.drop(row.name, SnapshotState.COMING)
        return _refuse(shelf, unit, row.manifest, row.name, row.version, reason, detail)

    return shelf.store.write(work)


def _refuse(
    shelf: Shelf, unit: Unit, payload: bytes, name: str, version: int, reason: RefusalReason, detail: str
) -> str:
    """Note a refusal and tell HQ, in one unit."""
    now = shelf.clock.now()
    unit.snapshots.refuse(SnapshotRefusal(name, _digest(payload), version, reason.value, detail, now.wall_at))
    data = snapshot_refused(name, version, reason.value, detail)
    record_event(unit, shelf.ids, now, shelf.origin, EventKind.SNAPSHOT_REFUSED, name, data)
    return f"snapshot {name} version {version or '?'} was refused ({reason.value}): {detail}"


def _tell_applied(
    shelf: Shelf, unit: Unit, manifest: Manifest, active: SnapshotRow | None, returned: bool
) -> None:
    before = None if active is None else active.version
    data = snapshot_applied(manifest.name, manifest.version, before, manifest.sha256, returned)
    record_event(
        unit, shelf.ids, shelf.clock.now(), shelf.origin, EventKind.SNAPSHOT_APPLIED, manifest.name, data
    )


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
