"""The settings of scan and go (扫码购)."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ScanAndGoRules:
    """tenants: whose goods may be bought so, "" among them for all; empty switches it off.

    exit_minutes: how long after payment an exit code is good. recheck_permille: of a thousand orders, so many
    are looked at at the exit. forsaken_hours: a cart that nobody touched for so long is given up.
    code_minutes: how long a cart's code for a kiosk is good. keep_days: how long the exits' ledger is kept.
    """

    tenants: frozenset[str] = frozenset()
    exit_minutes: int = 30
    recheck_permille: int = 50
    forsaken_hours: int = 4
    code_minutes: int = 5
    keep_days: int = 90

    @property
    def is_open(self) -> bool:
        """Whether anything is sold so."""
        return bool(self.tenants)

    def allows(self, tenant_id: str) -> bool:
        """Return whether goods of a tenant may be bought so."""
        return "" in self.tenants or tenant_id in self.tenants
