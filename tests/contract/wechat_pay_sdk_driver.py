"""The independent SDK wechatpayv3 in the words of the suite; nothing is done for it."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from typing import Any

from wechatpayv3 import WeChatPay, WeChatPayType

from tests.contract.wechat_pay_bench import SUB, SUB_APPID, TENANTS, Bench
from tests.contract.wechat_pay_words import FEN, Shared, Told, Turned, combine_no, subject_of
from tests.integration.sim_gateway_rig import NOTIFY_URL


class SdkDriver:
    """wechatpayv3, unmodified; partner: as a service provider."""

    def __init__(self, bench: Bench, partner: bool = False) -> None:
        who, self._bench = bench.who, bench
        by_key = bench.mode == "public_key"
        self.sdk: Any = WeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=who.mchid,
            private_key=who.merchant_key.read_text("ascii"),
            cert_serial_no=who.merchant_serial,
            appid=who.appid,
            apiv3_key=who.apiv3_key,
            notify_url=NOTIFY_URL,
            partner_mode=partner,
            proxy={"https": bench.proxy},
            timeout=(5, 20),
            public_key=who.platform_public_key.read_text("ascii") if by_key else None,
            public_key_id=who.public_key_id if by_key else None,
        )
        self.sub: dict[str, str] = {"sub_mchid": SUB} if partner else {}
        self._app: dict[str, str] = {"sub_appid": SUB_APPID} if partner else {}

    def ask(self, answer: tuple[int, Any]) -> Any:
        """Return what an answer says; raise Turned."""
        status, text = answer
        value = json.loads(text) if text else {}
        if status >= 400:
            raise Turned(value["code"])
        return value

    def jsapi(self, order_no: str, fen: int = FEN, share: bool = False) -> str:
        payer = {"sub_openid" if self.sub else "openid": self._bench.openid}
        made = self._pay(order_no, fen, share, payer=payer, pay_type=WeChatPayType.MINIPROG)
        return str(self.ask(made)["prepay_id"])

    def native(self, order_no: str) -> str:
        return str(self.ask(self._pay(order_no, pay_type=WeChatPayType.NATIVE))["code_url"])

    def params(self, prepay_id: str) -> dict[str, str]:
        appid = SUB_APPID if self.sub else self._bench.who.appid
        stamp, package = str(self._bench.clock() // 1000), f"prepay_id={prepay_id}"
        sign = self.sdk.sign([appid, stamp, "nonce1", package])
        return {
            "appId": appid,
            "timeStamp": stamp,
            "nonceStr": "nonce1",
            "package": package,
            "signType": "RSA",
            "paySign": sign,
        }

    def pay_by_code(self, order_no: str, code: str) -> Told:
        scene = {"store_info": {"id": "0001"}}
        words = {"AUTH_CODE_INVALID": "code_invalid", "NOT_ENOUGH": "not_enough"}
        try:
            return _told(
                self.ask(
                    self._pay(
                        order_no, payer={"auth_code": code}, scene_info=scene, pay_type=WeChatPayType.CODEPAY
                    )
                )
            )
        except Turned as turned:
            raise Turned(words.get(turned.word, turned.word)) from None

    def reverse(self, order_no: str) -> None:
        self.ask(self.sdk.codepay_reverse(order_no, **self.sub, **self._app))

    def close(self, order_no: str) -> None:
        self.ask(self.sdk.close(order_no, **self.sub))

    def query(self, order_no: str) -> Told:
        return self._find(lambda: self.sdk.query(out_trade_no=order_no, **self.sub))

    def query_by_id(self, transaction_id: str) -> Told:
        return self._find(lambda: self.sdk.query(transaction_id=transaction_id, **self.sub))

    def refund(self, order_no: str, refund_no: str, fen: int) -> Told:
        amount = {"refund": fen, "total": FEN, "currency": "CNY"}
        words = {"INVALID_REQUEST": "refused", "NOT_ENOUGH": "needs_funds"}
        try:
            made = self.ask(self.sdk.refund(refund_no, amount, out_trade_no=order_no, **self.sub))
        except Turned as turned:
            raise Turned(words.get(turned.word, turned.word)) from None
        return _refund_told(made)

    def query_refund(self, order_no: str, refund_no: str) -> Told:
        try:
            return _refund_told(self.ask(self.sdk.query_refund(refund_no, **self.sub)))
        except Turned as turned:
            if turned.word != "RESOURCE_NOT_EXISTS":
                raise
            return Told("absent")

    def combine_jsapi(self, number: str) -> str:
        payer = {"openid": self._bench.openid}
        made = self.sdk.combine_pay(number, self._parts(number), combine_payer_info=payer)
        return str(self.ask(made)["prepay_id"])

    def combine_native(self, number: str) -> str:
        made = self.sdk.combine_pay(number, self._parts(number), pay_type=WeChatPayType.NATIVE)
        return str(self.ask(made)["code_url"])

    def combine_query(self, number: str) -> tuple[Told, ...]:
        parts = self.ask(self.sdk.combine_query(number))["sub_orders"]
        return tuple(
            Told(_STATES[part["trade_state"]], part["amount"]["total_amount"], part["out_trade_no"])
            for part in parts
        )

    def combine_close(self, number: str) -> None:
        named = [{key: part[key] for key in ("mchid", "out_trade_no")} for part in self._parts(number)]
        self.ask(self.sdk.combine_close(number, named))

    def trade_bill(self, day: dt.date) -> dict[str, int]:
        rows = self._rows(self.sdk.trade_bill(day.isoformat()))
        return {row["商户订单号"] or "": round(float(row["订单金额"]) * 100) for row in rows}

    def fund_flow(self, day: dt.date) -> list[int]:
        rows = self._rows(self.sdk.fundflow_bill(day.isoformat()))
        return [
            round(float(row["收支金额(元)"]) * 100) * (1 if row["收支类型"] == "收入" else -1) for row in rows
        ]

    def certificates(self) -> set[str]:
        # They were fetched by the constructor; the SDK has no call that shows them.
        return {f"{one.serial_number:X}" for one in self.sdk._core._certificates}

    def read(self, headers: dict[str, str], body: bytes) -> tuple[str, str] | None:
        told = self.sdk.callback(headers, body)
        return (told["event_type"], subject_of(told["resource"])) if told else None

    def add_receiver(self, account: str, name: str) -> None:
        made = self.sdk.profitsharing_add_receiver("MERCHANT_ID", account, "STORE", name=name, **self.sub)
        assert self.ask(made)["account"] == account

    def remove_receiver(self, account: str) -> None:
        self.ask(self.sdk.profitsharing_delete_receiver("MERCHANT_ID", account, **self.sub))

    def share(self, transaction_id: str, number: str, account: str, fen: int) -> Shared:
        part = {"type": "MERCHANT_ID", "account": account, "amount": fen, "description": "佣金"}
        return _shared(
            self.ask(self.sdk.profitsharing_order(transaction_id, number, [part], False, **self.sub))
        )

    def query_share(self, transaction_id: str, number: str) -> Shared:
        return _shared(self.ask(self.sdk.profitsharing_order_query(transaction_id, number, **self.sub)))

    def unfreeze(self, transaction_id: str, number: str) -> Shared:
        return _shared(self.ask(self.sdk.profitsharing_unfreeze(transaction_id, number, "解冻", **self.sub)))

    def unshared(self, transaction_id: str) -> int:
        return int(self.ask(self.sdk.profitsharing_amount_query(transaction_id))["unsplit_amount"])

    def give_back(self, number: str, return_no: str, account: str, fen: int) -> str:
        made = self.sdk.profitsharing_return(return_no, account, fen, "退款", out_order_no=number, **self.sub)
        return str(self.ask(made)["result"])

    def query_return(self, number: str, return_no: str) -> str:
        return str(self.ask(self.sdk.profitsharing_return_query(number, return_no, **self.sub))["result"])

    def tell_points(self, transaction_id: str, points: int) -> None:
        at = dt.datetime.fromtimestamp(self._bench.clock() // 1000, dt.UTC).isoformat()
        self.ask(self.sdk.points_notify(transaction_id, self._bench.openid, True, points, at, **self.sub))

    def authorization(self) -> str:
        return str(self.ask(self.sdk.user_authorization(self._bench.openid))["authorize_state"])

    def _pay(self, order_no: str, fen: int = FEN, share: bool = False, **more: object) -> tuple[int, Any]:
        settle = {"settle_info": {"profit_sharing": True}} if share else {}
        amount = {"total": fen, "currency": "CNY"}
        answer: tuple[int, Any] = self.sdk.pay(
            description="南门店 sundries",
            out_trade_no=order_no,
            amount=amount,
            **settle,
            **more,
            **self.sub,
            **self._app,
        )
        return answer

    def _find(self, call: Callable[[], tuple[int, Any]]) -> Told:
        try:
            return _told(self.ask(call()))
        except Turned as turned:
            if turned.word != "ORDER_NOT_EXIST":
                raise
            return Told("absent")

    def _parts(self, number: str) -> list[dict[str, Any]]:
        return [
            {
                "mchid": mchid,
                "attach": "t",
                "amount": {"total_amount": FEN, "currency": "CNY"},
                "out_trade_no": combine_no(number, index),
                "description": "南门店",
            }
            for index, mchid in enumerate(TENANTS)
        ]

    def _rows(self, offered: tuple[int, Any]) -> list[dict[str, str]]:
        status, file = self.sdk.download_bill(self.ask(offered)["download_url"])
        assert status == 200
        head, *rows = gzip.decompress(file).decode("utf-8-sig").splitlines()
        names = head.split(",")
        found = [[field.strip("`") for field in row.split(",")] for row in rows if row.startswith("`")]
        return [dict(zip(names, row, strict=True)) for row in found if len(row) == len(names)]


_STATES = {
    "SUCCESS": "paid",
    "REFUND": "refunded",
    "NOTPAY": "pending",
    "USERPAYING": "pending",
    "CLOSED": "void",
    "REVOKED": "void",
    "PAYERROR": "declined",
}


def _told(value: dict[str, Any]) -> Told:
    fen = value["amount"]["total"] if "amount" in value else None
    return Told(_STATES[value["trade_state"]], fen, value.get("transaction_id", ""))


def _refund_told(value: dict[str, Any]) -> Told:
    words = {"SUCCESS": "done", "PROCESSING": "processing", "ABNORMAL": "abnormal", "CLOSED": "closed"}
    return Told(words[value["status"]], value["amount"]["refund"], value["refund_id"])


def _shared(value: dict[str, Any]) -> Shared:
    parts = tuple((part["account"], part["amount"], part["result"]) for part in value["receivers"])
    return Shared(value["state"] == "FINISHED", parts)
