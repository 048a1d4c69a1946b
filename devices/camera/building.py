"""Drivers of cameras that are asked, from their settings; what cannot be is a ValueError that names them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from devices.types import DeviceError

if TYPE_CHECKING:
    from devices.camera.hikvision.gate import CameraAccess
    from devices.camera.plates.camera import FramePlateCamera
    from devices.camera.plates.motion import LoopGate
    from devices.camera.plates.reader import PlateReader
    from devices.camera.streamed import StreamedCamera


class AskedSettings(Protocol):
    """What the file says of a camera that is asked. kind: frames, hikvision_pull or dahua_pull."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def region(self) -> tuple[float, ...]: ...
    @property
    def least_width(self) -> int: ...


def build_asked(
    settings: AskedSettings, password: str, gate: LoopGate | None = None
) -> FramePlateCamera | StreamedCamera:
    """Return the driver. gate: says when pictures of kind frames are read, None for motion."""
    if settings.kind == "frames":
        return _frames(settings, password, gate)
    return build_streamed(settings, build_access(settings, password))


def build_streamed(settings: AskedSettings, access: CameraAccess) -> StreamedCamera:
    """Return the driver of a camera that recognises plates itself and streams what it saw."""
    from devices.camera.streamed import DAHUA, HIKVISION, StreamedCamera

    habits = HIKVISION if settings.kind == "hikvision_pull" else DAHUA
    return StreamedCamera(settings.name, access, habits)


def build_access(settings: AskedSettings, password: str) -> CameraAccess:
    """Return how a camera's own web server is reached."""
    from devices.camera.hikvision.gate import CameraAccess

    try:
        return CameraAccess(settings.url, settings.username, password)
    except ValueError as error:
        raise ValueError(f"camera {settings.name}: url: {error}") from None


@cache
def _reader() -> PlateReader:
    """The one reader of all cameras of this process: the model takes 60 MB."""
    from devices.camera.plates.reader import PlateReader

    return PlateReader()


def _frames(settings: AskedSettings, password: str, gate: LoopGate | None) -> FramePlateCamera:
    """Return a camera whose frames are read here; url: what OpenCV opens."""
    from devices.camera.driver import OpenCvCamera
    from devices.camera.plates.camera import FramePlateCamera, LaneView
    from devices.camera.plates.motion import WHOLE

    try:
        reader = _reader()
    except DeviceError as error:
        raise ValueError(f"camera {settings.name}: {error}") from error
    left, top, right, bottom = settings.region or WHOLE
    view = LaneView((left, top, right, bottom), settings.least_width)
    source = OpenCvCamera(settings.name, _source(settings, password))
    return FramePlateCamera(settings.name, source, reader, gate, view=view)


def _source(settings: AskedSettings, password: str) -> str:
    """Return what OpenCV opens; user and password stand only in this text, which no log shows."""
    scheme, found, rest = settings.url.partition("://")
    if not found or not settings.username:
        return settings.url
    return f"{scheme}://{quote(settings.username, safe='')}:{quote(password, safe='')}@{rest}"
