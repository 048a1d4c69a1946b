"""Orders by mini-program (JSAPI) and by QR code (Native), and the questions about any order."""

from __future__ import annotations

from collections.abc import Sequence

from sim.gateway.endpoints import Call, Endpoint, Room
from sim.gateway.messages import Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.terms import DIRECT_QUERY, parties_of, transaction_json


def _endpoints(office: Office) -> Sequence[Endpoint]:
    def query(call: Call) -> Reply:
        parties = parties_of(call, office)
        order = office.orders.find(call.path["out_trade_no"], parties.mchid)
        return json_reply(200, transaction_json(order))

    by_number = "/v3/pay/transactions/out-trade-no/{out_trade_no}"
    return (Endpoint("query", "GET", by_number, query, query=DIRECT_QUERY),)


ROOM = Room("transactions", endpoints=_endpoints)
