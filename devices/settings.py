"""The settings of devices that a box, or an agent beside the lane, drives: sections of their TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GateConfig:
    """[[gate]]: one boom gate behind a relay board on RS-485, or on the box's own GPIO lines."""

    name: str
    port: str
    baud: int = 9600
    local_echo: bool = False
    family: Literal["waveshare", "clone", "coil", "kmtronic", "gpio", "agent"] = "waveshare"
    address: int = 1
    relay: int = 0
    pulse_s: float = 0.7
    timeout_s: float = 0.5
    boom_up: int | None = None
    boom_down: int | None = None
    loops: tuple[int, ...] = ()
    inverted: tuple[int, ...] = ()
    active_low: bool = False
    pull_up: bool = True


@dataclass(frozen=True, slots=True)
class DisplayConfig:
    """[[display]]: one lane's text and voice board on RS-485."""

    name: str
    port: str
    baud: int = 9600
    local_echo: bool = False
    lines: int = 2
    cells: int = 8


@dataclass(frozen=True, slots=True)
class SpaceBoardConfig:
    """[[space_board]]: a board on RS-485 that shows the free spaces of a zone."""

    name: str
    port: str
    zone: str = ""
    baud: int = 9600
    few: int = 20
