"""Take what the lanes' own cameras tell: those that are asked, and those that post through the web server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from devices.types import CameraNews, DeviceStatus, Health, LoopSeen
from edge.clock import boottime_ns, local, pause
from edge.errors import Unavailable
from edge.services.box import Box
from edge.services.camera_ports import PlateCamera
from edge.services.lane_answer import LaneAnswer
from edge.services.passage_records import CameraClock
from edge.services.photo_ports import Photos
from edge.services.raise_alarm import clear_alarm, raise_alarm
from edge.services.records import Unit
from edge.services.take_camera_news import LaneCameras, SeePlate
from edge.web.camera import CameraDesk
from edge.web.camera.door import BoundCamera, CameraDoor
from edge.workers import Worker

TURN_S = 0.5
#: Pauses before a read is tried again that the store could not take; a stream does not send twice.
RETRY_S = (0.1, 0.4, 1.0, 3.0)
TIDY_S = 3600.0
#: The name of the alarm that HQ gets when many posts are refused.
ALARM = "cameras"
#: Nothing is refused for so long before that alarm is over, and how often that is looked at, in seconds.
QUIET_S = 60.0
DOOR_S = 2.0
#: A camera's clock that is off by less is not worth a word.
WORTH_TELLING_MS = 1_000

_log = structlog.get_logger("camera")


@dataclass(frozen=True, slots=True)
class CameraParts:
    """The cameras of a box. asked: with the lane of each. bound: those that post. photos: where pictures
    go, for `keep_days` days and `max_bytes` at most. held: how many requests may wait at a time. gated: with
    its lane, who wants to hear whether the lane's loops are occupied, None for unknown, and when."""

    photos: Photos
    asked: tuple[tuple[str, PlateCamera], ...] = ()
    bound: tuple[BoundCamera, ...] = ()
    keep_days: int = 14
    max_bytes: int = 8 << 30
    held: int = 8
    gated: tuple[tuple[str, Callable[[bool | None, int], None]], ...] = ()


