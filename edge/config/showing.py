"""The configuration in force, for people; secrets stay hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from edge.config.sections import Config

#: Keys whose values are never shown.
SECRET_KEYS = frozenset({"pin_hash"})


def effective(config: Config) -> str:
    """Return the configuration in force as TOML-like lines, secrets hidden."""
    return "\n".join(_lines("", asdict(config)))


def _lines(prefix: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{prefix}.{key}" if prefix else key
            yield from [f"{path} = (hidden)"] if key in SECRET_KEYS else _lines(path, inner)
    elif isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        for index, inner in enumerate(value):
            yield from _lines(f"{prefix}[{index}]", inner)
    else:
        yield f"{prefix} = {_shown(value)}"


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return f'"{value}"' if isinstance(value, (str, Path)) else str(value)
