"""The peers' own environment, apart from the project's: pinned, made once, kept below build/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.queues.trial import ROOT

HOME = ROOT / "build" / "queues-env"

#: ThingsBoard's storage needs the two after it; the gateway's other requirements are not wanted here.
PINNED = (
    "thingsboard-gateway==3.8.5",
    "pybase64==1.5.1",
    "simplejson==4.3.0",
    "persist-queue==1.1.0",
    # Newer ones need Python 3.12.
    "litequeue==0.9",
    "huey==3.5.4",
)


class Unreachable(Exception):
    """The packages cannot be had."""


def peers_python(home: Path = HOME) -> Path:
    """Return the interpreter of the peers' environment, made if need be; raise Unreachable."""
    done, python = home / "installed.txt", home / "bin" / "python"
    wanted = "\n".join(PINNED) + "\n"
    if done.exists() and done.read_text("utf-8") == wanted:
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for command in ([sys.executable, "-m", "venv", "--clear", str(home)], [*pip, *PINNED]):
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            said = [line for line in finished.stderr.splitlines() if "ERROR" in line] or [
                finished.stderr[-200:]
            ]
            raise Unreachable(said[-1].strip())
    done.write_text(wanted, encoding="utf-8")
    return python
