"""Key files and addresses of payment gateways: what is wrong with one is said with its path and remedy."""

from __future__ import annotations

import ipaddress
import logging
from pathlib import Path
from urllib.parse import urlsplit

from edge.errors import Invalid

_log = logging.getLogger(__name__)
_MAX_KEY_FILE_BYTES = 64 * 1024


def read_key_file(path: Path, what: str, *, secret: bool = False) -> bytes:
    """Return the file's bytes, 64 KiB at most; raise Invalid for an empty, larger or unreadable one.

    what: for messages, e.g. "merchant certificate". secret: warn when others than the owner can read it.
    """
    try:
        facts = path.stat()
        data = path.read_bytes() if facts.st_size <= _MAX_KEY_FILE_BYTES else b""
    except OSError as error:
        raise Invalid(
            f"cannot read the {what} {path}: {error.strerror}; check path and permissions"
        ) from None
    if not data:
        raise Invalid(f"the {what} {path} is empty or over {_MAX_KEY_FILE_BYTES} bytes; check the path")
    if secret and facts.st_mode & 0o077:
        _log.warning("%s can be read by others; run: chmod 600 %s", path, path)
    return data


def check_address(section: str, name: str, url: str) -> None:
    """Raise Invalid unless `url` is https (http only on loopback), with a host, without query or fragment.

    section, name: of the setting, for the message.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not secure or not parts.hostname or parts.query or parts.fragment:
        raise Invalid(f"{section}: {name} {url!r} must be an https address (http only on loopback)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
