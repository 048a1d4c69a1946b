"""HQ's commands on the wire, and their way from the link's thread to the worker that obeys.

A command that cannot be queued is dropped: HQ sends it again with the same id until it is answered or
expired; docs/protocols/commands.md.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edge.errors import Invalid
from edge.hq.connection import Incoming, Saying
from edge.hq.topics import Topics
from edge.services.events import command_ended
from edge.services.obey_command import Argument, Command, Obeyed

_log = logging.getLogger(__name__)

#: The largest command, and its parts.
MAX_COMMAND_BYTES = 16 * 1024
MAX_ARGUMENTS = 16
MAX_TEXT = 200
MAX_CORRELATION = 64

#: Commands that wait for the worker.
MAX_QUEUED = 64

#: How long an answer may be on its way; HQ gets it as an event as well.
ANSWER_EXPIRY_S = 30

#: Instants from 2000 to 2100: others are seconds or microseconds by mistake.
_EARLIEST, _LATEST = 946_684_800_000, 4_102_444_800_000

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Order:
    """A command and where its answer is awaited; "" when nowhere."""

    command: Command
    response_topic: str = ""
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class CommandCounts:
    """Totals since the start, for metrics. junk: without a usable id. dropped: too many waited.
    lost: the immediate answer found no connection.
    """

    taken: int = 0
    junk: int = 0
    dropped: int = 0
    lost: int = 0


class CommandDesk:
    """Takes commands (`take`, any thread, never blocks) and hands them to one worker (`next`)."""

    def __init__(self, topics: Topics, say: Callable[[Saying], bool]) -> None:
        """say: hands an answer to the link, False when it cannot be taken."""
        self._topic = re.compile(re.escape(topics.replies) + r"(/[a-z0-9-]{1,40})?")
        self._say = say
        self._orders: queue.Queue[Order] = queue.Queue(MAX_QUEUED)
        self._lock = threading.Lock()
        self._counts = CommandCounts()

    def take(self, incoming: Incoming) -> None:
        """Take one message of the commands' topic."""
        if incoming.retained:
            self._count("junk")
            _log.warning("a retained command was ignored: HQ must not retain commands")
            return
        try:
            command = decode_command(incoming.payload)
        except Invalid as error:
            self._count("junk")
            _log.warning("a command was ignored: %s", error)
            return
        usable = self._topic.fullmatch(incoming.response_topic) is not None
        usable = usable and len(incoming.correlation) <= MAX_CORRELATION
        order = Order(command, incoming.response_topic if usable else "", incoming.correlation)
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            self._count("dropped")
            _log.warning("command %s was dropped, %d wait; HQ sends it again", command.command_id, MAX_QUEUED)
        else:
            self._count("taken")

    def next(self, timeout_s: float) -> Order | None:
        """Return the next command, or None after `timeout_s`."""
        try:
            return self._orders.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def answer(self, order: Order, obeyed: Obeyed) -> None:
        """Answer at once where HQ asked for it; a command that has not ended has no answer yet."""
        if not order.response_topic or obeyed.record.finished_at is None:
            return
        payload = encode_reply(obeyed)
        saying = Saying(
            order.response_topic, payload, correlation=order.correlation, expiry_s=ANSWER_EXPIRY_S
        )
        if not self._say(saying):
            self._count("lost")

    def counts(self) -> CommandCounts:
        """Return the totals since the start."""
        with self._lock:
            return self._counts

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts = replace(self._counts, **{name: getattr(self._counts, name) + 1})


def decode_command(payload: bytes) -> Command:
    """Return the command in `payload`; raise Invalid for one without a usable id, which cannot be answered.

    What else is wrong with it stands in its `problem`. Unknown fields beside the arguments are ignored.
    """
    if len(payload) > MAX_COMMAND_BYTES:
        raise Invalid(f"command has {len(payload)} bytes, {MAX_COMMAND_BYTES} at most")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"command is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise Invalid(f"command must be an object, got {type(message).__name__}")
    command_id = message.get("id")
    if not (isinstance(command_id, str) and _ID.fullmatch(command_id)):
        raise Invalid("command has no id of 1-64 letters, digits, dots, dashes and underscores")
    try:
        return _decode(command_id, message)
    except Invalid as error:
        return Command(command_id, "", "", 0, 0, problem=str(error))


def encode_reply(obeyed: Obeyed) -> bytes:
    """Return the immediate answer: the data of the event, with the state and whether it is a repeat."""
    record = obeyed.record
    answer = {"state": record.state.value, "repeated": obeyed.repeated, **command_ended(record)}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _decode(command_id: str, message: Mapping[str, object]) -> Command:
    kind = message.get("kind")
    if not (isinstance(kind, str) and _WORD.fullmatch(kind)):
        raise Invalid("kind must be 1-40 of a-z, 0-9 and _")
    issued_by = message.get("issued_by")
    if not (isinstance(issued_by, str) and 1 <= len(issued_by) <= MAX_TEXT and issued_by.isprintable()):
        raise Invalid(f"issued_by must name who ordered it, 1-{MAX_TEXT} characters")
    issued_at, expires_at = _instant(message, "issued_at"), _instant(message, "expires_at")
    if expires_at <= issued_at:
        raise Invalid("expires_at must be after issued_at")
    return Command(command_id, kind, issued_by, issued_at, expires_at, _arguments(message))


def _instant(message: Mapping[str, object], name: str) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not _EARLIEST <= value <= _LATEST:
        raise Invalid(f"{name} must be Unix milliseconds UTC, an integer")
    return value


def _arguments(message: Mapping[str, object]) -> dict[str, Argument]:
    given = message.get("arguments", {})
    if not isinstance(given, dict) or len(given) > MAX_ARGUMENTS:
        raise Invalid(f"arguments must be an object of {MAX_ARGUMENTS} at most")
    return {_argument_name(name): _argument(name, value) for name, value in given.items()}


def _argument_name(name: str) -> str:
    if not _WORD.fullmatch(name):
        raise Invalid(f"argument {name!r:.60} must be 1-40 of a-z, 0-9 and _")
    return name


def _argument(name: str, value: object) -> Argument:
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, str) and len(value) <= MAX_TEXT and _encodable(value):
        return value
    raise Invalid(f"argument {name} must be a text of {MAX_TEXT} characters at most, an integer or a boolean")


def _encodable(text: str) -> bool:
    # JSON can carry half a surrogate pair, which no file and no event can.
    return not any("\ud800" <= one <= "\udfff" for one in text)
