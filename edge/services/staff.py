"""Who works here: PINs kept as scrypt hashes, compared in constant time, locked after wrong ones."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Invalid
from edge.services.ports import Clock

#: scrypt's cost: about 16 MB and a few tens of milliseconds for one guess.
_N, _R, _P = 2**14, 8, 1

_HASH = re.compile(r"(?:[0-9a-f]{2})+\$[0-9a-f]{64}", re.ASCII)

#: So many wrong PINs in a row lock all PINs for so long.
WRONG_BEFORE_LOCK = 5
LOCK_MS = 60_000


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A cashier or supervisor. pin_hash: "salt$digest" in hexadecimal, made by `hash_pin`."""

    name: str
    role: str
    pin_hash: str


class StaffBook:
    """Checks PINs; safe from any thread."""

    def __init__(self, members: Sequence[StaffMember], clock: Clock) -> None:
        """Raise Invalid for a pin_hash that `hash_pin` did not make."""
        for member in members:
            if _HASH.fullmatch(member.pin_hash) is None:
                raise Invalid(f"the pin_hash of {member.name} is none; make it with `hash-pin`")
        self._members = tuple(members)
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._locked_since: Instant | None = None

    def check(self, pin: str) -> StaffMember | None:
        """Return who has this PIN, None for nobody or while locked."""
        with self._lock:
            if self._is_locked():
                return None
            member = next((one for one in self._members if _matches(pin, one.pin_hash)), None)
            self._wrong = 0 if member else self._wrong + 1
            if self._wrong >= WRONG_BEFORE_LOCK:
                self._locked_since, self._wrong = self._clock.now(), 0
            return member

    def _is_locked(self) -> bool:
        if self._locked_since is None:
            return False
        if self._clock.now().since_ms(self._locked_since) < LOCK_MS:
            return True
        self._locked_since = None
        return False


def hash_pin(pin: str, salt: bytes) -> str:
    """Return the hash to put into the configuration; raise Invalid for a PIN of under 4 digits."""
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 12):
        raise Invalid("a PIN is 4 to 12 digits")
    return f"{salt.hex()}${_digest(pin, salt).hex()}"


def _matches(pin: str, pin_hash: str) -> bool:
    salt, _, digest = pin_hash.partition("$")
    return hmac.compare_digest(_digest(pin, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
