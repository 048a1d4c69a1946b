"""Cameras that call us: what they post is read, what is wanted of them rides on the answer.

camera = PushedCamera("in-1", VzicomSpeech()); post = camera.take(request)
answer = camera.answer(post, CameraWish(opens=True)); ...; camera.sent(answer, whole=True)
gate, board = PushedGate(camera), PushedBoard(camera)      # at any time, where the camera asks (comet)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from devices.camera.channel import CommandChannel
from devices.camera.commands import CameraCommand, OpenBarrier, ReadAgain, SerialOut
from devices.camera.dahua import codec as dahua
from devices.camera.hikvision import codec as hikvision
from devices.camera.vzicom import codec as vzicom
from devices.display import codec as board_codec
from devices.runtime import HealthRecord, boottime_ns
from devices.types import (
    BadPush,
    CameraAlive,
    CameraAnswer,
    CameraPost,
    CameraRequest,
    CameraWish,
    DeviceAbsent,
    DeviceSilent,
    DeviceStatus,
    GateInputs,
    Health,
    LoopSeen,
    PlateSeen,
)

#: How long a command waits for a request to ride on: a camera in comet mode is away for a second at most.
TAKEN_S = 1.5
#: How long the camera may take to ask again after it was answered.
CONFIRMED_S = 2.0
#: A camera that asked for nothing for so long is not in comet mode; a request is held for less.
ASKING_S = 30.0

_CLOSED = "closed by this service"
_INPUTS = 4
_NS_PER_S = 1_000_000_000


class Speech(Protocol):
    """How cameras of one maker speak."""

    @property
    def content_type(self) -> str:
        """Of every answer."""

    def parse(self, request: CameraRequest, device: str) -> CameraPost:
        """Return what was posted; raise BadPush."""

    def build(self, post: CameraPost, commands: Sequence[CameraCommand]) -> bytes:
        """Return the answer; what this maker's cameras cannot do is left out."""

    def carries(self, post: CameraPost) -> bool:
        """Return whether the answer to this post may carry commands."""


@dataclass(frozen=True, slots=True)
class VzicomSpeech:
    """臻识 Vzicom and its clones."""

    relay: vzicom.RelayHabits = field(default_factory=vzicom.RelayHabits)
    content_type: str = vzicom.CONTENT_TYPE

    def parse(self, request: CameraRequest, device: str) -> CameraPost:
        """Return what was posted; raise BadPush."""
        return vzicom.parse_push(request, device)

    def build(self, post: CameraPost, commands: Sequence[CameraCommand]) -> bytes:
        """Return the answer."""
        return vzicom.build_answer(post, commands, self.relay)

    def carries(self, post: CameraPost) -> bool:
        """Only recognitions and comet requests: an ordinary heartbeat's answer is not looked at."""
        return any(isinstance(one, PlateSeen) for one in post.news) or asks(post)


@dataclass(frozen=True, slots=True)
class DahuaSpeech:
    """Dahua ITSAPI."""

    content_type: str = dahua.CONTENT_TYPE

    def parse(self, request: CameraRequest, device: str) -> CameraPost:
        """Return what was posted; raise BadPush."""
        return dahua.parse_push(request, device)

    def build(self, post: CameraPost, commands: Sequence[CameraCommand]) -> bytes:
        """Return the answer."""
        return dahua.build_answer(post, commands)

    def carries(self, post: CameraPost) -> bool:
        """Only the answer to a vehicle opens."""
        return bool(post.mark)


@dataclass(frozen=True, slots=True)
class HikvisionSpeech:
    """Hikvision ISAPI, whose answers carry nothing: its relay is called instead (hikvision.gate)."""

    content_type: str = hikvision.ANSWER_TYPE

    def parse(self, request: CameraRequest, device: str) -> CameraPost:
        """Return what was posted; raise BadPush."""
        return hikvision.parse_push(request, device)

    def build(self, post: CameraPost, commands: Sequence[CameraCommand]) -> bytes:
        """Return the answer, the same for all."""
        return b"OK"

    def carries(self, post: CameraPost) -> bool:
        """Nothing."""
        return False


