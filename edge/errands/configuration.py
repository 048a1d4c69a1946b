"""Is the configuration sound?"""

from __future__ import annotations

from edge.app import (
    build_devices,
    build_gateways,
    build_link,
    build_rules,
    camera_doubts,
    given_file,
    link_doubts,
    web_settings,
)
from edge.app.phone import build_mini_program
from edge.clock import SystemClock
from edge.config import Config
from edge.ids import TimeOrderedIds


def check_config(config: Config) -> list[str]:
    """Return what is doubtful about a configuration that could be read; raise Invalid for what is wrong."""
    clock = SystemClock()
    build_rules(config)
    build_devices(config)
    build_gateways(config, clock, TimeOrderedIds(lambda: clock.now().wall_at))
    web_settings(config)
    build_link(config, clock).close()
    program = build_mini_program(config, clock)
    if program is not None:
        program.close()
    doubts = [*_missing(config), *link_doubts(config.hq, clock), *camera_doubts(config)]
    return [*doubts, *_open_secrets(config)]


def _missing(config: Config) -> list[str]:
    """Return what a box can run without and would miss."""
    box = config.box
    missing = {
        "no [[workstation]] is configured; there is no screen to sell on": not config.workstation,
        "no [wechat_pay] or [alipay] is configured; only tills with cash can take money": (
            config.wechat_pay is None and config.alipay is None
        ),
        "no [[staff]] is configured; nobody can check an age or end a call for help": not config.staff,
        "mini_program: phones cannot pay without wechat_pay.notify_url": config.mini_program is not None
        and not (config.wechat_pay and config.wechat_pay.notify_url),
        "box.public_url is empty; receipts carry no QR code, as no phone could open it": not box.public_url,
    }
    examples = [
        f"{member.name} has the example's pin_hash, which fits no PIN; run: hash-pin"
        for member in config.staff
        if not member.pin_hash.strip("0$")
    ]
    return [doubt for doubt, applies in missing.items() if applies] + examples


def _open_secrets(config: Config) -> list[str]:
    wallets = [one.private_key_file for one in (config.wechat_pay, config.alipay) if one is not None]
    api_key = config.wechat_pay.api_v3_key_file if config.wechat_pay else None
    app_secret = config.mini_program.app_secret_file if config.mini_program else None
    secrets = [*wallets, api_key, app_secret, config.hq.password_file, config.hq.key_file]
    paths = [given_file(one) for one in secrets if one is not None]
    # A key that is missing is a doubt of its own.
    return [
        f"{path} can be read by others; run: chmod 600 {path}"
        for path in paths
        if path.exists() and path.stat().st_mode & 0o077
    ]
