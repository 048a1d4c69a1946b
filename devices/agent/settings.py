"""The configuration of an agent: one TOML file with [agent] and its devices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from devices.settings import AskedCameraConfig, DisplayConfig, GateConfig, SpaceBoardConfig


@dataclass(frozen=True, slots=True)
class AgentSection:
    """[agent]: which agent of which site this is, the store's broker, and where its journal lies."""

    site: str
    name: str
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    keepalive_s: int = 5


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The whole file."""

    agent: AgentSection
    gate: tuple[GateConfig, ...] = ()
    display: tuple[DisplayConfig, ...] = ()
    space_board: tuple[SpaceBoardConfig, ...] = ()
    camera: tuple[AskedCameraConfig, ...] = ()
