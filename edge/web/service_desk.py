"""The desk over the use cases: what a touch on a screen calls, and what a screen is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from devices.types import Scan
from edge.clock import boottime_ns
from edge.errors import Declined, Invalid
from edge.parking.validation import Holder, tidy_plate
from edge.services import call_help, change_basket, check_out, claim_parking, pay_at_till
from edge.services.ask_fee import ask_fee
from edge.services.box import Box, WorkstationKind
from edge.services.collect_tickets import collect_ticket, take_out_ticket
from edge.services.gold_slip import SlipAsk, gold_slip
from edge.services.grant_validation import show_coupon, validate_by_coupon
from edge.services.outbox_figures import outbox_figures
from edge.services.print_receipt import reprint
from edge.services.show_receipt import record_touchpoint, show_receipt
from edge.services.show_screen import show_screen
from edge.services.staff import StaffBook
from edge.services.take_cash import take_cash
from edge.services.validate_purchase import validate_by_receipt
from edge.web.changes import Changes
from edge.web.depth_history import DepthHistory
from edge.web.desk import Json
from edge.web.staff_status import Insight, alarm_row, hq_word, metrics_text, scan_row, service_status

#: Scans that a staff page shows.
SCANS_SHOWN = 200

Arguments = Mapping[str, object]


class ServiceDesk:
    """Implements web.desk.Desk over the use cases."""

    def __init__(
        self,
        box: Box,
        staff: StaffBook,
        changes: Changes,
        insight: Insight,
        on_scan: Callable[[str, Scan], None],
    ) -> None:
        """on_scan: takes what was typed on a screen, as if a scanner had read it."""
        self._box = box
        self._staff = staff
        self._changes = changes
        self._insight = insight
        self._on_scan = on_scan
        self._depths = DepthHistory()

    @property
    def changes(self) -> Changes:
        """Where the pages wait for a new view."""
        return self._changes

    def workstations(self) -> Sequence[str]:
        """Return the names of the workstations."""
        return tuple(self._box.workstations)

    def view(self, workstation: str, language: str) -> Json:
        """Return what the workstation's screen shows."""
        version = self._changes.version(workstation)
        view = show_screen(self._box, workstation)
        return {
            **view,
            "version": version,
            "language": language or view["language"],
            "wallets": self._wallets(),
            "devices": self._device_summary(workstation),
        }

    def act(self, workstation: str, action: str, arguments: Arguments) -> None:
        """Do what was touched on the screen."""
        if self._box.workstation(workstation).kind is WorkstationKind.COUNTER:
            raise Invalid(f"{workstation} is a counter; its guide signs in at /counter/{workstation}")
        try:
            do = _ACTIONS[action]
        except KeyError:
            raise Invalid(f"action {action!r} is not known; one of {', '.join(sorted(_ACTIONS))}") from None
        do(self, workstation, arguments)

    def receipt(self, token: str) -> Json | None:
        """Return a receipt and its landing page."""
        return show_receipt(self._box, token)

    def touch(self, token: str, touchpoint: str) -> None:
        """Record one step on a receipt's page."""
        record_touchpoint(self._box, token, touchpoint)

    def slip(self, sub_mch_id: str, out_trade_no: str, check_code: str) -> Json | None:
        """Return the slip of an order paid by WeChat."""
        link = f"{self._box.rules.public_url}/phone/gold/slip"
        return gold_slip(self._box, SlipAsk(link, sub_mch_id, out_trade_no, check_code))

    def validate_parking(self, token: str, plate: str) -> None:
        """Validate a plate by a receipt's page."""
        validate_by_receipt(self._box, token, plate)

    def coupon(self, code: str) -> Json | None:
        """Return a parking coupon for its page."""
        return show_coupon(self._box, code)

    def redeem_coupon(self, code: str, plate: str) -> None:
        """Validate a plate by a coupon."""
        validate_by_coupon(self._box, code, Holder(plate=tidy_plate(plate)))

    def note_depth(self, depth: int) -> None:
        """Keep a sample of the outbox's depth for the staff page's plot; call it every few seconds."""
        self._depths.note(depth, boottime_ns() / 1e9)

    def status(self) -> Json:
        """Return devices, outbox, payments, baskets put aside, workers and version."""
        return service_status(self._box, self._insight, self._depths)

    def alarms(self) -> Sequence[Json]:
        """Return the open alarms."""
        return [alarm_row(one) for one in self._box.store.read(lambda unit: unit.alarms.all())]

    def scans(self, workstation: str) -> Sequence[Json]:
        """Return the workstation's latest scans, newest first."""
        self._box.workstation(workstation)
        records = self._box.store.read(lambda unit: unit.scans.recent(workstation, SCANS_SHOWN))
        return [scan_row(record) for record in records]

    def health(self) -> Json:
        """Return whether the service can do its work, with each check."""
        stuck = list(self._insight.stuck())
        depth = self._box.store.read(lambda unit: unit.outbox.depth())
        return {
            "ready": not stuck,
            "store": self._insight.store(),
            "stuck_workers": stuck,
            "outbox_depth": depth.count,
        }

    def metrics(self) -> str:
        """Return the metrics in Prometheus' text format."""
        return metrics_text(self._box, self._insight)

    def staff_login(self, pin: str) -> str | None:
        """Return who has this PIN, or None."""
        member = self._staff.check(pin)
        return member.name if member else None

    def _wallets(self) -> list[str]:
        """Return whose payment codes are taken here."""
        return [wallet for wallet, name in self._box.rules.wallets.items() if name in self._box.gateways]

    def _device_summary(self, workstation: str) -> Json:
        summary: dict[str, object] = {
            role: status.health.value
            for place, role, status in self._insight.devices()
            if place == workstation
        }
        return {
            "scanner": None,
            "printer": None,
            **summary,
            "hq": "online" if self._hears_hq() else "offline",
        }

    def _hears_hq(self) -> bool:
        """Return whether the broker is connected and HQ, as far as can be told, is behind it."""
        depth = self._box.store.read(lambda unit: unit.outbox.depth())
        figures = outbox_figures(depth, (), None, self._box.clock.now().wall_at)
        return self._box.link.status().connected and hq_word(figures) != "none"

    def _approved_by(self, arguments: Arguments) -> str:
        name = self.staff_login(_text(arguments, "pin"))
        if name is None:
            raise Declined("this PIN is not known; after five wrong ones wait a minute")
        return name

    def _start(self, workstation: str, arguments: Arguments) -> None:
        change_basket.start(self._box, workstation)

    def _language(self, workstation: str, arguments: Arguments) -> None:
        change_basket.choose_language(self._box, workstation, _text(arguments, "language"))

    def _quantity(self, workstation: str, arguments: Arguments) -> None:
        line_id, quantity = _text(arguments, "line_id"), _number(arguments, "quantity")
        change_basket.change_quantity(self._box, workstation, line_id, quantity)

    def _remove(self, workstation: str, arguments: Arguments) -> None:
        change_basket.change_quantity(self._box, workstation, _text(arguments, "line_id"), 0)

    def _confirm(self, workstation: str, arguments: Arguments) -> None:
        change_basket.confirm_scan(self._box, workstation, _text(arguments, "notice_id"))

    def _dismiss(self, workstation: str, arguments: Arguments) -> None:
        change_basket.dismiss(self._box, workstation, _text(arguments, "notice_id"))

    def _hold(self, workstation: str, arguments: Arguments) -> None:
        change_basket.hold(self._box, workstation)

    def _recall(self, workstation: str, arguments: Arguments) -> None:
        # At a kiosk the next shopper stands there: what somebody else wanted to buy is not theirs to see.
        if self._box.workstation(workstation).kind is WorkstationKind.KIOSK:
            self._approved_by(arguments)
        change_basket.recall(self._box, workstation, _text(arguments, "basket_id"))

    def _checkout(self, workstation: str, arguments: Arguments) -> None:
        check_out.check_out(self._box, workstation)

    def _back(self, workstation: str, arguments: Arguments) -> None:
        check_out.back_to_basket(self._box, workstation)

    def _cancel(self, workstation: str, arguments: Arguments) -> None:
        check_out.cancel_sale(self._box, workstation)

    def _help(self, workstation: str, arguments: Arguments) -> None:
        call_help.call_help(self._box, workstation)

    def _help_done(self, workstation: str, arguments: Arguments) -> None:
        self._approved_by(arguments)
        call_help.end_help(self._box, workstation)

    def _approve_age(self, workstation: str, arguments: Arguments) -> None:
        change_basket.approve_age(self._box, workstation, self._approved_by(arguments))

    def _refuse_age(self, workstation: str, arguments: Arguments) -> None:
        change_basket.refuse_age(self._box, workstation)

    def _cash(self, workstation: str, arguments: Arguments) -> None:
        due_fen = _number(arguments, "due_fen") if "due_fen" in arguments else None
        take_cash(self._box, workstation, _number(arguments, "received_fen"), due_fen)

    def _done(self, workstation: str, arguments: Arguments) -> None:
        check_out.leave(self._box, workstation)

    def _type_code(self, workstation: str, arguments: Arguments) -> None:
        text = _text(arguments, "text").strip()
        typed = Scan("screen", text.encode(), text, None, boottime_ns())
        self._on_scan(workstation, typed)

    def _reprint(self, workstation: str, arguments: Arguments) -> None:
        self._approved_by(arguments)
        order = self.view(workstation, "")["order"]
        if not isinstance(order, dict):
            raise Invalid(f"workstation {workstation} shows no order whose receipt could be printed")
        reprint(self._box, workstation, str(order["id"]))

    def _parking_plate(self, workstation: str, arguments: Arguments) -> None:
        claim_parking.claim_plate(self._box, workstation, _text(arguments, "plate"))

    def _pay_stay(self, workstation: str, arguments: Arguments) -> None:
        ask_fee(self._box, workstation, _text(arguments, "stay"))

    def _collect(self, workstation: str, arguments: Arguments) -> None:
        take_over = arguments.get("take_over") is True
        collect_ticket(self._box, workstation, _text(arguments, "ticket"), take_over=take_over)

    def _take_out(self, workstation: str, arguments: Arguments) -> None:
        take_out_ticket(self._box, workstation, _text(arguments, "ticket"))

    def _phone_pay(self, workstation: str, arguments: Arguments) -> None:
        pay_at_till.begin(self._box, workstation)

    def _phone_cancel(self, workstation: str, arguments: Arguments) -> None:
        pay_at_till.give_up(self._box, workstation)

    def _no_car(self, workstation: str, arguments: Arguments) -> None:
        claim_parking.claim_nothing(self._box, workstation)

    def _touch(self, workstation: str, arguments: Arguments) -> None:
        change_basket.touch(self._box, workstation)