@dataclass(frozen=True, slots=True)
class BoardOnCamera:
    """A display board at a camera's serial port. channel: 0-1. lines: 1-8. cells: half-width characters."""

    channel: int = 0
    lines: int = 2
    cells: int = 8

    def __post_init__(self) -> None:
        """Refuse what no board has."""
        if not 0 <= self.channel <= 1 or not 1 <= self.lines <= 8 or not 2 <= self.cells <= 64:
            raise ValueError(
                f"a board is on channel 0-1 with 1-8 lines of 2-64 cells, not {self.channel}, {self.lines}, "
                f"{self.cells}"
            )

    def frames(self, lines: Sequence[str], voice: str) -> tuple[SerialOut, ...]:
        """Return what shows `lines` and speaks `voice`, each of them left out when empty."""
        texts = [*lines[: self.lines - 1], " ".join(lines[self.lines - 1 :])] if lines else []
        data = [
            board_codec.text_frame(text or " ", at, moving=self._long(text)) for at, text in enumerate(texts)
        ]
        data += [board_codec.voice_frame(voice)] if voice else []
        return tuple(SerialOut(self.channel, one) for one in data)

    def _long(self, text: str) -> bool:
        return len(board_codec.encode(text, board_codec.MAX_TEXT_BYTES, "□")) > self.cells


def asks(post: CameraPost) -> bool:
    """Return whether a camera waits for commands with this post."""
    return any(isinstance(one, CameraAlive) and one.asks for one in post.news)


