"""From TOML to the sections: what is not known or not of its type is refused, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices.settings_reader import load_settings, read_settings
from edge.config.checks import check_references, check_values
from edge.config.sections import Config
from edge.errors import Invalid

_EXAMPLE = "systemd/examples/kiosk.toml"


def load_config(path: Path) -> Config:
    """Return the configuration in `path`; raise Invalid that lists everything that is wrong with it."""
    try:
        return _checked(load_settings(path, Config, _EXAMPLE), str(path))
    except ValueError as error:
        raise Invalid(str(error)) from error


def parse_config(raw: Mapping[str, object], source: str) -> Config:
    """Return the configuration in `raw`; raise Invalid that lists everything that is wrong with it."""
    try:
        config = read_settings(raw, Config, source)
    except ValueError as error:
        raise Invalid(str(error)) from None
    return _checked(config, source)


def _checked(config: Config, source: str) -> Config:
    check_references(config, source)
    check_values(config, source)
    return config
