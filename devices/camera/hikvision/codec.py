"""Hikvision ISAPI plate events: pushed as multipart or XML, or out of the alert stream. Pure.

    post = parse_push(request, "in-1")
    builder = EventBuilder("in-1"); builder.part(part, read_ns)

Elements are matched by local name, as firmware uses two namespaces. A declared encoding is not believed:
the text is UTF-8 or GB18030. Source: ISAPI EventNotificationAlert (ANPR); docs/protocols/cameras.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

from devices.camera.fields import (
    MAX_TEXT,
    decode_text,
    photo,
    plate_text,
    text_of,
    truth,
    wall_ms,
    whole_number,
)
from devices.camera.multipart import Part, whole_body
from devices.types import BadPush, CameraAlive, CameraNews, CameraPost, CameraRequest, Photo, PlateSeen

ANSWER_TYPE = "text/plain; charset=utf-8"
STREAM = "/ISAPI/Event/notification/alertStream"
OPEN = b'<?xml version="1.0" encoding="UTF-8"?><BarrierGate><ctrlMode>open</ctrlMode></BarrierGate>'

COLOURS = {
    "blue": "blue",
    "yellow": "yellow",
    "green": "green",
    "white": "white",
    "black": "black",
    "newenergygreen": "green",
    "newenergyyellowgreen": "green_yellow",
    "yellowgreen": "green_yellow",
}
CLASSES = {
    "vehicle": "small",
    "smallcar": "small",
    "suvmpv": "small",
    "van": "small",
    "buggy": "small",
    "pickuptruck": "small",
    "largevehicle": "large",
    "largebus": "large",
    "bus": "large",
    "mediumbus": "large",
    "truck": "large",
    "largetruck": "large",
    "twowheelvehicle": "two_wheels",
    "twowheeler": "two_wheels",
}

#: The most pictures of one event that are waited for.
MAX_PICTURES = 6
MAX_XML_BYTES = 256 * 1024

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_XML = ("application/xml", "text/xml")


def gate_path(channel: int) -> str:
    """Return the path to which OPEN is PUT."""
    return f"/ISAPI/Parking/channels/{channel}/barrierGate"


def parse_push(request: CameraRequest, device: str) -> CameraPost:
    """Return what a camera posted, multipart or bare XML; raise BadPush for what it cannot be."""
    if request.content_type.lower().startswith("multipart/"):
        parts = whole_body(request.content_type, request.body)
    else:
        parts = [Part("application/xml", "", request.body)]
    builder = EventBuilder(device)
    found = [news for part in parts for news in builder.part(part, request.read_ns)]
    found += builder.rest()
    if not found:
        raise BadPush(f"no part of the {len(parts)} holds an EventNotificationAlert")
    return CameraPost(tuple(found), builder.serial)


class EventBuilder:
    """Puts the parts of events together: the XML first, then as many pictures as it announces."""

    def __init__(self, device: str) -> None:
        """serial becomes the camera's MAC address, or what it calls itself, with the first event."""
        self.serial = ""
        self._device = device
        self._waiting: PlateSeen | None = None
        self._wanted = 0
        self._taken = 0

    def part(self, part: Part, read_ns: int) -> list[CameraNews]:
        """Take one part; return what is complete with it. Raises BadPush for XML that is none."""
        if part.kind in _XML or (part.kind in ("", "text/plain") and b"<" in part.body[:64]):
            return [*self.rest(), *self._event(part.body, read_ns)]
        if self._waiting is not None and part.kind.startswith("image/"):
            return self._picture(part)
        return []

    @property
    def waits(self) -> bool:
        """Whether an event waits for its pictures."""
        return self._waiting is not None

    def rest(self) -> list[CameraNews]:
        """Return the event that still waits for pictures, without those that did not come."""
        waiting, self._waiting = self._waiting, None
        return [] if waiting is None else [waiting]

    def _event(self, body: bytes, read_ns: int) -> list[CameraNews]:
        event = _Event(body)
        self.serial = self.serial or event.text("macAddress") or event.text("deviceID")
        if event.text("eventType").lower() != "anpr":
            return [CameraAlive(self._device, read_ns)]
        seen = _plate_seen(event, self._device, read_ns)
        self._wanted = min(MAX_PICTURES, event.pictures())
        self._taken = 0
        if self._wanted == 0:
            return [seen]
        self._waiting = seen
        return []

    def _picture(self, part: Part) -> list[CameraNews]:
        assert self._waiting is not None
        self._taken += 1
        kind = "plate" if part.name.lower().startswith("licenseplate") else "scene"
        self._waiting = replace(
            self._waiting, photos=_sorted((*self._waiting.photos, *photo(kind, part.body)))
        )
        return self.rest() if self._taken >= self._wanted else []


