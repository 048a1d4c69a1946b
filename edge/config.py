"""The configuration: TOML to frozen dataclasses; what is not known or not of its type is refused.

Every key is described in docs/operations/configuration.md (a test holds the two together). Secrets
stay in files of their own, named by path; a staff PIN is kept as a scrypt hash.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from edge.codes.house import HouseForm
from edge.errors import Invalid
from edge.members.landing import LandingBlock

#: What begins the path of a file that systemd hands to the service (LoadCredential).
CREDENTIAL = "credential:"

_PIN_HASH = re.compile(r"(?:[0-9a-f]{2}){8,64}\$[0-9a-f]{64}", re.ASCII)

#: Keys whose values are never shown.
SECRET_KEYS = frozenset({"pin_hash"})


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """[box]: which box this is and where it keeps its state."""

    site: str
    edge: str
    data_dir: Path = Path("demo-data")
    shop_name: str = "智慧商场"
    shop_name_en: str = "Mall"
    time_zone: str = "Asia/Shanghai"
    day_starts_h: int = 4
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """[web]: where the pages are served."""

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 32
    max_streams: int = 16
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    secure_cookies: bool = False
    sound: bool = False
    staff_idle_s: int = 600
    pictures: Path | None = None


@dataclass(frozen=True, slots=True)
class HqConfig:
    """[hq]: the broker that leads to HQ; password, certificate and key stay in files."""

    host: str = "127.0.0.1"
    port: int = 1883
    window: int = 50
    username: str = ""
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 15
    connect_s: float = 5.0
    stall_s: float = 30.0
    first_delay_s: float = 1.0
    last_delay_s: float = 60.0
    relay: bool = True


@dataclass(frozen=True, slots=True)
class RulesConfig:
    """[rules]: how the use cases decide; durations in milliseconds."""

    repeat_window_ms: int = 1_500
    stale_scan_ms: int = 5_000
    idle_ms: int = 120_000
    paid_idle_ms: int = 25_000
    pay_deadline_ms: int = 45_000
    poll_ms: int = 5_000
    reverse_age_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class DiskConfig:
    """[disk]: below which share of the disk, but at most below how many MiB, what is refused."""

    low_percent: int = 20
    scarce_percent: int = 10
    full_percent: int = 5
    low_mb: int = 4_096
    scarce_mb: int = 2_048
    full_mb: int = 1_024
    reserve_mb: int = 32


@dataclass(frozen=True, slots=True)
class CodesConfig:
    """[codes]: how scanned strings are read; house_forms, when given, replace the usual six."""

    scale_layouts: tuple[str, ...] = ()
    public_hosts: tuple[str, ...] = ()
    itf_lengths: tuple[int, ...] = (14, 18)
    house_forms: tuple[HouseForm, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkstationConfig:
    """[[workstation]]: a kiosk or a till."""

    name: str
    kind: Literal["kiosk", "till"] = "kiosk"
    language: Literal["zh", "en"] = "zh"
    cash: bool = False


@dataclass(frozen=True, slots=True)
class ScannerConfig:
    """[[scanner]]: one scanner and the workstation it belongs to."""

    name: str
    workstation: str
    kind: Literal["serial", "hid", "camera"] = "serial"
    port: str = ""
    baud: int = 9600
    terminators: tuple[Literal["cr", "lf", "crlf", "tab", "etx"], ...] = ()
    prefix: str = ""
    framing_idle_ms: int = 0
    aim_ids: bool = True
    max_length: int = 4096
    frames_needed: int = 2
    frames_window: int = 5
    gone_ms: int = 1000
    vendor: str = ""
    product: str = ""
    serial: str = ""
    phys: str = ""


@dataclass(frozen=True, slots=True)
class PrinterConfig:
    """[[printer]]: one receipt printer and the workstation it belongs to."""

    name: str
    workstation: str
    kind: Literal["serial", "tcp", "usb"] = "serial"
    port: str = ""
    baud: int = 19200
    width: Literal[32, 42, 48] = 48
    dots: int = 0
    chinese: Literal["gb18030", "gbk", "utf8", "raster"] = "gb18030"
    font_path: str = ""
    qr: Literal["native", "raster"] = "native"
    cut: Literal["full", "partial", "none"] = "partial"
    drawer_pin: Literal[2, 5] = 2
    barrier: Literal["gs_r", "gs_h"] = "gs_r"
    rtscts: bool = False
    xonxoff: bool = False
    job_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class GateConfig:
    """[[gate]]: one boom gate behind a relay board on RS-485."""

    name: str
    port: str
    baud: int = 9600
    local_echo: bool = False
    family: Literal["waveshare", "clone", "coil", "kmtronic"] = "waveshare"
    address: int = 1
    relay: int = 0
    pulse_s: float = 0.7
    timeout_s: float = 0.5
    boom_up: int | None = None
    boom_down: int | None = None
    loops: tuple[int, ...] = ()
    inverted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DisplayConfig:
    """[[display]]: one lane's text and voice board on RS-485."""

    name: str
    port: str
    baud: int = 9600
    local_echo: bool = False
    lines: int = 2
    cells: int = 8


