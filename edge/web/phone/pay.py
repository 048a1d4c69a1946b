"""The page on which a browser pays an order: a code to scan, the way into WeChat, and then the receipt.

A browser cannot call the wallet as the mini-program does, and does not pretend to.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import Declined, OutcomeUnknown, Unavailable
from edge.retail.order import OrderState
from edge.services.box import PHONE, Box
from edge.services.pay_by_phone import (
    PaymentShown,
    begin_order_payment,
    give_up_order,
    phone_payment,
)
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.phone.page import REFRESH_S, PhonePages, way_on
from edge.web.phone.qr_picture import qr_picture

_MAX_ID = 64


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/pay."""
    pages, routes = _Pages(box, settings), Blueprint("phone_pay", __name__, url_prefix="/phone/pay")
    routes.add_url_rule("/<order_id>", view_func=pages.show)
    routes.add_url_rule("/<order_id>", view_func=pages.begin, methods=["POST"], endpoint="begin")
    routes.add_url_rule("/<order_id>/cancel", view_func=pages.give_up, methods=["POST"])
    routes.add_url_rule("/<order_id>/code.svg", view_func=pages.code)
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)

    def show(self, order_id: str) -> AnyResponse:
        """Show how the payment stands; one that is paid leads to the page after payment."""
        return self._show(order_id)

    def begin(self, order_id: str) -> AnyResponse:
        """Begin to pay, and show the code."""
        self._own(order_id)
        try:
            begin_order_payment(self._box, order_id)
        except Declined:
            return self._show(order_id, "phone_pay_busy", 409)
        except (Unavailable, OutcomeUnknown):
            return self._show(order_id, "phone_unavailable", 503)
        return redirect(pay_page(order_id), 303)

    def give_up(self, order_id: str) -> AnyResponse:
        """Give the order up, unless it is paid."""
        self._own(order_id)
        try:
            give_up_order(self._box, order_id)
        except (Unavailable, OutcomeUnknown):
            return self._show(order_id, "phone_unavailable", 503)
        return redirect(pay_page(order_id), 303)

    def code(self, order_id: str) -> Response:
        """Show what a phone scans to pay."""
        payment, _ = self._own(order_id)
        if not payment.code_url:
            abort(404, "Nothing waits to be paid here any more.")
        return qr_picture(payment.code_url)

    def _show(self, order_id: str, problem: str = "", status: int = 200) -> AnyResponse:
        payment, waits = self._own(order_id)
        if payment.receipt and self._box.store.read(lambda unit: unit.exits.get(payment.order_id)):
            # Goods of scan and go are in the shopper's hands: first the way out, the receipt from there.
            return redirect(f"{request.script_root}/phone/exit/{payment.order_id}{way_on()}", 303)
        if payment.receipt:
            return redirect(f"{request.script_root}/phone/r/{payment.receipt}{way_on()}", 303)
        moves = payment.state in ("open", "unsure")
        return self._pages.show(
            "phone_pay.html",
            status,
            payment=payment,
            waits=waits,
            problem=problem,
            query=way_on(),
            refresh_s=REFRESH_S if moves else 0,
        )

    def _own(self, order_id: str) -> tuple[PaymentShown, bool]:
        """Return the payment of an order that this phone pays or paid, and whether it can be begun."""
        session = self._pages.session()
        if session is None:
            abort(404, "This order is paid on another phone. Scan its code again.")

        def query(unit: Unit) -> tuple[PaymentShown, bool] | None:
            order = unit.orders.get(order_id[:_MAX_ID])
            if order is None or not unit.phones.has_order(session, order.order_id):
                return None
            waits = order.state is OrderState.AWAITING and order.workstation == PHONE
            return phone_payment(unit, self._box, order), waits

        found = self._box.store.read(query)
        if found is None:
            abort(404, "This order is paid on another phone. Scan its code again.")
        return found


def pay_page(order_id: str) -> str:
    """Return where a browser pays an order, for pages that lead there."""
    return f"{request.script_root}/phone/pay/{order_id}{way_on()}"
