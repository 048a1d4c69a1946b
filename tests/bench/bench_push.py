"""From a camera's push to the answer that opens the gate, through the real service with its real store.

Run: .venv/bin/python -m tests.bench.bench_push. The service is a process of its own, HQ is away. A push is a
Vzicom body of some 170 kB with two pictures; the entry lanes have no gate of their own, so that the answer is
the gate command on the wire. Measured from the first byte sent to the last byte of the answer read, on a
connection of its own for each push, as cameras do. A tenth of the pushes is sent a second time.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.bench.big_mall import say
from tests.bench.table import Figure, Result, percentile, report

LANES = 12
PUSHES = 300
WARM_UP = 24
EVERY_S = 0.1
PICTURES = (110_000, 12_000)

#: Plates that differ in more than a camera's repeats may.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Answer:
    """One push. opened: whether the answer opens."""

    took_ms: float
    opened: bool


def measure() -> Result:
    """Push at a steady pace and look at what came back."""
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as port:
        say(f"{PUSHES} pushes of {len(_push(0)) / 1000:.0f} kB to {LANES} lanes, one each {EVERY_S:g} s")
        _paced(port, range(WARM_UP))
        numbers = range(WARM_UP, WARM_UP + PUSHES)
        answers = _paced(port, numbers)
        repeats = _paced(port, numbers[::10])
    opening = [one.took_ms for one in answers if one.opened]
    if any(one.opened for one in repeats):
        raise AssertionError("a repeated push was answered by opening")
    figures = [
        Figure("push to gate command on the wire, p50", percentile(opening, 50), "ms"),
        Figure("push to gate command on the wire, p95", percentile(opening, 95), "ms", 50.0),
        Figure("push to gate command on the wire, longest", max(opening), "ms"),
        Figure("pushes answered by opening", 100 * len(opening) / PUSHES, "%"),
        Figure("repeated push to answer, p95", percentile([one.took_ms for one in repeats], 95), "ms"),
    ]
    note = f"{PUSHES} pushes of 170 kB, one each {EVERY_S:g} s, {LANES} entry lanes, repeats opened nothing"
    return Result("push", figures, {"push_ms": opening}, note)


def _paced(port: int, numbers: range) -> list[Answer]:
    begun, pause = time.monotonic(), threading.Event()
    answers = []
    for at, number in enumerate(numbers):
        pause.wait(max(0.0, begun + at * EVERY_S - time.monotonic()))
        answers.append(_post(port, number))
    return answers


def _post(port: int, number: int) -> Answer:
    body, token = _push(number), _token(number % LANES)
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", f"/camera/{token}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    took_ms = (time.perf_counter() - begun) * 1000
    connection.close()
    if answer.status != 200:
        raise AssertionError(f"push {number} was answered {answer.status}: {said[:200]!r}")
    return Answer(took_ms, "ivs_ioctrl" in json.loads(said)["Response_AlarmInfoPlate"])


@lru_cache(maxsize=WARM_UP + PUSHES)
def _push(number: int) -> bytes:
    """Return the body of a push, the same each time that it is sent."""
    seconds = time.time_ns() // 1_000_000_000  # noqa: TID251 - a camera has a clock
    scene, plate = (base64.b64encode(b"\xff\xd8" + bytes(size) + b"\xff\xd9").decode() for size in PICTURES)
    letters = "".join(_LETTERS[number // 24**at % 24] for at in range(3))
    result = {
        "license": f"粤{letters[0]}{letters[1]}{number % 1000:03d}{letters[2]}",
        "plateid": number,
        "colorType": 1,
        "type": 1,
        "triggerType": 8,
        "isoffline": 0,
        "imageFile": scene,
        "imageFragmentFile": plate,
        "timeStamp": {"Timeval": {"sec": seconds, "usec": 0}},
    }
    alarm = {"serialno": f"serial-{number % LANES}", "channel": 0, "result": {"PlateResult": result}}
    return json.dumps({"AlarmInfoPlate": alarm}).encode()


def _token(lane: int) -> str:
    return f"benchtoken-of-lane-{lane:02d}"


@contextmanager
def _service(folder: Path) -> Iterator[int]:
    port = _free_port()
    config = folder / "edge.toml"
    config.write_text(_config(folder, port), "utf-8")
    command = [sys.executable, "-m", "edge", "serve", "--config", str(config)]
    with (folder / "edge.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "TZ": "UTC"})
    try:
        _wait_ready(process, port, folder / "edge.log")
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _config(folder: Path, port: int) -> str:
    text = f"""
[box]
site = "bench"
edge = "bench"
data_dir = "{folder / "data"}"
[web]
port = {port}
[hq]
port = 1
[[workstation]]
name = "K1"
[parking]
open_s = 1
pass_s = 1
leave_s = 1
repeat_s = 1
[[zone]]
name = "P1"
spaces = 100000
"""
    for lane in range(LANES):
        (folder / f"token-{lane}").write_text(_token(lane), "utf-8")
        text += f"""
[[lane]]
name = "in-{lane}"
way = "entry"
zone = "P1"
[[camera]]
name = "cam-{lane}"
lane = "in-{lane}"
kind = "vzicom"
token_file = "{folder / f"token-{lane}"}"
address = "127.0.0.1"
serial = "serial-{lane}"
board_channel = 0
"""
    return text


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the service did not start: {log.read_text('utf-8')[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            threading.Event().wait(0.05)
    raise AssertionError("the service did not open its port within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(report(measure()))
