"""By what phones are served, from the configuration and the box's own key."""

from __future__ import annotations

import os
from pathlib import Path

from edge.codes.signed_token import KEY_BYTES
from edge.config import Config
from edge.errors import Corrupt, Unavailable
from edge.ids import new_key
from edge.services.phone_rules import PhoneRules

#: The key under which this box signs the codes that phones open, under box.data_dir.
PHONE_KEY = "phone.key"


def build_phone(config: Config) -> PhoneRules:
    """Return the rules of phones; the key is made when there is none."""
    return PhoneRules(key=kept_key(config.box.data_dir / PHONE_KEY))


def kept_key(path: Path) -> bytes:
    """Return the key in a file, made at the first call and then kept for good, for the owner alone.

    Codes on paper and on screens hold as long as the key does. Raises Corrupt for a file that is no key,
    Unavailable when it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read or made: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise Corrupt(
            f"{path} has {len(key)} bytes, a key has {KEY_BYTES}; put it back from a backup, or remove it:"
            " codes that were given out are then refused"
        )
    return key


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there, so that nobody ever sees half a key or a second."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
