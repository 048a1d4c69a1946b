"""The sections of the configuration about phones and the mini-program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge.errors import Invalid
from edge.services.phone_rules import MESSAGE_WORDS

_FIELD = re.compile(r"[a-z_]{1,32}\d{1,3}=(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """[phone]: how long phones are remembered, and how many."""

    session_days: int = 30
    most_sessions: int = 50_000
    opens_per_minute: int = 240
    order_idle_s: int = 900


@dataclass(frozen=True, slots=True)
class MiniProgramConfig:
    """[mini_program]: access to its server side; the secret stays in a file."""

    appid: str
    app_secret_file: Path
    paid_template: str = ""
    paid_fields: tuple[str, ...] = ()
    base_url: str = "https://api.weixin.qq.com"
    connect_s: float = 3.0
    read_s: float = 10.0


def check_phone(
    phone: PhoneConfig, program: MiniProgramConfig | None, appids: tuple[str, ...], source: str
) -> None:
    """Raise Invalid for numbers that cannot be, and for a mini-program that the payments do not know.

    appids: those that WeChat Pay's orders are made for; empty without it.
    """
    for name, least, most in (
        ("session_days", 1, 365),
        ("most_sessions", 100, 1_000_000),
        ("opens_per_minute", 1, 10_000),
        ("order_idle_s", 60, 86_400),
    ):
        if not least <= getattr(phone, name) <= most:
            raise Invalid(f"{source}: phone.{name} is {least} to {most}, got {getattr(phone, name)}")
    if program is None:
        return
    if appids and program.appid not in appids:
        raise Invalid(
            f"{source}: mini_program.appid {program.appid!r} is not the appid of [wechat_pay]; "
            "its shoppers could not pay"
        )
    if bool(program.paid_template) != bool(program.paid_fields):
        raise Invalid(f"{source}: mini_program: give paid_template and paid_fields together")
    read_fields(program.paid_fields, source)


def read_fields(given: tuple[str, ...], source: str = "") -> tuple[tuple[str, str], ...]:
    """Return (field, word) of each "thing1=shop"; raise Invalid for what is none."""
    found = []
    for text in given:
        match = _FIELD.fullmatch(text)
        if match is None or match[1] not in MESSAGE_WORDS:
            known = ", ".join(MESSAGE_WORDS)
            raise Invalid(
                f"{source}: mini_program.paid_fields: {text!r} must be like thing1=shop, of {known}"
            )
        found.append((text.partition("=")[0], match[1]))
    return tuple(found)
