"""Give money back: find the order, choose goods or an amount, a supervisor's PIN, and see each leg arrive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from flask import Blueprint, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Declined, EdgeError, Invalid
from edge.money import parse_yuan
from edge.retail.refund import MAX_REASON, Refund
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.records import Unit
from edge.services.refund_order import (
    RefundAsk,
    RefundPlan,
    RefundQuote,
    approve_request,
    plan_refund,
    quote_refund,
    refund_order,
    reject_request,
    replace_leg,
)
from edge.services.refund_records import OrderSearch
from edge.services.refund_slip import reprint_slip
from edge.services.staff import StaffBook, StaffMember
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in
from edge.web.texts import load_texts

#: What one page lists.
MOST_SHOWN = 50

#: Why people bring things back; the texts have a word for each.
REASONS = ("damaged", "wrong_goods", "quality", "unwanted", "price", "charged_twice", "other")

_TOKEN = re.compile(r"(?:.*/phone/r/)?([0-9A-Za-z_-]{22})", re.ASCII)

_log = structlog.get_logger("staff")


@dataclass(frozen=True, slots=True)
class _Form:
    """What was chosen on the order's page, as it came. mode: "all", "lines", "amount", "" for none yet."""

    mode: str
    quantities: Mapping[str, str]
    amount: str

    @classmethod
    def read(cls, values: Mapping[str, str]) -> _Form:
        """Return the choice in an address or a form."""
        quantities = {name[2:]: text.strip() for name, text in values.items() if name.startswith("q_")}
        return cls(values.get("mode", ""), quantities, values.get("amount", "").strip())

    def ask(self, refund_id: str, order_id: str, workstation: str, reason: str) -> RefundAsk:
        """Return what is asked for; raise Invalid for what is no number or amount."""
        if self.mode == "lines":
            wanted = {line: _pieces(text) for line, text in self.quantities.items()}
            chosen = {line: count for line, count in wanted.items() if count}
            if not chosen:
                raise Invalid("choose at least one piece")
            return RefundAsk(refund_id, order_id, workstation, reason, quantities=chosen)
        amount_fen = parse_yuan(self.amount) if self.mode == "amount" else None
        return RefundAsk(refund_id, order_id, workstation, reason, amount_fen=amount_fen)


