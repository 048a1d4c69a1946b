"""Who may post as a camera: bound by a token in the address, where it calls from and its serial number."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.clock import boottime_ns
from edge.errors import EdgeError
from edge.services.camera_ports import PushCamera

#: Posts of one camera: so many a second, and so many at once (a back-fill comes as fast as it is answered).
POSTS_A_SECOND = 20
POSTS_AT_ONCE = 60

#: Refusals within WINDOW_S that raise an alarm, and how long it is silent afterwards.
MANY = 20
WINDOW_S = 600.0
SILENT_S = 3600.0

#: The shortest token that may stand in an address.
MIN_TOKEN = 16

_NS_PER_S = 1_000_000_000


class Refused(EdgeError):
    """A post is not let in. status: the HTTP status; the message is for the log, not for who posted."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BoundCamera:
    """A camera and what it is known by.

    token_digest: SHA-256 of the token in its address; b"" lets it in by fixed paths alone. address: from
    where it calls, an address or a network, "" from anywhere. serial: what it must call itself, "" anything.
    fixed_paths: it may post to its maker's fixed paths; that needs an address and a serial. words: its
    answers carry the lane's words for a board on it; not where the lane's worker shows them anyhow.
    """

    name: str
    lane: str
    camera: PushCamera
    token_digest: bytes = field(default=b"", repr=False)
    address: str = ""
    serial: str = ""
    fixed_paths: bool = False
    words: bool = True


@dataclass(frozen=True, slots=True)
class DoorCounts:
    """What happened at the door since the start. refused: by reason."""

    posts: int
    refused: dict[str, int]


class CameraDoor:
    """Lets posts in or refuses them, and counts; any thread calls."""

    def __init__(
        self,
        cameras: Sequence[BoundCamera],
        alarm: Callable[[str], None] = lambda detail: None,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """alarm: told in one sentence when many posts were refused."""
        self.cameras = tuple(cameras)
        self._alarm = alarm
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._posts = 0
        self._refused: Counter[str] = Counter()
        self._late: deque[int] = deque(maxlen=MANY)
        self._told_ns: int | None = None
        self._levels: dict[str, tuple[float, int]] = {}
        self._troubles: dict[str, str] = {}

    def by_token(self, token: str, address: str) -> BoundCamera:
        """Return the camera of that token; raise Refused for a token of none, or from elsewhere.

        Every camera is compared in constant time, so that nothing is learned from how long it takes.
        """
        self._check_near(address)
        digest = token_digest(token)
        found: BoundCamera | None = None
        for one in self.cameras:
            if one.token_digest and hmac.compare_digest(one.token_digest, digest):
                found = one
        if found is None:
            raise self.refuse(404, "token", f"a post from {address} has a token of no camera")
        return self._let_in(found, address)

    def by_address(self, address: str) -> tuple[BoundCamera, ...]:
        """Return the cameras that may post to fixed paths from there; raise Refused when there is none."""
        self._check_near(address)
        found = tuple(one for one in self.cameras if one.fixed_paths and _inside(address, one.address))
        if not found:
            raise self.refuse(
                404, "address", f"a post to a fixed path came from {address}, which is no camera"
            )
        self._let_in(found[0], address)
        return found

    def check_serial(self, camera: BoundCamera, serial: str) -> None:
        """Raise Refused when a camera that is bound to a serial number says another, or none."""
        if camera.serial and camera.serial.casefold() != serial.casefold():
            said = f"serial number {serial[:40]!r}" if serial else "no serial number"
            message = f"camera {camera.name} said {said} instead of {camera.serial!r}"
            raise self.refuse(403, "serial", message, camera.name)

    def count_post(self, name: str) -> None:
        """Count a camera's post that was taken."""
        with self._lock:
            self._posts += 1
            self._troubles.pop(name, None)

    def trouble(self, name: str) -> str:
        """Return why the last post in a camera's name was refused, "" when it was taken."""
        with self._lock:
            return self._troubles.get(name, "")

    def is_quiet(self, for_s: float) -> bool:
        """Return whether nothing was refused for so long; then many refusals anew raise the alarm again."""
        with self._lock:
            quiet = not self._late or self._now_ns() - self._late[-1] >= for_s * _NS_PER_S
            if quiet:
                self._told_ns = None
            return quiet

    def counts(self) -> DoorCounts:
        """Return what happened so far."""
        with self._lock:
            return DoorCounts(self._posts, dict(self._refused))

    def refuse(self, status: int, reason: str, message: str, name: str = "") -> Refused:
        """Count a refusal, of camera `name` where it is known, raise the alarm after many, and return it."""
        now_ns = self._now_ns()
        with self._lock:
            self._refused[reason] += 1
            if name:
                self._troubles[name] = message
            self._late.append(now_ns)
            tell = self._many(now_ns)
            if tell:
                self._told_ns = now_ns
        if tell:
            self._alarm(f"{MANY} posts to the cameras' addresses were refused; the last: {message}")
        return Refused(status, reason, message)

    def _check_near(self, address: str) -> None:
        """Refuse what HQ relays, which comes from no address: no camera is out there."""
        if _inside(address, "0.0.0.0/32"):
            raise self.refuse(404, "relayed", "a post to a camera's address came through HQ's relay")

    def _many(self, now_ns: int) -> bool:
        full = len(self._late) == MANY and now_ns - self._late[0] <= WINDOW_S * _NS_PER_S
        silent = self._told_ns is not None and now_ns - self._told_ns < SILENT_S * _NS_PER_S
        return full and not silent

    def _let_in(self, camera: BoundCamera, address: str) -> BoundCamera:
        if camera.address and not _inside(address, camera.address):
            raise self.refuse(
                403,
                "address",
                f"a post as camera {camera.name} came from {address}, not {camera.address}",
                camera.name,
            )
        if not self._has_room(camera.name):
            message = f"camera {camera.name} posts more than {POSTS_A_SECOND} a second"
            raise self.refuse(429, "rate", message, camera.name)
        return camera

    def _has_room(self, name: str) -> bool:
        now_ns = self._now_ns()
        with self._lock:
            level, then_ns = self._levels.get(name, (0.0, now_ns))
            level = max(0.0, level - (now_ns - then_ns) / _NS_PER_S * POSTS_A_SECOND)
            taken = level + 1 <= POSTS_AT_ONCE
            self._levels[name] = (level + taken, now_ns)
            return taken


def token_digest(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _inside(address: str, network: str) -> bool:
    if not network:
        return False
    try:
        client = ipaddress.ip_address(address)
        mapped = getattr(client, "ipv4_mapped", None)
        return (mapped or client) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
