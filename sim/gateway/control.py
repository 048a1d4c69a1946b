"""The other side of the counter: the shopper's phone, the tester's switches, the gateway's ledger.

    GET  /                                  the phones as a page
    GET  /sim/phone/{wallet}                one phone as a page; /state is what it shows, as JSON
    GET  /sim/wallets                       the newest 500
    POST /sim/wallets                       {name, balance_fen, password_above_fen?, habit?, delay_ms?}
    POST /sim/wallets/{wallet}              change any of balance_fen, password_above_fen, habit, delay_ms
    POST /sim/wallets/{wallet}/code         {renew?}: the payment code on the screen
    POST /sim/orders/{order}/password       {action: types | wrong | cancels}
    POST /sim/wallets/{wallet}/request-payment, /scan; /sim/sheets, /sim/refunds, /sim/keys, /sim/merchants,
         /sim/books, /sim/movements, /sim/notices, /sim/fault-rates: see the rooms
    GET  /sim/orders    GET /sim/ledger    GET /sim/ledger/newest
    GET  /sim/faults    POST {call, fault, times?, delay_ms?, order_no?}    DELETE
    GET  /sim/settings  POST {pending_as_error?, reverse_refused_while_paying?, sign_with?}

Bad input gets 400 with a sentence; nothing here is signed, nothing here exists at the real gateway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from sim.gateway.api import PaymentApi, checked
from sim.gateway.books import Books, Habit, Order, Wallet
from sim.gateway.code_pictures import barcode_svg, qr_svg
from sim.gateway.endpoints import Endpoint
from sim.gateway.faults import NOTIFY, Fault, FaultPlan
from sim.gateway.messages import Json, Refusal, Reply, Request, json_reply
from sim.gateway.signatures import Mode, Signatures

Handler = Callable[[str, Json], Reply]
E = TypeVar("E", bound=StrEnum)

_HERE = Path(__file__).parent
_RECENT = 8
_ON_PAGE = 12
_MOST_LISTED = 500


class Control:
    """Everything outside /v3."""

    def __init__(
        self,
        books: Books,
        faults: FaultPlan,
        signatures: Signatures,
        api: PaymentApi,
        switches: Sequence[Endpoint] = (),
    ) -> None:
        """switches: the rooms' own, asked after those listed above."""
        self._switches = tuple(switches)
        self._books = books
        self._faults = faults
        self._signatures = signatures
        self._api = api
        wallet, order = r"/sim/wallets/(w\d+)", r"/sim/orders/([0-9A-Za-z_\-*]{6,32})/password"
        self._routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", r"/()", self._page_of_phones),
            ("GET", r"/sim/phone/(w\d+)", self._page_of_phone),
            ("GET", r"/sim/phone/(w\d+)/state", self._phone_state),
            ("GET", r"/sim/(wallets)", self._list_wallets),
            ("POST", r"/sim/(wallets)", self._add_wallet),
            ("POST", wallet, self._change_wallet),
            ("POST", wallet + "/code", self._show_code),
            ("POST", order, self._enter_password),
            ("GET", r"/sim/(orders)", self._list_orders),
            ("GET", r"/sim/(ledger)", self._list_ledger),
            ("GET", r"/sim/ledger/(newest)", self._newest_of_ledger),
            ("GET", r"/sim/(faults)", self._list_faults),
            ("POST", r"/sim/(faults)", self._add_fault),
            ("DELETE", r"/sim/(faults)", self._clear_faults),
            ("GET", r"/sim/(settings)", self._settings),
            ("POST", r"/sim/(settings)", self._change_settings),
        )

    def handle(self, request: Request) -> Reply:
        """Answer one request; never raises for bad input."""
        for method, pattern, handler in self._routes:
            match = re.fullmatch(pattern, request.path, re.ASCII)
            if match and method == request.method:
                return _guarded(handler, match[1], request.body)
        for switch in self._switches:
            names = switch.match(request.method, request.target)
            if names is not None:
                return _guarded_switch(switch, request, names)
        return json_reply(
            404, {"error": f"{request.method} {request.path} is not here; GET / lists the phones"}
        )

    def _page_of_phones(self, _: str, __: Json) -> Reply:
        return _page("phones.html")

    def _page_of_phone(self, wallet_id: str, _: Json) -> Reply:
        self._books.wallet(wallet_id)
        return _page("phone.html")

    def _phone_state(self, wallet_id: str, _: Json) -> Reply:
        wallet = self._books.wallet(wallet_id)
        code = self._books.show_code(wallet_id)
        orders = self._books.orders(wallet_id, _RECENT)
        state: Json = {
            "wallet": asdict(self._books.wallet(wallet.wallet_id)),
            "code": code.code,
            "expires_in_ms": max(0, code.expires_at - self._books.now_ms()),
            "barcode_svg": barcode_svg(code.code),
            "qr_svg": qr_svg(code.code),
            "orders": [_order_json(order) for order in orders],
        }
        return json_reply(200, state)

    def _list_wallets(self, _: str, __: Json) -> Reply:
        return json_reply(200, [_wallet_json(wallet) for wallet in self._books.wallets()[-_MOST_LISTED:]])

    def _add_wallet(self, _: str, body: Json) -> Reply:
        wallet = self._books.add_wallet(
            name=_text(body, "name"),
            balance_fen=_number(body, "balance_fen"),
            password_above_fen=_number(body, "password_above_fen", 100_000),
            habit=_choice(Habit, body, "habit", Habit.TYPES),
            delay_ms=_number(body, "delay_ms", 5_000),
        )
        return json_reply(201, _wallet_json(wallet))

    def _change_wallet(self, wallet_id: str, body: Json) -> Reply:
        numbers = {
            name: _number(body, name)
            for name in ("balance_fen", "password_above_fen", "delay_ms")
            if name in body
        }
        habit = _choice(Habit, body, "habit") if "habit" in body else None
        return json_reply(200, _wallet_json(self._books.change_wallet(wallet_id, habit=habit, **numbers)))

    def _show_code(self, wallet_id: str, body: Json) -> Reply:
        code = self._books.show_code(wallet_id, renew=body.get("renew") is True)
        return json_reply(200, {"code": code.code, "expires_at": code.expires_at})

    def _enter_password(self, order_no: str, body: Json) -> Reply:
        action = _choice(Habit, body, "action")
        if action is Habit.WAITS:
            raise ValueError("action must be types, wrong or cancels")
        return json_reply(200, _order_json(self._books.enter_password(order_no, action)))

    def _list_orders(self, _: str, __: Json) -> Reply:
        return json_reply(200, [_order_json(order) for order in self._books.orders()])

    def _list_ledger(self, _: str, __: Json) -> Reply:
        entries = self._books.ledger()
        total = sum(entry.amount_fen for entry in entries)
        return json_reply(200, {"total_fen": total, "entries": [asdict(entry) for entry in entries]})

    def _newest_of_ledger(self, _: str, __: Json) -> Reply:
        entries = [asdict(entry) for entry in self._books.newest_entries(_ON_PAGE)]
        return json_reply(200, {"total_fen": self._books.taken_fen(), "entries": entries})

    def _list_faults(self, _: str, __: Json) -> Reply:
        names = {"calls": self._api.call_names, "faults": [fault.value for fault in Fault]}
        return json_reply(200, names | {"waiting": [asdict(planned) for planned in self._faults.waiting()]})

    def _add_fault(self, _: str, body: Json) -> Reply:
        call = _text(body, "call")
        names = (*self._api.call_names, NOTIFY)
        if call not in names:
            raise ValueError(f"call must be one of {', '.join(names)}")
        fault = _choice(Fault, body, "fault")
        order_no = _text(body, "order_no") if "order_no" in body else ""
        self._faults.add(call, fault, _number(body, "times", 1), _number(body, "delay_ms", 0), order_no)
        return self._list_faults("", {})

    def _clear_faults(self, _: str, __: Json) -> Reply:
        self._faults.clear()
        return self._list_faults("", {})

    def _settings(self, _: str, __: Json) -> Reply:
        return json_reply(
            200,
            {
                "pending_as_error": self._api.pending_as_error,
                "reverse_refused_while_paying": self._books.reverse_refused_while_paying,
                "sign_with": self._signatures.mode,
            },
        )

    def _change_settings(self, _: str, body: Json) -> Reply:
        mode = _choice(Mode, body, "sign_with", self._signatures.mode)
        pending = _flag(body, "pending_as_error", self._api.pending_as_error)
        refused = _flag(body, "reverse_refused_while_paying", self._books.reverse_refused_while_paying)
        self._signatures.mode = mode
        self._api.pending_as_error = pending
        self._books.reverse_refused_while_paying = refused
        return self._settings("", {})


