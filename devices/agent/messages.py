"""What a box and an agent beside a lane say to each other, as JSON over MQTT. Pure.

Topics under mall/{site}/agent/{agent}: `requests/v1` box to agent, `replies/v1` back; `seen/v1` what cameras
and loops saw, `acks/v1` for it; `beats/v1` each second from the agent; `state/v1` and `box/v1` retained:
whether the agent and its box are there. docs/protocols/lane-agent.md tells the rules.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from devices.types import GateInputs, LoopSeen, Photo, PlateSeen

Word = TypeVar("Word", bound=StrEnum)

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

#: The largest message: two photographs of a push in base64.
MAX_BYTES = 4 * 1024 * 1024
MAX_LINES = 8
MAX_TEXT = 200
MAX_PHOTOS = 4


class BadMessage(ValueError):
    """A message that is none; it says what was wrong."""


class Op(StrEnum):
    """What a box may ask of a device."""

    PULSE = "pulse"
    INPUTS = "inputs"
    SHOW = "show"
    SAY = "say"
    COUNT = "count"


class Outcome(StrEnum):
    """DONE; ABSENT: surely not done; SILENT: begun, and nobody knows."""

    DONE = "done"
    ABSENT = "absent"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Request:
    """beat, after_ms: sent so long after that beat of the agent was heard; the agent refuses an old one."""

    request_id: str
    device: str
    op: Op
    beat: int
    after_ms: int
    lines: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request. detail: for people, unless DONE. inputs: of Op.INPUTS."""

    request_id: str
    outcome: Outcome
    detail: str = ""
    inputs: GateInputs | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Something seen, until it is acknowledged. seq: rises by one. age_ms: how long ago when it was sent."""

    seq: int
    age_ms: int
    what: PlateSeen | LoopSeen


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one agent."""

    site: str
    agent: str

    def of(self, part: str) -> str:
        """Return the topic of "requests", "replies", "seen", "acks", "beats", "state" or "box"."""
        return f"mall/{self.site}/agent/{self.agent}/{part}/v1"


def encode_request(request: Request) -> bytes:
    """Return the message of a request."""
    return _json(
        {
            "id": request.request_id,
            "device": request.device,
            "op": request.op,
            "beat": request.beat,
            "after_ms": request.after_ms,
            "lines": list(request.lines),
            "count": request.count,
        }
    )


def decode_request(raw: bytes) -> Request:
    """Return a request; raise BadMessage."""
    data = _object(raw)
    lines = _list(data, "lines")
    if len(lines) > MAX_LINES or not all(isinstance(one, str) and len(one) <= MAX_TEXT for one in lines):
        raise BadMessage(f"lines: {MAX_LINES} texts of {MAX_TEXT} letters at most")
    op = _one_of(Op, data, "op")
    return Request(
        _text(data, "id"),
        _text(data, "device"),
        op,
        _whole(data, "beat"),
        _whole(data, "after_ms"),
        tuple(str(one) for one in lines),
        _whole(data, "count"),
    )


def encode_reply(reply: Reply) -> bytes:
    """Return the message of a reply."""
    inputs = reply.inputs
    return _json(
        {
            "id": reply.request_id,
            "outcome": reply.outcome,
            "detail": reply.detail[:MAX_TEXT],
            "inputs": None
            if inputs is None
            else {"boom_up": inputs.boom_up, "boom_down": inputs.boom_down, "loops": list(inputs.loops)},
        }
    )


def decode_reply(raw: bytes) -> Reply:
    """Return a reply; raise BadMessage."""
    data = _object(raw)
    outcome = _one_of(Outcome, data, "outcome")
    inputs = data.get("inputs")
    return Reply(_text(data, "id"), outcome, _text(data, "detail"), _inputs(inputs) if inputs else None)


def encode_seen(seen: Seen) -> bytes:
    """Return the message of something seen."""
    what = seen.what
    if isinstance(what, LoopSeen):
        body: dict[str, Json] = {"device": what.device, "loop": what.loop, "occupied": what.occupied}
    else:
        body = _plate(what)
    kind = "loop" if isinstance(what, LoopSeen) else "plate"
    return _json({"seq": seen.seq, "age_ms": seen.age_ms, "kind": kind, "body": body})


