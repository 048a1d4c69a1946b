"""The vocabulary between drivers and the service; the only module of devices that edge may import freely.

Pure: no I/O. Moments are boot-time nanoseconds (CLOCK_BOOTTIME), in fields that end in `_ns`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class DeviceError(Exception):
    """A device could not do what was asked; the message names the device and what to do."""


class DeviceAbsent(DeviceError):
    """The device is not there (unplugged, powered off, no such port). Nothing was sent to it."""


class DeviceSilent(DeviceError):
    """The device took the request but its answer did not come in time: it may or may not have acted."""


class Health(StrEnum):
    """How a device is doing, as a technician would say it."""

    STARTING = "starting"
    CONNECTED = "connected"
    ABSENT = "absent"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The present state of one device.

    name: the configured name. port: what is open or looked for (by-id or by-path). detail: one
    sentence for the technician. since_ns: when this health began. last_heard_ns: when the device
    last sent anything, None if never. reopened: how often it came back after it was lost.
    """

    name: str
    kind: str
    health: Health
    port: str
    detail: str
    since_ns: int
    last_heard_ns: int | None = None
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """One frame from one scanner.

    raw: the frame's bytes as they came, without the terminator. text: the payload as text, without
    STX/ETX, prefix and AIM id; a GS separator stays as "\\x1d". aim: the AIM id with its bracket, e.g.
    "]E0", or None. read_ns: when the last byte arrived. problem: why the payload cannot be used
    (over-long, not text), or None.
    """

    device: str
    raw: bytes
    text: str
    aim: str | None
    read_ns: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from one camera; `image` is an OpenCV BGR array (height, width, 3), uint8."""

    device: str
    image: object
    taken_ns: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that a camera sent. kind: "scene" or "plate". jpeg: the file's bytes."""

    kind: str
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class PlateSeen:
    """One read of one plate by one camera, in our words whatever its maker.

    key: the camera's own id of this record, the same when it is sent again. plate: "" without one. colour,
    vehicle_class, trigger: values of edge.parking.vehicle and observation, "unknown" and "auto" where the
    camera does not say. confidences: of each character, 0-1, empty when unknown. backfill: kept by the camera
    during an outage. camera_at_ms: its own clock, Unix milliseconds, None when it does not say. read_ns: when
    it arrived here. lane_hint: what the camera calls its lane or channel, "" for none.
    """

    device: str
    key: str
    plate: str
    read_ns: int
    colour: str = "unknown"
    vehicle_class: str = "unknown"
    confidences: tuple[float, ...] = ()
    trigger: str = "auto"
    backfill: bool = False
    camera_at_ms: int | None = None
    lane_hint: str = ""
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopSeen:
    """A presence loop that is wired to a camera changed. loop: from 0."""

    device: str
    loop: int
    occupied: bool
    read_ns: int


@dataclass(frozen=True, slots=True)
class CameraAlive:
    """A camera said that it lives. asks: it waits for what we want of it, and the answer may be held back."""

    device: str
    read_ns: int
    asks: bool = False


@dataclass(frozen=True, slots=True)
class SerialHeard:
    """Bytes that came in at a camera's own serial channel, such as a display board's acknowledgement."""

    device: str
    channel: int
    data: bytes
    read_ns: int


CameraNews = PlateSeen | LoopSeen | CameraAlive | SerialHeard


class BadPush(ValueError):
    """What a camera sent cannot be used; the message names what was wrong and never repeats the body."""


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """One HTTP request of a camera. path: what follows the camera's token, "" for nothing.

    body: not shown by repr, as some cameras write their password into it.
    """

    path: str
    content_type: str
    body: bytes = field(repr=False)
    read_ns: int


@dataclass(frozen=True, slots=True)
class CameraPost:
    """A request of a camera, read. serial: what it calls itself, "" when it does not say. mark: what its
    answer must name, only for the camera's own codec."""

    news: tuple[CameraNews, ...]
    serial: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class CameraWish:
    """What the answer to a read is to carry. opens: one pulse of the camera's own relay. lines, voice: for a
    board on its serial channel. look_again: it should read once more. What it cannot do is left out."""

    opens: bool = False
    lines: tuple[str, ...] = ()
    voice: str = ""
    look_again: bool = False


@dataclass(frozen=True, slots=True)
class CameraAnswer:
    """What a camera is answered. commands: numbers of the commands that ride on it, none for a plain one."""

    body: bytes
    content_type: str
    commands: tuple[int, ...] = ()


class Align(StrEnum):
    """Where a line of a receipt stands."""

    LEFT = "left"
    CENTER = "center"


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text on paper; `scale` 1 or 2 multiplies width and height."""

    text: str
    align: Align = Align.LEFT
    bold: bool = False
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Columns:
    """Two texts on one line, left and right; the left one wraps when they do not fit."""

    left: str
    right: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code, centred."""

    text: str


@dataclass(frozen=True, slots=True)
class Drawer:
    """Kick the cash drawer open."""


PrintBlock = TextLine | Columns | Rule | QrCode | Drawer


@dataclass(frozen=True, slots=True)
class PrintJob:
    """What to print, cut at the end. job_id is unique for life."""

    job_id: str
    blocks: tuple[PrintBlock, ...]


class PrintOutcome(StrEnum):
    """What became of a job.

    PRINTED: the printer answered a barrier that it processes only after the job. NOT_STARTED: no byte
    of the job was sent, so it may be tried again. UNCERTAIN: bytes went out and no barrier came back;
    a person must look before it is printed again.
    """

    PRINTED = "printed"
    NOT_STARTED = "not_started"
    UNCERTAIN = "uncertain"


class PaperState(StrEnum):
    """What the paper sensor says."""

    ENOUGH = "enough"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrintResult:
    """The outcome of one job and, unless PRINTED, why in one sentence."""

    outcome: PrintOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the printer itself reports. ready: a job may be started now."""

    ready: bool
    paper: PaperState
    cover_open: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GateInputs:
    """The inputs of a gate's relay board: True means active.

    boom_up, boom_down: limit switches. loops: presence loops in the order of the lane.
    """

    boom_up: bool
    boom_down: bool
    loops: tuple[bool, ...] = field(default=())
