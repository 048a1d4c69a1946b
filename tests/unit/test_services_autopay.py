"""A vehicle whose owner agreed leaves at once and is charged afterwards, once; what fails becomes a debt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import OutcomeUnknown, Unavailable
from edge.parking.decision import Why
from edge.services.autopay import GIVE_UP_MS, tell_entries
from edge.services.payment_ports import AutopayCharge, GatewayAnswer
from edge.services.record_debt import recent_debts
from edge.services.resolve_attempts import LATEST_ARRIVAL_MS, resolve_attempts
from sim.fakes.autopay_gateway import FakeAutopayGateway
from sim.fakes.box import GATEWAY
from sim.fakes.clock import FakeClock
from sim.fakes.gateway import FakeFault
from tests.unit.lane_rig import OUT, PLATE, LaneRig


def parked(gateway: FakeAutopayGateway, plate: str = PLATE) -> LaneRig:
    """A vehicle has been inside for a while, and its entry was told."""
    rig = LaneRig()
    rig.box = replace(rig.box, autopayers={GATEWAY: gateway})
    rig.come(plate)
    tell_entries(rig.box)
    rig.ports.clock.advance(90 * 60_000)
    return rig


def leave(rig: LaneRig, plate: str = PLATE) -> None:
    rig.loops(OUT, True, False)
    rig.read(OUT, plate)
    rig.work(OUT)


def resolve(rig: LaneRig, times: int = 1) -> None:
    for _ in range(times):
        rig.ports.clock.advance(6_000)
        resolve_attempts(rig.box)


def settled(rig: LaneRig) -> list[int]:
    stay = rig.stay().session_id
    found = rig.box.store.read(lambda unit: unit.settlements.of_session(stay))
    return [one.amount_fen for one in found]


def test_it_leaves_at_once_and_is_charged_after_it_has_left() -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = parked(gateway)
    leave(rig)
    decision = rig.here(OUT).decision
    assert decision is not None
    assert (decision.why, rig.gates[OUT].pulses) == (Why.AUTOPAY, 1)
    resolve(rig)
    assert gateway.taken_fen == {}
    rig.drive(OUT)
    resolve(rig, 3)
    assert (list(gateway.taken_fen.values()), settled(rig)) == ([1_000], [1_000])
    assert recent_debts(rig.box) == ()


@pytest.mark.parametrize("fault", [FakeFault.LOST, FakeFault.NEVER, FakeFault.UNAVAILABLE])
def test_a_charge_without_an_answer_is_asked_about_and_made_once(fault: FakeFault) -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = parked(gateway)
    leave(rig)
    rig.drive(OUT)
    gateway.fail_next(fault)
    resolve(rig, 4)
    assert (list(gateway.taken_fen.values()), settled(rig)) == ([1_000], [1_000])


def test_a_charge_that_fails_later_becomes_a_debt() -> None:
    gateway = FakeAutopayGateway(PLATE, slow=True)
    rig = parked(gateway)
    leave(rig)
    rig.drive(OUT)
    resolve(rig, 2)
    assert recent_debts(rig.box) == ()
    gateway.settle(pays=False)
    resolve(rig, 2)
    (debt,) = recent_debts(rig.box)
    assert (debt.amount_fen, debt.plate, debt.cause.value) == (1_000, PLATE, "autopay")
    assert settled(rig) == []


def test_an_owner_who_ended_the_service_meanwhile_owes() -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = parked(gateway)
    gateway.owners.clear()
    leave(rig)
    rig.drive(OUT)
    resolve(rig, 2)
    assert [one.amount_fen for one in recent_debts(rig.box)] == [1_000]


def test_others_pay_at_the_exit() -> None:
    gateway = FakeAutopayGateway()
    rig = parked(gateway)
    assert gateway.told == [PLATE]
    leave(rig)
    decision = rig.here(OUT).decision
    assert decision is not None
    assert (decision.why, rig.gates[OUT].pulses) == (Why.DUE, 0)


def test_a_vehicle_that_turns_back_at_the_exit_is_not_charged() -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = parked(gateway)
    leave(rig)
    rig.loops(OUT, False, False)
    rig.ports.clock.advance(40 * 60_000)
    rig.work(OUT)
    resolve(rig, 2)
    assert gateway.taken_fen == {}
    assert rig.box.store.read(lambda unit: unit.attempts.open(9)) == ()


def test_a_clock_that_starts_hours_ahead_while_the_vehicle_drives_out_does_not_forget_the_charge() -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = parked(gateway)
    leave(rig)
    clock = rig.ports.clock
    clock.reboot(wall_at=clock.now().wall_at + 2 * 3_600_000)
    resolve(rig)
    assert len(rig.box.store.read(lambda unit: unit.attempts.open(9))) == 1
    rig.drive(OUT)
    resolve(rig, 3)
    assert settled(rig) == list(gateway.taken_fen.values())
    assert sum(settled(rig)) > 0


def test_an_entry_is_told_once_and_again_after_no_answer() -> None:
    gateway = FakeAutopayGateway(PLATE)
    rig = LaneRig()
    rig.box = replace(rig.box, autopayers={GATEWAY: gateway})
    rig.come()
    gateway.fail_next(FakeFault.NEVER)
    with pytest.raises(Unavailable):
        tell_entries(rig.box)
    assert [tell_entries(rig.box), tell_entries(rig.box)] == [1, 0]
    assert gateway.told == [PLATE]


class Unheard(FakeAutopayGateway):
    """No charge gets an answer, and none has arrived yet. sent: at which boot time, in milliseconds."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(PLATE)
        self.sent: list[int] = []
        self._clock = clock

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        self.sent.append(self._clock.now().boottime_ns // 1_000_000)
        raise OutcomeUnknown("no answer to the charge; query it")


def test_a_charge_is_owed_only_once_the_last_one_that_was_sent_cannot_arrive_any_more() -> None:
    rig = parked(FakeAutopayGateway(PLATE))
    clock = rig.ports.clock
    gateway = Unheard(clock)
    rig.box = replace(rig.box, autopayers={GATEWAY: gateway})
    leave(rig)
    rig.drive(OUT)
    for _ in range(2 * GIVE_UP_MS // 200_000):
        clock.advance(200_000)
        resolve_attempts(rig.box)
        if recent_debts(rig.box):
            break
    assert [one.amount_fen for one in recent_debts(rig.box)] == [1_000]
    assert len(gateway.sent) > 100
    assert clock.now().boottime_ns // 1_000_000 - gateway.sent[-1] > LATEST_ARRIVAL_MS
