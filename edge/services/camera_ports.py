"""Cameras that recognise plates themselves, as protocols: those that we ask and those that call us."""

from __future__ import annotations

from typing import Protocol

from devices.types import (
    CameraAnswer,
    CameraPost,
    CameraRequest,
    CameraWish,
    DeviceStatus,
    LoopSeen,
    PlateSeen,
)


class PlateCamera(Protocol):
    """A camera that recognises plates and is asked for them; one caller reads it."""

    name: str

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the oldest news, or None after `timeout_s`. A lost line is re-opened inside, for ever."""

    def done(self, news: PlateSeen | LoopSeen) -> None:
        """It is kept here; a camera that keeps its own until then need not send it again."""

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""

    def close(self) -> None:
        """Release the camera; a waiting `read` returns None."""


class PushCamera(Protocol):
    """A camera that recognises plates and posts them; any thread calls."""

    name: str

    def take(self, request: CameraRequest) -> CameraPost:
        """Return what was posted. Raises devices.types.BadPush."""

    def answer(self, post: CameraPost, wish: CameraWish | None = None, wait_s: float = 0.0) -> CameraAnswer:
        """Return the answer, with what is wished as far as this camera can.

        A post that asks for commands is held for up to `wait_s`; a later one ends an earlier one.
        """

    def sent(self, answer: CameraAnswer, whole: bool) -> None:
        """Say whether an answer's bytes went out whole."""

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""

    def close(self) -> None:
        """End what is held."""
