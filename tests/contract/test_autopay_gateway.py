"""What every gateway promises that charges owners after leaving, over fake and real client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from edge.errors import Invalid, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import (
    AutopayCharge,
    AutopayGateway,
    ParkedVehicle,
    PaymentDeclined,
    PaymentState,
)
from sim.fakes.autopay_gateway import FakeAutopayGateway
from sim.gateway import Credentials, Habit, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for

OWNER, STRANGER = "粤B12345", "粤B99999"
AT = 1_795_336_000_000


class Rig:
    """A gateway with one plate whose owner agreed. stop: nothing is answered from then on."""

    def __init__(self, gateway: AutopayGateway, stop: Callable[[], None]) -> None:
        self.gateway = gateway
        self.stop = stop

    def charge(self, plate: str, number: str = "T20261122_0001") -> AutopayCharge:
        """Tell of a vehicle and return the charge of 10 yuan for it."""
        came = vehicle(plate)
        entry = self.gateway.enter(came)
        return AutopayCharge(
            number, 1_000, "停车费", entry.parking_id, came, AT + 5_400_000, "out-1", "demo/edge"
        )


def vehicle(plate: str, colour: str = "blue") -> ParkedVehicle:
    return ParkedVehicle(f"stay-{plate[-5:]}", plate, colour, AT, "garage")


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(params=["fake", "wechat_pay"])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:
    if request.param == "fake":
        fake = FakeAutopayGateway(OWNER)
        yield Rig(fake, lambda: pytest.skip("the fake is always there"))
        return
    served = WeChatPayRig(credentials)
    settings = replace(settings_for(credentials, served.server.url), notify_url="https://mall.example/n")
    ids = TimeOrderedIds(lambda: served.clock.now().wall_at)
    client = WeChatPayGateway(settings, served.clock, ids)
    owner = served.server.books.add_wallet("owner", 100_000, 0, Habit.TYPES)
    agreed = {"plate_number": OWNER, "plate_color": "BLUE", "openid": owner.openid, "state": "NORMAL"}
    for path, body in (("plates", agreed), ("delay", {"delay_ms": 0})):
        answer = httpx.post(f"{served.server.url}/sim/vehicle/{path}", json=body, trust_env=False)
        assert answer.status_code == 200, answer.text
    yield Rig(client.vehicle, served.server.stop)
    client.close()
    served.server.stop()


def test_an_owner_who_agreed_is_charged_once(rig: Rig) -> None:
    charge = rig.charge(OWNER)
    assert rig.gateway.charge(charge).state in (PaymentState.PENDING, PaymentState.APPROVED)
    rig.gateway.charge(charge)
    answer = rig.gateway.query_charge(charge.merchant_order_no)
    assert (answer.state, answer.amount_fen) == (PaymentState.APPROVED, 1_000)


def test_telling_of_an_entry_again_is_the_same_entry(rig: Rig) -> None:
    first = rig.gateway.enter(vehicle(OWNER))
    assert first.usable
    assert rig.gateway.enter(vehicle(OWNER)) == first


def test_a_stranger_may_not_be_charged(rig: Rig) -> None:
    entry = rig.gateway.enter(vehicle(STRANGER))
    assert not entry.usable
    assert entry.reason
    with pytest.raises(PaymentDeclined):
        rig.gateway.charge(rig.charge(STRANGER))


def test_a_charge_that_there_is_not_is_absent(rig: Rig) -> None:
    assert rig.gateway.query_charge("T20261122_0009").state is PaymentState.ABSENT


def test_without_an_answer_it_says_so(rig: Rig) -> None:
    rig.stop()
    with pytest.raises(Unavailable):
        rig.gateway.enter(vehicle(OWNER))
    with pytest.raises(Unavailable):
        rig.gateway.query_charge("T20261122_0009")


def test_a_plate_of_no_known_colour_is_not_told_of(credentials: Credentials) -> None:
    served = WeChatPayRig(credentials)
    with pytest.raises(Invalid, match="colour"):
        served.gateway.vehicle.enter(vehicle(OWNER, "unknown"))  # type: ignore[union-attr]
    served.server.stop()
