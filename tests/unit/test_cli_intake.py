"""Catalogues and prices that come in while the service runs: by the command line, or copied by a person."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.clock import SystemClock, boottime_ns
from edge.errors import Unavailable
from edge.services.import_catalogue import ImportOptions
from edge.services.take_intake import IntakeReport, PriceRequest, take_intake
from edge.store import intake_folder
from edge.store.intake_folder import MAX_KEPT, MAX_TRIES, SETTLE_NS, IntakeFolder
from edge.store.sqlite_store import SqliteStore

ZONE = ZoneInfo("Asia/Shanghai")
GOODS = "sku,tenant_id,tenant_name,name,price\nA1,t,Shop,Tea,5.00\nA2,t,Shop,Cake,6.50\n"
BAD = GOODS + "A3,t,Shop,Milk,free\n"


class HandClock:
    """Boot-time nanoseconds that move by hand."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        """Return the present nanosecond."""
        return self.now_ns


class Counter:
    """A box's store and intake folder, with a hand to move time."""

    def __init__(self, folder: Path) -> None:
        self.time = HandClock()
        self.clock = SystemClock()
        self.store = SqliteStore(folder / "edge.db", self.clock.now().wall_at)
        self.intake = IntakeFolder(folder / "incoming", self.time)
        self.incoming = folder / "incoming"

    def step(self) -> tuple[str, IntakeReport] | None:
        """Take one file, if there is one."""
        return take_intake(self.store, self.clock, ZONE, self.intake)

    def drop(self, name: str, text: str) -> Path:
        """Copy a file in as a person does, and let the time pass after which it counts as whole."""
        self.incoming.mkdir(exist_ok=True)
        path = self.incoming / name
        path.write_text(text, encoding="utf-8")
        assert self.step() is None
        self.time.now_ns += SETTLE_NS
        return path

    def price(self, sku: str) -> int | None:
        """Return what a product costs now."""
        now_at = self.clock.now().wall_at
        product = self.store.read(lambda unit: unit.catalogue.by_sku(sku, now_at))
        return None if product is None else product.price_fen


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Counter]:
    """A box without a service."""
    counter = Counter(tmp_path)
    yield counter
    counter.store.close()


def test_an_empty_folder_gives_nothing(box: Counter) -> None:
    assert box.step() is None
    assert sorted(one.name for one in box.incoming.iterdir()) == ["done", "refused"]


def test_a_file_copied_in_is_imported_once_it_is_left_alone(box: Counter) -> None:
    path = box.drop("goods.csv", GOODS)
    done = box.step()
    assert done is not None
    assert (done[0], done[1].taken) == ("goods.csv", True)
    assert box.price("A2") == 650
    assert not path.exists()
    assert (box.incoming / "done/goods.csv").read_text("utf-8") == GOODS
    assert "2 added" in (box.incoming / "done/goods.csv.report.json").read_text("utf-8")
    assert box.step() is None


def test_a_file_that_still_grows_is_left_alone(box: Counter) -> None:
    path = box.drop("goods.csv", GOODS[:40])
    path.write_text(GOODS, encoding="utf-8")
    assert box.step() is None
    box.time.now_ns += SETTLE_NS - 1
    assert box.step() is None
    box.time.now_ns += 1
    assert box.step() is not None


def test_what_was_handed_in_by_the_command_line_is_taken_at_once_with_its_options(box: Counter) -> None:
    box.intake.put_catalogue("goods-1.csv", BAD.encode(), ImportOptions(skip_bad=True))
    done = box.step()
    assert done is not None
    assert done[1].taken
    assert any("line 4, price" in line for line in done[1].lines)
    assert box.price("A1") == 500
    assert box.intake.seen("goods-1.csv") == done[1]


