"""`edge lanes` and `edge zones` beside a running service, and what they say without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.app import build_service
from edge.cli import main
from edge.config import load_config
from edge.service import Service

CONFIG = """
[box]
site = "mall-1"
edge = "edge-1"
data_dir = "{folder}"
[web]
port = 0
[[zone]]
name = "p1"
spaces = 50
[[lane]]
name = "in-1"
way = "entry"
zone = "p1"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--config", str(config)])


@contextmanager
def running(config: Path) -> Iterator[Service]:
    service = build_service(load_config(config))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def test_a_lane_is_held_shown_and_let_go_by_the_running_service(config: Path) -> None:
    with running(config) as service:
        held = run(config, "lanes", "hold", "in-1", "fire", "15", "--note", "drill")
        assert (held.exit_code, "held open until" in held.output) == (0, True), held.output
        hold = service.box.store.read(lambda unit: unit.lane_holds.current("in-1"))
        assert hold is not None
        assert hold.by.startswith("console ")
        assert (hold.note, hold.until_at - hold.begun_at) == ("drill", 900_000)
        assert "(fire, console" in run(config, "lanes", "show").output
        assert "is let go" in run(config, "lanes", "release", "in-1").output
        assert "was not held" in run(config, "lanes", "release", "in-1").output
        assert run(config, "lanes", "show").output.strip() == "in-1 entry p1: nobody"


def test_a_recount_is_taken_and_a_lane_that_is_not_there_is_refused(config: Path) -> None:
    with running(config):
        assert run(config, "zones", "show").output.strip() == "p1: 0 inside, 50 of 50 free"
        taken = run(config, "zones", "recount", "p1", "12").output
        assert taken.splitlines()[-1] == "zone p1: 12 inside, 38 free"
        assert "12 inside, 38 of 50 free, corrected by +12" in run(config, "zones", "show").output
        wrong = run(config, "lanes", "hold", "out-9", "fire", "15")
        assert wrong.exit_code == 1
        assert "out-9" in wrong.output
        assert run(config, "zones", "recount", "p9", "1").exit_code == 1


def test_without_a_service_nothing_is_held_and_it_is_said_why(config: Path) -> None:
    with running(config):
        pass
    refused = run(config, "lanes", "hold", "in-1", "fire", "15")
    assert refused.exit_code == 1
    assert "does not run" in refused.output
    assert run(config, "lanes", "show").output.strip() == "in-1 entry p1: nobody"


@pytest.mark.parametrize("words", [("hold", "in-1", "party", "15"), ("hold", "in-1", "fire", "0")])
def test_what_cannot_be_is_a_wrong_use(config: Path, words: tuple[str, ...]) -> None:
    assert run(config, "lanes", *words).exit_code == 2
