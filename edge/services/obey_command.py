"""Obey HQ: one command takes effect once, whatever repeats or dies on the way.

What only changes this box's state is one unit of work: inbox, effect, audit and answer. What acts on the
world is begun in one unit, done, and ended in another; when the box stops in between it is unknown, is
told so, and is never repeated. The answer is an event, so that HQ gets it whenever it can be reached.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from devices.types import DeviceAbsent, DeviceSilent
from edge.clock import Instant, iso
from edge.errors import EdgeError, Invalid
from edge.services.block_plate import block_plate
from edge.services.box import Box
from edge.services.command_records import CommandRecord, CommandState, SalesFreeze
from edge.services.events import COMMAND_KINDS, Data, command_ended, record_event
from edge.services.grant_validation import revoke_coupon
from edge.services.merge_members import merge_by_hq
from edge.services.ports import Gate
from edge.services.records import Unit
from edge.services.refund_order import HQ, RefundAsk, quote_refund, request_refund
from edge.services.spend_points import grant_lease

#: A command lives a day at most, and may come from clocks so far ahead of this one.
MAX_LIFE_MS = 24 * 3_600_000
AHEAD_MS = 120_000

#: The box is not started anew more often: systemd gives up after five starts in five minutes.
RELOAD_EVERY_MS = 90_000

#: Begun commands that one look for orphans ends.
MAX_ORPHANS = 100

Argument = str | int | bool


class CommandKind(StrEnum):
    """What HQ can ask for; docs/protocols/commands.md has a line for each."""

    FREEZE_SALES = "freeze_sales"
    THAW_SALES = "thaw_sales"
    RELOAD = "reload"
    SEND_BUNDLE = "send_bundle"
    OPEN_GATE = "open_gate"
    REFUND_REQUEST = "refund_request"
    BLOCK_PLATE = "block_plate"
    REVOKE_COUPON = "revoke_coupon"
    MEMBER_MERGED = "member_merged"
    POINTS_LEASE = "points_lease"


#: What each kind must be given, and may be given; texts all of them.
_NEEDS = {
    CommandKind.OPEN_GATE: frozenset({"gate"}),
    CommandKind.REFUND_REQUEST: frozenset({"order_id", "reason"}),
    CommandKind.REVOKE_COUPON: frozenset({"code", "reason"}),
    CommandKind.BLOCK_PLATE: frozenset({"plate"}),
    CommandKind.MEMBER_MERGED: frozenset({"absorbed_id", "member_id"}),
    CommandKind.POINTS_LEASE: frozenset({"lease_id", "member_id", "points", "expires_at"}),
}
_TAKES = {
    CommandKind.FREEZE_SALES: frozenset({"note"}),
    CommandKind.OPEN_GATE: frozenset({"gate"}),
    CommandKind.REFUND_REQUEST: frozenset({"order_id", "reason", "amount_fen"}),
    CommandKind.REVOKE_COUPON: frozenset({"code", "reason"}),
    CommandKind.BLOCK_PLATE: frozenset({"plate", "hours", "note"}),
    CommandKind.MEMBER_MERGED: frozenset({"absorbed_id", "member_id"}),
    CommandKind.POINTS_LEASE: frozenset({"lease_id", "member_id", "points", "expires_at"}),
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command as HQ sent it. Instants are Unix milliseconds by HQ's clock.

    problem: what is wrong with it as far as it could be read, "" when nothing is.
    """

    command_id: str
    kind: str
    issued_by: str
    issued_at: int
    expires_at: int
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """What commands act on. bundle: makes a support bundle for a command's id, and describes it."""

    bundle: Callable[[str], Data]
    gates: Mapping[str, Gate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obeyed:
    """What became of a command. repeated: it had come before, and this is what became of it then."""

    record: CommandRecord
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    state: CommandState
    reason: str = ""
    detail: str = ""
    result: Data = field(default_factory=dict)


def obey_command(box: Box, means: Means, command: Command) -> Obeyed:
    """Carry out a command unless it came before; one caller at a time.

    Raises what the store raises. Then it has not begun and may come again, or it has begun and
    `end_orphans` tells HQ that its outcome is unknown.
    """
    now = box.clock.now()
    begun = box.store.write(lambda unit: _take_in(unit, box, means, command, now))
    if begun.repeated or begun.record.state is not CommandState.BEGUN:
        return begun
    end = _act(box, means, command)
    return Obeyed(box.store.write(lambda unit: _finish(unit, box, begun.record, end)))


def end_orphans(box: Box) -> int:
    """Tell HQ of commands that were begun and cut off; return how many. Not beside `obey_command`."""
    if not box.store.read(lambda unit: unit.commands.begun(1)):
        return 0
    end = _End(CommandState.UNKNOWN, "cut_off", "it was cut off before its end was on record; look first")

    def work(unit: Unit) -> int:
        orphans = unit.commands.begun(MAX_ORPHANS)
        for record in orphans:
            _finish(unit, box, record, end)
        return len(orphans)

    return box.store.write(work)


def describe_command(record: CommandRecord) -> str:
    """Return a command and what became of it in one line for people."""
    words = [iso(record.received_at), record.state.value, record.kind or "(no kind)", record.arguments]
    words.append(f"by {record.issued_by or '(nobody)'}")
    if record.reason:
        words.append(f"{record.reason}: {record.detail}")
    elif record.result != "{}":
        words.append(record.result)
    return "  ".join([*words, record.command_id])


def _take_in(unit: Unit, box: Box, means: Means, command: Command, now: Instant) -> Obeyed:
    known = unit.commands.get(command.command_id)
    if known is not None:
        return Obeyed(known, repeated=True)
    record = _begun(command, now)
    refusal = _refusal(unit, means, command, now)
    if refusal is None and command.kind in (CommandKind.OPEN_GATE, CommandKind.SEND_BUNDLE):
        unit.commands.add(record)
        return Obeyed(record)
    end = refusal or _take_effect(unit, box, command, now)
    ended = _ended(record, end, now)
    unit.commands.add(ended)
    _tell(unit, box, ended)
    return Obeyed(ended)


def _take_effect(unit: Unit, box: Box, command: Command, now: Instant) -> _End:
    """Do what is only state of this box; a restart follows the commit."""
    if command.kind == CommandKind.REFUND_REQUEST:
        return _request_refund(unit, box, command, now)
    if command.kind == CommandKind.REVOKE_COUPON:
        return _revoke_coupon(unit, box, command, now)
    if command.kind == CommandKind.BLOCK_PLATE:
        return _block(unit, command, now)
    if command.kind in (CommandKind.MEMBER_MERGED, CommandKind.POINTS_LEASE):
        return _of_member(unit, box, command, now)
    if command.kind == CommandKind.FREEZE_SALES:
        note = str(command.arguments.get("note", ""))
        unit.commands.set_freeze(SalesFreeze(command.command_id, note, now.wall_at))
    elif command.kind == CommandKind.THAW_SALES:
        unit.commands.set_freeze(None)
    return _End(CommandState.DONE)


def _block(unit: Unit, command: Command, now: Instant) -> _End:
    given = {name: str(value) for name, value in command.arguments.items()}
    try:
        result = block_plate(unit, command.command_id, command.issued_by, given, now)
    except Invalid as error:
        return _refused("bad_arguments", str(error))
    return _End(CommandState.DONE, result=result)


def _request_refund(unit: Unit, box: Box, command: Command, now: Instant) -> _End:
    """Put a refund before a supervisor of this box; no money moves by HQ's word alone."""
    given = {name: str(value) for name, value in command.arguments.items()}
    try:
        order = quote_refund(unit, given["order_id"]).order
        amount_fen = _digits(given["amount_fen"]) if "amount_fen" in given else None
        ask = RefundAsk(
            box.ids.new_id(), order.order_id, order.workstation, given["reason"], amount_fen=amount_fen
        )
        refund = request_refund(unit, box, ask, f"{HQ}: {command.issued_by}", now)
    except EdgeError as error:
        return _refused("no_refund", str(error))
    result: Data = {"refund_id": refund.refund_id, "number": refund.number, "amount_fen": refund.amount_fen}
    return _End(CommandState.DONE, result=result)


def _revoke_coupon(unit: Unit, box: Box, command: Command, now: Instant) -> _End:
    """Take a parking coupon back, with what it granted; one whose car has left is told so."""
    code, reason = (str(command.arguments[name]) for name in ("code", "reason"))
    try:
        gone = revoke_coupon(unit, box, code, f"{HQ}: {command.issued_by}", reason, now)
    except EdgeError as error:
        return _refused("no_coupon", str(error))
    if not gone:
        return _refused("used", f"coupon {code} was used: its car has left with it")
    return _End(CommandState.DONE, result={"code": code})


def _of_member(unit: Unit, box: Box, command: Command, now: Instant) -> _End:
    """Make one member of two, or take points in that HQ sets aside for this box."""
    given = {name: str(value) for name, value in command.arguments.items()}
    try:
        if command.kind == CommandKind.POINTS_LEASE:
            lease = grant_lease(unit, box, given, now)
            return _End(CommandState.DONE, result={"lease_id": lease.lease_id, "spent": lease.spent})
        by = f"{HQ}: {command.issued_by}"
        one = merge_by_hq(unit, box, given["absorbed_id"], given["member_id"], by, now)
    except EdgeError as error:
        return _refused("no_member", str(error))
    return _End(CommandState.DONE, result={"member_id": one})


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Invalid(f"amount_fen must be digits, whole fen, not {text!r}")
    return int(text)


def _act(box: Box, means: Means, command: Command) -> _End:
    if box.clock.now().wall_at >= command.expires_at:
        return _refused("expired", "it expired while it was written down; nothing was done")
    if command.kind == CommandKind.SEND_BUNDLE:
        return _make_bundle(means, command)
    return _open(means.gates[str(command.arguments["gate"])])


def _make_bundle(means: Means, command: Command) -> _End:
    try:
        return _End(CommandState.DONE, result=means.bundle(command.command_id))
    except (EdgeError, OSError) as error:
        return _refused("no_bundle", f"no bundle could be made: {error}")


def _open(gate: Gate) -> _End:
    try:
        gate.pulse()
    except DeviceAbsent as error:
        return _refused("gate_absent", f"nothing was sent to the gate: {error}")
    except DeviceSilent as error:
        return _End(CommandState.UNKNOWN, "gate_silent", f"the gate may have opened; look at it: {error}")
    return _End(CommandState.DONE, result={"gate": gate.name})


def _refusal(unit: Unit, means: Means, command: Command, now: Instant) -> _End | None:
    if command.problem:
        return _refused("malformed", command.problem)
    if command.kind not in set(CommandKind):
        known = ", ".join(sorted(CommandKind))
        return _refused("unknown_kind", f"this box knows no command {command.kind!r}; it knows {known}")
    return _untimely(command, now) or _unfit(unit, means, command, now)


def _untimely(command: Command, now: Instant) -> _End | None:
    doubt = "" if now.trusted else "; but this box's clock is not synchronised and may be wrong"
    if command.kind == CommandKind.OPEN_GATE and not now.trusted:
        return _refused(
            "clock_untrusted",
            "this box's clock is not synchronised, so nobody can say whether the command is still meant",
        )
    if command.expires_at - command.issued_at > MAX_LIFE_MS:
        return _refused("malformed", f"expires_at is more than {MAX_LIFE_MS // 3_600_000} h after issued_at")
    if now.wall_at >= command.expires_at:
        return _refused(
            "expired", f"it expired at {iso(command.expires_at)}, now is {iso(now.wall_at)}{doubt}"
        )
    if command.issued_at > now.wall_at + AHEAD_MS:
        return _refused(
            "not_yet_issued", f"issued at {iso(command.issued_at)}, now is {iso(now.wall_at)}{doubt}"
        )
    return None


def _unfit(unit: Unit, means: Means, command: Command, now: Instant) -> _End | None:
    kind, given = CommandKind(command.kind), set(command.arguments)
    strange = sorted(given - _TAKES.get(kind, frozenset()))
    missing = sorted(_NEEDS.get(kind, frozenset()) - given)
    odd = sorted(name for name, value in command.arguments.items() if not isinstance(value, str))
    if strange or missing or odd:
        name = (strange or missing or odd)[0]
        wrong = "is not known" if strange else "is missing" if missing else "must be a text"
        return _refused("bad_arguments", f"{kind}: argument {name} {wrong}")
    if kind is CommandKind.OPEN_GATE and command.arguments["gate"] not in means.gates:
        known = ", ".join(sorted(means.gates)) or "none"
        return _refused("no_such_gate", f"no gate {command.arguments['gate']!r} here; there is {known}")
    if kind is CommandKind.RELOAD and _just_reloaded(unit, now):
        return _refused("too_soon", f"the box was started anew less than {RELOAD_EVERY_MS // 1000} s ago")
    return None


def _just_reloaded(unit: Unit, now: Instant) -> bool:
    return any(
        one.kind == CommandKind.RELOAD
        and one.state is CommandState.DONE
        and abs(now.wall_at - (one.finished_at or 0)) < RELOAD_EVERY_MS
        for one in unit.commands.recent(MAX_ORPHANS)
    )


def _refused(reason: str, detail: str) -> _End:
    return _End(CommandState.REFUSED, reason, detail)


def _begun(command: Command, now: Instant) -> CommandRecord:
    return CommandRecord(
        command.command_id,
        command.kind,
        command.issued_by,
        command.issued_at,
        command.expires_at,
        json.dumps(dict(command.arguments), ensure_ascii=False),
        now.wall_at,
        now.trusted,
        CommandState.BEGUN,
    )


def _ended(record: CommandRecord, end: _End, now: Instant) -> CommandRecord:
    result = json.dumps(end.result, ensure_ascii=False)
    return replace(
        record,
        state=end.state,
        reason=end.reason,
        detail=end.detail,
        result=result,
        finished_at=now.wall_at,
    )


def _finish(unit: Unit, box: Box, record: CommandRecord, end: _End) -> CommandRecord:
    ended = _ended(record, end, box.clock.now())
    unit.commands.finish(ended)
    _tell(unit, box, ended)
    return ended


def _tell(unit: Unit, box: Box, record: CommandRecord) -> None:
    kind, data = COMMAND_KINDS[record.state], command_ended(record)
    record_event(unit, box.ids, box.clock.now(), box.origin, kind, record.command_id, data)
