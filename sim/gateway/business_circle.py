"""The mall as a business circle (智慧商圈): consents, payments at its shops, points that they earned, cars.

    GET  /sim/circle                what is known; POST {mchid?, notify_url?, automatic?: always | present}
    POST /sim/circle/shops          {mchid, merchant_name, shop_name, shop_number}
    POST /sim/circle/consents       {openid, action: register | authorize | deauthorize}
    POST /sim/circle/commits        {transaction_id}: the shopper asks for points by hand

A shopper's consent, a payment at a shop and its refund are told by callback to notify_url. With automatic
"present" payments are told only while the shopper's car is in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Json, Refusal, Reply, json_reply, parameter_error
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.refund_books import Refund
from sim.gateway.shapes import TIME, URL, Shape, number, text
from sim.gateway.times import CST, instant_ms, rfc3339

REFUND_WATCH_MS = 30 * 86_400_000
_MOST = 1 << 40

SCHEMA = """
CREATE TABLE IF NOT EXISTS circle (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    mchid TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    automatic TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS circle_shop (
    mchid TEXT PRIMARY KEY,
    merchant_name TEXT NOT NULL,
    shop_name TEXT NOT NULL,
    shop_number TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS circle_consent (
    openid TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    state TEXT NOT NULL,
    authorized_at INTEGER,
    deauthorized_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS circle_payment (
    transaction_id TEXT PRIMARY KEY,
    openid TEXT NOT NULL,
    paid_at INTEGER NOT NULL,
    earned INTEGER,
    points INTEGER NOT NULL DEFAULT 0,
    total INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS circle_payment_of ON circle_payment (openid, paid_at);
CREATE TABLE IF NOT EXISTS circle_car (
    openid TEXT NOT NULL,
    plate TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (openid, plate)
) STRICT;
"""

_TIME = Shape(True, pattern=TIME.pattern.replace(r"(\+", r"(\.\d{1,6})?(\+"))
_APPID = Shape(True, pattern=r"[0-9A-Za-z]{1,32}")
_OPENID = Shape(True, pattern=r"[0-9A-Za-z_\-]{1,128}")
_SUB = Shape(pattern=r"\d{8,10}")
_PLATE = Shape(True, pattern=r"[一-龥][0-9A-Z]{5,7}[一-龥]?")
_POINTS = Shape(
    True,
    dict,
    fields={
        "sub_mchid": _SUB,
        "transaction_id": Shape(True, pattern=r"\d{1,32}"),
        "appid": _APPID,
        "openid": _OPENID,
        "earn_points": Shape(True, bool),
        "increased_points": Shape(True, int, most=_MOST),
        "points_update_time": _TIME,
        "no_points_remarks": Shape(pattern=r"[\s\S]{1,128}"),
        "total_points": Shape(kind=int, most=_MOST),
    },
)
_PARKING = Shape(
    True,
    dict,
    fields={
        "sub_mchid": _SUB,
        "brandid": Shape(True, int, least=1),
        "appid": _APPID,
        "openid": _OPENID,
        "plate_number": _PLATE,
        "state": Shape(True, pattern="IN|OUT"),
        "time": _TIME,
    },
)
_NAME = Shape(True, pattern=r"[\s\S]{1,64}")
_MCHID = Shape(True, pattern=r"\d{8,10}")


def _form(**fields: Shape) -> Shape:
    return Shape(True, dict, fields=fields)


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store
        office.orders.when_paid(self._see_payment)
        office.refunds.when_ended(self._see_refund)

    def points(self, call: Call) -> Reply:
        """Take what a payment earned; told again, the last word counts."""
        self._check(call)
        openid, transaction_id = text(call.body, "openid"), text(call.body, "transaction_id")
        told = self._store.row("SELECT openid FROM circle_payment WHERE transaction_id = ?", transaction_id)
        if told is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "该订单不是推送过的商圈订单")
        if told["openid"] != openid:
            raise parameter_error("/openid", "is not the one that paid", openid)
        instant_ms(text(call.body, "points_update_time"), "/points_update_time")
        self._store.run(
            "UPDATE circle_payment SET earned = ?, points = ?, total = ? WHERE transaction_id = ?",
            int(call.body["earn_points"] is True), number(call.body, "increased_points"),
            number(call.body, "total_points") if "total_points" in call.body else None, transaction_id,
        )  # fmt: skip
        return Reply(204)

    def authorization(self, call: Call) -> Reply:
        """Tell a shopper's consent."""
        self._check(call)
        openid = self._known(call.path["openid"])
        row = self._store.row("SELECT * FROM circle_consent WHERE openid = ?", openid)
        told: Json = {"openid": openid, "authorize_state": row["state"] if row else "UNAUTHORIZED"}
        for name, at in (("authorize_time", "authorized_at"), ("deauthorize_time", "deauthorized_at")):
            if row is not None and row[at] is not None:
                told[name] = rfc3339(row[at])
        return json_reply(200, told)

    def commit_status(self, call: Call) -> Reply:
        """Tell whether payments of today still wait for their points."""
        self._check(call)
        openid = self._known(call.path["openid"])
        if self._state_of(openid) != "AUTHORIZED":
            raise Refusal(403, "NO_AUTH", "用户未授权商圈会员积分服务")
        now = dt.datetime.fromtimestamp(self._office.now_ms() / 1000, CST)
        midnight = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        waiting = self._store.number(
            "SELECT count(*) FROM circle_payment WHERE openid = ? AND paid_at >= ? AND earned IS NULL",
            openid, midnight,
        )  # fmt: skip
        return json_reply(200, {"points_commit_status": "PENDING" if waiting else "FINISHED"})

    def parking(self, call: Call) -> Reply:
        """Note where a car is; what happened before something that is known already changes nothing."""
        self._check(call)
        openid = self._known(text(call.body, "openid"))
        at = instant_ms(text(call.body, "time"), "/time")
        self._store.run(
            "INSERT INTO circle_car VALUES (?, ?, ?, ?) ON CONFLICT (openid, plate) DO UPDATE"
            " SET state = excluded.state, at = excluded.at WHERE excluded.at >= circle_car.at",
            openid, text(call.body, "plate_number"), text(call.body, "state"), at,
        )  # fmt: skip
        return Reply(204)

    def show(self, _: Call) -> Reply:
        """Tell all that is known."""
        listed = {
            name: [dict(row) for row in self._store.rows(f"SELECT * FROM circle_{name} LIMIT 1000")]
            for name in ("shop", "consent", "payment", "car")
        }
        mchid, notify_url, automatic = self._circle()
        return json_reply(200, {"mchid": mchid, "notify_url": notify_url, "automatic": automatic, **listed})

    def change(self, call: Call) -> Reply:
        """Say whose the circle is and where it is told."""
        given = tuple(
            text(call.body, name) or known
            for name, known in zip(("mchid", "notify_url", "automatic"), self._circle(), strict=True)
        )
        self._store.run("INSERT OR REPLACE INTO circle VALUES (1, ?, ?, ?)", *given)
        return self.show(call)

    def shop(self, call: Call) -> Reply:
        """Add a shop."""
        body = call.body
        self._store.run(
            "INSERT OR REPLACE INTO circle_shop VALUES (?, ?, ?, ?)",
            text(body, "mchid"), text(body, "merchant_name"), text(body, "shop_name"),
            text(body, "shop_number"),
        )  # fmt: skip
        return self.show(call)

    def consent(self, call: Call) -> Reply:
        """Have a shopper register, give the consent or take it back."""
        openid, action = self._known(text(call.body, "openid")), text(call.body, "action")
        now = self._office.now_ms()
        row = self._store.row("SELECT * FROM circle_consent WHERE openid = ?", openid)
        code = row["code"] if row else self._office.digits(12)
        authorized_at = now if action == "authorize" else row["authorized_at"] if row else None
        state = {"authorize": "AUTHORIZED", "deauthorize": "DEAUTHORIZED"}.get(action, "UNAUTHORIZED")
        with self._store.work():
            self._store.run(
                "INSERT OR REPLACE INTO circle_consent VALUES (?, ?, ?, ?, ?)",
                openid, code, state, authorized_at, now if action == "deauthorize" else None,
            )  # fmt: skip
            if action != "deauthorize":
                self._tell_consent(openid, code, action)
        return self.show(call)

    def commit(self, call: Call) -> Reply:
        """Have a shopper ask for the points of a payment by hand."""
        order = self._office.orders.by_transaction(text(call.body, "transaction_id"))
        if not self._counts(order):
            raise Refusal(400, "INVALID_REQUEST", "not a payment of a shopper with consent at a shop")
        self._tell_payment(order, {"commit_tag": "Y"})
        return self.show(call)

    def _circle(self) -> tuple[str, str, str]:
        row = self._store.row("SELECT * FROM circle")
        if row is None:
            return self._office.credentials.mchid, "", "always"
        return row["mchid"], row["notify_url"], row["automatic"]

    def _check(self, call: Call) -> None:
        """Return when the signer owns the app and the circle; raise Refusal."""
        given = {**call.query, **call.body}
        self._office.merchants.check_app(call.mchid, str(given["appid"]))
        sub_mchid = str(given.get("sub_mchid", ""))
        if sub_mchid:
            self._office.merchants.check_sub(call.mchid, sub_mchid)
        if (sub_mchid or call.mchid) != self._circle()[0]:
            raise Refusal(403, "NO_AUTH", "商户未开通智慧商圈")

    def _known(self, openid: str) -> str:
        if self._office.wallets.by_openid(openid) is None:
            raise parameter_error("/openid", "无效的openid", openid)
        return openid

    def _state_of(self, openid: str) -> str:
        row = self._store.row("SELECT state FROM circle_consent WHERE openid = ?", openid)
        return str(row["state"]) if row else "UNAUTHORIZED"

    def _counts(self, order: Order) -> bool:
        shop = self._store.row("SELECT 1 FROM circle_shop WHERE mchid = ?", order.charge.payee)
        return shop is not None and self._state_of(order.openid) == "AUTHORIZED"

    def _is_here(self, openid: str) -> bool:
        return bool(
            self._store.number("SELECT count(*) FROM circle_car WHERE openid = ? AND state = 'IN'", openid)
        )

    def _see_payment(self, order: Order) -> None:
        if self._counts(order) and (self._circle()[2] == "always" or self._is_here(order.openid)):
            self._tell_payment(order, {})

    def _tell_payment(self, order: Order, more: Json) -> None:
        assert order.paid_at is not None
        self._store.run(
            "INSERT OR IGNORE INTO circle_payment (transaction_id, openid, paid_at) VALUES (?, ?, ?)",
            order.transaction_id, order.openid, order.paid_at,
        )  # fmt: skip
        told = self._about(order) | {
            "time_end": rfc3339(order.paid_at),
            "amount": order.charge.amount_fen,
            **more,
        }
        self._tell("MALL_TRANSACTION.SUCCESS", "商圈支付成功", told, order.charge.order_no)

    def _see_refund(self, refund: Refund, order: Order) -> None:
        row = self._store.row(
            "SELECT earned, paid_at FROM circle_payment WHERE transaction_id = ?", order.transaction_id
        )
        watched = row is not None and row["earned"] is not None
        if refund.status != "SUCCESS" or not watched or row is None:
            return
        if self._office.now_ms() > row["paid_at"] + REFUND_WATCH_MS:
            return
        told = self._about(order) | {
            "refund_time": rfc3339(refund.success_at or self._office.now_ms()),
            "pay_amount": order.charge.amount_fen,
            "refund_amount": refund.amount_fen,
            "refund_id": refund.refund_id,
        }
        self._tell("MALL_REFUND.SUCCESS", "商圈退款成功", told, order.charge.order_no)

    def _about(self, order: Order) -> Json:
        shop = self._store.row("SELECT * FROM circle_shop WHERE mchid = ?", order.charge.payee)
        names = ("merchant_name", "shop_name", "shop_number")
        return {
            "mchid": order.charge.payee,
            **({name: shop[name] for name in names} if shop else {}),
            "appid": self._office.credentials.appid,
            "openid": order.openid,
            "transaction_id": order.transaction_id,
        }

    def _tell_consent(self, openid: str, code: str, action: str) -> None:
        mode = "REGISTERED_AND_AUTHORIZATION_MODE" if action == "authorize" else "REGISTERED_MODE"
        told: Json = {"mchid": self._circle()[0], "openid": openid, "code": code, "auth_type": mode}
        self._tell("MALL_AUTH.ACTIVATE_CARD", "商圈会员积分服务授权", told, "", "authorization")

    def _tell(
        self, event: str, summary: str, resource: Json, order_no: str, schedule: str = "payment"
    ) -> None:
        self._office.notices.tell(
            Notice(event, resource, self._circle()[1], summary, "mall", order_no, schedule)
        )


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk, base = _Desk(office), "/v3/businesscircle"
    who = {"appid": _APPID, "sub_mchid": _SUB}
    status = {"brandid": Shape(True, pattern=r"\d{1,19}"), **who}
    change = _form(mchid=_SUB, notify_url=URL, automatic=Shape(pattern="always|present"))
    shop = _form(mchid=_MCHID, merchant_name=_NAME, shop_name=_NAME, shop_number=_NAME)
    consent = _form(openid=_OPENID, action=Shape(True, pattern="register|authorize|deauthorize"))
    commit = _form(transaction_id=Shape(True))
    tester, sim = Auth.TESTER, "/sim/circle"
    return (
        Endpoint("points", "POST", base + "/points/notify", desk.points, _POINTS),
        Endpoint(
            "authorization", "GET", base + "/user-authorizations/{openid}", desk.authorization, query=who
        ),
        Endpoint(
            "commit_status",
            "GET",
            base + "/users/{openid}/points/commit_status",
            desk.commit_status,
            query=status,
        ),
        Endpoint("circle_parking", "POST", base + "/parkings", desk.parking, _PARKING),
        Endpoint("circle", "GET", sim, desk.show, auth=tester),
        Endpoint("change_circle", "POST", sim, desk.change, change, auth=tester),
        Endpoint("circle_shop", "POST", sim + "/shops", desk.shop, shop, auth=tester),
        Endpoint("circle_consent", "POST", sim + "/consents", desk.consent, consent, auth=tester),
        Endpoint("circle_commit", "POST", sim + "/commits", desk.commit, commit, auth=tester),
    )


ROOM = Room("business_circle", SCHEMA, _endpoints)
