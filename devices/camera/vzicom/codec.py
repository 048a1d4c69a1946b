"""臻识 Vzicom R-series HTTP push: what such a camera posts, and what it can be answered. Pure.

    post = parse_push(request, "in-1")
    body = build_answer(post, (OpenBarrier(),))

Posts are JSON with one of AlarmInfoPlate, AlarmGioIn, SerialData, TriggerImage, or a form that registers the
camera (heartbeat and comet are the same form). The form carries the camera's password: only its serial
number is taken out of it. An answer without Response_AlarmInfoPlate counts as none: the camera sends again.
Source: Vzicom HTTP push protocol, sections 2.1 to 2.6; docs/protocols/cameras.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from devices.camera.commands import CameraCommand, OpenBarrier, ReadAgain, SerialOut
from devices.camera.fields import (
    Json,
    base64_bytes,
    decode_text,
    inner,
    json_object,
    photo,
    plate_text,
    text_of,
    whole_number,
)
from devices.camera.multipart import whole_body
from devices.types import (
    BadPush,
    CameraAlive,
    CameraNews,
    CameraPost,
    CameraRequest,
    LoopSeen,
    PlateSeen,
    SerialHeard,
)

CONTENT_TYPE = "application/json; charset=utf-8"

#: The path at which a camera in comet mode waits for what it is to do.
COMET = "comet"

COLOURS = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "green_yellow"}
TRIGGERS = {1: "auto", 2: "loop", 4: "software", 8: "auto", 64: "staying", 65: "staying", 66: "turned_back"}
#: Kinds of plates that say how large the vehicle is: blue, small new energy; yellow, coach, large new energy.
CLASSES = {1: "small", 19: "small", 3: "large", 4: "large", 13: "large", 20: "large"}
NO_PLATE_TYPE = 31

_INPUTS = 4
_MAX_SERIAL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RelayHabits:
    """How the camera's relay opens the gate. by: "io" pulses output `io` for `pulse_ms` (1-600,000); "info"
    answers info ok, for clones that know nothing else and pulse as their own page says."""

    by: str = "io"
    io: int = 0
    pulse_ms: int = 500

    def __post_init__(self) -> None:
        """Refuse what the protocol has no place for."""
        if self.by not in ("io", "info") or not 0 <= self.io < _INPUTS or not 1 <= self.pulse_ms <= 600_000:
            raise ValueError(
                f"a relay is io or info, output 0-3, 1-600000 ms, not {self.by} {self.io} {self.pulse_ms}"
            )


def parse_push(request: CameraRequest, device: str) -> CameraPost:
    """Return what a camera posted; raise BadPush for what it cannot be."""
    kind = request.content_type.lower()
    if kind.startswith("multipart/"):
        fields = {part.name: part.body for part in whole_body(request.content_type, request.body)}
        return _registered(request, device, decode_text(fields.get("serialno", b"")))
    if kind.startswith("application/x-www-form-urlencoded") and not request.body.lstrip().startswith(b"{"):
        return _registered(request, device, _form_serial(request.body))
    return _parse_json(request, device, json_object(request.body))


def build_answer(
    post: CameraPost, commands: Sequence[CameraCommand] = (), relay: RelayHabits | None = None
) -> bytes:
    """Return the answer that acknowledges a post, asks for the next stored record and carries commands."""
    habits = relay or RelayHabits()
    opens = any(isinstance(one, OpenBarrier) for one in commands)
    said: dict[str, object] = {"info": "no", "content": "retransfer_stop", "is_pay": "false"}
    if opens and habits.by == "info":
        said |= {"info": "ok", "is_pay": "true"}
    elif opens:
        said["ivs_ioctrl"] = {"delay": habits.pulse_ms, "io": habits.io, "value": 2}
    serial = [_serial_out(one) for one in commands if isinstance(one, SerialOut)]
    if serial:
        said["serialData"] = serial
    if any(isinstance(one, ReadAgain) for one in commands):
        said["manualTrigger"] = "ok"
    if post.mark:
        said["ContinuePushOffline"] = {"plateid": int(post.mark), "continue": 1}
    return json.dumps({"Response_AlarmInfoPlate": said}, ensure_ascii=False).encode()


def _registered(request: CameraRequest, device: str, serial: str) -> CameraPost:
    asks = request.path.strip("/").lower() == COMET
    return CameraPost((CameraAlive(device, request.read_ns, asks),), text_of(serial))


def _form_serial(body: bytes) -> str:
    try:
        form = parse_qs(decode_text(body), max_num_fields=32)
    except ValueError:
        raise BadPush("the form has more than 32 fields") from None
    return (form.get("serialno") or [""])[0]


def _parse_json(request: CameraRequest, device: str, body: Json) -> CameraPost:
    read_ns = request.read_ns
    for name, read in (("AlarmInfoPlate", _plate), ("AlarmGioIn", _input), ("SerialData", _serial_in)):
        alarm = body.get(name)
        if isinstance(alarm, Mapping):
            news, mark = read(alarm, device, read_ns)
            return CameraPost((news,), text_of(alarm.get("serialno")), mark)
    if "TriggerImage" in body:
        return CameraPost((CameraAlive(device, read_ns),), text_of(body.get("serialno")))
    names = ", ".join(sorted(text_of(one, 24) for one in body)[:5]) or "nothing"
    raise BadPush(f"no AlarmInfoPlate, AlarmGioIn or SerialData in the body, it has {names}")


def _plate(alarm: Json, device: str, read_ns: int) -> tuple[CameraNews, str]:
    result = inner(alarm, "result", "PlateResult")
    if not result:
        raise BadPush("AlarmInfoPlate has no result.PlateResult")
    plate_id, camera_at_ms = whole_number(result.get("plateid")), _time(result)
    kind = whole_number(result.get("type")) or 0
    trigger = whole_number(result.get("triggerType"))
    seen = PlateSeen(
        device,
        _key(result, plate_id, trigger, camera_at_ms),
        "" if kind == NO_PLATE_TYPE else plate_text(result.get("license")),
        read_ns,
        colour=COLOURS.get(whole_number(result.get("colorType")) or 0, "unknown"),
        vehicle_class=CLASSES.get(kind, "unknown"),
        trigger=TRIGGERS.get(trigger or 0, "auto"),
        backfill=whole_number(result.get("isoffline")) == 1,
        camera_at_ms=camera_at_ms,
        lane_hint=text_of(alarm.get("channel")),
        photos=photo("scene", base64_bytes(result.get("imageFile")))
        + photo("plate", base64_bytes(result.get("imageFragmentFile"))),
    )
    return seen, "" if plate_id is None else str(plate_id)


def _time(result: Json) -> int | None:
    value = inner(result, "timeStamp", "Timeval")
    seconds, micros = whole_number(value.get("sec")), whole_number(value.get("usec"))
    if seconds is None or seconds <= 0:
        return None
    return seconds * 1000 + (micros // 1000 if micros is not None and 0 <= micros < 1_000_000 else 0)


def _key(result: Json, plate_id: int | None, trigger: int | None, camera_at_ms: int | None) -> str:
    """Return what stays the same when a record is sent again.

    Numbers of plates begin anew when a camera loses its records, and one vehicle is told of under several
    triggers, so both stand beside the number. Old firmware gives none: then the time and plate must do.
    """
    when = "" if camera_at_ms is None else str(camera_at_ms // 1000)
    if plate_id is not None:
        return f"{plate_id}@{when}/{trigger or 0}"
    if camera_at_ms is not None:
        return f"{camera_at_ms}/{trigger or 0}/{plate_text(result.get('license'))}"
    whole = json.dumps(result, sort_keys=True, default=str).encode("utf-8", "replace")
    return hashlib.sha256(whole).hexdigest()[:32]


def _input(alarm: Json, device: str, read_ns: int) -> tuple[CameraNews, str]:
    result = inner(alarm, "result", "TriggerResult")
    source, value = whole_number(result.get("source")), whole_number(result.get("value"))
    if source is None or value is None:
        raise BadPush("AlarmGioIn has no result.TriggerResult with source and value")
    if 0 <= source < _INPUTS:
        return LoopSeen(device, source, value != 0, read_ns), ""
    return CameraAlive(device, read_ns), ""


def _serial_in(alarm: Json, device: str, read_ns: int) -> tuple[CameraNews, str]:
    data = base64_bytes(alarm.get("data"))[:_MAX_SERIAL_BYTES]
    return SerialHeard(device, whole_number(alarm.get("serialChannel")) or 0, data, read_ns), ""


def _serial_out(command: SerialOut) -> Json:
    data = base64.b64encode(command.data).decode("ascii")
    return {"serialChannel": command.channel, "data": data, "dataLen": len(command.data)}
