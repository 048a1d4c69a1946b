"""A database that is damaged under the running service: it ends rather than lie, says so, and is whole again.

The drill of docs/operations/full-disk.md with the real process: a copy is made, pages are overwritten while
the mall is open, the service ends by itself, the next start serves the page of repair, the copy is put back,
and the mall sells again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sim.mall import Mall, MallSettings
from tests.proof import LATER, PROOF, Counted, Tally
from tests.system.mall_process import Person, eventually, open_mall
from tests.system.watchers import sell

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not PROOF, reason=LATER),
]

#: Pages that a test leaves alone: the header and the first of the schema.
WHOLE_BYTES = 4096
#: What Chromium says that it takes.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"

PAGES = ("/kiosk/K01", "/staff/lanes", "/till/T01", "/phone/shop")


def test_a_damaged_database_is_told_in_both_languages_and_a_restored_one_sells_again(
    tmp_path: Path, tally: Tally
) -> None:
    """Who stands at any screen is told whom to call; nothing is sold or opened on books that are not true."""
    with open_mall(tmp_path, MallSettings(tmp_path, rules="poll_ms = 200\npaid_idle_ms = 600000")) as mall:
        kept = sell(Person(mall, "T01"))
        copy = tmp_path / "copy.db"
        _edge(mall, "backup", "make", str(copy))
        _overwrite(tmp_path / "state" / "edge.db")
        _is_used_until_it_ends(mall)
        with _restarted(mall) as process:
            _says_what_is_wrong(mall)
            assert process.poll() is None, "it goes on saying so"
            _edge(mall, "backup", "restore", str(copy))
            assert eventually(lambda: process.poll(), "the process to end by itself", 10) == 1
        mall.start_edge()
        number = sell(Person(mall, "T01"))
        assert number != kept
        tally.add(Counted.FAULTS, 1)


def _edge(mall: Mall, *arguments: str) -> None:
    command = [sys.executable, "-m", "edge", *arguments, "--config", str(mall.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _overwrite(database: Path) -> None:
    """Write nothing but 0xA5 over every page behind the first, as a dying card does; the log goes first."""
    with database.open("r+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(WHOLE_BYTES)
        file.write(b"\xa5" * (size - WHOLE_BYTES))


def _is_used_until_it_ends(mall: Mall) -> None:
    """Use the service until it notices; what it says meanwhile is an error, never a sale."""
    assert mall.edge is not None
    process = mall.edge

    def ended() -> int | None:
        with suppress(OSError, AssertionError, ValueError):
            till = Person(mall, "T01")
            till.touch("type_code", text="2900010000015")
            till.view()
        return process.poll()

    assert eventually(ended, "the service to end by itself") == 0


@contextmanager
def _restarted(mall: Mall) -> Iterator[subprocess.Popen[bytes]]:
    """Start the service as its manager does, without waiting for it to be ready."""
    command = [sys.executable, "-m", "edge", "serve", "--config", str(mall.config)]
    with (mall.config.parent / "repair.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _says_what_is_wrong(mall: Mall) -> None:
    page = eventually(lambda: _asked(mall, "/kiosk/K01"), "the page of repair")
    for path in PAGES:
        status, text = _asked(mall, path) or (0, "")
        assert status == 503
        assert "本机正在维修" in text
        assert "This box is being repaired" in text
        assert "手动抬杆" in text
        assert "lift the barrier by hand" in text
    assert "edge.db is damaged" in page[1]
    assert "edge.db" not in (_asked(mall, "/phone/shop") or (0, ""))[1], "phones are not told what is inside"
    status, text = _asked(mall, "/health/ready") or (0, "")
    assert (status, json.loads(text)["ready"]) == (503, False)
    assert "damaged" in json.loads(text)["store"]
    assert "repair.css" in page[1]
    with urllib.request.urlopen(f"{mall.url}/static/repair.css", timeout=5) as sheet:
        assert sheet.status == 200


def _asked(mall: Mall, path: str) -> tuple[int, str] | None:
    """Return the answer's status and text, None while nobody answers."""
    request = urllib.request.Request(mall.url + path, headers={"Accept": BROWSER})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return None
