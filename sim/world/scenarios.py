"""Small scripts for the deterministic world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from edge.parking.benefit import BenefitKind
from edge.parking.facility import UnconfirmedPolicy
from edge.parking.validation import Grant
from edge.parking.validation_rule import SpendStep, ValidationPlan, ValidationRule
from edge.services.parking_rules import ParkingRules
from edge.services.payment_ports import GatewayAnswer, PaymentState, RefundState
from edge.services.phone_rules import PhoneRules
from edge.services.resolve_attempts import resolve_attempts
from sim.fakes.box import BREAD, COLA, KIOSK, RULES, TILL, weight_label
from sim.fakes.gateway import FakeFault
from sim.fakes.refund_gateway import RefundFault
from sim.world.people.buyers import Buyer, Driver, Returner
from sim.world.people.cashier import Cashier
from sim.world.people.collectors import collector_scenarios
from sim.world.people.counters import counter_scenarios
from sim.world.people.headquarters import command_scenarios
from sim.world.people.kiosk_phones import KIOSK_PHONES, THERE_AND_BACK
from sim.world.people.parkers import EXITS, Parker, garage, park
from sim.world.people.patrons import MEMBERS, LatePatron, Patron, SlowPatron
from sim.world.people.person import Person
from sim.world.people.phone_shoppers import phone_scenarios
from sim.world.people.pushes import push_scenarios
from sim.world.people.staff import Accountant, DeskClerk, Merchant
from sim.world.people.walkers import TOUCH, Walker
from sim.world.scenario import Scenario
from sim.world.world import World

#: Cola 3.50, half a kilogram of apples 6.40.
GOODS = ((COLA, "cola"), (weight_label("101", 500), "apple"))
GOODS_FEN = 990

#: The day on which every world begins, and the age at which a payment is followed up by somebody else.
DAY = date(2026, 11, 22)
LONG_CALL_MS = 60_000


def _kiosk_by_code(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=_codes(world))]


def _till_by_cash(world: World) -> Sequence[Buyer]:
    return [Buyer(TILL, GOODS, cash_fen=[2_000])]


def _till_in_parts(world: World) -> Sequence[Buyer]:
    return [Buyer(TILL, GOODS, codes=_codes(world), cash_fen=[400])]


def _tapped_twice(world: World) -> Sequence[Buyer]:
    return [Buyer(TILL, GOODS, codes=_codes(world), cash_fen=[400], taps=2)]


def _declined_then_paid(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=[world.code(balance_fen=1), *_codes(world)])]


def _password(world: World) -> Sequence[Buyer]:
    return [Buyer(KIOSK, GOODS, codes=_codes(world, asks=True, pending_queries=1))]


def _in_the_dark(*faults: FakeFault) -> Scenario:
    def prepare(world: World) -> Sequence[Buyer]:
        for fault in faults:
            world.gateway.fail_next("pay", fault)
        return [Buyer(KIOSK, GOODS, codes=_codes(world))]

    return Scenario("payment " + " then ".join(faults), prepare)


def _till_in_parts_returned(world: World) -> Sequence[Buyer]:
    """Cash 4.00 and a code for 5.90: two partial amounts and the rest, over both tenders."""
    world.refunds.slow_queries = 1
    asks: list[dict[str, object]] = [{"amount_fen": 333}, {"amount_fen": 333}, {}]
    return [Returner(TILL, GOODS, codes=_codes(world), cash_fen=[400], asks=asks)]


def _given_up(world: World) -> Sequence[Buyer]:
    return [Returner(TILL, GOODS, cash_fen=[400], asks=[{}], gives_up=True)]


def _refund_in_the_dark(*faults: RefundFault, slow: int = 0, ends: Sequence[RefundState] = ()) -> Scenario:
    """Return a refund that fails so, and once taken in is slow, or ends so when it is asked about."""

    def prepare(world: World) -> Sequence[Buyer]:
        for fault in faults:
            world.refunds.fail_next("refund", fault)
        world.refunds.slow_queries = slow
        world.refunds.ends.extend(ends)
        return [Returner(KIOSK, GOODS, codes=_codes(world), asks=[{"amount_fen": 500}, {}])]

    return Scenario("refund " + " then ".join([*faults, *["slow"] * bool(slow), *ends]), prepare)


def _settled_at_the_gateway(world: World) -> Sequence[Person]:
    """A refund that cannot reach the shopper is settled at the gateway just before cash is given for it."""
    world.refunds.fail_next("refund", RefundFault.ABNORMAL)
    buyer = Returner(KIOSK, GOODS, codes=_codes(world), asks=[{}])
    return [Merchant(buyer, world.refunds), buyer]


def _cancelled_unheard(world: World) -> Sequence[Buyer]:
    """The answer that a password is wanted is lost, and the shopper gives up on the phone."""
    world.gateway.fail_next("pay", FakeFault.LOST)
    habits = {"asks": True, "pending_queries": 1, "cancels": True}
    return [Buyer(KIOSK, GOODS, codes=[world.code(**habits), *_codes(world)])]


def _given_back(types: str, *faults: FakeFault, delays: int = 0) -> Scenario:
    """Return a payment that staff give back while the shopper types the password; cash takes its place."""

    def prepare(world: World) -> Sequence[Person]:
        world.gateway.types = types
        world.gateway.delays = delays
        for fault in faults:
            world.gateway.fail_next("reverse", fault)
        code = world.code(asks=True)
        guest = Buyer(TILL, GOODS, codes=[code], cash_fen=[2_000], codes_first=True, impatient=True)
        return [guest, DeskClerk(guest)]

    words = [f"typed {types} the reversal"] * bool(types) + [f"reversal {fault}" for fault in faults]
    words += ["reversal late"] * delays
    return Scenario(", ".join(["given back at the desk", *words]), prepare)


def _overtaken(
    says: PaymentState, buyer: Callable[[World], Buyer], *, acts: int = 0
) -> Callable[[World], Sequence[Person]]:
    """Prepare a charge whose approval comes after somebody else has followed it up and found it `says`.

    acts: how often the buyer looks at the screen and acts before the approval is there.
    """

    def prepare(world: World) -> Sequence[Person]:
        shopper = buyer(world)

        def meanwhile(answer: GatewayAnswer) -> GatewayAnswer:
            world.clock.advance(LONG_CALL_MS)
            world.step(partial(resolve_attempts, world.box))
            for _ in range(acts):
                world.step(partial(shopper.act, world))
            return replace(answer, state=PaymentState.APPROVED, transaction_id="fake-overtaken")

        if says is PaymentState.DECLINED:
            world.gateway.slips.append(says)
        world.gateway.meanwhile.append(meanwhile)
        return [shopper, Accountant(DAY)]

    return prepare


def _one_code(world: World) -> Buyer:
    return Buyer(KIOSK, GOODS, codes=[world.code()])


def _one_code_then_cash(world: World) -> Buyer:
    return Buyer(TILL, GOODS, codes=[world.code()], cash_fen=[2_000], codes_first=True)


def _one_slow_code(world: World) -> Buyer:
    return Buyer(KIOSK, GOODS, codes=[world.code(asks=True), *_codes(world)])


def _one_slow_code_undone(*faults: FakeFault) -> Callable[[World], Buyer]:
    def buyer(world: World) -> Buyer:
        for fault in faults:
            world.gateway.fail_next("reverse", fault)
        return _one_slow_code(world)

    return buyer


def _taken_though_declined(world: World) -> Sequence[Person]:
    """The gateway refuses a code and charges it all the same; only its bill tells."""

    def refuse(answer: GatewayAnswer) -> GatewayAnswer:
        return replace(answer, state=PaymentState.DECLINED, transaction_id=None)

    world.gateway.meanwhile.append(refuse)
    world.gateway.slips.append(PaymentState.DECLINED)
    return [Buyer(KIOSK, GOODS, codes=_codes(world)), Accountant(DAY)]


def _shift(world: World) -> Sequence[Person]:
    return [Cashier(TILL, GOODS, codes=_codes(world), cash_fen=[400], asks=[{"amount_fen": 333}, {}])]


def _bill(world: World) -> Sequence[Person]:
    """Three sales by code, one of them given back; a bill with mistakes, cut off once, compared twice."""
    world.bill.plants = True
    world.bill.breaks = 1
    return [
        Returner(KIOSK, GOODS, codes=_codes(world), asks=[{}]),
        Buyer(TILL, [(BREAD, "bread")], codes=_codes(world)),
        Accountant(DAY, times=2),
    ]


def _driver(*, after_payment: bool = False, gives_up: bool = False) -> Callable[[World], Sequence[Person]]:
    """Prepare a shopper with a car who gives goods back, in the end too many for parking to be earned."""

    def prepare(world: World) -> Sequence[Person]:
        return [
            Driver(
                TILL,
                GOODS,
                codes=[] if gives_up else _codes(world),
                cash_fen=[400],
                asks=[{}] if gives_up else [{"amount_fen": 50}, {"amount_fen": 50}],
                gives_up=gives_up,
                after_payment=after_payment,
            )
        ]

    return prepare


def _two_places(world: World) -> Sequence[Buyer]:
    return [
        Buyer(KIOSK, GOODS, codes=_codes(world)),
        Buyer(TILL, [(BREAD, "bread")], cash_fen=[1_000]),
    ]


def _codes(world: World, **habits: bool | int) -> list[str]:
    """Return a phone's codes: each is shown once, so a shopper has some more at hand."""
    return [world.code(**habits) for _ in range(4)]


