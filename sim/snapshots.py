"""HQ's side of snapshots: retains a manifest for each box and answers with the chunks that a box asks for.

Written from docs/protocols/snapshots.md, not from the box's code.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

CHUNK_BYTES = 64 * 1024

#: Chunks of one question that are answered, and how long one may be on its way, in seconds.
MAX_ASKED = 64
CHUNK_EXPIRY_S = 60

#: Text in one step of a delta.
MAX_PUT_BYTES = 32 * 1024

_REFUSED = re.compile(r"mall/([a-z0-9-]{1,32})/edge/([a-z0-9-]{1,32})/events/v1/snapshot\.refused")
_FETCH = re.compile(r"mall/([a-z0-9-]{1,32})/edge/([a-z0-9-]{1,32})/fetches/v1/([a-z][a-z0-9-]{0,31})")

Box = tuple[str, str]


class SnapshotFault(StrEnum):
    """How HQ misbehaves.

    LOST: every third chunk is not sent when it is asked for the first time. WRONG: the same ones come with
    another byte. WHOLE: the manifest has the hash of another content. CUT: after five chunks HQ falls silent.
    """

    NONE = "none"
    LOST = "lost"
    WRONG = "wrong"
    WHOLE = "whole"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Content:
    """One version of a snapshot. valid_from: Unix milliseconds, 0 for at once. base: it goes as a delta."""

    name: str
    version: int
    data: bytes
    valid_from: int = 0
    chunk_bytes: int = CHUNK_BYTES
    base: Content | None = None

    def full(self) -> Content:
        """Return the same version in the full form."""
        return replace(self, base=None)

    def chunks(self) -> list[bytes]:
        """Return what is sent, packed and cut; the same content gives the same chunks."""
        sent = self.data if self.base is None else delta(self.base.data, self.data)
        packed = gzip.compress(sent, 6, mtime=0)
        return [packed[at : at + self.chunk_bytes] for at in range(0, len(packed), self.chunk_bytes)]

    def manifest(self, chunks: Sequence[bytes] = (), *, wrong: bool = False) -> bytes:
        """Return the manifest. chunks: if they are made already. wrong: with the hash of another content."""
        said = {
            "version": self.version,
            "form": "full" if self.base is None else "delta",
            "encoding": "gzip",
            "valid_from": self.valid_from,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data + b"?" * wrong).hexdigest(),
            "chunk_bytes": self.chunk_bytes,
            "chunks": [hashlib.sha256(one).hexdigest() for one in chunks or self.chunks()],
        }
        if self.base is not None:
            said["base"] = self.base.version
        return json.dumps(said, separators=(",", ":")).encode()

    def describe(self) -> str:
        """Return sizes for people."""
        chunks = self.chunks()
        return f"{len(self.data)} bytes, {sum(map(len, chunks))} packed, {len(chunks)} chunks"


def delta(old: bytes, new: bytes) -> bytes:
    """Return the steps from one content to another: whole lines are copied, skipped or put.

    Lines that both have in the same order are copied; quick for contents of any size that are sorted alike.
    """
    before = old.splitlines(keepends=True)
    places: dict[bytes, int] = {line: place for place, line in reversed(list(enumerate(before)))}
    steps: list[tuple[str, bytes]] = []
    at = 0
    for line in new.splitlines(keepends=True):
        place = places.get(line, -1)
        if place < at:
            steps.append(("put", line))
            continue
        steps += [("skip", gone) for gone in before[at:place]]
        steps.append(("copy", line))
        at = place + 1
    steps += [("skip", gone) for gone in before[at:]]
    return b"".join(_step(kind, lines) for kind, lines in _runs(steps))


def _runs(steps: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    """Join neighbours of one kind; a put stays below 32 KiB."""
    kind, lines, size = "", list[bytes](), 0
    for one, line in steps:
        if lines and (one != kind or (one == "put" and size + len(line) > MAX_PUT_BYTES)):
            yield kind, lines
            lines, size = [], 0
        kind, size = one, size + len(line)
        lines.append(line)
    if lines:
        yield kind, lines


def _step(kind: str, lines: list[bytes]) -> bytes:
    said = b"".join(lines).decode() if kind == "put" else sum(map(len, lines))
    return json.dumps({kind: said}, ensure_ascii=False).encode() + b"\n"


class SnapshotSource:
    """One connection to HQ's broker that serves snapshots. Counts: asked, sent (chunks), sent_bytes."""

    def __init__(self, host: str, port: int, fault: SnapshotFault = SnapshotFault.NONE) -> None:
        self.fault = fault
        self.asked = self.sent = self.sent_bytes = 0
        self._address = (host, port)
        self._served: dict[tuple[Box, str, int], list[bytes]] = {}
        self._deltas: dict[tuple[Box, str, int], Content] = {}
        self._spoiled: set[tuple[str, int, int]] = set()
        self._ready = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.max_queued_messages_set(1_000)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._heard
        self._client = client

    def start(self) -> None:
        """Go to the broker and wait until questions are heard, 10 s at most; raises OSError."""
        self._client.connect(*self._address, keepalive=10, clean_start=True)
        self._client.loop_start()
        self._ready.wait(10.0)

    def stop(self) -> None:
        """Leave; the retained manifests stay at the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, content: Content, boxes: Iterable[Box]) -> None:
        """Serve a content and retain its manifest for these boxes; returns when the broker has it.

        A box that cannot use a delta says so by an event, and is given the full form.
        """
        for box in boxes:
            if content.base is not None:
                self._deltas[box, content.name, content.version] = content
            self._offer(content, box).wait_for_publish(10.0)

    def say(self, box: Box, name: str, payload: bytes) -> None:
        """Retain any bytes as the manifest of a snapshot, also junk or none."""
        topic = f"mall/{box[0]}/edge/{box[1]}/snapshots/v1/{name}"
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10.0)

    def hear_refusal(self, box: Box, payload: bytes) -> None:
        """Take a box's event "snapshot.refused" and offer the full form of a delta that it could not use."""
        try:
            data = json.loads(payload)["data"]
            key, reason = (box, str(data["name"]), int(data["version"])), data["reason"]
        except (ValueError, KeyError, TypeError):
            return
        if reason in ("base", "wrong_hash") and key in self._deltas:
            self._offer(self._deltas.pop(key).full(), box)

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        topics = ("mall/+/edge/+/fetches/v1/+", "mall/+/edge/+/events/v1/snapshot.refused")
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def _subscribed(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        self._ready.set()

    def _offer(self, content: Content, box: Box) -> mqtt.MQTTMessageInfo:
        chunks = self._served[box, content.name, content.version] = content.chunks()
        topic = f"mall/{box[0]}/edge/{box[1]}/snapshots/v1/{content.name}"
        payload = content.manifest(chunks, wrong=self.fault is SnapshotFault.WHOLE)
        return self._client.publish(topic, payload, qos=1, retain=True)

    def _heard(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        refused = _REFUSED.fullmatch(message.topic)
        if refused is None:
            self._fetched(message)
        else:
            self.hear_refusal((refused[1], refused[2]), bytes(message.payload))

    def _fetched(self, message: mqtt.MQTTMessage) -> None:
        found = _FETCH.fullmatch(message.topic)
        try:
            wanted = json.loads(message.payload)
            version, numbers = int(wanted["version"]), [int(one) for one in wanted["chunks"]]
        except (ValueError, KeyError, TypeError):
            return
        chunks = self._served.get(((found[1], found[2]), found[3], version)) if found else None
        if found is None or chunks is None:
            return
        self.asked += 1
        for number in numbers[:MAX_ASKED]:
            if 0 <= number < len(chunks):
                self._send((found[1], found[2]), found[3], version, number, chunks[number])

    def _send(self, box: Box, name: str, version: int, number: int, data: bytes) -> None:
        key = (name, version, number)
        if self.fault is SnapshotFault.CUT and self.sent >= 5:
            return
        if self.fault in (SnapshotFault.LOST, SnapshotFault.WRONG) and number % 3 == 0:
            first = key not in self._spoiled
            self._spoiled.add(key)
            if first and self.fault is SnapshotFault.LOST:
                return
            data = bytes([data[0] ^ 1]) + data[1:] if first else data
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = CHUNK_EXPIRY_S
        properties.ContentType = "application/octet-stream"
        topic = f"mall/{box[0]}/edge/{box[1]}/snapshots/v1/{name}/chunks/{version}/{number}"
        self._client.publish(topic, data, qos=1, properties=properties)
        self.sent += 1
        self.sent_bytes += len(data)
