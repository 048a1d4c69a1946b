"""Where configured files lie."""

from __future__ import annotations

import os
from pathlib import Path

from edge.config import (
    secret_file,
)


def given_file(path: Path) -> Path:
    """Return the file that a configured path stands for in this process; see `secret_file`."""
    return secret_file(path, os.environ.get("CREDENTIALS_DIRECTORY"))
