"""A shop where phones scan, pay and leave by themselves, for tests of scan and go and of kiosks' codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge.retail.order import Order
from edge.services.box import Box, Workstation, WorkstationKind
from edge.services.hand_over_basket import KioskBasket, hand_over_token, see_kiosk
from edge.services.pass_exit import ExitShown, show_exit
from edge.services.phone_cart import Cart, load_cart
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import open_session
from edge.services.recover import recover
from edge.services.scan_and_go import CartStep, scan_into_cart
from edge.services.scan_and_go_rules import ScanAndGoRules
from sim.fakes.box import GATEWAY, KIOSK, fake_box
from sim.fakes.pictures import FakePictures
from sim.fakes.prepay_gateway import FakePrepayGateway
from tests.unit.shop import Shop

DOOR = "door-1"
KEY = b"k" * 32
ALL = ScanAndGoRules(tenants=frozenset({""}), recheck_permille=0)


@dataclass
class CartShop(Shop):
    """A Shop with one guarded way out, and phones that pay by themselves."""

    go: ScanAndGoRules = ALL
    pictures: FakePictures = field(default_factory=FakePictures)

    def __post_init__(self) -> None:
        Shop.__post_init__(self)
        self.phones = FakePrepayGateway(self.ports.gateway)
        self._equip()

    def _equip(self) -> None:
        door = Workstation(DOOR, WorkstationKind.EXIT)
        self.box: Box = replace(
            fake_box(self.ports, self.drawn.append, self.rules),
            prepayers={GATEWAY: self.phones},
            phone=PhoneRules(key=KEY),
            scan_and_go=self.go,
            pictures=self.pictures,
            workstations={**self.box.workstations, DOOR: door},
        )

    def restart(self) -> None:
        self._equip()
        recover(self.box)

    def phone(self, correlation: str = "") -> str:
        """Return the session of a phone that is nobody yet."""
        return open_session(self.box, correlation=correlation)[1].session_id

    def session(self, phone: str) -> PhoneSession:
        found = self.box.store.read(lambda unit: unit.phones.get(phone))
        assert found is not None
        return found

    def put(self, phone: str, *codes: str) -> list[CartStep]:
        return [scan_into_cart(self.box, phone, code) for code in codes]

    def word(self, phone: str, code: str) -> str | None:
        """Scan and return what the shopper is told."""
        word = scan_into_cart(self.box, phone, code).word
        return None if word is None else word.code.value

    def cart(self, phone: str) -> Cart:
        return self.box.store.read(lambda unit: load_cart(unit, phone))

    def goods(self, phone: str) -> list[tuple[str, int]]:
        basket = self.cart(phone).basket
        return [] if basket is None else [(line.sku, line.quantity) for line in basket.lines]

    def pays(self, order: Order | None) -> None:
        """Have somebody's phone open what is shown for the order and pay; then ask the gateway."""
        assert order is not None
        moving = [one for one in self.attempts(order.order_id) if one.is_open]
        assert self.phones.pay(moving[0].pay_url)
        self.resolve(10_000)

    def exit(self, order_id: str) -> ExitShown:
        now = self.box.clock.now()
        found = self.box.store.read(lambda unit: show_exit(unit, self.box, order_id, now))
        assert found is not None
        return found

    def token(self, place: str = KIOSK) -> str:
        """Return the code on the kiosk's screen."""
        state = self.box.store.read(lambda unit: unit.workstations.get(place))
        assert state is not None
        assert state.basket_id is not None
        return hand_over_token(self.box, place, state.basket_id)

    def sees(self, token: str, phone: str = "") -> KioskBasket:
        session = self.session(phone) if phone else None
        return self.box.store.read(lambda unit: see_kiosk(unit, self.box, token, session))
