"""The testers' switches for merchants, money and callbacks.

GET  /sim/merchants       POST {mchid, name?, appids?, sp_mchid?, deposit_fen?, certificate?}
GET  /sim/books           every account, the sum, and what does not add up
GET  /sim/movements       ?order_no= : the money of one order, oldest first
GET  /sim/notices         the newest callbacks with their tries
POST /sim/notices         {scale_ppm?, routes?: [{prefix, to}]}: how fast and where to
POST /sim/notices/{id}    send it once more
POST /sim/fault-rates     {per_mille, seed?, calls?, faults?, delay_ms?}: faults by chance; 0 ends them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sim.gateway.endpoints import Auth, Call, Endpoint, Handler, Room
from sim.gateway.faults import CALL_FAULTS, Fault, Rate
from sim.gateway.ledger import WORLD, Why
from sim.gateway.merchants import Merchant
from sim.gateway.messages import Json, Refusal, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import MOST_FEN, Shape, children, number, text

_APPID = Shape(pattern="[0-9A-Za-z]{1,32}")
_MERCHANT = Shape(
    True,
    dict,
    fields={
        "mchid": Shape(True, pattern=r"\d{8,10}"),
        "name": Shape(pattern=r"[\s\S]{1,64}"),
        "appids": Shape(kind=list, most=50, item=_APPID),
        "sp_mchid": Shape(pattern=r"(\d{8,10})?"),
        "deposit_fen": Shape(kind=int, least=1, most=MOST_FEN),
        "certificate": Shape(pattern=r"[\s\S]{1,8192}"),
    },
)
_WIRE = Shape(
    True,
    dict,
    fields={
        "scale_ppm": Shape(kind=int, most=1_000_000),
        "routes": Shape(
            kind=list,
            most=50,
            item=Shape(kind=dict, fields={"prefix": Shape(True), "to": Shape(True)}),
        ),
    },
)
_RATE = Shape(
    True,
    dict,
    fields={
        "per_mille": Shape(True, int, most=1000),
        "seed": Shape(kind=int),
        "calls": Shape(kind=list, most=100, item=Shape(pattern="[a-z_]{1,40}")),
        "faults": Shape(kind=list, least=1, most=100, item=Shape(pattern="|".join(Fault))),
        "delay_ms": Shape(kind=int, most=120_000),
    },
)


def merchant_json(office: Office, merchant: Merchant) -> Json:
    """Return a merchant with its money."""
    accounts = {
        kind: office.ledger.balance(f"{kind}:{merchant.mchid}") for kind in ("merchant", "frozen", "refunds")
    }
    return asdict(merchant) | {
        "balance_fen": accounts["merchant"],
        "frozen_fen": accounts["frozen"],
        "refunding_fen": accounts["refunds"],
    }


def add_merchant(office: Office, body: Json) -> Json:
    """Add or change a merchant as a checked body says; raise ValueError."""
    mchid = text(body, "mchid")
    try:
        known = office.merchants.get(mchid)
    except KeyError:
        known = Merchant(mchid, "商户 Merchant")
    appids = body.get("appids")
    wanted = Merchant(
        mchid,
        text(body, "name") or known.name,
        tuple(str(one) for one in appids) if isinstance(appids, list) else known.appids,
        text(body, "sp_mchid") if "sp_mchid" in body else known.sp_mchid,
    )
    with office.store.work():
        office.merchants.add(wanted)
        if "certificate" in body:
            office.merchants.add_certificate(mchid, text(body, "certificate"))
        if "deposit_fen" in body:
            account = f"merchant:{mchid}"
            office.ledger.move(WORLD, account, number(body, "deposit_fen"), Why("deposit", mchid))
    return merchant_json(office, wanted)


def books_json(office: Office) -> Json:
    """Return every account, their sum and what does not add up."""
    balances = office.ledger.balances()
    return {
        "accounts": dict(balances),
        "sum_fen": sum(balances.values()),
        "differences": list(office.ledger.differences()),
    }


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def merchants(self, _: Call) -> Reply:
        """List the merchants."""
        return json_reply(200, [merchant_json(self._office, one) for one in self._office.merchants.all()])

    def add(self, call: Call) -> Reply:
        """Add or change a merchant."""
        return json_reply(201, add_merchant(self._office, call.body))

    def books(self, _: Call) -> Reply:
        """Show all accounts."""
        return json_reply(200, books_json(self._office))

    def movements(self, call: Call) -> Reply:
        """Show the money of one order."""
        found = self._office.ledger.movements("order_no = ?", call.query["order_no"])
        return json_reply(200, [asdict(one) for one in found])

    def notices(self, _: Call) -> Reply:
        """List the newest callbacks."""
        wire, listed = self._office.notices.wire, self._office.notices.newest()
        return json_reply(200, {"scale": wire.scale, "routes": wire.routes, "notices": listed})

    def wire(self, call: Call) -> Reply:
        """Say how fast callbacks come, and where to."""
        if "scale_ppm" in call.body:
            self._office.notices.wire.scale = number(call.body, "scale_ppm") / 1_000_000
        if "routes" in call.body:
            routes = children(call.body, "routes")
            self._office.notices.wire.routes = {text(one, "prefix"): text(one, "to") for one in routes}
        return self.notices(call)

    def repeat(self, call: Call) -> Reply:
        """Send a callback once more."""
        told = call.path["notice"]
        if not (told.isascii() and told.isdigit() and len(told) < 10):
            raise Refusal(404, "RESOURCE_NOT_EXISTS", f"there is no notice {told}")
        self._office.notices.repeat(int(told))
        return self.notices(call)

    def rates(self, call: Call) -> Reply:
        """Have faults happen by chance."""
        faults = self._office.faults
        faults.set_rates(*_rates(call.body))
        rates = [asdict(rate) for rate in faults.rates()]
        return json_reply(200, {"rates": rates, "done": dict(faults.done())})


def _rates(body: Json) -> Sequence[Rate]:
    if number(body, "per_mille") == 0:
        return ()
    calls, faults = body.get("calls"), body.get("faults")
    return (
        Rate(
            seed=number(body, "seed"),
            per_mille=number(body, "per_mille"),
            calls=tuple(str(one) for one in calls) if isinstance(calls, list) else (),
            faults=tuple(Fault(one) for one in faults) if isinstance(faults, list) else CALL_FAULTS,
            delay_ms=number(body, "delay_ms") if "delay_ms" in body else 200,
        ),
    )


def _switch(name: str, way: str, handler: Handler, body: Shape | None = None) -> Endpoint:
    method, _, path = way.partition(" ")
    return Endpoint(name, method, path, handler, body, auth=Auth.TESTER)


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk = _Desk(office)
    order = {"order_no": Shape(True)}
    return (
        _switch("merchants", "GET /sim/merchants", desk.merchants),
        _switch("add_merchant", "POST /sim/merchants", desk.add, _MERCHANT),
        _switch("books", "GET /sim/books", desk.books),
        Endpoint("movements", "GET", "/sim/movements", desk.movements, query=order, auth=Auth.TESTER),
        _switch("notices", "GET /sim/notices", desk.notices),
        _switch("wire", "POST /sim/notices", desk.wire, _WIRE),
        _switch("repeat", "POST /sim/notices/{notice}", desk.repeat),
        _switch("fault_rates", "POST /sim/fault-rates", desk.rates, _RATE),
    )


ROOM = Room("switches", endpoints=_endpoints)