class _Event:
    """One EventNotificationAlert, read by local names; the first of a name counts."""

    def __init__(self, body: bytes) -> None:
        self._texts: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        for element in _elements(body):
            name = element.tag.rpartition("}")[2]
            self._texts.setdefault(name, text_of(element.text or "", MAX_TEXT))
            self._counts[name] = self._counts.get(name, 0) + 1
        if "EventNotificationAlert" not in self._texts:
            raise BadPush("the XML is no EventNotificationAlert")

    def text(self, name: str) -> str:
        """Return the text of the first element of that name, "" without one."""
        return self._texts.get(name, "")

    def pictures(self) -> int:
        """Return how many pictures the event announces."""
        told = whole_number(self.text("picNum"))
        return max(0, told) if told is not None else self._counts.get("pictureInfo", 0)


def _elements(body: bytes) -> Iterator[ElementTree.Element]:
    if len(body) > MAX_XML_BYTES:
        raise BadPush(f"the XML has {len(body)} bytes, at most {MAX_XML_BYTES} are taken")
    text = _DECLARATION.sub("", decode_text(body), count=1)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadPush("the XML declares entities, which no camera does")
    try:
        return ElementTree.fromstring(text).iter()
    except ElementTree.ParseError as error:
        raise BadPush(f"the XML is broken: {error}") from None
    except (ValueError, RecursionError):
        raise BadPush("the XML is broken: it holds characters that XML has not") from None


def _plate_seen(event: _Event, device: str, read_ns: int) -> PlateSeen:
    plate = plate_text(event.text("licensePlate") or event.text("originalLicensePlate"))
    camera_at_ms = wall_ms(event.text("dateTime")) or wall_ms(event.text("absTime"), ("%Y%m%d%H%M%S%f",))
    return PlateSeen(
        device,
        _key(event, plate),
        plate,
        read_ns,
        colour=COLOURS.get(event.text("plateColor").lower(), "unknown"),
        vehicle_class=CLASSES.get(event.text("vehicleType").lower(), "unknown"),
        confidences=_believed(event.text("plateCharBelieve"), plate),
        backfill=truth(event.text("isDataRetransmission")),
        camera_at_ms=camera_at_ms,
        lane_hint=event.text("line") or event.text("channelID"),
    )


def _key(event: _Event, plate: str) -> str:
    named = event.text("UUID")
    if named:
        return named
    said = "|".join((event.text("dateTime"), event.text("absTime"), event.text("channelID"), plate))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def _believed(text: str, plate: str) -> tuple[float, ...]:
    """Return the confidence of each character, empty unless there is one in 0-100 for each."""
    numbers = [whole_number(one) for one in text.split(",")] if text else []
    usable = [one for one in numbers if one is not None and 0 <= one <= 100]
    return tuple(one / 100 for one in usable) if len(usable) == len(numbers) == len(plate) else ()


def _sorted(photos: tuple[Photo, ...]) -> tuple[Photo, ...]:
    return tuple(sorted(photos, key=lambda one: one.kind != "scene"))