def _parker(
    *faults: FakeFault, phone: bool = False, cash_fen: int = 0
) -> Callable[[World], Sequence[Person]]:
    """Prepare a driver who stands at the exit and pays, while the next charges fail so."""

    def prepare(world: World) -> Sequence[Person]:
        park(world)
        for fault in faults:
            world.gateway.fail_next("pay", fault)
        codes = [] if phone or cash_fen else _codes(world)
        return [Parker(codes=codes, phone=phone, cash_fen=cash_fen)]

    return prepare


def _at_exit(name: str, prepare: Callable[[World], Sequence[Person]]) -> Scenario:
    return Scenario(name, prepare, parking=garage(UnconfirmedPolicy.RECORD_DEBT), places=EXITS)


PARKERS = (
    _at_exit("exit by code", _parker()),
    _at_exit("exit by phone", _parker(phone=True)),
    _at_exit("exit by cash", _parker(cash_fen=2_000)),
    _at_exit("exit by code, answer lost", _parker(FakeFault.LOST)),
    _at_exit("exit by code, charge lost", _parker(FakeFault.NEVER)),
    _at_exit("exit, gateway out of reach", _parker(FakeFault.UNAVAILABLE)),
)

KIOSK_BY_CODE = Scenario("kiosk by code", _kiosk_by_code)
TILL_BY_CASH = Scenario("till by cash", _till_by_cash)
TILL_IN_PARTS = Scenario("till in parts", _till_in_parts)
TAPPED_TWICE = Scenario("till in parts, cash tapped twice", _tapped_twice)
DECLINED_THEN_PAID = Scenario("declined then paid", _declined_then_paid)
PASSWORD = Scenario("password typed", _password)
ANSWER_LOST = _in_the_dark(FakeFault.LOST)
CHARGE_LOST = _in_the_dark(FakeFault.NEVER)
CHARGE_LATE = _in_the_dark(FakeFault.LATE)
OUT_OF_REACH = _in_the_dark(FakeFault.UNAVAILABLE)
TWO_PLACES = Scenario("kiosk and till", _two_places)

