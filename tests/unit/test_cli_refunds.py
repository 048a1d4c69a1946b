"""`edge refunds`: what it tells of refunds and their next step, beside a running service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from edge.cli import main
from edge.retail.refund import RefundPhase
from edge.store.sqlite_store import SqliteStore
from tests.unit.hq_samples import paid_order, refund


def run(folder: Path) -> Result:
    config = folder / "edge.toml"
    config.write_text(f'[box]\nsite = "mall"\nedge = "e1"\ndata_dir = "{folder}"\n', encoding="utf-8")
    return CliRunner().invoke(main, ["refunds", "--config", str(config)])


def test_a_requested_refund_is_listed_with_who_must_decide(tmp_path: Path) -> None:
    order = paid_order()
    store = SqliteStore(tmp_path / "edge.db", 0)
    store.write(lambda unit: unit.orders.put(replace(order, tenders=())))
    store.write(lambda unit: unit.refunds.put(refund(order, RefundPhase.REQUESTED)))
    text = run(tmp_path).output
    store.close()
    assert text.startswith("1 refunds are under way\n")
    assert f"{order.number}-R1" in text
    assert "requested a supervisor decides at /staff/refunds" in text


def test_no_refunds_and_no_database_are_told_apart(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code != 0
    SqliteStore(tmp_path / "edge.db", 0).close()
    assert run(tmp_path).output == "0 refunds are under way\n"
