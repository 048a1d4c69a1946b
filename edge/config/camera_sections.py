"""The sections of the configuration file about cameras at lanes and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """[[camera]]: one camera that recognises plates, and the lane that it looks at; ours or an agent's."""

    name: str
    lane: str
    kind: Literal["vzicom", "hikvision_push", "hikvision_pull", "dahua_push", "dahua_pull", "frames", ""] = ""
    agent: str = ""
    token_file: Path | None = None
    address: str = ""
    serial: str = ""
    silent_s: int | None = None
    url: str = ""
    username: str = ""
    password_file: Path | None = None
    barrier: int = 0
    comet: bool = False
    relay: Literal["io", "info"] = "io"
    relay_output: int = 0
    relay_ms: int = 500
    loops: int = 0
    board_channel: int | None = None
    board_lines: int = 2
    board_cells: int = 8
    region: tuple[float, ...] = ()
    least_width: int = 60
    gated_by: Literal["motion", "loop"] = "motion"

    @property
    def posts(self) -> bool:
        """Whether it calls this box."""
        return self.kind in ("vzicom", "hikvision_push", "dahua_push")

    @property
    def is_gate(self) -> bool:
        """Whether its relay can be opened at any time, as a gate of its name."""
        return self.comet or self.barrier > 0

    @property
    def is_display(self) -> bool:
        """Whether a board on its serial channel can be used at any time, as a display of its name."""
        return self.comet and self.board_channel is not None


@dataclass(frozen=True, slots=True)
class PhotosConfig:
    """[photos]: how long cameras' pictures are kept, and how much room they may take."""

    keep_days: int = 14
    max_mb: int = 8192
