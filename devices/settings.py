"""The settings of devices that a box, or an agent beside the lane, drives: sections of their TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class GateConfig:
    """[[gate]]: one boom gate behind a relay board on RS-485, on the box's own GPIO lines, or at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    baud: int = 9600
    local_echo: bool = False
    family: Literal["waveshare", "clone", "coil", "kmtronic", "gpio"] = "waveshare"
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
    """[[display]]: one lane's text and voice board on RS-485, or at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    baud: int = 9600
    local_echo: bool = False
    lines: int = 2
    cells: int = 8


@dataclass(frozen=True, slots=True)
class SpaceBoardConfig:
    """[[space_board]]: a board on RS-485 that shows the free spaces of a zone, or one at an agent."""

    name: str
    port: str = ""
    agent: str = ""
    zone: str = ""
    baud: int = 9600
    few: int = 20


@dataclass(frozen=True, slots=True)
class AskedCameraConfig:
    """[[camera]] of an agent: one that is asked for what it sees, or whose pictures are read by the agent."""

    name: str
    kind: Literal["frames", "hikvision_pull", "dahua_pull"]
    url: str
    username: str = ""
    password_file: Path | None = None
    region: tuple[float, ...] = ()
    least_width: int = 60


def check_view(url: str, region: tuple[float, ...], least_width: int) -> None:
    """Raise ValueError for an address with a user in it, and for a part of a picture that is none."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ValueError("url carries a user; write username and password_file instead")
    left, top, right, bottom = region if len(region) == 4 else (0.0, 0.0, 0.0, 0.0)
    if region and not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            "region is left, top, right, bottom as shares of the picture, such as [0.1, 0.3, 0.9, 1.0]"
        )
    if not 20 <= least_width <= 1000:
        raise ValueError(f"least_width is 20 to 1000, got {least_width}")


def check_way(kind: str, config: GateConfig | DisplayConfig | SpaceBoardConfig) -> None:
    """Raise ValueError unless a device has a port of this machine or the name of an agent, and not both."""
    if bool(config.port) is bool(config.agent):
        raise ValueError(f"{kind} {config.name}: give its port, or the agent that has it; not both")