class PushedCamera:
    """Port PushCamera; every method may be called from any thread."""

    def __init__(
        self,
        name: str,
        speech: Speech,
        board: BoardOnCamera | None = None,
        silent_s: float = 0.0,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """silent_s: after so long without a post the camera counts as absent; 0 never, as some are silent."""
        self.name = name
        self.board = board
        self.channel = CommandChannel(name)
        self._speech = speech
        self._silent_s = silent_s
        self._now_ns = now_ns
        self._health = HealthRecord(name, "camera", "waits to be called", now_ns)
        self._inputs = [False] * _INPUTS
        self._asked_ns: int | None = None

    def take(self, request: CameraRequest) -> CameraPost:
        """Return what a camera posted; raise BadPush, which shows in the status too."""
        try:
            post = self._speech.parse(request, self.name)
        except BadPush as error:
            self._health.heard(request.read_ns)
            self._health.fault(f"its last post could not be read: {error}")
            raise
        self._health.heard(request.read_ns)
        self._health.connected("it calls")
        return post

    def answer(self, post: CameraPost, wish: CameraWish | None = None, wait_s: float = 0.0) -> CameraAnswer:
        """Return the answer. wish: for the answer to a read. A camera that asks (comet) gets what others
        sent to its channel; for that this waits up to `wait_s`, or until the camera asks anew."""
        # Here and not where it was read: by now whoever posted is known to be this camera.
        for news in post.news:
            if isinstance(news, LoopSeen):
                self._inputs[news.loop % _INPUTS] = news.occupied
        if not self._speech.carries(post):
            return CameraAnswer(self._speech.build(post, ()), self._speech.content_type)
        if not asks(post):
            body = self._speech.build(post, self._own(wish or CameraWish()))
            return CameraAnswer(body, self._speech.content_type)
        self._asked_ns = self._now_ns()
        self.channel.confirm()
        orders = self.channel.take(wait_s)
        body = self._speech.build(post, [command for order in orders for command in order.commands])
        return CameraAnswer(body, self._speech.content_type, tuple(order.number for order in orders))

    def sent(self, answer: CameraAnswer, whole: bool) -> None:
        """Say whether an answer's bytes went out whole; without it, its commands stay in doubt."""
        if answer.commands:
            self.channel.settle(answer.commands, whole)

    def asking(self) -> bool:
        """Return whether the camera asks for commands, or did a moment ago."""
        asked_ns = self._asked_ns
        return asked_ns is not None and self._now_ns() - asked_ns < ASKING_S * _NS_PER_S

    def inputs(self) -> tuple[bool, ...]:
        """Return what the camera last said of its inputs; False for what it never told of."""
        return tuple(self._inputs)

    def status(self) -> DeviceStatus:
        """Return the camera's health; absent when it has been silent for too long."""
        status = self._health.status()
        heard_ns = status.last_heard_ns
        if heard_ns is None:
            return replace(status, detail="it has not called yet: is its push address set to this box?")
        quiet_s = (self._now_ns() - heard_ns) / _NS_PER_S
        if status.health is Health.ABSENT or not 0 < self._silent_s < quiet_s:
            return status
        return replace(status, health=Health.ABSENT, detail=f"it has not called for {quiet_s:.0f} s")

    def close(self) -> None:
        """End what is held, refuse what is sent."""
        self.channel.close()
        self._health.absent(_CLOSED)

    def _own(self, wish: CameraWish) -> list[CameraCommand]:
        commands: list[CameraCommand] = [OpenBarrier()] if wish.opens else []
        if self.board is not None:
            commands += self.board.frames(wish.lines, wish.voice)
        return commands + ([ReadAgain()] if wish.look_again else [])


class PushedGate:
    """Port Gate over a camera's relay. It opens at any time only while the camera asks (comet mode)."""

    def __init__(self, camera: PushedCamera, loops: int = 0) -> None:
        """loops: how many of the camera's inputs, from the first, are presence loops in driving order."""
        self.name = camera.name
        self._camera = camera
        self._loops = loops
        self._health = HealthRecord(camera.name, "gate", "the camera's relay")

    def pulse(self) -> None:
        """Open once; returns when the camera asked again after the answer that carried the command.

        Raises DeviceAbsent (no request to ride on, surely not sent) or DeviceSilent (it may have opened).
        """
        try:
            self._camera.channel.send((OpenBarrier(),), TAKEN_S, CONFIRMED_S)
        except DeviceAbsent as error:
            self._health.absent(str(error))
            raise
        except DeviceSilent as error:
            self._health.fault(str(error))
            raise
        self._health.connected("ready")

    def inputs(self) -> GateInputs:
        """Return the loops as the camera last told them; it knows no limit switches, so both are False."""
        if self._camera.status().health is Health.ABSENT:
            raise DeviceAbsent(f"gate {self.name}: its camera does not call")
        return GateInputs(False, False, self._camera.inputs()[: self._loops])

    def status(self) -> DeviceStatus:
        """Return the health: by the last command, and by whether the camera asks for any."""
        return _behind(self._camera, self._health.status())

    def close(self) -> None:
        """Nothing of its own to release."""
        self._health.absent(_CLOSED)


class PushedBoard:
    """Port Display over a camera's serial channel. What the board says to it is not known here: returning
    means that the camera took the frames."""

    def __init__(self, camera: PushedCamera, board: BoardOnCamera) -> None:
        self.name = camera.name
        self._camera = camera
        self._board = board
        self._health = HealthRecord(camera.name, "display", f"serial channel {board.channel} of the camera")

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines until the next call. Raises DeviceAbsent or DeviceSilent."""
        padded = [*lines, *[""] * self._board.lines][: max(len(lines), self._board.lines)]
        self._send(self._board.frames(padded, ""))

    def say(self, text: str) -> None:
        """Speak `text` after clearing what is queued. Raises DeviceAbsent or DeviceSilent."""
        self._send(self._board.frames((), text))

    def status(self) -> DeviceStatus:
        """Return the health: by the last frames, and by whether the camera asks for any."""
        return _behind(self._camera, self._health.status())

    def close(self) -> None:
        """Nothing of its own to release."""
        self._health.absent(_CLOSED)

    def _send(self, frames: Sequence[SerialOut]) -> None:
        if not frames:
            return
        try:
            self._camera.channel.send(frames, TAKEN_S, CONFIRMED_S)
        except (DeviceAbsent, DeviceSilent) as error:
            self._health.fault(str(error))
            raise
        self._health.connected("ready")


def _behind(camera: PushedCamera, status: DeviceStatus) -> DeviceStatus:
    """Return the status of what hangs on a camera; before its first use, the camera's own asking tells."""
    if status.health is Health.FAULT or status.detail == _CLOSED:
        return status
    if not camera.asking():
        detail = "its camera asks for no commands: is comet mode on?"
        return replace(status, health=Health.ABSENT, detail=detail)
    return replace(status, health=Health.CONNECTED, detail="ready")