@dataclass(frozen=True, slots=True)
class WeChatPayConfig:
    """[wechat_pay]: a merchant's access; keys stay in files."""

    appid: str
    mchid: str
    store_id: str
    private_key_file: Path
    certificate_file: Path
    platform_keys: Mapping[str, Path]
    device_ip: str = ""
    base_url: str = "https://api.mch.weixin.qq.com"
    backup_url: str = "https://api2.mch.weixin.qq.com"
    connect_s: float = 3.0
    read_s: float = 10.0
    codepay_read_s: float = 30.0


@dataclass(frozen=True, slots=True)
class StaffConfig:
    """[[staff]]: who may approve; pin_hash comes from `python -m edge hash-pin`."""

    name: str
    pin_hash: str
    role: Literal["cashier", "supervisor", "technician"] = "cashier"


@dataclass(frozen=True, slots=True)
class LandingConfig:
    """[[landing]]: a tenant's page after payment; tenant "" is the mall's own."""

    title: str
    tenant: str = ""
    title_en: str = ""
    picture: str = ""
    block: tuple[LandingBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    box: BoxConfig
    web: WebConfig = field(default_factory=WebConfig)
    hq: HqConfig = field(default_factory=HqConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    disk: DiskConfig = field(default_factory=DiskConfig)
    codes: CodesConfig = field(default_factory=CodesConfig)
    workstation: tuple[WorkstationConfig, ...] = ()
    scanner: tuple[ScannerConfig, ...] = ()
    printer: tuple[PrinterConfig, ...] = ()
    gate: tuple[GateConfig, ...] = ()
    display: tuple[DisplayConfig, ...] = ()
    wechat_pay: WeChatPayConfig | None = None
    staff: tuple[StaffConfig, ...] = ()
    landing: tuple[LandingConfig, ...] = ()


def load_config(path: Path) -> Config:
    """Return the configuration in `path`; raise Invalid that lists everything that is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}; start from systemd/examples/kiosk.toml") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{path} is not TOML: {error}") from error
    return parse_config(raw, str(path))


def parse_config(raw: Mapping[str, object], source: str) -> Config:
    """Return the configuration in `raw`; raise Invalid that lists everything that is wrong with it."""
    try:
        config: Config = _converter().structure(raw, Config)
    except ClassValidationError as error:
        problems = "\n  ".join(_problems(error, ""))
        raise Invalid(f"{source} has mistakes:\n  {problems}") from None
    except ValueError as error:
        raise Invalid(f"{source} has mistakes:\n  {error}") from None
    _check_references(config, source)
    _check_values(config, source)
    return config


def secret_file(path: Path, credentials: str | None) -> Path:
    """Return the file that `path` stands for: `credential:NAME` lies in systemd's folder `credentials`.

    Raises Invalid for a credential where there is no such folder. Source: systemd.exec(5), LoadCredential.
    """
    name = str(path).removeprefix(CREDENTIAL)
    if name == str(path):
        return path
    if not name or "/" in name:
        raise Invalid(f"{path}: a credential is a bare name, such as {CREDENTIAL}keys_apiclient_key.pem")
    if not credentials:
        raise Invalid(
            f"{path} is given by systemd to the service alone and cannot be read here; "
            "run this command as: sudo mall-edge ..."
        )
    return Path(credentials) / name


def effective(config: Config) -> str:
    """Return the configuration in force as TOML-like lines, secrets hidden."""
    return "\n".join(_lines("", asdict(config)))


def _lines(prefix: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{prefix}.{key}" if prefix else key
            yield from [f"{path} = (hidden)"] if key in SECRET_KEYS else _lines(path, inner)
    elif isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        for index, inner in enumerate(value):
            yield from _lines(f"{prefix}[{index}]", inner)
    else:
        yield f"{prefix} = {_shown(value)}"


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return f'"{value}"' if isinstance(value, (str, Path)) else str(value)


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(Path, lambda value, _: Path(_exactly(value, str)))
    converter.register_structure_hook_func(
        _is_literal,
        lambda value, kind: _one_of(value, get_args(kind)),
    )
    converter.register_structure_hook_func(
        is_dataclass,
        lambda value, kind: make_dict_structure_fn(kind, converter)(_table(value, kind), kind),
    )
    return converter


def _is_literal(kind: object) -> bool:
    return get_origin(kind) is Literal


def _exactly(value: object, kind: type) -> Any:
    """Return `value` if it is of that very kind: no text as number, no yes-or-no as 1."""
    if issubclass(kind, Enum):
        return _one_of(value, [member.value for member in kind]) and kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise ValueError(f"must be {names[kind]}, got {value!r}")
    return value


def _one_of(value: object, allowed: Sequence[object]) -> object:
    if value not in allowed:
        raise ValueError(f"must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value


def _table(value: object, kind: type) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table, got {value!r}")
    wanted = get_type_hints(kind)
    for name, inner in value.items():
        # Both would be taken apart letter by letter, or key by key, without a word.
        if get_origin(wanted.get(name)) is tuple and not isinstance(inner, list):
            raise ValueError(f"{name} must be a list in square brackets, got {inner!r}")
        if get_origin(wanted.get(name)) is Mapping and not isinstance(inner, Mapping):
            raise ValueError(f"{name} must be a table, got {inner!r}")
    return value


def _problems(error: BaseException, path: str) -> Iterator[str]:
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        for inner in error.exceptions:
            yield from _problems(inner, path + _place(inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield f"{_join(path, key)} is not known{_nearest(key, error.cl)}"
    elif isinstance(error, KeyError):
        yield f"{path.lstrip('.')} is missing"
    else:
        yield f"{path.lstrip('.')}: {error}"


def _place(error: BaseException) -> str:
    """Return where inside its parent an error lies, from the note that the converter left."""
    for note in getattr(error, "__notes__", []):
        for attribute in ("name", "index"):
            if hasattr(note, attribute):
                value = getattr(note, attribute)
                return f"[{value}]" if attribute == "index" else f".{value}"
    return ""


def _join(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".")


def _nearest(key: str, kind: type) -> str:
    known = [one.name for one in fields(kind)]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"


def _check_references(config: Config, source: str) -> None:
    """Raise Invalid for doubled names and for devices of workstations that do not exist."""
    names = [one.name for one in config.workstation]
    for kind in ("workstation", "scanner", "printer", "gate", "display", "staff"):
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


def _check_values(config: Config, source: str) -> None:
    """Raise Invalid for values that no type can hold back."""
    for member in config.staff:
        if not _PIN_HASH.fullmatch(member.pin_hash):
            raise Invalid(
                f"{source}: the pin_hash of {member.name!r} is none; make one with: python -m edge hash-pin"
            )
    for name, port in (("web.port", config.web.port), ("hq.port", config.hq.port)):
        if not 0 <= port <= 65_535:
            raise Invalid(f"{source}: {name} must be 0 to 65535, got {port}")
    _check_networks(config.web.trusted_networks, source)
    for name, duration_ms in asdict(config.rules).items():
        if duration_ms <= 0:
            raise Invalid(f"{source}: rules.{name} must be more than 0 ms, got {duration_ms}")
    if not 0 <= config.box.day_starts_h <= 23:
        raise Invalid(f"{source}: box.day_starts_h must be 0 to 23, got {config.box.day_starts_h}")


def _check_networks(networks: Sequence[str], source: str) -> None:
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise Invalid(f"{source}: web.trusted_networks: {error}; write it like 192.168.10.0/24") from None
