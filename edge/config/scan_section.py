"""The section of the configuration about scan and go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.errors import Invalid


@dataclass(frozen=True, slots=True)
class ScanAndGoConfig:
    """[scan_and_go]: whose goods phones may buy by themselves, and how they leave."""

    tenants: tuple[str, ...] = ()
    exit_minutes: int = 30
    recheck_permille: int = 50
    forsaken_hours: int = 4
    code_minutes: int = 5
    keep_days: int = 90


def check_scan_and_go(config: ScanAndGoConfig, kinds: Iterable[str], phones: bool, source: str) -> None:
    """Raise Invalid for times and shares that cannot be. phones: whether phones can pay at all."""
    for name, least, most in (
        ("exit_minutes", 1, 1_440),
        ("recheck_permille", 0, 1_000),
        ("forsaken_hours", 1, 72),
        ("code_minutes", 1, 60),
        ("keep_days", 1, 3_650),
    ):
        value = getattr(config, name)
        if not least <= value <= most:
            raise Invalid(f"{source}: scan_and_go.{name} must be {least} to {most}, got {value}")
    if len(set(config.tenants)) != len(config.tenants):
        raise Invalid(f"{source}: scan_and_go.tenants names a tenant twice")
    if config.tenants and not phones:
        raise Invalid(f"{source}: scan_and_go needs [wechat_pay], by which phones pay")
    if "exit" in set(kinds) and not config.tenants:
        raise Invalid(
            f'{source}: a workstation of kind "exit" checks exit codes, but scan_and_go.tenants is empty'
        )
