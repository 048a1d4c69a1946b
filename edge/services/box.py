"""What every use case is given: the ports of this box and the rules it works by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum

from edge.codes.reading import CodeRules
from edge.errors import Invalid
from edge.services.counter_rules import CounterRules
from edge.services.events import Origin
from edge.services.member_rules import MemberRules
from edge.services.parking_rules import ParkingRules
from edge.services.payment_ports import AutopayGateway, PaymentGateway, PrepayGateway, RefundGateway
from edge.services.phone_ports import MiniProgram
from edge.services.phone_rules import PhoneRules
from edge.services.picture_ports import PictureCodes
from edge.services.ports import Clock, HqLink, IdSource, Printer, Store
from edge.services.scan_and_go_rules import ScanAndGoRules
from edge.services.split_ports import SplitGateway
from edge.services.touch_rules import TouchRules


class WorkstationKind(StrEnum):
    """A kiosk, a till with a cashier, a counter's tablet, an exit lane's display, or people's own phones."""

    KIOSK = "kiosk"
    TILL = "till"
    COUNTER = "counter"
    LANE = "lane"
    PHONE = "phone"
    EXIT = "exit"


#: The place of orders that a phone pays by itself; it is always there and has no screen.
PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Workstation:
    """One place where people pay. tenant_id: whose counter it is, "" for the mall's own places."""

    name: str
    kind: WorkstationKind = WorkstationKind.KIOSK
    language: str = "zh"
    cash: bool = False
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A store of the mall. merchant: the number at the gateway that it is paid to, "" for the mall's own.

    commission_permille: what the mall keeps of what the tenant sells, in thousandths.
    """

    tenant_id: str
    name: str
    name_en: str = ""
    merchant: str = ""
    commission_permille: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that use cases decide by. Durations are milliseconds.

    repeat_window_ms: the same code again within it is asked about, not added. stale_scan_ms: an older
    scan is shown, not added. idle_ms, paid_idle_ms: when a forsaken screen goes back to the start.
    pay_deadline_ms: when a payment that still waits for a password is reversed; phone_deadline_ms: when an
    order that a phone was to pay is closed; poll_ms: how often it is asked for; reverse_age_ms: no reversal
    before this age; call_ms: the longest gateway call.
    day_starts_h: the hour at which the business day begins. cash_needs_shift: a till takes cash only within a
    cashier's shift; over_short_limit_fen: beyond it a shift closes only with a reason.
    """

    zone: tzinfo = UTC
    day_starts_h: int = 4
    cash_needs_shift: bool = False
    over_short_limit_fen: int = 500
    repeat_window_ms: int = 1_500
    stale_scan_ms: int = 5_000
    idle_ms: int = 120_000
    paid_idle_ms: int = 25_000
    pay_deadline_ms: int = 45_000
    phone_deadline_ms: int = 300_000
    poll_ms: int = 5_000
    reverse_age_ms: int = 15_000
    call_ms: int = 35_000
    public_url: str = ""
    shop_name: str = ""
    codes: CodeRules = field(default_factory=CodeRules)
    wallets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Box:
    """The ports of this box. changed: told the name of a workstation whose screen has changed.

    closed: why no new sale is begun now, as a word such as "disk_full", "" while sales are open; what has
    begun goes on to its end.

    printers: by workstation; gateways, refunders, prepayers and autopayers: by the gateway's name. parking:
    the car park. wake_lane: told the name of a lane where something is to be done at once. touch: by what
    shoppers' ways are recorded, None records none. members: what
    members' identities and points go by. phone: by what phones are served. mini_program: WeChat's side of
    ours, None without one. tenants: by tenant_id, those that are configured. scan_and_go: what phones may buy
    by themselves and how they leave; pictures: reads codes in pictures that they send, None without reader.
    """

    origin: Origin
    clock: Clock
    ids: IdSource
    store: Store
    link: HqLink
    gateways: Mapping[str, PaymentGateway]
    printers: Mapping[str, Printer]
    workstations: Mapping[str, Workstation]
    rules: Rules
    changed: Callable[[str], None] = lambda workstation: None
    closed: Callable[[], str] = lambda: ""
    refunders: Mapping[str, RefundGateway] = field(default_factory=dict)
    prepayers: Mapping[str, PrepayGateway] = field(default_factory=dict)
    autopayers: Mapping[str, AutopayGateway] = field(default_factory=dict)
    parking: ParkingRules = field(default_factory=ParkingRules)
    wake_lane: Callable[[str], None] = lambda lane: None
    touch: TouchRules | None = None
    members: MemberRules = field(default_factory=MemberRules)
    phone: PhoneRules = field(default_factory=PhoneRules)
    mini_program: MiniProgram | None = None
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    splitters: Mapping[str, SplitGateway] = field(default_factory=dict)
    counter: CounterRules = field(default_factory=CounterRules)
    scan_and_go: ScanAndGoRules = field(default_factory=ScanAndGoRules)
    pictures: PictureCodes | None = None

    def tenant(self, tenant_id: str) -> Tenant:
        """Return a tenant; one that is not configured goes by its id and is paid to the mall's number."""
        return self.tenants.get(tenant_id) or Tenant(tenant_id, tenant_id, tenant_id)

    def workstation(self, name: str) -> Workstation:
        """Return the settings of a workstation; raise Invalid for one that this box does not have."""
        if name == PHONE:
            return Workstation(PHONE, WorkstationKind.PHONE)
        try:
            return self.workstations[name]
        except KeyError:
            known = ", ".join(sorted(self.workstations)) or "none"
            raise Invalid(f"this box has no workstation {name!r}; it has {known}") from None