RETURNED = Scenario("till in parts, returned", _till_in_parts_returned)
GIVEN_UP = Scenario("paid in part, given up", _given_up)
REFUND_LOST = _refund_in_the_dark(RefundFault.LOST)
REFUND_NEVER = _refund_in_the_dark(RefundFault.NEVER, RefundFault.UNAVAILABLE)
REFUND_LATE = _refund_in_the_dark(RefundFault.LATE)
REFUND_POOR = _refund_in_the_dark(RefundFault.POOR)
REFUND_ABNORMAL = _refund_in_the_dark(RefundFault.ABNORMAL)
REFUND_CLOSED = _refund_in_the_dark(RefundFault.CLOSED)
#: Refunds that end otherwise after a while, asked about or not.
REFUND_ENDS = (
    _refund_in_the_dark(RefundFault.LOST, slow=2),
    _refund_in_the_dark(RefundFault.LOST, slow=1, ends=[RefundState.ABNORMAL]),
    _refund_in_the_dark(RefundFault.LOST, slow=1, ends=[RefundState.CLOSED]),
    _refund_in_the_dark(slow=1, ends=[RefundState.ABNORMAL]),
    _refund_in_the_dark(slow=1, ends=[RefundState.CLOSED]),
    _refund_in_the_dark(RefundFault.ABNORMAL, ends=[RefundState.DONE]),
    _refund_in_the_dark(RefundFault.ABNORMAL, ends=[RefundState.CLOSED]),
)

REFUND_SETTLED = Scenario("refund abnormal, settled at the gateway", _settled_at_the_gateway)
CANCELLED_UNHEARD = Scenario("payment lost, cancelled on the phone", _cancelled_unheard)
LEFT_THEN_PAID = replace(CHARGE_LATE, name="shopper left, payment late", late_after=36)
GIVEN_BACK = (
    _given_back(""),
    _given_back("before"),
    _given_back("before", FakeFault.LOST),
    _given_back("after", FakeFault.NEVER),
    _given_back("after", FakeFault.UNAVAILABLE, FakeFault.LOST),
    _given_back("after", delays=1),
)
OVERTAKEN = (
    Scenario("declined, then approved", _overtaken(PaymentState.DECLINED, _one_code)),
    Scenario("declined, cancelled, then approved", _overtaken(PaymentState.DECLINED, _one_code, acts=2)),
    Scenario("declined, cash, then approved", _overtaken(PaymentState.DECLINED, _one_code_then_cash, acts=1)),
    Scenario("reversed, then approved", _overtaken(PaymentState.VOIDED, _one_slow_code)),
    Scenario(
        "reversed unheard, then approved",
        _overtaken(PaymentState.VOIDED, _one_slow_code_undone(FakeFault.LOST)),
    ),
)
TAKEN_THOUGH_DECLINED = Scenario("declined, and taken all the same", _taken_though_declined)
SHIFT = Scenario("shift with a sale and refunds", _shift, replace(RULES, cash_needs_shift=True))
BILL = Scenario("bill compared", _bill)

