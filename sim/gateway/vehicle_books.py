"""Plates, cars that are in, and their payments, as the gateway keeps them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from sim.gateway.messages import Json, Refusal
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.times import rfc3339

_AT_ONCE = 50

SCHEMA = """
CREATE TABLE IF NOT EXISTS vehicle_plate (
    plate TEXT NOT NULL,
    color TEXT NOT NULL,
    openid TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (plate, color)
) STRICT;
CREATE TABLE IF NOT EXISTS vehicle_parking (
    parking_id TEXT PRIMARY KEY,
    mchid TEXT NOT NULL,
    payee TEXT NOT NULL,
    parking_no TEXT NOT NULL,
    plate TEXT NOT NULL,
    color TEXT NOT NULL,
    form TEXT NOT NULL,
    asked TEXT NOT NULL,
    block_reason TEXT NOT NULL,
    is_over INTEGER NOT NULL,
    UNIQUE (mchid, payee, parking_no)
) STRICT;
CREATE INDEX IF NOT EXISTS vehicle_parking_in ON vehicle_parking (plate, color) WHERE is_over = 0;
CREATE TABLE IF NOT EXISTS vehicle_charge (
    order_id INTEGER PRIMARY KEY REFERENCES pay_order,
    openid TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    info TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    repaid TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS vehicle_charge_due ON vehicle_charge (due_at) WHERE state = 'ACCEPTED';
CREATE TABLE IF NOT EXISTS vehicle_delay (
    one INTEGER PRIMARY KEY CHECK (one = 1), delay_ms INTEGER NOT NULL
) STRICT;
"""

_STATES = {
    "SUCCESS": "支付成功",
    "ACCEPTED": "已接收，等待扣款",
    "PAY_FAIL": "支付失败，请重新下单支付",
    "REFUND": "转入退款",
}


class VehicleBooks:
    """What is known of cars; payments are orders like all others, so that they can be refunded and billed."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    @property
    def delay_ms(self) -> int:
        """How long a payment takes."""
        row = self._store.row("SELECT delay_ms FROM vehicle_delay")
        return 1_000 if row is None else int(row["delay_ms"])

    def plate(self, plate: str, color: str) -> sqlite3.Row | None:
        """Return whose plate that is and how its service stands, or None."""
        return self._store.row("SELECT * FROM vehicle_plate WHERE plate = ? AND color = ?", plate, color)

    def parking_of(self, mchid: str, payee: str, parking_no: str) -> sqlite3.Row | None:
        """Return a merchant's car by its own number, or None."""
        return self._store.row(
            "SELECT * FROM vehicle_parking WHERE mchid = ? AND payee = ? AND parking_no = ?",
            mchid, payee, parking_no,
        )  # fmt: skip

    def charge(self, order_id: int) -> sqlite3.Row | None:
        """Return a payment as it is now, or None for an order that is none."""
        row = self._store.row("SELECT * FROM vehicle_charge WHERE order_id = ?", order_id)
        if row is not None and row["state"] == "ACCEPTED" and self._office.now_ms() >= row["due_at"]:
            self._settle(order_id)
            row = self._store.row("SELECT * FROM vehicle_charge WHERE order_id = ?", order_id)
        return row

    def debts(self, openid: str) -> list[sqlite3.Row]:
        """Return an owner's payments that failed and were not made since."""
        return list(
            self._store.rows(
                "SELECT * FROM vehicle_charge WHERE openid = ? AND state = 'PAY_FAIL' AND repaid = 'N'",
                openid,
            )
        )

    def pay_debt(self, row: sqlite3.Row, order: Order) -> None:
        """Pay what failed; raise Refusal when the wallet cannot."""
        if not self._pay(row, order):
            raise Refusal(403, "NOT_ENOUGH", "用户账户余额不足")
        self._store.run(
            "UPDATE vehicle_charge SET state = 'SUCCESS', repaid = 'Y' WHERE order_id = ?", order.order_id
        )
        self._tell(order.order_id, "TRANSACTION.PAY_BACK")

    def tick(self) -> None:
        """Pay what is due."""
        for row in self._store.rows(
            "SELECT order_id FROM vehicle_charge WHERE state = 'ACCEPTED' AND due_at <= ? LIMIT ?",
            self._office.now_ms(), _AT_ONCE,
        ):  # fmt: skip
            self._settle(row["order_id"])

    def _settle(self, order_id: int) -> None:
        with self._store.work():
            row = self._store.row("SELECT * FROM vehicle_charge WHERE order_id = ?", order_id)
            if row is None or row["state"] != "ACCEPTED":
                return
            order = self._office.orders.by_id(order_id)
            paid = self._pay(row, order)
            if not paid:
                self._office.orders.keep(replace(order, state="PAYERROR"))
            state = "SUCCESS" if paid else "PAY_FAIL"
            self._store.run("UPDATE vehicle_charge SET state = ? WHERE order_id = ?", state, order_id)
            self._tell(order_id, "TRANSACTION.SUCCESS" if paid else "TRANSACTION.FAIL")

    def _pay(self, row: sqlite3.Row, order: Order) -> bool:
        wallet = self._office.wallets.by_openid(row["openid"])
        if wallet is None or wallet.balance_fen < order.charge.amount_fen:
            return False
        self._office.orders.pay(order, wallet)
        return True

    def _tell(self, order_id: int, event: str) -> None:
        row = self._store.row("SELECT * FROM vehicle_charge WHERE order_id = ?", order_id)
        assert row is not None
        order = self._office.orders.by_id(order_id)
        self._office.notices.tell(
            Notice(
                event,
                charge_json(row, order),
                row["notify_url"],
                _STATES[row["state"]],
                order_no=order.charge.order_no,
            )
        )


def block_reason(books: VehicleBooks, plate: str, color: str) -> str:
    """Return why a plate cannot be served now, "" when it can."""
    row = books.plate(plate, color)
    if row is None or row["state"] == "OUT_SERVICE":
        return "OUT_SERVICE"
    if books.debts(row["openid"]):
        return "OVERDUE"
    return "" if row["state"] == "NORMAL" else str(row["state"])


def parking_json(row: sqlite3.Row) -> Json:
    """Return a car that is in, as it is told when it comes."""
    asked = json.loads(row["asked"])
    names = (
        "out_parking_no",
        "plate_number",
        "plate_color",
        "start_time",
        "parking_name",
        "free_duration",
    )
    told: Json = {"id": row["parking_id"], **{name: asked[name] for name in names}}
    told["state"] = "BLOCKED" if row["block_reason"] else "NORMAL"
    return told | ({"block_reason": row["block_reason"]} if row["block_reason"] else {})


def charge_json(row: sqlite3.Row, order: Order) -> Json:
    """Return a payment as its call, its query and its callback tell it."""
    charge = order.charge
    state = "REFUND" if order.state == "REFUND" else row["state"]
    told: Json = {
        "appid": charge.appid,
        "sp_mchid": charge.mchid,
        "description": charge.description,
        "create_time": rfc3339(order.asked_at),
        "out_trade_no": charge.order_no,
        "trade_state": state,
        "trade_state_description": _STATES[state],
        "user_repaid": row["repaid"],
        "trade_scene": "PARKING",
        "parking_info": json.loads(row["info"]),
        "payer": {"openid": row["openid"]},
        "amount": {"total": charge.amount_fen, "currency": "CNY"},
    }
    told |= {
        name: value
        for name, value in (
            ("sub_mchid", charge.sub_mchid),
            ("sub_appid", charge.sub_appid),
            ("attach", charge.attach),
        )
        if value
    }
    if order.paid_at is not None:
        told["transaction_id"] = order.transaction_id
        told["success_time"] = rfc3339(order.paid_at)
        told["bank_type"] = "OTHERS"
        told["amount"] = {
            "total": charge.amount_fen,
            "currency": "CNY",
            "payer_total": charge.amount_fen,
            "discount_total": 0,
        }
    return told