def decode_seen(raw: bytes, now_ns: int) -> Seen:
    """Return something seen, its `read_ns` by the reader's boot time `now_ns`; raise BadMessage."""
    data = _object(raw)
    body, age_ms = data.get("body"), _whole(data, "age_ms")
    if not isinstance(body, dict):
        raise BadMessage("body is no object")
    read_ns = now_ns - age_ms * 1_000_000
    if data.get("kind") == "loop":
        loop = LoopSeen(_text(body, "device"), _whole(body, "loop"), body.get("occupied") is True, read_ns)
        return Seen(_whole(data, "seq"), age_ms, loop)
    if data.get("kind") != "plate":
        raise BadMessage(f"kind {data.get('kind')!r} is neither plate nor loop")
    return Seen(_whole(data, "seq"), age_ms, _read_plate(body, read_ns))


def encode_number(number: int) -> bytes:
    """Return the message of an ack or a beat."""
    return _json({"number": number})


def decode_number(raw: bytes) -> int:
    """Return the number of an ack or a beat; raise BadMessage."""
    return _whole(_object(raw), "number")


def encode_presence(online: bool, session: str) -> bytes:
    """Return the retained message that somebody is there, or has gone."""
    return _json({"state": "online" if online else "offline", "session": session})


def decode_presence(raw: bytes) -> tuple[bool, str]:
    """Return (whether it is there, its session); an emptied topic is nobody; raise BadMessage."""
    if not raw:
        return False, ""
    data = _object(raw)
    return data.get("state") == "online", _text(data, "session")


def _plate(seen: PlateSeen) -> dict[str, Json]:
    photos = [
        {"kind": photo.kind, "jpeg": base64.b64encode(photo.jpeg).decode("ascii")} for photo in seen.photos
    ]
    return {
        "device": seen.device,
        "key": seen.key,
        "plate": seen.plate,
        "colour": seen.colour,
        "vehicle_class": seen.vehicle_class,
        "confidences": [round(one, 4) for one in seen.confidences],
        "trigger": seen.trigger,
        "backfill": seen.backfill,
        "camera_at_ms": seen.camera_at_ms,
        "lane_hint": seen.lane_hint,
        "photos": photos[:MAX_PHOTOS],
    }


def _read_plate(body: Mapping[str, object], read_ns: int) -> PlateSeen:
    confidences = _list(body, "confidences")
    if not all(isinstance(one, int | float) and 0 <= one <= 1 for one in confidences):
        raise BadMessage("confidences: numbers from 0 to 1")
    at = body.get("camera_at_ms")
    return PlateSeen(
        device=_text(body, "device"),
        key=_text(body, "key"),
        plate=_text(body, "plate"),
        read_ns=read_ns,
        colour=_text(body, "colour"),
        vehicle_class=_text(body, "vehicle_class"),
        confidences=tuple(float(str(one)) for one in confidences),
        trigger=_text(body, "trigger"),
        backfill=body.get("backfill") is True,
        camera_at_ms=None if at is None else _whole(body, "camera_at_ms"),
        lane_hint=_text(body, "lane_hint"),
        photos=tuple(_photo(one) for one in _list(body, "photos")[:MAX_PHOTOS]),
    )


def _photo(body: object) -> Photo:
    if not isinstance(body, dict):
        raise BadMessage("photos: objects with kind and jpeg")
    try:
        return Photo(_text(body, "kind"), base64.b64decode(_text(body, "jpeg"), validate=True))
    except binascii.Error as error:
        raise BadMessage(f"jpeg is no base64: {error}") from None


def _inputs(body: object) -> GateInputs:
    if not isinstance(body, dict):
        raise BadMessage("inputs is no object")
    loops = tuple(one is True for one in _list(body, "loops"))
    return GateInputs(body.get("boom_up") is True, body.get("boom_down") is True, loops)


def _json(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _object(raw: bytes) -> Mapping[str, object]:
    if len(raw) > MAX_BYTES:
        raise BadMessage(f"{len(raw)} bytes; {MAX_BYTES} at most")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadMessage("no JSON object")
    return data


def _one_of(words: type[Word], data: Mapping[str, object], key: str) -> Word:
    told = _text(data, key)
    try:
        return words(told)
    except ValueError:
        raise BadMessage(f"{key} {told!r} is none of {', '.join(words)}") from None


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise BadMessage(f"{key} is no text")
    return value


def _whole(data: Mapping[str, object], key: str) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise BadMessage(f"{key} is no whole number")
    return value


def _list(data: Mapping[str, object], key: str) -> Sequence[object]:
    value = data.get(key)
    if not isinstance(value, list):
        raise BadMessage(f"{key} is no list")
    return value
