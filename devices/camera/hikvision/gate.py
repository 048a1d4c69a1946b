"""The barrier relay of a Hikvision camera, opened by ISAPI with Digest authentication."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from devices.camera.hikvision import codec
from devices.runtime import HealthRecord
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, GateInputs

_XML = {"Content-Type": "application/xml; charset=UTF-8"}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class CameraAccess:
    """How a camera's own web server is reached. url: scheme, host and port. The password is never shown."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    connect_s: float = 2.0
    read_s: float = 3.0

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that carries a password where logs would show it."""
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ValueError(f"{self.url!r} is no address: {error}") from None
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise ValueError("the address must be http://host or https://host, without user and password")

    def client(self, read_s: float | None = None) -> httpx.Client:
        """Return a client with Digest, which answers a stale nonce by itself, once."""
        limits = httpx.Timeout(read_s or self.read_s, connect=self.connect_s)
        auth = httpx.DigestAuth(self.username, self.password) if self.username else None
        return httpx.Client(base_url=self.url, auth=auth, timeout=limits, trust_env=False)


class HikvisionGate:
    """Port Gate. The camera reports neither loops nor limit switches here."""

    def __init__(self, name: str, access: CameraAccess, channel: int = 1) -> None:
        """Send nothing yet. channel: of the barrier, from 1."""
        self.name = name
        self._path = codec.gate_path(channel)
        self._health = HealthRecord(name, "gate", access.url)
        self._client = access.client()

    def pulse(self) -> None:
        """Open once; returns when the camera said that it did.

        Raises DeviceAbsent (it was not reached, or refused: surely not opened) or DeviceSilent.
        """
        try:
            status = self._put()
        except DeviceAbsent as error:
            self._health.absent(str(error))
            raise
        except DeviceSilent as error:
            self._health.fault(str(error))
            raise
        if status >= 300:
            what = "user and password are wrong" if status in (401, 403) else f"it answered {status}"
            self._health.fault(f"the camera refused to open: {what}")
            raise DeviceAbsent(f"gate {self.name}: the camera refused to open: {what}")
        self._health.heard()
        self._health.connected("ready")

    def inputs(self) -> GateInputs:
        """Return no loops and no limit switches: this camera tells of none."""
        return GateInputs(False, False)

    def status(self) -> DeviceStatus:
        """Return the health as of the last command; asks nothing."""
        return self._health.status()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._health.absent("closed by this service")

    def _put(self) -> int:
        if self._client.is_closed:
            raise DeviceAbsent(f"gate {self.name} was closed")
        try:
            # Only the head is looked at; the body is dropped with the connection.
            with self._client.stream("PUT", self._path, content=codec.OPEN, headers=_XML) as answer:
                status = answer.status_code
        except _NOT_SENT as error:
            raise DeviceAbsent(f"gate {self.name}: the camera was not reached: {_words(error)}") from None
        except httpx.HTTPError as error:
            raise DeviceSilent(f"gate {self.name}: no answer to the command: {_words(error)}") from None
        if status >= 500:
            raise DeviceSilent(f"gate {self.name}: the camera answered {status}; it may have opened")
        return status


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
