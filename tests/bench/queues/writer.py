"""A contender in a process of its own; started by trial.py, which may kill it at any moment.

Usage: python -m tests.bench.queues.writer write|resume|drain|rate|backlog CONTENDER FOLDER TEMPLATE [k=v ...]
resume is a restart: what is there is given back first. Lines on standard output, each written at once:
"ready" (to write), "a N" accepted, "g N" given back, "end"; for rate and backlog one JSON object.
Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.queues.contenders import Contender, Queue, fill, number_of

#: No round accepts more than this, so that a queue in memory stays small.
MOST = 60_000


def main(arguments: list[str]) -> None:
    """Do what the words say."""
    out = os.dup(1)
    os.dup2(2, 1)

    def say(line: str) -> None:
        os.write(out, line.encode() + b"\n")

    task, contender = arguments[0], Contender.from_json(arguments[1])
    folder, template = Path(arguments[2]), Path(arguments[3]).read_text("utf-8")
    wanted = {name: float(value) for name, _, value in (each.partition("=") for each in arguments[4:])}
    queue = contender.open(folder, template)
    if task == "resume":
        _drain(queue, template, say)
    say("ready")
    if task in ("write", "resume"):
        _write(queue, contender.batch, say, **wanted)
    elif task == "drain":
        _drain(queue, template, say)
    elif task == "backlog":
        say(json.dumps(_backlog(queue, contender.batch, **wanted)))
    else:
        say(json.dumps(_rate(queue, contender.batch, **wanted)))
    queue.settle()
    queue.close()
    say("end")


def _write(
    queue: Queue,
    batch: int,
    say: Callable[[str], None],
    first: float,
    rate: float,
    count: float,
    threads: float,
) -> None:
    """Offer `count` events from `first` on, `rate` a second, and tell of each that was accepted.

    All threads offer theirs at the same moment, as tills do that share a box.
    """
    began = time.monotonic()

    def run(index: int) -> None:
        pause = threading.Event()
        step = batch * int(threads)
        for burst in range(int(first), int(first + count), step):
            late = began + (burst - first) / rate - time.monotonic()
            if late > 0:
                pause.wait(late)
            numbers = range(burst + index * batch, burst + (index + 1) * batch)
            if queue.put(numbers):
                say("\n".join(f"a {number}" for number in numbers))

    pool = [threading.Thread(target=run, args=(index,)) for index in range(int(threads))]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()


def _backlog(queue: Queue, batch: int, count: float) -> dict[str, float]:
    """Return how long it takes to give and acknowledge so many; what follows the last is not counted."""
    for number in range(1, int(count) + 1, batch):
        queue.put(range(number, number + batch))
    queue.settle()
    given = [time.monotonic()]
    queue.drain(lambda body: given.append(time.monotonic()))
    return {"accepted": len(given) - 1, "took_s": given[-1] - given[0], "syncs": 0}


def _drain(queue: Queue, template: str, say: Callable[[str], None]) -> None:
    """Tell of each event that comes back whole; one that was altered counts as gone."""

    def give(body: bytes) -> None:
        number = number_of(body)
        if number is not None and _whole(queue, bytes(body), fill(template, number)):
            say(f"g {number}")

    queue.drain(give)


def _whole(queue: Queue, body: bytes, wanted: str) -> bool:
    """Return whether an event is as it was; ours has an id and a time of its own, and the same data."""
    if queue.exact:
        return body == wanted.encode()
    found, expected = json.loads(body), json.loads(wanted)
    return bool(found["data"] == expected["data"] and found.keys() == expected.keys())


def _rate(queue: Queue, batch: int, threads: float, seconds: float) -> dict[str, float]:
    """Return how many events were accepted, how long that took until they were written, and the syncs."""
    accepted = [0] * int(threads)
    go = threading.Barrier(int(threads) + 1)
    until = [0.0]

    def run(index: int) -> None:
        number = 1 + index * 1_000_000
        go.wait()
        while time.monotonic() < until[0] and accepted[index] < MOST / threads:
            if not queue.put(range(number, number + batch)):
                return
            accepted[index] += batch
            number += batch

    pool = [threading.Thread(target=run, args=(index,)) for index in range(int(threads))]
    for thread in pool:
        thread.start()
    syncs, began = _syncs(), time.monotonic()
    until[0] = began + seconds
    go.wait()
    for thread in pool:
        thread.join()
    queue.settle()
    return {"accepted": sum(accepted), "took_s": time.monotonic() - began, "syncs": _syncs() - syncs}


def _syncs() -> int:
    """Return how many syncs of the folder were seen; the shim of power.py adds a byte for each."""
    counted = os.environ.get("QUEUES_COUNT")
    return Path(counted).stat().st_size if counted else 0


if __name__ == "__main__":
    main(sys.argv[1:])
