"""The sections of the configuration file and their keys, each with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from devices.settings import DisplayConfig, GateConfig, SpaceBoardConfig
from edge.codes.house import HouseForm
from edge.config.agent_section import AgentConfig
from edge.config.camera_sections import CameraConfig, PhotosConfig
from edge.config.counter_section import CounterConfig
from edge.config.member_sections import MembersConfig, PointsRuleConfig, PointsTierConfig
from edge.config.parking_sections import LaneConfig, ParkingConfig, ZoneConfig
from edge.config.pass_section import PassesConfig
from edge.config.phone_section import MiniProgramConfig, PhoneConfig
from edge.config.scan_section import ScanAndGoConfig
from edge.config.tenant_section import TenantConfig
from edge.config.touch_sections import FunnelConfig, GuideConfig, TouchpointConfig
from edge.config.validation_sections import (
    ValidationConfig,
    ValidationKeyConfig,
    ValidationRuleConfig,
)
from edge.members.landing import LandingBlock
from edge.parking.validation_rule import Quota


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
    clock_alarm_h: int = 12


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
    """[rules]: how the use cases decide; durations in milliseconds, money in fen."""

    repeat_window_ms: int = 1_500
    stale_scan_ms: int = 5_000
    idle_ms: int = 120_000
    paid_idle_ms: int = 25_000
    pay_deadline_ms: int = 45_000
    poll_ms: int = 5_000
    reverse_age_ms: int = 15_000
    cash_needs_shift: bool = False
    over_short_limit_fen: int = 500


@dataclass(frozen=True, slots=True)
class ReconcileConfig:
    """[reconcile]: from when, Beijing time, yesterday's bills of the gateways are compared with the books."""

    from_time: str = "10:30"


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
    """[[workstation]]: a kiosk, a till, a counter, a guarded way out, or where an exit lane is paid."""

    name: str
    kind: Literal["kiosk", "till", "counter", "lane", "exit"] = "kiosk"
    language: Literal["zh", "en"] = "zh"
    cash: bool = False
    tenant: str = ""


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
class WeChatPayConfig:
    """[wechat_pay]: a merchant's access; keys stay in files."""

    appid: str
    mchid: str
    store_id: str
    private_key_file: Path
    certificate_file: Path
    platform_keys: Mapping[str, Path]
    api_v3_key_file: Path | None = None
    fetch_certificates: bool = False
    sub_mchid: str = ""
    sub_appid: str = ""
    notify_url: str = ""
    refund_notify_url: str = ""
    vehicle_parking: bool = False
    merchant_name: str = ""
    share_permille: int = 0
    device_ip: str = ""
    base_url: str = "https://api.mch.weixin.qq.com"
    backup_url: str = "https://api2.mch.weixin.qq.com"
    connect_s: float = 3.0
    read_s: float = 10.0
    codepay_read_s: float = 30.0


@dataclass(frozen=True, slots=True)
class AlipayConfig:
    """[alipay]: an application's access; keys stay in files. A public key, or three kinds of certificates."""

    app_id: str
    private_key_file: Path
    public_key_file: Path | None = None
    app_certificate_file: Path | None = None
    certificate_files: tuple[Path, ...] = ()
    root_certificate_file: Path | None = None
    app_auth_token_file: Path | None = None
    store_id: str = ""
    gateway_url: str = "https://openapi.alipay.com/gateway.do"
    connect_s: float = 3.0
    read_s: float = 10.0
    pay_read_s: float = 30.0


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
    reconcile: ReconcileConfig = field(default_factory=ReconcileConfig)
    codes: CodesConfig = field(default_factory=CodesConfig)
    tenant: tuple[TenantConfig, ...] = ()
    workstation: tuple[WorkstationConfig, ...] = ()
    scanner: tuple[ScannerConfig, ...] = ()
    printer: tuple[PrinterConfig, ...] = ()
    agent: tuple[AgentConfig, ...] = ()
    gate: tuple[GateConfig, ...] = ()
    display: tuple[DisplayConfig, ...] = ()
    space_board: tuple[SpaceBoardConfig, ...] = ()
    parking: ParkingConfig = field(default_factory=ParkingConfig)
    passes: PassesConfig = field(default_factory=PassesConfig)
    zone: tuple[ZoneConfig, ...] = ()
    lane: tuple[LaneConfig, ...] = ()
    camera: tuple[CameraConfig, ...] = ()
    photos: PhotosConfig = field(default_factory=PhotosConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    validation_rule: tuple[ValidationRuleConfig, ...] = ()
    validation_quota: tuple[Quota, ...] = ()
    validation_key: tuple[ValidationKeyConfig, ...] = ()
    members: MembersConfig = field(default_factory=MembersConfig)
    points_rule: tuple[PointsRuleConfig, ...] = ()
    points_tier: tuple[PointsTierConfig, ...] = ()
    funnel: FunnelConfig = field(default_factory=FunnelConfig)
    touchpoint: tuple[TouchpointConfig, ...] = ()
    guide: tuple[GuideConfig, ...] = ()
    counter: CounterConfig = field(default_factory=CounterConfig)
    wechat_pay: WeChatPayConfig | None = None
    alipay: AlipayConfig | None = None
    phone: PhoneConfig = field(default_factory=PhoneConfig)
    mini_program: MiniProgramConfig | None = None
    scan_and_go: ScanAndGoConfig = field(default_factory=ScanAndGoConfig)
    staff: tuple[StaffConfig, ...] = ()
    landing: tuple[LandingConfig, ...] = ()
