"""A mall whose box knows 100,000 products, imported once by the service's own command."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sim.goods import Good, catalogue_csv, many_goods
from sim.mall import Mall, MallSettings
from tests.bench.table import RESULTS
from tests.system.mall_process import open_mall

PRODUCTS = 100_000
BARCODES = 3

_CONFIG = '[box]\nsite = "demo-mall"\nedge = "edge-1"\ndata_dir = "{folder}"\n'


@contextmanager
def big_mall(rules: str = "poll_ms = 1000") -> Iterator[Mall]:
    """Run a mall with the large catalogue in a folder of the work tree's own disk, not in memory."""
    with tempfile.TemporaryDirectory(dir=_on_disk(), prefix="mall-") as name:
        folder = Path(name)
        shutil.copytree(_imported(), folder / "state")
        with open_mall(folder, MallSettings(folder, rules=rules)) as mall:
            yield mall


def big_goods() -> Iterator[Good]:
    """Yield the catalogue's products, the same ones each time."""
    return many_goods(PRODUCTS, barcodes=BARCODES)


def say(text: str) -> None:
    """Tell somebody who waits what is being done; tables go to stdout, this does not."""
    print(f"  {text}", file=sys.stderr, flush=True)


@cache
def _imported() -> Path:
    say(f"importing {PRODUCTS:,} products")
    folder = Path(tempfile.mkdtemp(dir=_on_disk(), prefix="state-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    goods, config, state = folder / "goods.csv", folder / "edge.toml", folder / "state"
    goods.write_bytes(catalogue_csv(big_goods()))
    config.write_text(_CONFIG.format(folder=state), encoding="utf-8")
    command = [sys.executable, "-m", "edge", "catalogue", "import", str(goods), "--config", str(config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return state


def _on_disk() -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    return RESULTS
