"""By what phones are served, from the configuration and the box's own key."""

from __future__ import annotations

import os
from pathlib import Path

from edge.app.files import given_file
from edge.codes.signed_token import KEY_BYTES
from edge.config import Config
from edge.config.phone_section import read_fields
from edge.errors import Corrupt, Invalid, Unavailable
from edge.ids import new_key
from edge.services.phone_ports import MiniProgram
from edge.services.phone_rules import PhoneRules
from edge.services.ports import Clock

#: The key under which this box signs the codes that phones open, under box.data_dir.
PHONE_KEY = "phone.key"


def build_phone(config: Config) -> PhoneRules:
    """Return the rules of phones; the key is made when there is none."""
    phone, program = config.phone, config.mini_program
    return PhoneRules(
        key=kept_key(config.box.data_dir / PHONE_KEY),
        session_days=phone.session_days,
        most_sessions=phone.most_sessions,
        opens_per_minute=phone.opens_per_minute,
        order_idle_ms=phone.order_idle_s * 1000,
        appid=program.appid if program else "",
        paid_template=program.paid_template if program else "",
        paid_fields=read_fields(program.paid_fields) if program else (),
    )


def build_mini_program(config: Config, clock: Clock) -> MiniProgram | None:
    """Return the mini-program, None without one; raise Invalid for a secret that cannot be read."""
    if config.mini_program is None:
        return None
    from edge.gateways.wechat_pay.mini_program import WeixinMiniProgram
    from edge.gateways.wechat_pay.weixin_api import WeixinApi, WeixinApiSettings

    own = config.mini_program
    settings = WeixinApiSettings(
        own.appid, _secret(own.app_secret_file), own.base_url, own.connect_s, own.read_s
    )
    return WeixinMiniProgram(WeixinApi(settings, clock))


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


def _secret(path: Path) -> str:
    try:
        secret = given_file(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Invalid(f"mini_program.app_secret_file {path} cannot be read: {why}") from None
    if not secret:
        raise Invalid(f"mini_program.app_secret_file {path} is empty; put the AppSecret in it")
    return secret


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
