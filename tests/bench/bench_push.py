"""From a camera's push to the answer that opens the gate, through the real service with its real store.

Run: .venv/bin/python -m tests.bench.bench_push. The service is a process of its own, HQ is away. A push is a
Vzicom body of some 170 kB with two pictures. At most lanes the answer itself opens; at the others the camera
waits in comet mode and the lane's worker pulses it like any gate. Measured from the first byte sent to the
last byte read of what opens, on a connection of its own for each push. A tenth of the pushes is sent twice.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.bench.big_mall import say
from tests.bench.table import Figure, Result, percentile, report

LANES = 12
#: The last lanes, whose camera is a gate that waits in comet mode.
COMET_LANES = 4
PUSHES = 300
WARM_UP = 24
EVERY_S = 0.1
PATIENCE_S = 2.0
PICTURES = (110_000, 12_000)

#: Plates that differ in more than a camera's repeats may.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Answer:
    """One push. opened: whether the answer opened, or in comet mode a pulse came."""

    took_ms: float
    opened: bool
    comet: bool = False


def measure() -> Result:
    """Push at a steady pace and look at what came back."""
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as port:
        say(f"{PUSHES} pushes of {len(_push(0)) / 1000:.0f} kB to {LANES} lanes, one each {EVERY_S:g} s")
        comets = {lane: _Comet(port, lane) for lane in range(LANES - COMET_LANES, LANES)}
        _paced(port, range(WARM_UP), comets)
        numbers = range(WARM_UP, WARM_UP + PUSHES)
        answers = _paced(port, numbers, comets)
        repeats = _paced(port, numbers[::10], {})
        for one in comets.values():
            one.stop()
    opening = [one.took_ms for one in answers if one.opened and not one.comet]
    pulsed = [one.took_ms for one in answers if one.opened and one.comet]
    if any(one.opened for one in repeats):
        raise AssertionError("a repeated push was answered by opening")
    figures = [
        Figure("push to gate command on the wire, p50", percentile(opening, 50), "ms"),
        Figure("push to gate command on the wire, p95", percentile(opening, 95), "ms", 50.0),
        Figure("push to gate command on the wire, longest", max(opening), "ms"),
        Figure("push to pulse in comet mode, p50", percentile(pulsed, 50), "ms"),
        Figure("push to pulse in comet mode, p95", percentile(pulsed, 95), "ms", 50.0),
        Figure("pushes that opened", 100 * (len(opening) + len(pulsed)) / PUSHES, "%", 95.0, at_least=True),
        Figure("repeated push to answer, p95", percentile([one.took_ms for one in repeats], 95), "ms"),
    ]
    note = f"{PUSHES} pushes of 170 kB, one each {EVERY_S:g} s, {LANES} entry lanes, repeats opened nothing"
    return Result("push", figures, {"push_ms": opening, "comet_ms": pulsed}, note)


class _Comet:
    """A camera that asks for commands again and again, on one connection."""

    def __init__(self, port: int, lane: int) -> None:
        self._port = port
        self._lane = lane
        self._stop = threading.Event()
        self._pulses: queue.Queue[float] = queue.Queue()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def next_pulse(self, timeout_s: float) -> float | None:
        """Return when the next pulse was read, by time.perf_counter, None when none came in time."""
        try:
            return self._pulses.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Ask no more; the request that is held ends with the service."""
        self._stop.set()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not self._stop.is_set():
                body = f"serialno=serial-{self._lane}"
                connection.request("POST", f"/camera/{_token(self._lane)}/comet", body, form)
                said = connection.getresponse().read()
                if "ivs_ioctrl" in json.loads(said)["Response_AlarmInfoPlate"]:
                    self._pulses.put(time.perf_counter())


def _paced(port: int, numbers: range, comets: Mapping[int, _Comet]) -> list[Answer]:
    begun, pause = time.monotonic(), threading.Event()
    answers = []
    for at, number in enumerate(numbers):
        pause.wait(max(0.0, begun + at * EVERY_S - time.monotonic()))
        answers.append(_post(port, number, comets.get(number % LANES)))
    return answers


def _post(port: int, number: int, comet: _Comet | None) -> Answer:
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
    if comet is None:
        return Answer(took_ms, "ivs_ioctrl" in json.loads(said)["Response_AlarmInfoPlate"])
    pulsed = comet.next_pulse(PATIENCE_S)
    return Answer(took_ms if pulsed is None else (pulsed - begun) * 1000, pulsed is not None, comet=True)


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
        comet = lane >= LANES - COMET_LANES
        text += f"""
[[lane]]
name = "in-{lane}"
way = "entry"
zone = "P1"
gate = "{f"cam-{lane}" if comet else ""}"
[[camera]]
name = "cam-{lane}"
lane = "in-{lane}"
kind = "vzicom"
token_file = "{folder / f"token-{lane}"}"
address = "127.0.0.1"
serial = "serial-{lane}"
board_channel = 0
comet = {str(comet).lower()}
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