class _Pages:
    """What the routes below do; one for each blueprint."""

    def __init__(self, box: Box, staff: StaffBook, settings: WebSettings) -> None:
        self._box = box
        self._staff = staff
        self._local_time = local_times(settings)

    def overview(self) -> Response | str:
        """Return the search and the refunds under way, or lead to the order behind a receipt's code."""
        today = business_day(self._box, self._box.clock.now())
        day, text = request.args.get("day", "") or today, request.args.get("text", "").strip()
        order_id = self._behind_receipt(text)
        if order_id is not None:
            return redirect(url_for("staff.refund_order_page", order_id=order_id), 303)
        search = OrderSearch(day, text)

        def query(unit: Unit) -> dict[str, object]:
            ids = unit.refunds.find_orders(search, MOST_SHOWN)
            return {
                "quotes": [quote_refund(unit, one) for one in ids],
                "open_refunds": unit.refunds.open(MOST_SHOWN),
                "closed": [one for one in unit.refunds.recent(MOST_SHOWN) if one.closed_at is not None],
            }

        found = self._box.store.read(query)
        return show("refunds", day=day, text=text, local_time=self._local_time, **found)

    def order(self, order_id: str, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return an order with the choice of what goes back, and what that comes to."""
        values = request.form if request.method == "POST" else request.args
        form, quote = _Form.read(values), self._quote(order_id)
        plan: RefundPlan | None = None
        if form.mode:
            try:
                plan = plan_refund(quote, form.ask("preview", order_id, quote.order.workstation, "preview"))
            except Invalid as refusal:
                error, status = error or str(refusal), 400
        page = show(
            "refund_order",
            quote=quote,
            form=form,
            plan=plan,
            error=error,
            key=values.get("key", "") or self._box.ids.new_id(),
            reasons=REASONS,
            most_reason=MAX_REASON - 12,
            places=self._places(plan),
            values=values,
            local_time=self._local_time,
        )
        return page, status

    def give(self, order_id: str) -> Response | tuple[str, int]:
        """Approve what the order's page showed."""
        values = request.form
        try:
            approver = self._approver()
            form, place = _Form.read(values), values.get("workstation", "")
            asked = form.ask(_key(values.get("key", "")), order_id, place, _reason(values))
            ask = replace(asked, expected_fen=_pieces(values.get("expected_fen", ""), 10))
            refund = refund_order(self._box, ask, str(signed_in()), approver)
        except EdgeError as refusal:
            return self.order(order_id, str(refusal), 400)
        _log.warning("refund approved", refund=refund.number, fen=refund.amount_fen, by=approver.name)
        return _to(refund)

    def refund(self, refund_id: str, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return one refund with its legs."""
        refund = self._box.store.read(lambda unit: unit.refunds.get(refund_id))
        if refund is None:
            abort(404, f"There is no refund {refund_id}.")
        quote = self._quote(refund.order_id)
        names = {line.line_id: line for line in quote.order.lines}
        papers = self._box.store.read(lambda unit: unit.papers.of(refund_id))
        page = show(
            "refund",
            refund=refund,
            quote=quote,
            names=names,
            papers=papers,
            places=self._tills(),
            error=error,
            local_time=self._local_time,
        )
        return page, status

    def act(self, refund_id: str) -> Response | tuple[str, int]:
        """Decide a request, go another way for a leg, or print the slip again."""
        values = request.form
        try:
            refund_done = self._do(refund_id, values.get("do", ""), values)
        except EdgeError as refusal:
            return self.refund(refund_id, str(refusal), 400)
        _log.warning("refund", what=values.get("do"), refund=refund_id, by=signed_in())
        return refund_done

    def _do(self, refund_id: str, what: str, values: Mapping[str, str]) -> Response:
        if what == "slip":
            reprint_slip(self._box, refund_id)
        elif what == "approve":
            approve_request(self._box, refund_id, values.get("workstation", ""), self._approver())
        elif what == "reject":
            reject_request(self._box, refund_id, self._approver())
        elif what == "cash":
            place = values.get("workstation", "")
            replace_leg(self._box, refund_id, values.get("leg", ""), self._approver(), cash_at=place)
        elif what == "again":
            replace_leg(self._box, refund_id, values.get("leg", ""), self._approver())
        else:
            raise Invalid(f"{what!r} cannot be done with a refund")
        return redirect(url_for("staff.refund_page", refund_id=refund_id), 303)

    def _approver(self) -> StaffMember:
        member = self._staff.check(request.form.get("pin", "")[:32])
        if member is None:
            raise Declined(load_texts(g.language)["refund_pin_unknown"])
        return member

    def _quote(self, order_id: str) -> RefundQuote:
        try:
            return self._box.store.read(lambda unit: quote_refund(unit, order_id))
        except Invalid as absent:
            abort(404, str(absent))

    def _behind_receipt(self, text: str) -> str | None:
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        receipt = self._box.store.read(lambda unit: unit.receipts.by_token(match[1]))
        return None if receipt is None else receipt.order_id

    def _places(self, plan: RefundPlan | None) -> list[str]:
        cash = plan is not None and any(tender.kind == "cash" for tender, _ in plan.parts)
        return self._tills() if cash else list(self._box.workstations)

    def _tills(self) -> list[str]:
        return [name for name, place in self._box.workstations.items() if place.cash]


def page(box: Box, staff: StaffBook, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/refunds, .../orders/<order> and .../<refund>."""
    pages = _Pages(box, staff, settings)

    def add(routes: Blueprint) -> None:
        routes.add_url_rule("/refunds", "refunds", pages.overview)
        routes.add_url_rule("/refunds/orders/<order_id>", "refund_order_page", pages.order)
        routes.add_url_rule("/refunds/orders/<order_id>", "refund_give", pages.give, methods=["POST"])
        routes.add_url_rule("/refunds/<refund_id>", "refund_page", pages.refund)
        routes.add_url_rule("/refunds/<refund_id>", "refund_act", pages.act, methods=["POST"])

    return StaffPage(add, lambda: [Link("/staff/refunds", "refunds")])


def _to(refund: Refund) -> Response:
    return redirect(url_for("staff.refund_page", refund_id=refund.refund_id), 303)


def _reason(values: Mapping[str, str]) -> str:
    """Return the chosen reason and what was typed, in the language of whoever typed it."""
    chosen, typed = values.get("reason", ""), values.get("words", "").strip()
    if chosen not in REASONS or (chosen == "other" and not typed):
        raise Invalid(load_texts(g.language)["refund_reason_needed"])
    label = load_texts(g.language)[f"refund_reason_{chosen}"]
    return typed if chosen == "other" else f"{label} {typed}".strip()


def _key(text: str) -> str:
    if re.fullmatch(r"[0-9a-z-]{8,64}", text, re.ASCII) is None:
        raise Invalid("the form has lost its number; open the order again")
    return text


def _pieces(text: str, most_digits: int = 4) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) <= most_digits):
        raise Invalid(f"{text!r} is no such number")
    return int(text or 0)
