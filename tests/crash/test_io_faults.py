"""SQLite's calls to the kernel fail: once or until the disk is repaired, for each k-th call.

`python -m sim io-faults` has each call fail in turn; here every twelfth does, in the proof each.
"""

from __future__ import annotations

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.store.sqlite_store import SqliteStore
from sim.cli import main
from sim.fakes.box import COLA, stock
from sim.io_faults.play import SCENARIOS_SHOWN, play, told_problems
from sim.io_faults.world import Fault, Outcome
from sim.shim import can_shim
from tests.proof import PROOF, Counted, Tally

EVERY = 1 if PROOF else 12


@pytest.mark.skipif(bool(can_shim()), reason=can_shim())
@pytest.mark.parametrize("scenario", SCENARIOS_SHOWN if PROOF else SCENARIOS_SHOWN[:1])
@pytest.mark.timeout(900)
def test_a_disk_that_fails_at_any_call_and_is_repaired_has_lost_and_doubled_nothing(
    scenario: str, tally: Tally
) -> None:
    lines: list[str] = []
    violations = play([scenario], EVERY, lines.append)
    rows = [line[28:].split() for line in lines[1:] if not line.startswith("  ")]
    tally.add(Counted.FAULTS, sum(int(row[-3]) for row in rows))
    tally.add(Counted.VIOLATIONS, violations)
    assert violations == 0, "\n".join(lines)
    assert len(rows) == 7
    # Each fault was met, and the lasting ones again and again.
    assert all(int(row[-2]) >= 3 for row in rows)
    assert sum(int(row[-2]) for row in rows) > 500


@pytest.mark.skipif(bool(can_shim()), reason=can_shim())
@pytest.mark.timeout(300)
def test_one_call_alone_fails_again_and_one_that_there_is_not_is_told() -> None:
    lines: list[str] = []
    assert play(["kiosk by code"], 1, lines.append, ["write error once"], 12) == 0
    (row,) = lines[1:]
    calls, runs, failed, violations = (int(one) for one in row[28:].split()[-4:])
    assert (runs, failed, violations) == (1, 1, 0)
    assert calls >= 12
    assert play(["kiosk by code"], 1, lines.append, ["write error once"], 999_999) == 1
    assert lines[-1].startswith("  NOT THE RUN: it has ")


def test_a_violation_names_the_command_that_shows_it_again() -> None:
    broke = Outcome(calls=9, failed=1, problems=("P1: order 7 was charged 2 times",))
    (line,) = told_problems("kiosk by code", Fault.READ_ERROR_ONCE, 4, broke)
    assert line.startswith("  kiosk by code, read error once, call 4: P1: order 7 was charged 2 times; ")
    again = shlex.split(line.partition("see it again: python -m sim io-faults ")[2])
    given = main.commands["io-faults"].make_context("io-faults", again).params
    assert given == {"names": ("kiosk by code",), "every": 1, "faults": ("read error once",), "at": 4}


def test_a_scenario_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="no scenario 'nothing'"):
        play(["nothing"], 1, print)


def broken(path: Path) -> None:
    """Overwrite the middle of a closed database with zeros."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(4096)
        file.write(bytes(size - 8192))


def test_a_database_that_turns_out_damaged_is_neither_read_nor_written_any_more(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    told: list[str] = []
    with closing(SqliteStore(path, 0)) as store:
        stock(store)
        store.when_damaged(lambda: told.append("damaged"))
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        broken(path)
        with pytest.raises(Corrupt, match="restore the latest backup"):
            store.read(lambda unit: [unit.catalogue.find((f"gtin:{COLA}",), 1), unit.outbox.window(0, 9)])
        with pytest.raises(Corrupt, match="the service starts anew"):
            store.write(lambda unit: None)
        with pytest.raises(Corrupt, match="the service starts anew"):
            store.read(lambda unit: None)
    assert told == ["damaged"]
    with pytest.raises(Corrupt):
        SqliteStore(path, 0)
