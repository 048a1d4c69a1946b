"""The rules that use cases and pages go by, from the configuration."""

from __future__ import annotations

from dataclasses import asdict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.clock import SystemClock
from edge.codes.house import DEFAULT_FORMS
from edge.codes.reading import CodeRules, code_rules
from edge.codes.scale_label import CHINA_LAYOUTS
from edge.config import (
    Config,
    WorkstationConfig,
)
from edge.errors import Invalid
from edge.members.landing import LandingPage
from edge.services.box import Rules, Workstation, WorkstationKind
from edge.services.watch_disk import DiskMarks
from edge.web.camera import MAX_BODY_BYTES
from edge.web.desk import WebSettings

#: Which gateway takes the payment codes of which wallet (edge.codes.payment), where it is configured.
WALLETS = {"wechat": "wechat_pay", "alipay": "alipay"}


def landing_pages(config: Config) -> tuple[LandingPage, ...]:
    """Return the configured pages after payment."""
    return tuple(
        LandingPage(page.tenant or "mall", page.tenant, page.title, page.title_en, page.picture, page.block)
        for page in config.landing
    )


def build_rules(config: Config) -> Rules:
    """Return the use cases' rules; raise Invalid for a time zone or label layout that is none."""
    try:
        zone = ZoneInfo(config.box.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            f"box.time_zone {config.box.time_zone!r} is none; write it like Asia/Shanghai"
        ) from None
    rules = config.rules
    return Rules(
        zone=zone,
        day_starts_h=config.box.day_starts_h,
        repeat_window_ms=rules.repeat_window_ms,
        stale_scan_ms=rules.stale_scan_ms,
        idle_ms=rules.idle_ms,
        paid_idle_ms=rules.paid_idle_ms,
        pay_deadline_ms=rules.pay_deadline_ms,
        poll_ms=rules.poll_ms,
        reverse_age_ms=rules.reverse_age_ms,
        cash_needs_shift=rules.cash_needs_shift,
        over_short_limit_fen=rules.over_short_limit_fen,
        public_url=config.box.public_url,
        shop_name=config.box.shop_name,
        codes=build_code_rules(config),
        wallets=WALLETS,
    )


def build_code_rules(config: Config | None) -> CodeRules:
    """Return how scanned strings are read; without a configuration, the usual way."""
    year = int(SystemClock().now().wall_at / 31_556_952_000) + 1970
    if config is None:
        return code_rules(year=year)
    codes = config.codes
    return code_rules(
        codes.scale_layouts or CHINA_LAYOUTS,
        public_hosts=codes.public_hosts,
        itf_lengths=codes.itf_lengths,
        house_forms=codes.house_forms or DEFAULT_FORMS,
        year=year,
    )


def build_marks(config: Config) -> DiskMarks:
    """Return where the disk's levels begin; raise Invalid for marks out of order."""
    return DiskMarks(**asdict(config.disk))


def minute_of_day(time: str) -> int:
    """Return a checked "hh:mm" as minutes since midnight."""
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def build_workstation(config: WorkstationConfig) -> Workstation:
    """Return one place where people pay."""
    kind = WorkstationKind(config.kind)
    return Workstation(config.name, kind, config.language, config.cash, config.tenant)


def web_settings(config: Config) -> WebSettings:
    """Return how the pages are served; raise Invalid for settings that cannot work."""
    web = config.web
    return WebSettings(
        host=web.host,
        port=web.port,
        threads=web.threads,
        max_streams=web.max_streams,
        trusted_networks=web.trusted_networks,
        secure_cookies=web.secure_cookies,
        pictures=web.pictures,
        shop_name=config.box.shop_name,
        shop_name_en=config.box.shop_name_en,
        sound=web.sound,
        zone=config.box.time_zone,
        staff_idle_s=web.staff_idle_s,
        max_camera_body_bytes=MAX_BODY_BYTES if any(one.posts for one in config.camera) else 0,
    )
