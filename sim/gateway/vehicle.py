"""Parking paid by plate (支付分停车): a car comes in, goes out, and its owner's wallet pays a moment later.

POST /sim/vehicle/plates    {plate_number, plate_color, openid, state: NORMAL | PAUSE | OUT_SERVICE |
                            EVALUATION_FAILED}: the owner opens, pauses or ends the service
POST /sim/vehicle/delay     {delay_ms}: how long a payment takes
POST /sim/vehicle/repay     {openid}: the owner pays what failed

What an owner's change means for the cars that are in is told to their notify_url.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from sim.gateway.endpoints import Auth, Call, Endpoint, Handler, Room
from sim.gateway.messages import Json, Refusal, Reply, json_reply, parameter_error
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Charge, Order
from sim.gateway.shapes import AMOUNT_FEN, TIME, Shape, child, number, text
from sim.gateway.terms import form_of
from sim.gateway.times import instant_ms, rfc3339
from sim.gateway.vehicle_books import (
    SCHEMA,
    VehicleBooks,
    block_reason,
    charge_json,
    parking_json,
)

_COLOR = Shape(True, pattern="BLUE|GREEN|YELLOW|BLACK|WHITE|LIMEGREEN")
_PLATE = Shape(True, pattern=r"[一-龥][0-9A-Z]{5,7}[一-龥]?")
_SUB = Shape(pattern=r"\d{8,10}")
_APPID = Shape(True, pattern=r"[0-9A-Za-z]{1,32}")
_OPENID = Shape(True, pattern=r"[0-9A-Za-z_\-]{1,128}")
_NOTIFY = Shape(True, pattern=r"https://[^\s?#]{1,240}")
_TIME = Shape(True, pattern=TIME.pattern)
_SECONDS = Shape(True, int, most=366 * 86_400)
_NUMBER = Shape(True, pattern=r"[0-9A-Za-z_\-|*@]{6,32}")


def _form(**fields: Shape) -> Shape:
    return Shape(True, dict, fields=fields)


_ENTER = _form(
    sub_mchid=_SUB,
    out_parking_no=Shape(True, pattern=r"[0-9A-Za-z_\-]{1,32}"),
    plate_number=_PLATE,
    plate_color=_COLOR,
    notify_url=_NOTIFY,
    start_time=_TIME,
    parking_name=Shape(True, pattern=r"[\s\S]{1,32}"),
    free_duration=_SECONDS,
)
_INFO = _form(
    parking_id=Shape(True, pattern=r"[0-9A-Za-z]{1,32}"),
    plate_number=_PLATE,
    plate_color=_COLOR,
    start_time=_TIME,
    end_time=_TIME,
    parking_name=Shape(True, pattern=r"[\s\S]{1,32}"),
    charging_duration=_SECONDS,
    device_id=Shape(True, pattern=r"[\s\S]{1,32}"),
)
_CHARGE = _form(
    appid=_APPID,
    sub_appid=Shape(pattern=_APPID.pattern),
    sub_mchid=_SUB,
    description=Shape(True, pattern=r"[\s\S]{1,128}"),
    attach=Shape(pattern=r"[\s\S]{1,128}"),
    out_trade_no=_NUMBER,
    trade_scene=Shape(True, pattern="PARKING"),
    goods_tag=Shape(pattern=r"[\s\S]{1,32}"),
    notify_url=_NOTIFY,
    profit_sharing=Shape(pattern="Y|N"),
    amount=_form(total=AMOUNT_FEN, currency=Shape(True, pattern="CNY")),
    parking_info=_INFO,
)
_SERVICE = _form(
    plate_number=_PLATE,
    plate_color=_COLOR,
    openid=_OPENID,
    state=Shape(True, pattern="NORMAL|PAUSE|OUT_SERVICE|EVALUATION_FAILED"),
)


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store
        self._books = VehicleBooks(office)

    def find(self, call: Call) -> Reply:
        """Tell whether a shopper opened the service for a plate."""
        self._payee(call)
        query = call.query
        row = self._books.plate(query["plate_number"], query["plate_color"])
        own = row is not None and row["openid"] == query["openid"]
        told: Json = {name: query[name] for name in ("plate_number", "plate_color", "openid")}
        told["service_state"] = "OUT_SERVICE"
        if row is not None and own:
            told["service_state"] = row["state"] if row["state"] in ("PAUSE", "OUT_SERVICE") else "NORMAL"
            told["service_open_time"] = rfc3339(row["opened_at"])
        return json_reply(200, told)

    def enter(self, call: Call) -> Reply:
        """Note that a car came in."""
        body, payee, form = call.body, self._payee(call), form_of(call.body)
        instant_ms(text(body, "start_time"), "/start_time")
        with self._store.work():
            known = self._books.parking_of(call.mchid, payee, text(body, "out_parking_no"))
            if known is not None and known["form"] != form:
                raise Refusal(400, "INVALID_REQUEST", "商户入场id重入时参数不一致", "268498688")
            if known is None:
                reason = block_reason(self._books, text(body, "plate_number"), text(body, "plate_color"))
                self._store.run(
                    "INSERT INTO vehicle_parking VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                    f"5K{self._office.digits(17)}", call.mchid, payee, text(body, "out_parking_no"),
                    text(body, "plate_number"), text(body, "plate_color"), form,
                    json.dumps(body, ensure_ascii=False), reason,
                )  # fmt: skip
                known = self._books.parking_of(call.mchid, payee, text(body, "out_parking_no"))
            assert known is not None
            return json_reply(200, parking_json(known))

    def charge(self, call: Call) -> Reply:
        """Take an order in; the owner's wallet pays it a moment later."""
        body, payee = call.body, self._payee(call)
        self._office.merchants.check_app(call.mchid, text(body, "appid"))
        charge = Charge(
            order_no=text(body, "out_trade_no"),
            amount_fen=number(child(body, "amount"), "total"),
            description=text(body, "description"),
            mchid=call.mchid,
            appid=text(body, "appid"),
            trade_type="PAP",
            sub_mchid=text(body, "sub_mchid"),
            sub_appid=text(body, "sub_appid"),
            device_id=text(child(body, "parking_info"), "device_id"),
            attach=text(body, "attach"),
            goods_tag=text(body, "goods_tag"),
            freeze=text(body, "profit_sharing") == "Y",
            form=form_of(body),
        )
        with self._store.work():
            known = self._office.orders.known(call.mchid, charge.order_no)
            if known is not None and known.charge.form != charge.form:
                raise Refusal(400, "INVALID_REQUEST", "商户订单号重入时参数不一致", "268498688")
            order = known or self._accept(call, charge, payee)
            return self._told(order)

    def query(self, call: Call) -> Reply:
        """Tell about an order."""
        payee = self._payee(call)
        order = self._office.orders.known(call.mchid, call.path["out_trade_no"])
        if order is None or order.charge.payee != payee or order.charge.trade_type != "PAP":
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", "268512771")
        return self._told(order)

    def serve(self, call: Call) -> Reply:
        """Open, pause or end the service of a plate; tell about the car if it is in."""
        body = call.body
        if self._office.wallets.by_openid(text(body, "openid")) is None:
            raise parameter_error("/openid", "无效的openid", text(body, "openid"))
        with self._store.work():
            self._store.run(
                "INSERT OR REPLACE INTO vehicle_plate VALUES (?, ?, ?, ?, ?)",
                text(body, "plate_number"), text(body, "plate_color"), text(body, "openid"),
                text(body, "state"), self._office.now_ms(),
            )  # fmt: skip
            self._review(text(body, "plate_number"), text(body, "plate_color"))
        return json_reply(200, body)

    def delay(self, call: Call) -> Reply:
        """Say how long payments take."""
        self._store.run("INSERT OR REPLACE INTO vehicle_delay VALUES (1, ?)", number(call.body, "delay_ms"))
        return json_reply(200, call.body)

    def repay(self, call: Call) -> Reply:
        """Have an owner pay what failed; raise Refusal when the wallet cannot."""
        openid = text(call.body, "openid")
        with self._store.work():
            for row in self._books.debts(openid):
                self._books.pay_debt(row, self._office.orders.by_id(row["order_id"]))
            for plate in self._store.rows("SELECT * FROM vehicle_plate WHERE openid = ?", openid):
                self._review(plate["plate"], plate["color"])
        return json_reply(200, call.body)

    def _accept(self, call: Call, charge: Charge, payee: str) -> Order:
        info = child(call.body, "parking_info")
        parking = self._store.row(
            "SELECT * FROM vehicle_parking WHERE parking_id = ?", text(info, "parking_id")
        )
        if parking is None or (parking["mchid"], parking["payee"]) != (call.mchid, payee):
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "停车入场信息不存在")
        _check_info(info, parking)
        row = self._books.plate(parking["plate"], parking["color"])
        if parking["block_reason"] or row is None:
            raise Refusal(403, "NO_AUTH", f"停车入场状态不可用: {parking['block_reason'] or 'OUT_SERVICE'}")
        order = self._office.orders.open(charge, "NOTPAY")
        self._store.run(
            "INSERT INTO vehicle_charge VALUES (?, ?, ?, ?, 'ACCEPTED', ?, 'N')",
            order.order_id, row["openid"], text(call.body, "notify_url"),
            json.dumps(info, ensure_ascii=False), self._office.now_ms() + self._books.delay_ms,
        )  # fmt: skip
        self._store.run("UPDATE vehicle_parking SET is_over = 1 WHERE parking_id = ?", parking["parking_id"])
        return order

    def _told(self, order: Order) -> Reply:
        row = self._books.charge(order.order_id)
        if row is None:
            raise Refusal(400, "OUT_TRADE_NO_USED", f"商户订单号重复: {order.charge.order_no}")
        return json_reply(200, charge_json(row, self._office.orders.by_id(order.order_id)))

    def _review(self, plate: str, color: str) -> None:
        """Tell about cars of that plate that are in and whose state has changed."""
        reason = block_reason(self._books, plate, color)
        for row in self._store.rows(
            "SELECT * FROM vehicle_parking WHERE plate = ? AND color = ? AND is_over = 0"
            " AND block_reason != ?",
            plate, color, reason,
        ):  # fmt: skip
            self._store.run(
                "UPDATE vehicle_parking SET block_reason = ? WHERE parking_id = ?", reason, row["parking_id"]
            )
            self._tell(row, reason)

    def _tell(self, row: sqlite3.Row, reason: str) -> None:
        asked = json.loads(row["asked"])
        sub = {"sub_mchid": asked["sub_mchid"]} if "sub_mchid" in asked else {}
        names = ("out_parking_no", "plate_number", "plate_color", "start_time", "parking_name")
        resource: Json = {
            "sp_mchid": row["mchid"],
            **sub,
            "parking_id": row["parking_id"],
            **{name: asked[name] for name in names},
            "free_duration": asked["free_duration"],
            "parking_state": "BLOCKED" if reason else "NORMAL",
            **({"blocked_state_description": reason} if reason else {}),
            "state_update_time": rfc3339(self._office.now_ms()),
        }
        self._office.notices.tell(
            Notice(
                "VEHICLE.ENTRANCE_STATE_CHANGE",
                resource,
                asked["notify_url"],
                "停车入场状态变更",
                original_type="parking",
                order_no=asked["out_parking_no"],
            )
        )

    def _payee(self, call: Call) -> str:
        given = {**call.query, **call.body}
        sub_mchid = str(given.get("sub_mchid", ""))
        if sub_mchid:
            self._office.merchants.check_sub(call.mchid, sub_mchid)
        return sub_mchid or call.mchid


