"""A camera's HTTP client: one post at a time, and what may go wrong with it."""

from __future__ import annotations

import http.client
import socket
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from sim.cameras.sight import CameraCounts, CameraFaults

#: Seconds that a camera waits for an answer, and the largest that it reads.
ANSWER_S = 5.0
MAX_ANSWER_BYTES = 256 * 1024
BOUNDARY = "----SimulatedCameraBoundary7MA4YWxk"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; file: its file name, "" for a field."""

    name: str
    body: bytes
    file: str = ""
    content_type: str = ""


def multipart(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Return the content type and the body of a form."""
    body = bytearray()
    for part in parts:
        file = f'; filename="{part.file}"' if part.file else ""
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n'.encode()
        if part.content_type:
            body += f"Content-Type: {part.content_type}\r\nContent-Length: {len(part.body)}\r\n".encode()
        body += b"\r\n" + part.body + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    return f"multipart/form-data; boundary={BOUNDARY}", bytes(body)


def post(
    url: str,
    content_type: str,
    body: bytes,
    faults: CameraFaults,
    counts: CameraCounts,
    timeout_s: float = ANSWER_S,
) -> bytes | None:
    """Post once; return the answer's body, None when there was none or it was not 200."""
    parts = urllib.parse.urlsplit(url)
    if faults.outage:
        counts.failed += 1
        return None
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout_s)
    counts.posts += 1
    try:
        if faults.half > 0:
            faults.half -= 1
            _break_off(connection, parts.path, content_type, body)
            raise ConnectionError("broke off")
        connection.request("POST", parts.path or "/", body, {"Content-Type": content_type})
        reply = connection.getresponse()
        answer = reply.read(MAX_ANSWER_BYTES)
        if faults.drop > 0:
            faults.drop -= 1
            raise ConnectionError("the answer was not heard")
        if reply.status != 200:
            raise ConnectionError(f"status {reply.status}")
    except (OSError, http.client.HTTPException) as error:
        counts.failed += 1
        counts.said = [*counts.said[-19:], str(error)]
        return None
    finally:
        connection.close()
    counts.answered += 1
    return answer


def _break_off(connection: http.client.HTTPConnection, path: str, content_type: str, body: bytes) -> None:
    connection.putrequest("POST", path or "/")
    connection.putheader("Content-Type", content_type)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])
    assert connection.sock is not None
    connection.sock.shutdown(socket.SHUT_RDWR)
