"""Dahua: ITSAPI pushes and their answers, and events out of the snapManager stream. Pure.

    post = parse_push(request, "out-1"); body = build_answer(post, (OpenBarrier(),))
    builder = EventBuilder("out-1"); builder.part(part, read_ns)

Without an answer of this form the camera sends again; its relay opens only in the answer to a vehicle.
Source: Dahua ITSAPI (TollgateInfo, KeepAlive, DeviceInfo) and CGI snapManager; docs/protocols/cameras.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace

from devices.camera.commands import CameraCommand, OpenBarrier
from devices.camera.fields import (
    Json,
    base64_bytes,
    decode_text,
    inner,
    json_object,
    photo,
    plate_text,
    text_of,
    truth,
    wall_ms,
    whole_number,
)
from devices.camera.multipart import Part
from devices.types import BadPush, CameraAlive, CameraNews, CameraPost, CameraRequest, PlateSeen

CONTENT_TYPE = "application/json; charset=utf-8"
PREFIX = "NotificationInfo"
STREAM = "/cgi-bin/snapManager.cgi?action=attachFileProc&Flags[0]=Event&Events=[TrafficJunction]&heartbeat=5"

COLOURS = {
    "blue": "blue",
    "yellow": "yellow",
    "green": "green",
    "white": "white",
    "black": "black",
    "yellowgreen": "green_yellow",
    "yelgreen": "green_yellow",
    "shadowgreen": "green",
    "蓝": "blue",
    "黄": "yellow",
    "绿": "green",
    "白": "white",
    "黑": "black",
    "黄绿": "green_yellow",
}
CLASS_WORDS = (
    ("two_wheels", ("motor cycle", "motorcycle", "bicycle", "nonmotor", "tricycle", "two")),
    ("large", ("heavytruck", "midtruck", "largetruck", "bus", "coach", "tanker", "dump", "trailer", "large")),
    (
        "small",
        ("car", "suv", "mpv", "van", "saloon", "jeep", "pickup", "minitruck", "light", "taxi", "small"),
    ),
)
_PICTURES = (("scene", "NormalPic"), ("scene", "CombinPic"), ("scene", "VehiclePic"), ("plate", "CutoutPic"))
_EVENT = re.compile(r"\A(?:Return)?Events\[0\]\.(.+?)=(.*)\Z")
_MAX_STREAM_LINES = 2000


def parse_push(request: CameraRequest, device: str) -> CameraPost:
    """Return what a camera posted; raise BadPush for what is no JSON object."""
    body = json_object(request.body)
    picture = inner(body, "Picture")
    if not picture:
        if request.path.strip("/").lower().endswith("tollgateinfo"):
            raise BadPush("TollgateInfo without a Picture")
        serial = text_of(body.get("DeviceID")) or text_of(inner(body, "Device").get("DeviceID"))
        return CameraPost((CameraAlive(device, request.read_ns),), serial)
    snap = inner(picture, "SnapInfo")
    serial = text_of(snap.get("DeviceID")) or text_of(body.get("DeviceID"))
    return CameraPost((_plate_seen(picture, device, request.read_ns),), serial, "plate")


def build_answer(post: CameraPost, commands: Sequence[CameraCommand] = ()) -> bytes:
    """Return the answer that acknowledges a post; OpenStrobe opens the gate."""
    said: dict[str, object] = {"Result": True, "DeviceID": post.serial}
    if post.mark:
        said["OpenStrobe"] = any(isinstance(one, OpenBarrier) for one in commands)
    return json.dumps(said, ensure_ascii=False).encode()


class EventBuilder:
    """Puts the parts of the stream together: the text of an event, then its first picture."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._waiting: PlateSeen | None = None

    def part(self, part: Part, read_ns: int) -> list[CameraNews]:
        """Take one part; return what is complete with it."""
        if part.kind.startswith("image/"):
            if self._waiting is not None:
                self._waiting = replace(self._waiting, photos=photo("scene", part.body))
            return self.rest()
        values = _values(part.body)
        if not any("PlateNumber" in name or name == "Object.Text" for name in values):
            return [*self.rest(), CameraAlive(self._device, read_ns)]
        before, self._waiting = self.rest(), _streamed(values, self._device, read_ns)
        return before

    @property
    def waits(self) -> bool:
        """Whether an event waits for its picture."""
        return self._waiting is not None

    def rest(self) -> list[CameraNews]:
        """Return the event that still waits for its picture, without it."""
        waiting, self._waiting = self._waiting, None
        return [] if waiting is None else [waiting]


def _plate_seen(picture: Json, device: str, read_ns: int) -> PlateSeen:
    plate, snap = inner(picture, "Plate"), inner(picture, "SnapInfo")
    missing = "IsExist" in plate and not truth(plate["IsExist"])
    text = "" if missing else plate_text(plate.get("PlateNumber"))
    time = text_of(snap.get("AccurateTime")) or text_of(snap.get("SnapTime"))
    photos = [
        one
        for kind, name in _PICTURES
        for one in photo(kind, base64_bytes(inner(picture, name).get("Content")))
    ]
    return PlateSeen(
        device,
        text_of(snap.get("DefenceCode")) or _digest(time, text, text_of(plate.get("UploadNum"))),
        text,
        read_ns,
        colour=_colour(plate.get("PlateColor")),
        vehicle_class=_vehicle_class(inner(picture, "Vehicle").get("VehicleType")),
        camera_at_ms=wall_ms(time, ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")),
        lane_hint=text_of(snap.get("LanNo")),
        photos=tuple(photos),
    )


def _values(body: bytes) -> dict[str, str]:
    lines = decode_text(body).splitlines()
    if len(lines) > _MAX_STREAM_LINES:
        raise BadPush(f"an event has {len(lines)} lines, at most {_MAX_STREAM_LINES} are taken")
    found = (_EVENT.match(line.strip()) for line in lines)
    return {one[1]: one[2].strip() for one in found if one}


def _streamed(values: dict[str, str], device: str, read_ns: int) -> PlateSeen:
    text = plate_text(values.get("TrafficCar.PlateNumber") or values.get("Object.Text"))
    seconds = whole_number(values.get("UTC", ""))
    millis = whole_number(values.get("UTCMS", "")) or 0
    camera_at_ms = None if not seconds else seconds * 1000 + millis % 1000
    group = values.get("GroupID") or values.get("EventID") or values.get("PTS", "")
    return PlateSeen(
        device,
        _digest(group, values.get("UTC", ""), text),
        text,
        read_ns,
        colour=_colour(values.get("TrafficCar.PlateColor")),
        vehicle_class=_vehicle_class(values.get("Vehicle.Category") or values.get("TrafficCar.VehicleSize")),
        camera_at_ms=camera_at_ms,
        lane_hint=text_of(values.get("Lane", "")),
    )


def _colour(value: object) -> str:
    return COLOURS.get(text_of(value).lower().replace(" ", "").removesuffix("色"), "unknown")


def _vehicle_class(value: object) -> str:
    text = text_of(value).lower()
    return next((name for name, words in CLASS_WORDS if any(word in text for word in words)), "unknown")


def _digest(*said: str) -> str:
    return hashlib.sha256("|".join(said).encode("utf-8", "replace")).hexdigest()[:32]
