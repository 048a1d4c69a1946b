"""From the read at the exit to the open gate: by code, by phone, with cash, in doubt; never a trapped car."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from devices.types import Scan
from edge.parking.debt import Debt, DebtCause
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import UnconfirmedPolicy
from edge.retail.attempt import AttemptState
from edge.services.answer_guard import answer_guard
from edge.services.box import Box
from edge.services.charge_stay import charge_stay
from edge.services.follow_unconfirmed import follow_unconfirmed
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.receive_scan import receive_scan
from edge.services.record_debt import recent_debts
from edge.services.resolve_attempts import resolve_attempts
from edge.services.show_lane import lane_words
from edge.services.show_screen import show_screen
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import GATEWAY, TILL
from sim.fakes.gateway import FakeFault, Shopper
from sim.fakes.prepay_gateway import FakePrepayGateway
from tests.unit.lane_rig import EXIT, IN, OTHER, OUT, PAY_STATION, PLATE, LaneRig


@dataclass
class Exit(LaneRig):
    """A car park whose drivers carry phones."""

    codes: int = 0

    def made(self) -> Box:
        self.phones = FakePrepayGateway(self.ports.gateway)
        return replace(LaneRig.made(self), prepayers={GATEWAY: self.phones})

    def leave(self, plate: str = PLATE) -> None:
        """A vehicle drives up to the exit."""
        self.loops(OUT, True, False)
        self.read(OUT, plate)
        self.work(OUT)

    def pay(self, **habits: Any) -> AttemptState | str:
        """Show a payment code to the lane's scanner; return what became of it."""
        self.codes += 1
        code = f"13{self.codes:016d}"
        self.ports.gateway.show_code(code, Shopper("openid", **{"balance_fen": 100_000, **habits}))
        scan = Scan("lane", code.encode(), code, None, self.now.boottime_ns, None)
        outcome = receive_scan(self.box, PAY_STATION, scan)
        return submit(self.box, outcome.attempt_id, outcome.code) if outcome.attempt_id else outcome.outcome

    def opened(self) -> int:
        """Return how often the exit's gate was raised."""
        self.work(OUT)
        return self.gates[OUT].pulses

    def words(self) -> tuple[str, ...]:
        """Return what the exit's display shows."""
        return self.box.store.read(lambda unit: lane_words(unit, self.box, self.exit)).lines

    def screen(self) -> str:
        return str(show_screen(self.box, PAY_STATION)["screen"])

    def owed(self) -> list[tuple[int, str]]:
        return [(one.amount_fen, one.state.value) for one in recent_debts(self.box)]


def parked(policy: UnconfirmedPolicy = UnconfirmedPolicy.RECORD_DEBT, minutes: int = 90) -> Exit:
    """A vehicle has been inside for a while and now stands at the exit."""
    rig = Exit(exit=replace(EXIT, unconfirmed=policy))
    rig.come()
    rig.ports.clock.advance(minutes * 60_000)
    rig.leave()
    return rig


def test_a_code_at_the_exit_opens_once_and_only_when_the_money_is_confirmed() -> None:
    rig = parked()
    assert (rig.screen(), rig.opened()) == ("checkout", 0)
    assert rig.words() == (PLATE, "请缴费10元")
    assert rig.pay(balance_fen=1) is AttemptState.DECLINED
    assert rig.opened() == 0
    assert rig.words() == (PLATE, "付款未成功,请换码再试或按铃")
    assert rig.pay() is AttemptState.APPROVED
    assert rig.opened() == 1
    rig.work(OUT)
    assert rig.opened() == 1
    rig.drive(OUT)
    assert rig.inside() == 0
    assert rig.ports.gateway.total_fen() == 1_000


def test_a_phone_at_the_exit_opens_it() -> None:
    rig = parked()
    attempt = begin_phone_payment(rig.box, rig.stay().session_id)
    rig.phones.pay(attempt.pay_url)
    assert rig.opened() == 0
    rig.ports.clock.advance(6_000)
    resolve_attempts(rig.box)
    assert rig.opened() == 1


def test_cash_at_the_guards_till_opens_the_exit_with_change() -> None:
    rig = parked()
    charge_stay(rig.box, rig.stay().session_id, TILL)
    assert take_cash(rig.box, TILL, 2_000) == 1_000
    assert rig.opened() == 1
    assert rig.screen() == "attract"


