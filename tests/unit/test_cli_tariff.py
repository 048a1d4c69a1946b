"""The tariff commands: a person imports, explains, compares and checks, with and without a box."""

from __future__ import annotations

import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from edge.cli import main
from edge.clock import SystemClock
from edge.parking.session import Session, SessionState
from edge.parking.tariff_table import EXAMPLE
from edge.services.import_tariffs import tariff_wishes
from edge.services.take_intake import take_intake
from edge.store.intake_folder import IntakeFolder
from edge.store.sqlite_store import SqliteStore

HOUR = 3_600_000

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(f'[box]\nsite = "s"\nedge = "e"\ndata_dir = "{tmp_path / "state"}"\n', "utf-8")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "tariffs.csv"
    path.write_text(EXAMPLE, "utf-8")
    return path


def run(config: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--config", str(config)])


STAY = ("--from", "2026-11-20T09:00", "--to", "2026-11-20T11:30")


def test_a_tariff_is_imported_listed_and_explained(config: Path, table: Path) -> None:
    taken = run(config, "tariff", "import", table)
    assert (taken.exit_code, "1 tariffs are taken, 0 others stay" in taken.output) == (0, True)
    assert "standard  from 2026-01-01 00:00  商场停车场  4 rate lines  in force" in (
        run(config, "tariff", "list").output
    )
    said = run(config, "tariff", "explain", "standard", *STAY, "--benefit", "minutes:60", "--paid",
               "2026-11-20T09:50:10.00").output  # fmt: skip
    assert "09:00-10:00 每小时 10.00 元 × 1 = 10.00 元" in said
    assert "10:00-11:30 5.00 per hour × 2 = 10.00" in said
    assert "gross 20.00, after benefits 15.00, paid 10.00, due 5.00" in said
    assert "next raise 2026-11-20 12:00:00.001: 10.00 due" in said
    assert "may leave once it is paid, within 20 min of the payment" in said


def test_a_file_is_explained_without_a_box(tmp_path: Path, table: Path) -> None:
    said = run(tmp_path / "none.toml", "tariff", "explain", table, *STAY)
    assert "停车 2 小时 30 分钟，应付 20.00 元；12:00 后为 25.00 元" in said.output


def test_a_tariff_with_a_gap_is_refused_by_check_and_by_import(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("tariff_id,name,valid_from,step_min,price,from,to\nd,d,2026-01-01,60,5,08:00,20:00\n")
    checked = run(config, "tariff", "check", path)
    assert checked.exit_code == 1
    assert "FAIL  no gap in windows: no rate holds from" in checked.output
    imported = run(config, "tariff", "import", path)
    assert imported.exit_code == 1
    assert "tariff d breaks 'no gap in windows'" in imported.output


def test_a_sound_tariff_passes_the_check(config: Path, table: Path) -> None:
    checked = run(config, "tariff", "check", table)
    assert checked.exit_code == 0
    assert "warn  splitting a stay does not pay" in checked.output


def test_two_versions_are_compared_over_the_stays_of_the_box(
    config: Path, table: Path, tmp_path: Path
) -> None:
    run(config, "tariff", "import", table)
    dearer = tmp_path / "dearer.csv"
    dearer.write_text(EXAMPLE.replace(",60,10,15,", ",60,12,15,"), "utf-8")
    _stays(tmp_path, 30)
    plot = tmp_path / "diff.svg"
    said = run(config, "tariff", "diff", "standard", dearer, "--days", "3", "--plot", plot)
    assert said.exit_code == 0, said.output
    assert [line.split()[1] for line in said.output.splitlines() if line.startswith("all")] == ["30"]
    assert plot.read_text("utf-8").startswith("<svg ")


def test_without_stays_the_comparison_says_what_to_do(config: Path, table: Path) -> None:
    run(config, "tariff", "import", table)
    said = run(config, "tariff", "diff", "standard", table)
    assert said.exit_code == 1
    assert "name a table with --stays, or more --days" in said.output


def test_stays_of_a_table_are_compared(tmp_path: Path, table: Path) -> None:
    stays = tmp_path / "stays.csv"
    stays.write_text("entered_at,left_at\n2026-11-20T09:00,2026-11-20T11:30\n", "utf-8")
    said = run(tmp_path / "none.toml", "tariff", "diff", table, table, "--stays", stays)
    assert [line.split() for line in said.output.splitlines() if line.startswith("all")] == [
        ["all", "1", "20.00", "20.00", "0.00", "0", "0"]
    ]


def test_tariffs_are_exported_as_they_came_and_as_apds(config: Path, table: Path, tmp_path: Path) -> None:
    run(config, "tariff", "import", table)
    again = tmp_path / "again.csv"
    again.write_text(run(config, "tariff", "export").stdout, "utf-8")
    assert run(config, "tariff", "import", again).exit_code == 0
    apds = run(config, "tariff", "export", "standard", "--apds")
    assert '"rateLineType": "incrementingRate"' in apds.stdout
    assert "standard: the limit of 24 hours from the entry is left out" in apds.stderr


def test_the_calendar_is_imported_and_listed(config: Path, tmp_path: Path) -> None:
    assert "no day is named" in run(config, "calendar", "list").output
    days = tmp_path / "days.csv"
    days.write_text("date,kind,name\n2026-10-01,holiday,国庆节\n", "utf-8")
    assert "1 days are named" in run(config, "calendar", "import", days).output
    assert "2026-10-01 holiday 国庆节" in run(config, "calendar", "list").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing", *STAY), "there is no tariff 'nothing' in this box"),
        (("standard", "--from", "soon", "--to", "2026-11-20"), "'soon' is no time"),
        (("standard", "--from", "2026-11-20", "--to", "2026-11-19"), "--to is before --from"),
        (("standard", *STAY, "--paid", "5"), "--paid '5' must be TIME:YUAN"),
        (("standard", *STAY, "--benefit", "half"), "'half' is not one of minutes, amount"),
        (("standard", *STAY, "--benefit", "minutes:two"), "needs a whole number, like minutes:120"),
        (("standard", *STAY, "--class", "tank"), "'tank' is not one of small, large"),
    ],
)
def test_a_wrong_question_is_named(config: Path, table: Path, words: tuple[str, ...], told: str) -> None:
    run(config, "tariff", "import", table)
    said = run(config, "tariff", "explain", *words)
    assert said.exit_code == 1
    assert told in said.output


