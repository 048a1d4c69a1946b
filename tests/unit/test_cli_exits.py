"""`edge exits`: the ledger of exits beside a running service."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from edge.cli import main
from edge.retail.exit_pass import CheckOutcome, ExitCheck, ExitVerdict, Miscount
from edge.retail.order import Order
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore

AT = 1_795_300_000_000


def box_with_looks(folder: Path) -> Path:
    def work(unit: Unit) -> None:
        unit.orders.put(Order("o-1", "phone-0007", "b-1", "phone", "2026-11-22", AT, ()))
        unit.exits.add_check(ExitCheck("c-1", "o-1", "E01", "", AT, ExitVerdict.PASS))
        unit.exits.add_check(ExitCheck("c-2", "", "E02", "王芳", AT + 1_000, ExitVerdict.UNKNOWN))
        look = (ExitVerdict.RECHECK, CheckOutcome.EXTRA, (Miscount("l-1", "可乐", 2),), "红酒")
        unit.exits.add_check(ExitCheck("c-3", "o-1", "E01", "王芳", AT + 2_000, *look))

    store = SqliteStore(folder / "edge.db", 1)
    store.write(work)
    store.close()
    config = folder / "edge.toml"
    config.write_text(f'[box]\nsite = "demo"\nedge = "till-1"\ndata_dir = "{folder}"\n', encoding="utf-8")
    return config


def run(config: Path, *words: str) -> str:
    done = CliRunner().invoke(main, ["exits", *words, "--config", str(config)])
    assert done.exit_code == 0, done.output
    return done.output


def test_looks_are_listed_newest_first_with_what_was_found(tmp_path: Path) -> None:
    lines = run(box_with_looks(tmp_path)).splitlines()
    assert len(lines) == 3
    assert "E01  phone-0007  recheck: extra  王芳  2 x 可乐  红酒" in lines[0]
    assert "E02  unknown  王芳" in lines[1]
    assert lines[2].endswith("E01  phone-0007  pass")


def test_one_way_out_so_many_and_as_csv(tmp_path: Path) -> None:
    config = box_with_looks(tmp_path)
    assert len(run(config, "--place", "E01").splitlines()) == 2
    assert len(run(config, "--limit", "1").splitlines()) == 1
    table = run(config, "--csv", "--place", "E02").splitlines()
    assert table[0] == "at,place,order,result,by,missing,extra"
    assert table[1].endswith(",E02,,unknown,王芳,,")


def test_a_box_without_looks_says_so(tmp_path: Path) -> None:
    config = box_with_looks(tmp_path)
    assert "no exit code was looked at yet" in run(config, "--place", "E09")