def test_a_payment_in_doubt_lets_out_with_a_debt_and_the_approval_settles_it() -> None:
    rig = parked()
    rig.ports.gateway.fail_next("pay", FakeFault.LOST)
    assert rig.pay() is AttemptState.UNKNOWN
    follow_unconfirmed(rig.box)
    assert rig.opened() == 1
    rig.drive(OUT)
    assert (rig.inside(), rig.owed()) == (0, [(1_000, "open")])
    rig.ports.clock.advance(5_000)
    resolve_attempts(rig.box)
    assert rig.owed() == [(1_000, "settled")]
    assert rig.opened() == 1


def test_a_gateway_out_of_reach_never_traps_a_vehicle() -> None:
    rig = parked()
    rig.ports.gateway.fail_next("pay", FakeFault.UNAVAILABLE)
    assert rig.pay() is AttemptState.VOIDED
    follow_unconfirmed(rig.box)
    assert rig.opened() == 1
    assert rig.owed() == [(1_000, "open")]


def test_a_guard_is_asked_and_lets_out_what_nobody_can_confirm() -> None:
    rig = parked(UnconfirmedPolicy.ASK_GUARD)
    rig.ports.gateway.fail_next("pay", FakeFault.NEVER)
    rig.pay()
    follow_unconfirmed(rig.box)
    follow_unconfirmed(rig.box)
    question = rig.here(OUT).question
    assert question is not None
    assert (question.why, question.recommended) == (Why.UNCONFIRMED, Answer.LET_OUT)
    assert rig.opened() == 0
    answer_guard(
        rig.box, OUT, rig.here(OUT).passage_id, Answer.LET_OUT, "老周", "payment in doubt, gateway slow"
    )
    assert rig.opened() == 1
    assert rig.owed() == [(1_000, "open")]


def test_money_that_is_confirmed_while_the_guard_is_asked_opens_by_itself() -> None:
    rig = parked(UnconfirmedPolicy.ASK_GUARD)
    rig.ports.gateway.fail_next("pay", FakeFault.LOST)
    rig.pay()
    follow_unconfirmed(rig.box)
    rig.ports.clock.advance(5_000)
    resolve_attempts(rig.box)
    assert rig.opened() == 1
    assert rig.owed() == []


def test_the_next_vehicle_pays_while_the_last_ones_payment_is_still_in_doubt() -> None:
    rig = Exit(exit=replace(EXIT, unconfirmed=UnconfirmedPolicy.ASK_GUARD))
    rig.come(PLATE)
    rig.come(OTHER)
    rig.ports.clock.advance(90 * 60_000)
    rig.leave(PLATE)
    rig.ports.gateway.fail_next("pay", FakeFault.NEVER)
    rig.pay()
    answer_guard(
        rig.box, OUT, rig.here(OUT).passage_id, Answer.LET_OUT, "老周", "payment in doubt, gateway slow"
    )
    rig.work(OUT)
    rig.drive(OUT)
    rig.ports.clock.advance(10_000)
    rig.leave(OTHER)
    assert rig.screen() == "checkout"
    assert rig.pay() is AttemptState.APPROVED
    assert rig.opened() == 2


def test_a_plate_that_owes_too_much_is_not_let_in() -> None:
    rig = Exit()
    rig.box = replace(rig.box, parking=replace(rig.box.parking, debt_limit_fen=500))
    debt = Debt("d-1", "stay-old", PLATE, 700, DebtCause.GUARD, 5, OUT, "老周")
    rig.box.store.write(lambda unit: unit.debts.put(debt))
    rig.loops(IN, True, False)
    rig.read(IN, PLATE)
    decision = rig.here(IN).decision
    assert decision is not None
    assert (decision.verdict, decision.why, decision.due_fen) == (Verdict.REFUSE, Why.OWES, 700)


def test_arrears_are_collected_with_the_fee_at_the_exit() -> None:
    rig = Exit()
    rig.come()
    debt = Debt("d-1", "stay-old", PLATE, 700, DebtCause.GUARD, 5, OUT, "老周")
    rig.box.store.write(lambda unit: unit.debts.put(debt))
    rig.ports.clock.advance(90 * 60_000)
    rig.leave()
    assert rig.pay() is AttemptState.APPROVED
    assert rig.opened() == 1
    assert rig.owed() == [(700, "settled")]
    assert rig.ports.gateway.total_fen() == 1_700