def test_a_file_with_a_bad_line_is_refused_whole_and_says_why(box: Counter) -> None:
    box.drop("goods.csv", BAD)
    done = box.step()
    assert done is not None
    assert not done[1].taken
    report = json.loads((box.incoming / "refused/goods.csv.report.json").read_bytes())
    assert report["lines"][0].startswith("line 4, price: ")
    assert box.price("A1") is None


def test_a_price_is_set(box: Counter) -> None:
    box.drop("goods.csv", GOODS)
    assert box.step() is not None
    box.intake.put_price(PriceRequest("p.price.json", "A1", "7.25"))
    done = box.step()
    assert done is not None
    assert "5.00 -> 7.25" in done[1].lines[0]
    assert box.price("A1") == 725


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("goods.xlsx", "PK", "save it as .csv"),
        ("a.price.json", '{"sku": "A1"}', "must hold the texts sku, yuan"),
        ("a.price.json", '{"sku": "A1", "yuan": "1", "tax": "0"}', "nothing but valid_from"),
        ("a.price.json", "[]", "must be a JSON object"),
        ("a.price.json", "{", "a.price.json: "),
        ("a.price.json", '{"sku": "nope", "yuan": "1"}', "no product nope"),
        ("empty.csv", "", "empty"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    box: Counter, name: str, text: str, words: str
) -> None:
    (box.incoming).mkdir()
    (box.incoming / name).write_text(text, encoding="utf-8")
    if box.step() is None:
        box.time.now_ns += SETTLE_NS
        box.step()
    report = box.intake.seen(name)
    assert isinstance(report, IntakeReport)
    assert not report.taken
    assert words in report.lines[0]


def test_options_that_nobody_knows_are_refused(box: Counter) -> None:
    box.intake.put_catalogue("g.csv", GOODS.encode(), ImportOptions())
    (box.incoming / "g.csv.options.json").write_text('{"repalce": true}', encoding="utf-8")
    done = box.step()
    assert done is not None
    assert "its options must be among skip_bad" in done[1].lines[0]


def test_a_file_over_the_limit_is_refused_unread(box: Counter) -> None:
    box.incoming.mkdir()
    with (box.incoming / "big.csv").open("wb") as file:
        file.truncate(intake_folder.MAX_BYTES + 1)
    box.step()
    box.time.now_ns += SETTLE_NS
    done = box.step()
    assert done is not None
    assert "has 64 MiB, at most 64 can be taken; split it" in done[1].lines[0]


def test_links_are_refused_and_unfinished_uploads_left_alone(box: Counter) -> None:
    box.incoming.mkdir()
    (box.incoming / "link.csv").symlink_to("/etc/passwd")
    for name in (".hidden.csv", "a.csv.filepart", "b.csv.part"):
        (box.incoming / name).write_text(GOODS, encoding="utf-8")
    box.step()
    box.time.now_ns += SETTLE_NS
    done = box.step()
    assert done is not None
    assert "not a plain file" in done[1].lines[0]
    box.time.now_ns += SETTLE_NS
    assert box.step() is None


def test_a_file_that_was_begun_and_not_finished_is_begun_again_but_not_for_ever(box: Counter) -> None:
    box.drop("goods.csv", GOODS)
    for _ in range(MAX_TRIES):
        assert box.intake.take() is not None
    done = box.step()
    assert done is not None
    assert "begun 3 times and never finished" in done[1].lines[0]
    assert sorted(one.name for one in box.incoming.iterdir()) == ["done", "refused"]


def test_a_store_that_fails_is_not_the_fault_of_the_file(box: Counter, tmp_path: Path) -> None:
    box.drop("goods.csv", GOODS)
    box.store.close()
    for _ in range(2 * MAX_TRIES):
        with pytest.raises(Unavailable):
            box.step()
    box.store = SqliteStore(tmp_path / "edge.db", box.clock.now().wall_at)
    done = box.step()
    assert done is not None
    assert done[1].taken


def test_a_folder_that_cannot_be_written_is_said_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "incoming").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"the intake folder .* fails"):
        IntakeFolder(tmp_path / "incoming").take()


