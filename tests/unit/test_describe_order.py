"""What a wallet says of an order: who sold it, and under which number."""

from __future__ import annotations

from edge.services.describe_order import LONGEST, describe_order
from edge.services.pay_by_phone import order_for_stay
from edge.services.scan_and_go import pay_cart
from sim.fakes.box import COLA
from tests.unit.cart_shop import CartShop
from tests.unit.counter_shop import CounterShop
from tests.unit.garage import Garage


def test_a_counters_ticket_is_told_by_its_tenant_and_its_own_number() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    session = shop.phone()
    shop.begins(ticket, session)
    order = shop.paying(ticket)
    said = shop.box.store.read(lambda unit: describe_order(unit, shop.box, order))
    assert said.endswith(f" 云上茶 {ticket.number}")
    assert len(said) <= LONGEST


def test_a_phones_own_cart_is_told_as_scan_and_go_with_its_number() -> None:
    shop = CartShop()
    phone = shop.phone()
    shop.put(phone, COLA)
    attempt = pay_cart(shop.box, phone)
    assert attempt is not None
    order = shop.stored_order(attempt.order_id)
    said = shop.box.store.read(lambda unit: describe_order(unit, shop.box, order))
    assert said.endswith(f" 扫码购 {order.number}")


def test_a_stay_is_told_as_a_parking_fee() -> None:
    garage = Garage()
    order = order_for_stay(garage.box, garage.come())
    said = garage.box.store.read(lambda unit: describe_order(unit, garage.box, order))
    assert said.endswith(" 停车费")