def _check_info(info: Json, parking: sqlite3.Row) -> None:
    """Return when what is charged for is the car that came in; raise Refusal."""
    if parking["plate"] != text(info, "plate_number") or parking["color"] != text(info, "plate_color"):
        raise parameter_error("/parking_info/plate_number", "is not that of the car that came in")
    begins_at = instant_ms(text(info, "start_time"), "/parking_info/start_time")
    if instant_ms(text(info, "end_time"), "/parking_info/end_time") < begins_at:
        raise parameter_error("/parking_info/end_time", "is before start_time")
    if parking["is_over"]:
        raise Refusal(400, "INVALID_REQUEST", "该停车入场已发起过扣费")


def _switch(name: str, path: str, handler: Handler, body: Shape) -> Endpoint:
    return Endpoint(name, "POST", path, handler, body, auth=Auth.TESTER)


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk, base = _Desk(office), "/v3/vehicle"
    find = {
        "appid": _APPID,
        "plate_number": _PLATE,
        "plate_color": _COLOR,
        "openid": _OPENID,
        "sub_mchid": _SUB,
    }
    by_number = base + "/transactions/out-trade-no/{out_trade_no}"
    delay = _form(delay_ms=Shape(True, int, most=86_400_000))
    return (
        Endpoint("vehicle_find", "GET", base + "/parking/services/find", desk.find, query=find),
        Endpoint("vehicle_enter", "POST", base + "/parking/parkings", desk.enter, _ENTER),
        Endpoint("vehicle_charge", "POST", base + "/transactions/parking", desk.charge, _CHARGE),
        Endpoint("vehicle_query", "GET", by_number, desk.query, query={"sub_mchid": _SUB}),
        _switch("vehicle_plates", "/sim/vehicle/plates", desk.serve, _SERVICE),
        _switch("vehicle_delay", "/sim/vehicle/delay", desk.delay, delay),
        _switch("vehicle_repay", "/sim/vehicle/repay", desk.repay, _form(openid=_OPENID)),
    )


ROOM = Room("vehicle", SCHEMA, _endpoints, tick=lambda office: VehicleBooks(office).tick())
