"""Take what a lane's camera tells: its pictures are kept, the read is committed, then it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from devices.types import CameraNews, CameraWish, LoopSeen, PlateSeen
from edge.clock import local
from edge.services.box import Box
from edge.services.lane_answer import LaneAnswer
from edge.services.photo_ports import Photos


class SeePlate(Protocol):
    """What decides by a read; see_plate of services.see_plate."""

    def __call__(self, box: Box, lane_name: str, seen: PlateSeen, photos: tuple[str, ...]) -> LaneAnswer:
        """Commit the read and what follows from it, once for each key of a camera, and return the answer."""


class LaneCameras:
    """The cameras of all lanes; any thread calls."""

    def __init__(
        self,
        box: Box,
        photos: Photos,
        see: SeePlate,
        see_loop: Callable[[str, LoopSeen], None],
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        """see_loop: takes a lane and what a loop at its camera did. room: whether pictures may be kept."""
        self._box = box
        self._photos = photos
        self._see = see
        self._see_loop = see_loop
        self._room = room

    def take(self, lane: str, news: CameraNews) -> LaneAnswer | None:
        """Take one thing that a camera told; return the answer to a read, None for all else.

        A read that was taken before changes nothing. Raises what `see` raises; then the read was not taken
        and the camera must send it again.
        """
        if isinstance(news, LoopSeen):
            self._see_loop(lane, news)
        if not isinstance(news, PlateSeen):
            return None
        names: tuple[str, ...] = ()
        if news.photos and self._room():
            day = local(self._box.clock.now().wall_at, self._box.rules.zone).date()
            names = self._photos.keep(day, news.device, news.key, news.photos)
        return self._see(self._box, lane, replace(news, photos=()), names)


def wish_of(answer: LaneAnswer, words: bool = True) -> CameraWish:
    """Return what the camera's own answer is to carry; without `words`, nothing for a board on it."""
    if not words:
        return CameraWish(answer.open_now, look_again=answer.look_again)
    return CameraWish(answer.open_now, answer.lines, answer.voice, answer.look_again)
