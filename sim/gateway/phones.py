"""The shopper's side of orders: what a phone does with a prepay_id or a QR code.

    POST /sim/wallets/{wallet}/request-payment
         {appId, timeStamp, nonceStr, package, signType, paySign, action?}
    POST /sim/wallets/{wallet}/scan    {code_url, action?}
    GET  /sim/sheets/{sheet}           what became of it
    POST /sim/sheets/{sheet}           {action: types | wrong | cancels}

Without an action the shopper does what the wallet's habit says, after its delay; a sum up to
password_above_fen is paid at once by one who types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Json, Refusal, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.prepays import Sheet
from sim.gateway.shapes import Shape, text
from sim.gateway.wallets import Habit

_LONG = r"[\s\S]{1,1024}"
_ACTION = Shape(pattern="types|wrong|cancels")
_REQUEST = Shape(
    True,
    dict,
    fields={
        **{name: Shape(True) for name in ("appId", "timeStamp", "nonceStr", "package", "signType")},
        "paySign": Shape(True, pattern=_LONG),
        "action": _ACTION,
    },
)
_SCAN = Shape(True, dict, fields={"code_url": Shape(True), "action": _ACTION})
_ENTER = Shape(True, dict, fields={"action": Shape(True, pattern=_ACTION.pattern)})


def sheet_json(office: Office, sheet: Sheet) -> Json:
    """Return what a phone shows of a payment."""
    orders = office.prepays.orders_of(office.prepays.prepay_of(sheet))
    return asdict(sheet) | {
        "amount_fen": sum(order.charge.amount_fen for order in orders),
        "orders": [
            {
                "order_no": order.charge.order_no,
                "description": order.charge.description,
                "amount_fen": order.charge.amount_fen,
                "payee": order.charge.payee,
                "state": order.state,
            }
            for order in orders
        ],
    }


def _endpoints(office: Office) -> Sequence[Endpoint]:
    def request_payment(call: Call) -> Reply:
        given = {name: text(call.body, name) for name in _REQUEST.fields}
        return done(office.prepays.request_payment(call.path["wallet"], given), call)

    def scan(call: Call) -> Reply:
        return done(office.prepays.scan(call.path["wallet"], text(call.body, "code_url")), call)

    def show(call: Call) -> Reply:
        return json_reply(200, sheet_json(office, office.prepays.sheet(_number(call))))

    def enter(call: Call) -> Reply:
        sheet = office.prepays.enter(_number(call), Habit(text(call.body, "action")))
        return json_reply(200, sheet_json(office, sheet))

    def done(sheet: Sheet, call: Call) -> Reply:
        action = text(call.body, "action")
        if action and sheet.state == "open":
            sheet = office.prepays.enter(sheet.sheet_id, Habit(action))
        return json_reply(200, sheet_json(office, sheet))

    def switch(name: str, method: str, path: str, shape: Shape | None = None) -> Endpoint:
        handler = {"request_payment": request_payment, "scan": scan, "sheet": show, "enter": enter}[name]
        return Endpoint(name, method, path, handler, shape, auth=Auth.TESTER)

    return (
        switch("request_payment", "POST", "/sim/wallets/{wallet}/request-payment", _REQUEST),
        switch("scan", "POST", "/sim/wallets/{wallet}/scan", _SCAN),
        switch("sheet", "GET", "/sim/sheets/{sheet}"),
        switch("enter", "POST", "/sim/sheets/{sheet}", _ENTER),
    )


def _number(call: Call) -> int:
    told = call.path["sheet"]
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise Refusal(404, "RESOURCE_NOT_EXISTS", f"there is no sheet {told}")
    return int(told)


ROOM = Room("phones", endpoints=_endpoints)