_ACTIONS: dict[str, Callable[[ServiceDesk, str, Arguments], None]] = {
    "start": ServiceDesk._start,
    "language": ServiceDesk._language,
    "quantity": ServiceDesk._quantity,
    "remove": ServiceDesk._remove,
    "one_more": ServiceDesk._confirm,
    "add": ServiceDesk._confirm,
    "dismiss": ServiceDesk._dismiss,
    "hold": ServiceDesk._hold,
    "recall": ServiceDesk._recall,
    "checkout": ServiceDesk._checkout,
    "back": ServiceDesk._back,
    "cancel": ServiceDesk._cancel,
    "help": ServiceDesk._help,
    "help_done": ServiceDesk._help_done,
    "approve_age": ServiceDesk._approve_age,
    "refuse_age": ServiceDesk._refuse_age,
    "cash": ServiceDesk._cash,
    "done": ServiceDesk._done,
    "type_code": ServiceDesk._type_code,
    "reprint": ServiceDesk._reprint,
    "touch": ServiceDesk._touch,
    "parking_plate": ServiceDesk._parking_plate,
    "pay_stay": ServiceDesk._pay_stay,
    "no_car": ServiceDesk._no_car,
    "collect": ServiceDesk._collect,
    "take_out": ServiceDesk._take_out,
    "phone_pay": ServiceDesk._phone_pay,
    "phone_cancel": ServiceDesk._phone_cancel,
}


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{name} is missing or not a text")
    return value


def _number(arguments: Arguments, name: str) -> int:
    value = arguments.get(name)
    if type(value) is not int:
        raise Invalid(f"{name} is missing or not a whole number")
    return value