def test_only_the_newest_reports_are_kept(box: Counter) -> None:
    for number in range(MAX_KEPT + 3):
        box.intake.put_price(PriceRequest(f"{number:02}.price.json", "nope", "1"))
        assert box.step() is not None
    kept = sorted(one.name for one in (box.incoming / "refused").iterdir())
    assert len(kept) == 2 * MAX_KEPT
    assert kept[0] == "03.price.json"


# Beside a real service, in processes of their own.


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of a box whose service can start anywhere."""
    path = tmp_path / "edge.toml"
    path.write_text(
        f'[box]\nsite = "s"\nedge = "e"\ndata_dir = "{tmp_path}/state"\n'
        '[web]\nport = 0\n[hq]\nport = 9\n[[workstation]]\nname = "K01"\n',
        encoding="utf-8",
    )
    return path


def edge(config: Path, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line."""
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        env={**os.environ, "MALL_EDGE_CONFIG": str(config)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


class Serving:
    """A service as its own process."""

    def __init__(self, config: Path) -> None:
        self._config = config

    def __enter__(self) -> Serving:
        """Start, and wait until it says that it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "serve", "--config", str(self._config)], stderr=subprocess.PIPE
        )
        assert self.process.stderr is not None
        seen = b""
        while b'"event": "ready"' not in seen:
            line = self.process.stderr.readline()
            assert line, seen.decode()
            seen += line
        self._drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._drain.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.process.terminate()
        self.process.wait(20)
        self._drain.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


def eventually(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    pause, end_ns = threading.Event(), boottime_ns() + int(seconds * 1e9)
    while not what():
        assert boottime_ns() < end_ns, "it did not come to be in time"
        pause.wait(0.02)


def many_goods(count: int) -> str:
    """Return a catalogue of that many products."""
    rows = (f"S{number},t,Shop,Thing {number},1.00" for number in range(count))
    return "sku,tenant_id,tenant_name,name,price\n" + "\n".join(rows) + "\n"


def test_the_command_line_imports_and_prices_alone_and_beside_a_running_service(
    config: Path, tmp_path: Path
) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text(GOODS, encoding="utf-8")
    alone = edge(config, "catalogue", "import", goods)
    assert (alone.returncode, "2 added" in alone.stdout) == (0, True), alone.stderr
    with Serving(config):
        beside = edge(config, "catalogue", "import", "-", stdin=many_goods(300))
        assert (beside.returncode, "300 added" in beside.stdout) == (0, True), beside.stderr
        assert edge(config, "catalogue", "import", "-", stdin=BAD).returncode == 1
        priced = edge(config, "catalogue", "price", "A1", "9.90")
        assert (priced.returncode, "5.00 -> 9.90" in priced.stdout) == (0, True), priced.stderr
        assert "9.90 yuan" in edge(config, "catalogue", "show", "A1").stdout
        wrong = edge(config, "catalogue", "price", "nope", "1")
        assert (wrong.returncode, "no product nope" in wrong.stdout) == (1, True)


def test_an_import_that_a_kill_interrupts_is_done_after_the_next_start(config: Path, tmp_path: Path) -> None:
    folder = IntakeFolder(tmp_path / "state/incoming")
    with Serving(config) as first:
        folder.put_catalogue("big.csv", many_goods(20_000).encode(), ImportOptions())
        eventually(lambda: (tmp_path / "state/incoming/big.csv.progress").exists())
        first.kill()
        assert folder.seen("big.csv") is not None
        assert not isinstance(folder.seen("big.csv"), IntakeReport)
    with Serving(config):
        eventually(lambda: isinstance(folder.seen("big.csv"), IntakeReport))
        report = folder.seen("big.csv")
        assert isinstance(report, IntakeReport)
        assert report.taken
        assert "1.00 yuan" in edge(config, "catalogue", "show", "S19999").stdout
