"""Fetch the keys with which a payment gateway signs, at start and from time to time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from edge.workers import Worker

#: The gateway announces a new certificate days before it signs with it alone.
RENEW_EVERY_S = 12 * 3_600.0

#: Two domains, two reads each, for every gateway.
RENEW_LONGEST_S = 120.0

_log = structlog.get_logger("service")


class KeyRenewer(Protocol):
    """A gateway whose keys change. name: as in tenders."""

    name: str

    def refresh_certificates(self) -> tuple[str, ...]:
        """Fetch the keys in force; return the serials that are new. The ones at hand stay when it fails."""


class RenewingKeys:
    """The keys of all gateways that give theirs out."""

    def __init__(self, gateways: Sequence[KeyRenewer]) -> None:
        self._gateways = gateways

    def workers(self) -> list[Worker]:
        """Return the one that fetches, if there is anything to fetch."""
        return [Worker("keys", self._renew, RENEW_LONGEST_S)] if self._gateways else []

    def _renew(self) -> float:
        for gateway in self._gateways:
            for serial in gateway.refresh_certificates():
                _log.info("a new key of the gateway is believed", gateway=gateway.name, serial=serial)
        return RENEW_EVERY_S
