"""`edge outbox`: what it prints, and what it does to a rejected event with and without a service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from edge.cli import main
from edge.clock import SystemClock
from edge.services.take_intake import take_intake
from edge.store.intake_folder import IntakeFolder
from edge.store.sqlite_store import SqliteStore
from tests.unit.hq_samples import CountingIds, record


class Box:
    """A configured box with three events, of which HQ has rejected the second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "edge.toml"
        self.config.write_text(
            f'[box]\nsite = "mall"\nedge = "e1"\ndata_dir = "{folder}"\n', encoding="utf-8"
        )
        self.store = SqliteStore(folder / "edge.db", 0)
        self.store.write(lambda unit: record(unit.outbox, CountingIds(), 3))  # type: ignore[arg-type]
        self.store.write(lambda unit: unit.outbox.set_aside(2, "no such tenant", 1_795_300_000_000))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["outbox", *words, "--config", str(self.config)])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    one = Box(tmp_path)
    yield one
    one.store.close()


def test_status_tells_depth_age_rejections_and_pace(box: Box) -> None:
    text = box.run("status").output
    assert "waiting        2 events" in text
    assert "acknowledged   through 0 of 3" in text
    assert "rejected       1, list them with: outbox dead" in text
    assert "pace           not known yet" in text
    assert box.run().output == text


def test_dead_lists_what_hq_rejected_and_why(box: Box) -> None:
    text = box.run("dead").output
    assert text.startswith("2  order.paid  rejected 2026-")
    assert "no such tenant" in text


def test_show_prints_an_event_that_waits_or_was_rejected_and_no_other(box: Box) -> None:
    assert "waits for HQ" in box.run("show", "1").output
    shown = box.run("show", "2").output.splitlines()
    assert "no such tenant" in shown[0]
    assert json.loads(shown[1])["sequence"] == f"{2:016d}"
    missing = box.run("show", "99")
    assert missing.exit_code == 1
    assert "event 99 is not here" in missing.output


def test_without_a_service_a_letter_is_dropped_or_resent_at_once(box: Box, tmp_path: Path) -> None:
    box.store.close()
    repaired = tmp_path / "repaired.json"
    repaired.write_text('{"order_id": "order-2"}', encoding="utf-8")
    assert "goes out again as event 4" in box.run("resend", "2", "--data", str(repaired)).output
    again = box.run("resend", "2")
    assert again.exit_code == 1
    assert "was resent as event 4 before" in again.output
    assert "has rejected nothing" in box.run("dead").output
    assert json.loads(box.run("show", "4").output.splitlines()[1])["data"] == {"order_id": "order-2"}


def test_a_running_service_drops_a_letter_for_the_command(box: Box) -> None:
    folder, stop = IntakeFolder(box.folder / "incoming"), threading.Event()

    def serve() -> None:
        while not stop.wait(0.02):
            take_intake(box.store, SystemClock(), ZoneInfo("UTC"), folder)

    service = threading.Thread(target=serve)
    service.start()
    try:
        done = box.run("drop", "2", "--reason", "told by phone")
        refused = box.run("drop", "2", "--reason", "again")
    finally:
        stop.set()
        service.join()
    assert (done.exit_code, done.output) == (0, "event 2 was dropped: told by phone\n")
    assert refused.exit_code == 1
    assert "was dropped before" in refused.output
