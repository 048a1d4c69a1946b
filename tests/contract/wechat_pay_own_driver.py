"""The shipped client in the words of the suite."""

from __future__ import annotations

import datetime as dt
from typing import Any

from edge.gateways.wechat_pay.business_circle import PointsNotice
from edge.gateways.wechat_pay.callbacks import Notification, RefundNotice
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.combine import CombineOrder, CombinePart
from edge.gateways.wechat_pay.prepay import PrepayOrder
from edge.gateways.wechat_pay.profit_sharing import Receiver, ReceiverKind, Share
from edge.gateways.wechat_pay.settings import (
    WeChatPaySettings,
    load_merchant_serial,
    load_private_key,
    load_verifiers,
)
from edge.gateways.wechat_pay.transactions import CombinedTransaction, Transaction
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import (
    CodePayment,
    GatewayAnswer,
    PaymentDeclined,
    PaymentState,
    RefundAnswer,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
)
from tests.contract.wechat_pay_bench import SUB, SUB_APPID, TENANTS, Bench
from tests.contract.wechat_pay_words import FEN, Shared, Told, Turned, combine_no, subject_of
from tests.integration.sim_gateway_rig import NOTIFY_URL


class OwnDriver:
    """The shipped client."""

    def __init__(self, bench: Bench, partner: bool = False) -> None:
        who, self._bench = bench.who, bench
        keys = {who.public_key_id: who.platform_public_key} if bench.mode == "public_key" else {}
        self._settings = WeChatPaySettings(
            appid=who.appid,
            mchid=who.mchid,
            merchant_serial=load_merchant_serial(who.merchant_cert),
            private_key=load_private_key(who.merchant_key),
            verifiers=load_verifiers(keys),
            fetch_certificates=not keys,
            store_id="0001",
            base_url=bench.server.url,
            backup_url="",
            notify_url=NOTIFY_URL,
            refund_notify_url=NOTIFY_URL,
            api_v3_key=who.apiv3_key.encode(),
            sub_mchid=SUB if partner else "",
            sub_appid=SUB_APPID if partner else "",
        )
        self.client = WeChatPayGateway(
            self._settings, bench.clock, TimeOrderedIds(lambda: bench.clock.now().wall_at)
        )
        bench.at_end.callback(self.client.close)
        self._fetched = set(self.client.refresh_certificates()) if not keys else set()

    def jsapi(self, order_no: str, fen: int = FEN, share: bool = False) -> str:
        order = PrepayOrder(order_no, fen, "南门店 sundries", profit_sharing=share)
        return self.client.prepay.jsapi(order, self._bench.openid)

    def native(self, order_no: str) -> str:
        return self.client.prepay.native(PrepayOrder(order_no, FEN, "南门店 sundries"))

    def params(self, prepay_id: str) -> dict[str, str]:
        appid = self._settings.sub_appid or self._settings.appid
        return {"appId": appid, **self.client.prepay.payment(prepay_id).as_params()}

    def pay_by_code(self, order_no: str, code: str) -> Told:
        try:
            return _answer(self.client.pay_by_code(CodePayment(order_no, FEN, "sundries", code, "k1")))
        except PaymentDeclined as declined:
            raise Turned(declined.reason.value) from None

    def reverse(self, order_no: str) -> None:
        assert self.client.reverse(order_no).state is PaymentState.VOIDED

    def close(self, order_no: str) -> None:
        self.client.close_order(order_no)

    def query(self, order_no: str) -> Told:
        return _answer(self.client.query(order_no))

    def query_by_id(self, transaction_id: str) -> Told:
        found = self.client.prepay.transaction(transaction_id)
        if found is None:
            return Told("absent")
        return Told(_OWN_STATES[found.state], found.amount_fen, found.transaction_id or "")

    def refund(self, order_no: str, refund_no: str, fen: int) -> Told:
        try:
            return _refund_answer(self.client.refund(RefundRequest(order_no, refund_no, fen, FEN)))
        except RefundRefused:
            raise Turned("refused") from None
        except RefundNeedsFunds:
            raise Turned("needs_funds") from None

    def query_refund(self, order_no: str, refund_no: str) -> Told:
        return _refund_answer(self.client.query_refund(order_no, refund_no))

    def combine_jsapi(self, number: str) -> str:
        return self.client.combine.jsapi(_combined(number), self._bench.openid)

    def combine_native(self, number: str) -> str:
        return self.client.combine.native(_combined(number))

    def combine_query(self, number: str) -> tuple[Told, ...]:
        found = self.client.combine.query(number)
        assert found is not None
        return tuple(
            Told(_OWN_STATES[one.state], one.amount_fen, one.merchant_order_no)
            for one in (part.transaction for part in found.parts)
        )

    def combine_close(self, number: str) -> None:
        self.client.combine.close(_combined(number))

    def trade_bill(self, day: dt.date) -> dict[str, int]:
        return {row.merchant_order_no: row.amount_fen for row in self.client.trade_bill(day)}

    def fund_flow(self, day: dt.date) -> list[int]:
        return [row.amount_fen for row in self.client.fund_flow_bill(day)]

    def certificates(self) -> set[str]:
        return self._fetched

    def read(self, headers: dict[str, str], body: bytes) -> tuple[str, str] | None:
        found = self.client.callbacks.read(headers, body, self._bench.clock() // 1000)
        return (found.event_type, _own_subject(found)) if isinstance(found, Notification) else None

    def add_receiver(self, account: str, name: str) -> None:
        self.client.profit_sharing.add_receiver(Receiver(ReceiverKind.MERCHANT, account, name))

    def remove_receiver(self, account: str) -> None:
        self.client.profit_sharing.remove_receiver(ReceiverKind.MERCHANT, account)

    def share(self, transaction_id: str, number: str, account: str, fen: int) -> Shared:
        parts = (Share(ReceiverKind.MERCHANT, account, fen, "佣金"),)
        try:
            made = self.client.profit_sharing.share(transaction_id, number, parts, unfreeze_rest=False)
        except Refused as refused:
            raise Turned(refused.error.code) from None
        return _own_shared(made)

    def query_share(self, transaction_id: str, number: str) -> Shared:
        return _own_shared(self.client.profit_sharing.query(transaction_id, number))

    def unfreeze(self, transaction_id: str, number: str) -> Shared:
        return _own_shared(self.client.profit_sharing.unfreeze(transaction_id, number, "解冻"))

    def unshared(self, transaction_id: str) -> int:
        return self.client.profit_sharing.unshared_fen(transaction_id)

    def give_back(self, number: str, return_no: str, account: str, fen: int) -> str:
        made = self.client.profit_sharing.give_back(number, return_no, account, fen, "退款")
        return made.result.value

    def query_return(self, number: str, return_no: str) -> str:
        found = self.client.profit_sharing.query_return(number, return_no)
        assert found is not None
        return found.result.value

    def tell_points(self, transaction_id: str, points: int) -> None:
        notice = PointsNotice(transaction_id, self._bench.openid, True, points, self._bench.clock())
        self.client.business_circle.notify_points(notice)

    def authorization(self) -> str:
        return self.client.business_circle.authorization(self._bench.openid).state.value


_OWN_STATES = {
    PaymentState.APPROVED: "paid",
    PaymentState.REFUNDED: "refunded",
    PaymentState.PENDING: "pending",
    PaymentState.VOIDED: "void",
    PaymentState.DECLINED: "declined",
    PaymentState.ABSENT: "absent",
}


def _answer(answer: GatewayAnswer) -> Told:
    return Told(_OWN_STATES[answer.state], answer.amount_fen, answer.transaction_id or "")


def _refund_answer(answer: RefundAnswer) -> Told:
    return Told(answer.state.value, answer.amount_fen, answer.refund_id or "")


def _own_shared(sharing: Any) -> Shared:
    parts = tuple((part.account, part.amount_fen, part.result.value) for part in sharing.parts)
    return Shared(sharing.is_finished, parts)


def _own_subject(notice: Notification) -> str:
    content = notice.content
    if isinstance(content, RefundNotice):
        return content.merchant_refund_no
    if isinstance(content, CombinedTransaction):
        return content.combined_order_no
    if isinstance(content, Transaction):
        return content.merchant_order_no
    return subject_of(content)


def _combined(number: str) -> CombineOrder:
    parts = (
        CombinePart(mchid, combine_no(number, index), FEN, "南门店", "t")
        for index, mchid in enumerate(TENANTS)
    )
    return CombineOrder(number, tuple(parts))
