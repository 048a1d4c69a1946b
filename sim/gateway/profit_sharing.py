"""Profit sharing (分账): a part of a frozen payment goes on to others.

GET  /sim/profit-sharing    how it goes; also POST {delay_ms?, max_ratio?, notify_url?, events?}
POST /sim/profit-sharing/failing    {account, reason?}: shares to and returns from that account fail so
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Json, Refusal, Reply, json_reply, parameter_error
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.profit_sharing_books import ShareBooks
from sim.gateway.profit_sharing_records import SCHEMA, Part, Returned, Sharing, Terms, Wish
from sim.gateway.shapes import AMOUNT_FEN, URL, Shape, children, number, text
from sim.gateway.terms import form_of
from sim.gateway.times import rfc3339

_APPID = Shape(True, pattern=r"[0-9A-Za-z]{1,32}")
_SUB_APPID = Shape(pattern=_APPID.pattern)
_SUB = Shape(pattern=r"\d{8,10}")
_NUMBER = Shape(True, pattern=r"[0-9A-Za-z_\-|*@]{1,64}")
_OPTIONAL_NUMBER = Shape(pattern=_NUMBER.pattern)
_TRANSACTION = Shape(True, pattern=r"\d{1,32}")
_KIND = Shape(True, pattern="MERCHANT_ID|PERSONAL_OPENID|PERSONAL_SUB_OPENID")
_ACCOUNT = Shape(True, pattern=r"[0-9A-Za-z_\-]{1,64}")
_NAME = Shape(pattern=r"[0-9A-Za-z+/=]{1,10240}")
_DESCRIPTION = Shape(True, pattern=r"[\s\S]{1,80}")
_RELATION = (
    "SERVICE_PROVIDER|STORE|STAFF|STORE_OWNER|PARTNER|HEADQUARTER|BRAND|DISTRIBUTOR|USER|SUPPLIER|CUSTOM"
)
_WHO = {"sub_mchid": _SUB, "appid": _APPID, "sub_appid": _SUB_APPID}


def _form(**fields: Shape) -> Shape:
    return Shape(True, dict, fields=fields)


_ADD = _form(
    **_WHO,
    type=_KIND,
    account=_ACCOUNT,
    name=_NAME,
    relation_type=Shape(True, pattern=_RELATION),
    custom_relation=Shape(pattern=r"[\s\S]{1,10}"),
)
_DELETE = _form(**_WHO, type=_KIND, account=_ACCOUNT)
_WISH = Shape(
    kind=dict,
    fields={
        "type": _KIND,
        "account": _ACCOUNT,
        "name": _NAME,
        "amount": AMOUNT_FEN,
        "description": _DESCRIPTION,
    },
)
_SHARE = _form(
    **_WHO,
    transaction_id=_TRANSACTION,
    out_order_no=_NUMBER,
    receivers=Shape(kind=list, least=1, most=50, item=_WISH),
    unfreeze_unsplit=Shape(True, bool),
)
_UNFREEZE = _form(sub_mchid=_SUB, transaction_id=_TRANSACTION, out_order_no=_NUMBER, description=_DESCRIPTION)
_RETURN = _form(
    sub_mchid=_SUB,
    order_id=Shape(pattern=r"\d{1,64}"),
    out_order_no=_OPTIONAL_NUMBER,
    out_return_no=_NUMBER,
    return_mchid=Shape(True, pattern=r"\d{8,10}"),
    amount=AMOUNT_FEN,
    description=_DESCRIPTION,
)
_TERMS = _form(
    delay_ms=Shape(kind=int, most=86_400_000),
    max_ratio=Shape(kind=int, most=10_000),
    notify_url=URL,
    events=Shape(pattern="plain|dotted"),
)
_FAILING = _form(account=_ACCOUNT, reason=Shape(pattern="[A-Z_]{1,64}"))


class _Desk:
    def __init__(self, office: Office) -> None:
        self.books = ShareBooks(office)
        self._office = office
        office.orders.when_paid(self.books.freeze)

    def add(self, call: Call) -> Reply:
        """Allow shares to somebody."""
        kind, account = text(call.body, "type"), text(call.body, "account")
        payer = self._payer(call)
        name = text(call.body, "name")
        plain = self._office.signatures.decrypt(name, call.request) if name else ""
        self._check_account(call, kind, account, plain)
        relation = text(call.body, "relation_type")
        if (relation == "CUSTOM") is not bool(text(call.body, "custom_relation")):
            raise parameter_error(
                "/custom_relation", "goes with relation_type CUSTOM, and must then be there"
            )
        self.books.add_receiver(payer, kind, account, relation)
        told: Json = {"type": kind, "account": account, "relation_type": relation}
        told |= {key: call.body[key] for key in ("sub_mchid", "custom_relation") if key in call.body}
        if plain:
            told["name"] = self._office.signatures.encrypt(plain, call.mchid)
        return json_reply(200, told)

    def delete(self, call: Call) -> Reply:
        """Take that back."""
        kind, account = text(call.body, "type"), text(call.body, "account")
        self.books.remove_receiver(self._payer(call), kind, account)
        told = {key: call.body[key] for key in ("sub_mchid",) if key in call.body}
        return json_reply(200, {"type": kind, "account": account, **told})

    def share(self, call: Call) -> Reply:
        """Share a payment."""
        order = self._order(call, text(call.body, "transaction_id"), self._payer(call))
        wishes = [self._wish(call, one) for one in children(call.body, "receivers")]
        frees_rest = call.body["unfreeze_unsplit"] is True
        number_ = text(call.body, "out_order_no")
        made = self.books.share(order, call.mchid, number_, wishes, frees_rest, form_of(call.body))
        return json_reply(200, self._sharing_json(made, order))

    def unfreeze(self, call: Call) -> Reply:
        """Give what is left to the merchant."""
        order = self._order(call, text(call.body, "transaction_id"), self._payer(call))
        number_ = text(call.body, "out_order_no")
        made = self.books.share(order, call.mchid, number_, [], True, form_of(call.body))
        return json_reply(200, self._sharing_json(made, order))

    def query(self, call: Call) -> Reply:
        """Tell about a request to share."""
        found = self.books.known(call.mchid, call.path["out_order_no"])
        payer = self._payer(call)
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "分账单不存在")
        order = self._office.orders.by_id(found.order_id)
        if (order.transaction_id, order.charge.payee) != (call.query["transaction_id"], payer):
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "分账单不存在")
        return json_reply(200, self._sharing_json(found, order))

    def give_back(self, call: Call) -> Reply:
        """Take a share back from a merchant."""
        body, payer = call.body, self._payer(call)
        if bool(text(body, "order_id")) is bool(text(body, "out_order_no")):
            raise parameter_error("/out_order_no", "or order_id must be given, not both")
        sharing = self._sharing_of(call, text(body, "out_order_no"), text(body, "order_id"), payer)
        asked = Returned(
            "", call.mchid, text(body, "out_return_no"), sharing.request_id, text(body, "return_mchid"),
            number(body, "amount"), text(body, "description"), form_of(body), "PROCESSING", "", 0, 0,
        )  # fmt: skip
        return json_reply(200, self._return_json(self.books.give_back(sharing, asked), sharing))

    def query_return(self, call: Call) -> Reply:
        """Tell about a return."""
        sharing = self._sharing_of(call, call.query["out_order_no"], "", self._payer(call))
        found = self.books.known_return(call.mchid, call.path["out_return_no"])
        if found is None or found.request_id != sharing.request_id:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "回退单不存在")
        return json_reply(200, self._return_json(found, sharing))

    def amounts(self, call: Call) -> Reply:
        """Tell what can still be shared."""
        order = self._office.orders.by_transaction(call.path["transaction_id"])
        if order.charge.mchid != call.mchid:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        told = {"transaction_id": order.transaction_id, "unsplit_amount": self.books.frozen_fen(order)}
        return json_reply(200, told)

    def config(self, call: Call) -> Reply:
        """Tell the largest part of an order that may be shared, in 1/10,000."""
        self._office.merchants.check_sub(call.mchid, call.path["sub_mchid"])
        told = {"sub_mchid": call.path["sub_mchid"], "max_ratio": self.books.terms.max_ratio}
        return json_reply(200, told)

    def show(self, _: Call) -> Reply:
        """Tell how sharing goes."""
        return json_reply(200, asdict(self.books.terms))

    def change(self, call: Call) -> Reply:
        """Say how sharing goes."""
        self.books.change(Terms(**(asdict(self.books.terms) | call.body)))
        return self.show(call)

    def fail(self, call: Call) -> Reply:
        """Have shares to and returns from an account fail, or no longer."""
        account, reason = text(call.body, "account"), text(call.body, "reason")
        terms = self.books.terms
        others = {name: why for name, why in terms.failing.items() if name != account}
        self.books.change(replace(terms, failing=others | ({account: reason} if reason else {})))
        return self.show(call)

    def _payer(self, call: Call) -> str:
        """Return the merchant whose payment it is; raise Refusal unless the signer may act for it."""
        given = {**call.query, **call.body}
        if "appid" in call.body:
            self._office.merchants.check_app(call.mchid, text(call.body, "appid"))
        sub_mchid = str(given.get("sub_mchid", ""))
        if sub_mchid:
            self._office.merchants.check_sub(call.mchid, sub_mchid)
        return sub_mchid or call.mchid

    def _check_account(self, call: Call, kind: str, account: str, name: str) -> None:
        if kind == "PERSONAL_SUB_OPENID" and not text(call.body, "sub_appid"):
            raise parameter_error("/sub_appid", "is missing")
        if kind != "MERCHANT_ID":
            if self._office.wallets.by_openid(account) is None:
                raise parameter_error("/account", "无效的openid", account)
            return
        if not name:
            raise parameter_error("/name", "is missing; a merchant's full name must be given")
        try:
            merchant = self._office.merchants.get(account)
        except KeyError:
            raise Refusal(400, "INVALID_REQUEST", "分账接收方商户号不存在") from None
        if merchant.name != name:
            raise Refusal(400, "INVALID_REQUEST", "分账接收方全称与商户号不匹配")

    def _wish(self, call: Call, body: Json) -> Wish:
        kind, name = text(body, "type"), text(body, "name")
        if name:
            plain = self._office.signatures.decrypt(name, call.request)
            wallet = self._office.wallets.by_openid(text(body, "account"))
            if kind == "MERCHANT_ID" or wallet is None or wallet.name != plain:
                raise Refusal(400, "INVALID_REQUEST", "分账接收方姓名与实名不匹配")
        return Wish(kind, text(body, "account"), number(body, "amount"), text(body, "description"))

    def _order(self, call: Call, transaction_id: str, payer: str) -> Order:
        order = self._office.orders.by_transaction(transaction_id)
        if (order.charge.mchid, order.charge.payee) != (call.mchid, payer):
            raise parameter_error("/transaction_id", "is not the merchant's", number="268447843")
        return order

    def _sharing_of(self, call: Call, sharing_no: str, request_id: str, payer: str) -> Sharing:
        known = self.books.known(call.mchid, sharing_no) if sharing_no else self.books.by_id(request_id)
        if known is None or known.mchid != call.mchid:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "分账单不存在")
        if self._office.orders.by_id(known.order_id).charge.payee != payer:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "分账单不存在")
        return known

    def _sharing_json(self, sharing: Sharing, order: Order) -> Json:
        return _sub(order) | {
            "transaction_id": order.transaction_id,
            "out_order_no": sharing.sharing_no,
            "order_id": sharing.request_id,
            "state": sharing.state,
            "receivers": [_part_json(part, sharing) for part in self.books.parts(sharing.request_id)],
        }

    def _return_json(self, returned: Returned, sharing: Sharing) -> Json:
        told: Json = _sub(self._office.orders.by_id(sharing.order_id)) | {
            "order_id": sharing.request_id,
            "out_order_no": sharing.sharing_no,
            "out_return_no": returned.return_no,
            "return_id": returned.return_id,
            "return_mchid": returned.account,
            "amount": returned.amount_fen,
            "description": returned.description,
            "result": returned.result,
            "create_time": rfc3339(returned.made_at),
        }
        if returned.fail_reason:
            told["fail_reason"] = returned.fail_reason
        if returned.finished_at is not None:
            told["finish_time"] = rfc3339(returned.finished_at)
        return told


def _part_json(part: Part, sharing: Sharing) -> Json:
    told: Json = {
        "amount": part.amount_fen,
        "description": part.description,
        "type": part.kind,
        "account": part.account,
        "result": part.result,
        "detail_id": part.part_id,
        "create_time": rfc3339(sharing.made_at),
    }
    if part.fail_reason:
        told["fail_reason"] = part.fail_reason
    if part.finished_at is not None:
        told["finish_time"] = rfc3339(part.finished_at)
    return told


def _sub(order: Order) -> Json:
    return {"sub_mchid": order.charge.sub_mchid} if order.charge.sub_mchid else {}


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk, base, sub = _Desk(office), "/v3/profitsharing", {"sub_mchid": _SUB}
    one = {"transaction_id": _TRANSACTION, **sub}
    back = {"out_order_no": _NUMBER, **sub}
    return (
        Endpoint("add_receiver", "POST", base + "/receivers/add", desk.add, _ADD),
        Endpoint("delete_receiver", "POST", base + "/receivers/delete", desk.delete, _DELETE),
        Endpoint("share", "POST", base + "/orders", desk.share, _SHARE),
        Endpoint("unfreeze", "POST", base + "/orders/unfreeze", desk.unfreeze, _UNFREEZE),
        Endpoint("query_share", "GET", base + "/orders/{out_order_no}", desk.query, query=one),
        Endpoint("share_return", "POST", base + "/return-orders", desk.give_back, _RETURN),
        Endpoint(
            "query_share_return",
            "GET",
            base + "/return-orders/{out_return_no}",
            desk.query_return,
            query=back,
        ),
        Endpoint("share_amounts", "GET", base + "/transactions/{transaction_id}/amounts", desk.amounts),
        Endpoint("share_config", "GET", base + "/merchant-configs/{sub_mchid}", desk.config),
        Endpoint("sharing", "GET", "/sim/profit-sharing", desk.show, auth=Auth.TESTER),
        Endpoint("change_sharing", "POST", "/sim/profit-sharing", desk.change, _TERMS, auth=Auth.TESTER),
        Endpoint(
            "fail_sharing", "POST", "/sim/profit-sharing/failing", desk.fail, _FAILING, auth=Auth.TESTER
        ),
    )


ROOM = Room("profit_sharing", SCHEMA, _endpoints, tick=lambda office: ShareBooks(office).tick())
