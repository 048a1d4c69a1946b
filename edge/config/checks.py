"""What no type can hold back: names that are doubled or unknown, values that cannot work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_network

from edge.config.camera_checks import check_cameras
from edge.config.counter_checks import PIN_HASH, check_counters
from edge.config.member_sections import check_members
from edge.config.parking_checks import check_lanes, check_parking
from edge.config.pass_section import check_passes
from edge.config.phone_section import check_phone
from edge.config.scan_section import check_scan_and_go
from edge.config.sections import Config, PrinterConfig, RulesConfig, ScannerConfig
from edge.config.tenant_section import check_shares, check_tenants
from edge.errors import Invalid

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
#: Sections whose names must differ.
_NAMED = (
    "workstation",
    "scanner",
    "printer",
    "agent",
    "gate",
    "display",
    "space_board",
    "zone",
    "lane",
    "camera",
    "staff",
)


def check_references(config: Config, source: str) -> None:
    """Raise Invalid for doubled names and for devices of workstations that do not exist."""
    names = [one.name for one in config.workstation]
    if "phone" in names:
        raise Invalid(f"{source}: a workstation is named 'phone', which stands for phones; rename it")
    for kind in (
        "workstation",
        "scanner",
        "printer",
        "agent",
        "gate",
        "display",
        "space_board",
        "zone",
        "lane",
        "camera",
        "staff",
    ):
        seen: set[str] = set()
        for one in getattr(config, kind):
            if one.name in seen:
                raise Invalid(f"{source}: two {kind}s are named {one.name!r}; give each its own name")
            seen.add(one.name)
    devices: tuple[ScannerConfig | PrinterConfig, ...] = (*config.scanner, *config.printer)
    for device in devices:
        if device.workstation not in names:
            known = ", ".join(names) or "none"
            raise Invalid(
                f"{source}: {device.name} belongs to workstation {device.workstation!r}; known: {known}"
            )
    check_lanes(config, source)
    check_cameras(config, source)
    check_counters(config, source)


def check_values(config: Config, source: str) -> None:
    """Raise Invalid for values that no type can hold back."""
    for member in config.staff:
        if not PIN_HASH.fullmatch(member.pin_hash):
            raise Invalid(
                f"{source}: the pin_hash of {member.name!r} is none; make one with: python -m edge hash-pin"
            )
    for name, port in (("web.port", config.web.port), ("hq.port", config.hq.port)):
        if not 0 <= port <= 65_535:
            raise Invalid(f"{source}: {name} must be 0 to 65535, got {port}")
    _check_networks(config.web.trusted_networks, source)
    _check_rules(config.rules, source)
    check_parking(config, source)
    check_passes(config.passes, source)
    check_members(config.members, config.points_rule, config.points_tier, source)
    check_tenants(config.tenant, source)
    if config.wechat_pay is not None:
        check_shares(config.tenant, config.wechat_pay, source)
    pays = config.wechat_pay
    appids = (pays.appid, pays.sub_appid) if pays else ()
    check_phone(config.phone, config.mini_program, appids, source)
    kinds = [one.kind for one in config.workstation]
    check_scan_and_go(config.scan_and_go, kinds, pays is not None, source)
    if not _TIME.fullmatch(config.reconcile.from_time):
        raise Invalid(
            f"{source}: reconcile.from_time {config.reconcile.from_time!r} is no time; write it like 10:30"
        )
    _check_hours(config, source)


def _check_rules(rules: RulesConfig, source: str) -> None:
    for name, duration_ms in asdict(rules).items():
        if name.endswith("_ms") and duration_ms <= 0:
            raise Invalid(f"{source}: rules.{name} must be more than 0 ms, got {duration_ms}")
    if rules.over_short_limit_fen < 0:
        raise Invalid(f"{source}: rules.over_short_limit_fen is below 0: {rules.over_short_limit_fen}")


def _check_hours(config: Config, source: str) -> None:
    if not 0 <= config.box.day_starts_h <= 23:
        raise Invalid(f"{source}: box.day_starts_h must be 0 to 23, got {config.box.day_starts_h}")
    if not 0 <= config.box.clock_alarm_h <= 720:
        raise Invalid(f"{source}: box.clock_alarm_h must be 0 to 720, got {config.box.clock_alarm_h}")


def _check_networks(networks: Sequence[str], source: str) -> None:
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise Invalid(f"{source}: web.trusted_networks: {error}; write it like 192.168.10.0/24") from None
