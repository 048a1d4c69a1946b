"""The wire to HQ from the configuration."""

from __future__ import annotations

from pathlib import Path

from edge.app.files import given_file
from edge.config import (
    Config,
    HqConfig,
)
from edge.errors import Invalid
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.sessions import SessionNumbers
from edge.hq.tls import TlsFiles, TlsSettings
from edge.services.events import Origin
from edge.services.ports import Clock

#: The last session number at the broker.
SESSIONS = "hq-session"


def build_link(config: Config, clock: Clock) -> MqttLink:
    """Return the wire to HQ, not connected yet."""
    sessions = SessionNumbers(config.box.data_dir / SESSIONS)
    return MqttLink(link_settings(config.hq), Origin(config.box.site, config.box.edge), clock, sessions)


def link_settings(config: HqConfig) -> LinkSettings:
    """Return how to reach the broker; raise Invalid for what cannot work, also a password file.

    Certificate files are not opened: a bad one must not keep the shop closed, the link's status tells it.
    """
    return LinkSettings(
        host=config.host,
        port=config.port,
        username=config.username,
        password=_password(config.password_file),
        window=config.window,
        keepalive_s=config.keepalive_s,
        connect_s=config.connect_s,
        stall_s=config.stall_s,
        first_delay_s=config.first_delay_s,
        last_delay_s=config.last_delay_s,
        tls=_tls(config),
    )


def link_doubts(config: HqConfig, clock: Clock) -> list[str]:
    """Return what is doubtful about the way to HQ: certificate files, their end, or no encryption."""
    settings = link_settings(config)
    if settings.tls is None:
        return ["hq: the link is not encrypted; set hq.ca_file"] if settings.exposed else []
    files, now = TlsFiles(settings.tls), clock.now()
    files.renewed()
    own = files.own
    found = [files.problem, (own.trouble(now) or own.warning(now)) if own else ""]
    return [one for one in found if one]


def _tls(config: HqConfig) -> TlsSettings | None:
    files = (config.ca_file, config.certificate_file, config.key_file)
    if not config.tls and not any(files):
        return None
    return TlsSettings(*(given_file(one) if one else None for one in files))


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return given_file(path).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"hq.password_file {path} cannot be read: {error}") from error
