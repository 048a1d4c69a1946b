"""The shopper's side of orders: what a phone does with a prepay_id or a QR code.

    POST /sim/wallets/{wallet}/request-payment
         {appId, timeStamp, nonceStr, package, signType, paySign, action?}
    POST /sim/wallets/{wallet}/scan    {code_url, action?}
    GET  /sim/wallets/{wallet}/sheets  what waits on that phone to be paid
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


class _Phones:
    def __init__(self, office: Office) -> None:
        self._office = office

    def request_payment(self, call: Call) -> Reply:
        """Open the sheet of a mini-program's order."""
        given = {name: text(call.body, name) for name in _REQUEST.fields}
        return self._opened(self._office.prepays.request_payment(call.path["wallet"], given), call)

    def scan(self, call: Call) -> Reply:
        """Open the sheet of a QR code."""
        return self._opened(self._office.prepays.scan(call.path["wallet"], text(call.body, "code_url")), call)

    def waiting(self, call: Call) -> Reply:
        """List what waits on a phone."""
        self._office.wallets.get(call.path["wallet"])
        sheets = self._office.prepays.open_sheets(call.path["wallet"])
        return json_reply(200, [sheet_json(self._office, one) for one in sheets])

    def show(self, call: Call) -> Reply:
        """Show one sheet."""
        return json_reply(200, sheet_json(self._office, self._office.prepays.sheet(_number(call))))

    def enter(self, call: Call) -> Reply:
        """Do something to a sheet."""
        sheet = self._office.prepays.enter(_number(call), Habit(text(call.body, "action")))
        return json_reply(200, sheet_json(self._office, sheet))

    def _opened(self, sheet: Sheet, call: Call) -> Reply:
        action = text(call.body, "action")
        if action and sheet.state == "open":
            sheet = self._office.prepays.enter(sheet.sheet_id, Habit(action))
        return json_reply(200, sheet_json(self._office, sheet))


def _endpoints(office: Office) -> Sequence[Endpoint]:
    phones, wallet = _Phones(office), "/sim/wallets/{wallet}"
    return (
        Endpoint(
            "request_payment",
            "POST",
            wallet + "/request-payment",
            phones.request_payment,
            _REQUEST,
            auth=Auth.TESTER,
        ),
        Endpoint("scan", "POST", wallet + "/scan", phones.scan, _SCAN, auth=Auth.TESTER),
        Endpoint("sheets", "GET", wallet + "/sheets", phones.waiting, auth=Auth.TESTER),
        Endpoint("sheet", "GET", "/sim/sheets/{sheet}", phones.show, auth=Auth.TESTER),
        Endpoint("enter", "POST", "/sim/sheets/{sheet}", phones.enter, _ENTER, auth=Auth.TESTER),
    )


def _number(call: Call) -> int:
    told = call.path["sheet"]
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise Refusal(404, "RESOURCE_NOT_EXISTS", f"there is no sheet {told}")
    return int(told)


ROOM = Room("phones", endpoints=_endpoints)