#: 9.00 yuan earn an hour: the goods do, and no longer after the second refund.
PARKING = ParkingRules(
    validation=ValidationPlan(
        (ValidationRule("spend", (SpendStep(900, Grant(BenefitKind.MINUTES, 60, label="1 h")),)),)
    )
)
DRIVERS = (
    Scenario("parking validated, then given back", _driver(), parking=PARKING),
    Scenario("parking validated after payment", _driver(after_payment=True), parking=PARKING),
    Scenario("parking claimed, never paid", _driver(gives_up=True), parking=PARKING),
)


def _patron(*, gives_up: bool = False) -> Callable[[World], Sequence[Person]]:
    """Prepare a member who spends points on the order and gives goods back in parts, or gives up."""

    def prepare(world: World) -> Sequence[Person]:
        asks: list[dict[str, object]] = [{}] if gives_up else [{"amount_fen": 50}, {"amount_fen": 333}, {}]
        codes = [] if gives_up else _codes(world)
        return [Patron(TILL, GOODS, codes=codes, cash_fen=[400], asks=asks, gives_up=gives_up)]

    return prepare


def _patron_in_doubt(world: World) -> Sequence[Person]:
    """Points are spent, the charge never arrives, and the member has gone by the time that this is known."""
    world.gateway.fail_next("pay", FakeFault.NEVER)
    return [Patron(KIOSK, GOODS, codes=[world.code()])]


def _slow_patron(world: World) -> Sequence[Person]:
    asks: list[dict[str, object]] = [{"amount_fen": 333}, {}]
    return [SlowPatron(TILL, GOODS, codes=_codes(world), cash_fen=[400], asks=asks, lease_ms=600_000)]


def _late_patron(world: World) -> Sequence[Person]:
    return [LatePatron(TILL, GOODS, codes=_codes(world), cash_fen=[400], asks=[{"amount_fen": 333}, {}])]


def _walker(*, gives_up: bool = False) -> Callable[[World], Sequence[Person]]:
    """Return a shopper who comes by two codes and gives goods back twice, or one who never pays."""

    def prepare(world: World) -> Sequence[Person]:
        if gives_up:
            return [Walker(TILL, GOODS, cash_fen=[400], asks=[{}], gives_up=True)]
        return [Walker(KIOSK, GOODS, codes=_codes(world), asks=[{"amount_fen": 333}, {}])]

    return prepare


WALKERS = (
    Scenario("came by codes, given back", _walker(), touch=TOUCH),
    Scenario("came by codes, never paid", _walker(gives_up=True), touch=TOUCH),
)

PATRONS = (
    Scenario("member's points, given back", _patron(), members=MEMBERS),
    Scenario("member's points, never paid", _patron(gives_up=True), members=MEMBERS),
    Scenario("member's points, left in doubt", _patron_in_doubt, members=MEMBERS),
    Scenario("member's points, given back after the lease's time", _slow_patron, members=MEMBERS),
    Scenario(
        "joined after payment, given back", _late_patron, members=MEMBERS, phone=PhoneRules(key=b"k" * 32)
    ),
)

#: Those in which money goes back.
REFUNDS = (
    RETURNED,
    GIVEN_UP,
    REFUND_LOST,
    REFUND_NEVER,
    REFUND_LATE,
    REFUND_POOR,
    REFUND_ABNORMAL,
    REFUND_CLOSED,
    REFUND_SETTLED,
    *REFUND_ENDS,
)

#: Those in which the gateway contradicts itself, so that some money may be known from its bill alone.
CONTRADICTED = (*OVERTAKEN, TAKEN_THOUGH_DECLINED)

SCENARIOS = (
    KIOSK_BY_CODE,
    TILL_BY_CASH,
    TILL_IN_PARTS,
    TAPPED_TWICE,
    DECLINED_THEN_PAID,
    PASSWORD,
    ANSWER_LOST,
    CHARGE_LOST,
    CHARGE_LATE,
    OUT_OF_REACH,
    TWO_PLACES,
    *REFUNDS,
    CANCELLED_UNHEARD,
    LEFT_THEN_PAID,
    *collector_scenarios(),
    *GIVEN_BACK,
    *CONTRADICTED,
    SHIFT,
    BILL,
    *DRIVERS,
    *PARKERS,
    *PATRONS,
    *WALKERS,
    *phone_scenarios(),
    *KIOSK_PHONES,
    THERE_AND_BACK,
    *counter_scenarios(),
    *command_scenarios(),
    *push_scenarios(),
)
