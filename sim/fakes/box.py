"""A box over fakes with goods on its shelf, for the tests of use cases and for the deterministic world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.codes.scale_label import build_label, parse_layout
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.retail.catalogue import Listing, Product, SoldBy, Tenant, barcode_key, plu_key
from edge.services.box import Box, Rules, Workstation, WorkstationKind
from edge.services.catalogue_records import KeyChange
from edge.services.events import Origin
from edge.services.parking_rules import ParkingRules
from edge.services.payment_ports import PaymentGateway, PrepayGateway, RefundGateway
from edge.services.ports import Clock, HqLink, IdSource, Printer, Store
from edge.services.records import Unit
from sim.fakes.clock import FakeClock
from sim.fakes.gateway import FakeGateway
from sim.fakes.hq import FakeHq
from sim.fakes.ids import FakeIds
from sim.fakes.printer import FakePrinter
from sim.fakes.refund_gateway import FakeRefundGateway
from sim.fakes.store import FakeStore

KIOSK = "kiosk-1"
TILL = "till-1"
GATEWAY = "wechat_pay"

COLA = "6901234567892"
BREAD = "6902345678903"
WINE = "6903456789014"
UNSOLD = "6904567890125"

#: Cola 3.50, bread 8.00, wine 98.00 (from 18 years on), apples 12.80 a kilogram, sweets 3.00 a kilogram.
SHELF = (
    Listing(Product("cola", "t-drinks", "可乐", 350, "Cola"), (barcode_key(COLA),)),
    Listing(Product("bread", "t-bakery", "面包", 800, "Bread"), (barcode_key(BREAD),)),
    Listing(Product("wine", "t-drinks", "红酒", 9_800, "Wine", age_min=18), (barcode_key(WINE),)),
    Listing(Product("apple", "t-fruit", "苹果", 1_280, "Apple", SoldBy.WEIGHT), (plu_key("101"),)),
    Listing(Product("sweets", "t-fruit", "糖果", 300, "Sweets", SoldBy.WEIGHT), (plu_key("102"),)),
)
TENANTS = (Tenant("t-drinks", "饮料店"), Tenant("t-bakery", "面包房"), Tenant("t-fruit", "水果店"))
MALL_PAGE = LandingPage(
    "mall", "", "谢谢", blocks=(LandingBlock(BlockKind.JOIN, "入会"), LandingBlock(BlockKind.FOLLOW, "关注"))
)

WORKSTATIONS = {
    KIOSK: Workstation(KIOSK),
    TILL: Workstation(TILL, WorkstationKind.TILL, cash=True),
}
RULES = Rules(
    shop_name="智慧商场", public_url="https://mall.example", wallets={"wechat": GATEWAY, "alipay": "alipay"}
)


@dataclass(slots=True)
class FakePorts:
    """The fakes behind a box; all of them outlive it."""

    clock: FakeClock = field(default_factory=FakeClock)
    ids: FakeIds = field(default_factory=FakeIds)
    store: Store = field(default_factory=FakeStore)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    printers: dict[str, FakePrinter] = field(
        default_factory=lambda: {place: FakePrinter(place) for place in WORKSTATIONS}
    )
    refunds: FakeRefundGateway = field(init=False)
    hq: FakeHq = field(init=False)

    def __post_init__(self) -> None:
        """Connect HQ by the same clock, and the gateway's refunds to its orders."""
        self.refunds = FakeRefundGateway(self.gateway)
        self.hq = FakeHq(self.clock)


def fake_box(ports: FakePorts, changed: Callable[[str], None], rules: Rules = RULES) -> Box:
    """Return a box over these fakes."""
    return compose_box(
        ports.clock,
        ports.ids,
        ports.store,
        ports.hq,
        {GATEWAY: ports.gateway},
        ports.printers,
        changed,
        rules,
        {GATEWAY: ports.refunds},
    )


def compose_box(
    clock: Clock,
    ids: IdSource,
    store: Store,
    link: HqLink,
    gateways: Mapping[str, PaymentGateway],
    printers: Mapping[str, Printer],
    changed: Callable[[str], None],
    rules: Rules = RULES,
    refunders: Mapping[str, RefundGateway] | None = None,
    parking: ParkingRules | None = None,
    prepayers: Mapping[str, PrepayGateway] | None = None,
    places: Mapping[str, Workstation] | None = None,
) -> Box:
    """Return a box of a kiosk and a till, and `places`, over any ports."""
    return Box(
        origin=Origin("demo-mall", "edge-1"),
        clock=clock,
        ids=ids,
        store=store,
        link=link,
        gateways=gateways,
        printers=printers,
        workstations={**WORKSTATIONS, **(places or {})},
        rules=rules,
        changed=changed,
        refunders=refunders or {},
        parking=parking or ParkingRules(),
        prepayers=prepayers or {},
    )


def stock(store: Store, listings: Sequence[Listing] = SHELF, at: int = 0) -> None:
    """Put goods on the shelf, priced from `at` on, and the mall's own page after payment."""

    def work(unit: Unit) -> None:
        number, _ = unit.catalogue.intake.begin()
        unit.catalogue.intake.stage(number, listings, at)
        changes = [KeyChange(key, listing.product.sku) for listing in listings for key in listing.keys]
        unit.catalogue.intake.stage_keys(number, changes)
        unit.catalogue.intake.finish(number, TENANTS, untidy=False)
        unit.landings.put(MALL_PAGE)

    store.write(work)


def weight_label(item: str, weight_g: int) -> str:
    """Return the digits of a scale's label for so many grams of an item number."""
    return build_label(parse_layout("21PPPPPWWWWWC"), item, weight_g=weight_g)
