"""The section of the configuration file about agents beside lanes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """[[agent]]: an agent that has devices of this box, reached over the store's broker."""

    name: str
    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    keepalive_s: int = 5