def _stays(folder: Path, count: int) -> None:
    """Write stays of one to three hours that left in the last two days."""
    now_at = SystemClock().now().wall_at
    store = SqliteStore(folder / "state" / "edge.db", now_at)
    for number in range(count):
        left = now_at - (number + 1) * HOUR
        entered = left - (1 + number % 3) * HOUR
        one = Session(f"s{number:03d}", "z", "粤B12345", entered, "in", state=SessionState.LEFT, left_at=left)
        store.write(lambda unit, one=one: unit.sessions.put(one))  # type: ignore[misc]
    store.close()


def test_a_running_service_is_handed_the_table(config: Path, table: Path, tmp_path: Path) -> None:
    clock, over = SystemClock(), threading.Event()
    (tmp_path / "state").mkdir()
    store = SqliteStore(tmp_path / "state" / "edge.db", clock.now().wall_at)
    folder = IntakeFolder(tmp_path / "state" / "incoming")

    def serve() -> None:
        while not over.is_set():
            if take_intake(store, clock, ZONE, folder, wishes=tariff_wishes(store, ZONE)) is None:
                over.wait(0.02)

    service = threading.Thread(target=serve)
    service.start()
    try:
        taken = run(config, "tariff", "import", table)
        gap = tmp_path / "gap.csv"
        gap.write_text("tariff_id,name,valid_from,step_min,price,from,to\nd,d,0,60,5,08:00,20:00\n")
        refused = run(config, "tariff", "import", gap)
    finally:
        over.set()
        service.join()
    assert (taken.exit_code, "1 tariffs are taken" in taken.output) == (0, True)
    assert (refused.exit_code, "tariff d breaks" in refused.output) == (1, True)
    assert [one.tariff_id for one in store.read(lambda unit: unit.tariffs.all())] == ["standard"]
    store.close()