def _guarded(handler: Handler, key: str, raw: bytes) -> Reply:
    try:
        body = json.loads(raw) if raw else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        return handler(key, body)
    except KeyError:
        return json_reply(404, {"error": f"there is no {key}"})
    except Refusal as refusal:
        return json_reply(refusal.status, {"error": refusal.message})
    except ValueError as error:
        return json_reply(400, {"error": str(error)})


def _guarded_switch(switch: Endpoint, request: Request, names: Mapping[str, str]) -> Reply:
    try:
        return switch.handler(checked(request, switch, names, ""))
    except KeyError as error:
        return json_reply(404, {"error": f"there is no {error.args[0]}"})
    except Refusal as refusal:
        return json_reply(refusal.status, {"error": refusal.message})
    except ValueError as error:
        return json_reply(400, {"error": str(error)})


def _page(name: str) -> Reply:
    return Reply(200, (_HERE / name).read_bytes(), "text/html; charset=utf-8")


def _wallet_json(wallet: Wallet) -> Json:
    return asdict(wallet) | {"phone": f"/sim/phone/{wallet.wallet_id}"}


def _order_json(order: Order) -> Json:
    charge = order.charge
    return {
        "order_no": charge.order_no,
        "wallet_id": order.wallet_id,
        "amount_fen": charge.amount_fen,
        "description": charge.description,
        "state": order.state,
        "asked_at": order.asked_at,
        "paid_at": order.paid_at,
        "wrong_passwords": order.wrong_passwords,
    }


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise ValueError(f"{name} must be a text of 1 to 64 characters")
    return value


def _number(body: Json, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if type(value) is not int:
        raise ValueError(f"{name} must be a whole number")
    return value


def _choice(kind: type[E], body: Json, name: str, default: E | None = None) -> E:
    value = body.get(name, default)
    for member in kind:
        if member == value:
            return member
    raise ValueError(f"{name} must be one of {', '.join(kind)}")


def _flag(body: Json, name: str, default: bool) -> bool:
    value = body.get(name, default)
    if type(value) is not bool:
        raise ValueError(f"{name} must be true or false")
    return value
