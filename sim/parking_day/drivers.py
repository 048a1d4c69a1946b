"""What the day's drivers do with their money: before they leave, at the exit, in the shop."""

from __future__ import annotations

from collections import Counter

from devices.types import Scan
from edge.errors import Declined, Invalid
from edge.parking.parking_pass import PassKind
from edge.services.box import Box
from edge.services.change_basket import approve_age
from edge.services.charge_stay import charge_stay
from edge.services.check_out import check_out, leave
from edge.services.claim_parking import claim_plate
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.receive_scan import receive_scan
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import KIOSK, TILL, WINE, FakePorts
from sim.fakes.gateway import Shopper
from sim.parking_day.cars import Car
from sim.parking_day.garage import GUARD
from sim.traffic import Way


class Drivers:
    """The drivers of one day. figures: counts what they did."""

    def __init__(self, box: Box, ports: FakePorts, figures: Counter[str]) -> None:
        self._box, self._ports, self._figures = box, ports, figures
        self._codes = 0

    def pay_at_exit(self, name: str, car: Car) -> None:
        """Pay what an exit asks for, there by payment code or with cash at the till."""
        place = f"pay-{name}"
        if car.trip.way is Way.CASH:
            self._pay_cash(car)
            return
        self._codes += 1
        code = f"13{self._codes:016d}"
        self._ports.gateway.show_code(code, Shopper(f"openid-{car.trip.number}", balance_fen=1_000_000))
        scan = Scan("lane", code.encode(), code, None, self._ports.clock.now().boottime_ns, None)
        outcome = receive_scan(self._box, place, scan)
        if outcome.attempt_id:
            submit(self._box, outcome.attempt_id, outcome.code)
            self._figures["paid at the exit"] += 1

    def prepay(self, car: Car) -> None:
        """Pay at the kiosk, by payment code, before going to the car."""
        try:
            charge_stay(self._box, car.session_id, KIOSK)
        except Declined:
            self._figures["nothing to prepay"] += 1
            return
        self._pay_code(KIOSK, car)
        self._figures["prepaid"] += 1

    def buy(self, car: Car) -> None:
        """Buy wine at the till for the car's plate, as its driver knows it."""
        now = self._ports.clock.now()
        receive_scan(self._box, TILL, Scan("usb", WINE.encode(), WINE, None, now.boottime_ns, None))
        approve_age(self._box, TILL, GUARD)
        claim_plate(self._box, TILL, car.trip.plate)
        check_out(self._box, TILL)
        self._pay_code(TILL, car)
        self._figures["bought"] += 1

    def issue_pass(self, car: Car) -> None:
        """Have a pass made out to the car."""
        ask = PassAsk(f"pass-{car.trip.plate}", PassKind.MONTH, "车主", (car.trip.plate,))
        issue_pass(self._box, ask, GUARD)

    def _pay_cash(self, car: Car) -> None:
        """At the guard's till, with a note of 100 yuan."""
        try:
            charge_stay(self._box, car.session_id, TILL)
        except (Declined, Invalid) as error:
            self._figures[f"cash: {error}"[:60]] += 1
            return
        take_cash(self._box, TILL, 10_000)
        leave(self._box, TILL)
        self._figures["paid with cash"] += 1

    def _pay_code(self, place: str, car: Car) -> None:
        self._codes += 1
        code = f"13{self._codes:016d}"
        self._ports.gateway.show_code(code, Shopper(f"openid-{car.trip.number}", balance_fen=1_000_000))
        scan = Scan("usb", code.encode(), code, None, self._ports.clock.now().boottime_ns, None)
        outcome = receive_scan(self._box, place, scan)
        submit(self._box, outcome.attempt_id, outcome.code)
        leave(self._box, place)