class WatchingCameras:
    """The cameras of all lanes."""

    def __init__(
        self,
        box: Box,
        parts: CameraParts,
        see: SeePlate,
        see_loop: Callable[[str, LoopSeen], None],
        room: Callable[[], bool],
        pause: Callable[[float], object] = pause,
    ) -> None:
        """see, see_loop, room: as LaneCameras wants them. pause: lets so many seconds pass."""
        self._box = box
        self._parts = parts
        self._occupied: dict[str, frozenset[int]] = {}

        def see_and_tell(lane: str, seen: LoopSeen) -> None:
            self._hear_loop(lane, seen)
            see_loop(lane, seen)

        self._lanes = LaneCameras(box, parts.photos, see, see_and_tell, room)
        self._room, self._pause = room, pause
        self._lost: dict[str, str] = {}
        self.door = CameraDoor(parts.bound, self._raise_alarm)

    @property
    def desk(self) -> CameraDesk | None:
        """What the cameras' paths need, None when no camera posts."""
        return CameraDesk(self.door, self._lanes.take, self._parts.held) if self._parts.bound else None

    def workers(self) -> list[Worker]:
        """Return one worker for each camera that is asked, one that tidies pictures, one at the door."""
        if not self._parts.asked and not self._parts.bound:
            return []
        asked = [Worker(f"camera-{one.name}", self._reading(lane, one)) for lane, one in self._parts.asked]
        return [*asked, Worker("photos", self._tidy), Worker("camera-door", self._mind_door)]

    def hear_loops(self, lane: str, occupied: bool | None) -> None:
        """Tell the lane's gated cameras whether a loop of it is occupied; None while nobody can tell."""
        for wanted, tell in self._parts.gated:
            if wanted == lane:
                tell(occupied, boottime_ns())

    def statuses(self) -> list[tuple[str, str, DeviceStatus]]:
        """Return (lane, "camera", status) of every camera; its detail tells of its clock and of refusals."""
        asked = [(lane, one.status()) for lane, one in self._parts.asked]
        bound = [(one.lane, self._refusals(one.camera.status())) for one in self._parts.bound]
        return [(lane, "camera", self._told(status)) for lane, status in (*asked, *bound)]

    def figures(self) -> Mapping[str, float]:
        """Return what was taken, refused and kept, for the metrics."""
        if not self._parts.asked and not self._parts.bound:
            return {}
        counts, photos = self.door.counts(), self._parts.photos.figures()
        return {
            "camera_posts_total": counts.posts,
            "camera_posts_refused_total": sum(counts.refused.values()),
            "camera_photos": photos.files,
            "camera_photos_bytes": photos.size_bytes,
            "camera_photos_lost_total": photos.lost,
        }

    def close(self) -> None:
        """Release every camera; requests that are held end at once."""
        for _, one in self._parts.asked:
            one.close()
        for bound in self._parts.bound:
            bound.camera.close()

    def _reading(self, lane: str, camera: PlateCamera) -> Callable[[], float]:
        def step() -> float:
            news = camera.read(TURN_S)
            if news is not None:
                self._take_surely(lane, camera.name, news)
                camera.done(news)
            return 0.0

        return step

    def _hear_loop(self, lane: str, seen: LoopSeen) -> None:
        before = self._occupied.get(lane, frozenset())
        now = before | {seen.loop} if seen.occupied else before - {seen.loop}
        self._occupied[lane] = now
        self.hear_loops(lane, bool(now))

    def _take_surely(self, lane: str, name: str, news: CameraNews) -> LaneAnswer | None:
        for pause_s in (*RETRY_S, None):
            try:
                answer = self._lanes.take(lane, news)
            except Unavailable as error:
                if pause_s is None:
                    self._lost[name] = f"the last read was lost: {error}"
                    raise
                self._pause(pause_s)
            else:
                self._lost.pop(name, None)
                if answer is not None:
                    _log.info("read", camera=name, lane=lane, outcome=answer.outcome, read=answer.read_id)
                return answer
        return None

    def _tidy(self) -> float:
        today = local(self._box.clock.now().wall_at, self._box.rules.zone).date()
        oldest, photos = today - timedelta(days=self._parts.keep_days), self._parts.photos
        gone = photos.tidy(oldest, self._parts.max_bytes)
        if not self._room():
            # The disk is scarce though no limit of ours is reached: the older half makes room.
            gone += photos.tidy(oldest, photos.figures().size_bytes // 2)
        if gone:
            _log.info("old pictures deleted", files=gone, room=self._room())
        return TIDY_S

    def _refusals(self, status: DeviceStatus) -> DeviceStatus:
        trouble = self.door.trouble(status.name)
        return replace(status, health=Health.FAULT, detail=trouble) if trouble else status

    def _told(self, status: DeviceStatus) -> DeviceStatus:
        if status.name in self._lost:
            return replace(status, health=Health.FAULT, detail=self._lost[status.name])
        clock = self._box.store.read(lambda unit: unit.plate_reads.clock_of(status.name))
        return replace(status, detail=f"{status.detail}{_clock_word(clock)}")

    def _mind_door(self) -> float:
        """End the alarm when nothing was refused for a while."""
        is_open = self._box.store.read(lambda unit: unit.alarms.get(ALARM)) is not None
        if is_open and self.door.is_quiet(QUIET_S):
            now, box = self._box.clock.now(), self._box
            detail = f"nothing was refused for {QUIET_S:.0f} s"
            box.store.write(lambda unit: clear_alarm(unit, box.ids, now, box.origin, ALARM, "quiet", detail))
        return DOOR_S

    def _raise_alarm(self, detail: str) -> None:
        now, origin = self._box.clock.now(), self._box.origin

        def work(unit: Unit) -> None:
            raise_alarm(unit, self._box.ids, now, origin, ALARM, "refused", detail)

        try:
            self._box.store.write(work)
        except Unavailable as error:
            _log.warning("alarm not written", why=str(error), detail=detail)


def _clock_word(clock: CameraClock | None) -> str:
    if clock is None or clock.error_ms is None or abs(clock.error_ms) < WORTH_TELLING_MS:
        return ""
    way = "behind" if clock.error_ms > 0 else "ahead"
    return f"; its clock is {abs(clock.error_ms) / 1000:.1f} s {way}"
