"""Small libraries in C that are loaded before the C library, to change calls of a real process."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class NoShim(Exception):
    """The library cannot be made here; says why."""


def can_shim() -> str:
    """Return "" when such a library can be made here, else why not."""
    return "" if shutil.which("gcc") else "gcc is not installed"


def built(source: Path, folder: Path) -> Path:
    """Compile `source` into `folder` and return the library, for LD_PRELOAD; raise NoShim when it cannot."""
    why = can_shim()
    if why:
        raise NoShim(f"{why}; apt-get install gcc libc6-dev")
    library = folder / f"{source.parent.name}.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise NoShim(f"gcc could not make {library.name}: {made.stderr[-500:]}")
    return library
