"""Profit sharing (分账): a part of a payment goes on to others, e.g. the mall's commission.

Source: pay.weixin.qq.com, profitsharing: receivers, orders, unfreeze, return-orders, transactions/amounts.
FINISHED means that nothing is being worked on, not that everybody got their share: look at each part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote

from edge.errors import Invalid, Unavailable
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.answers import Json, bill_safe
from edge.gateways.wechat_pay.channel import Channel, Refused, unsure, useless
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.sealing import encrypt_field
from edge.gateways.wechat_pay.wire import Call
from edge.money import MAX_FEN

_PATH = "/v3/profitsharing"
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
_MOST_RECEIVERS = 50
_MAX_DESCRIPTION_BYTES = 80
Found = TypeVar("Found")


class ReceiverKind(StrEnum):
    """Who receives a share: a merchant number, or a person by openid at our or the sub-merchant's appid."""

    MERCHANT = "MERCHANT_ID"
    PERSON = "PERSONAL_OPENID"
    SUB_PERSON = "PERSONAL_SUB_OPENID"


class ShareResult(StrEnum):
    """What became of one share or return."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    CLOSED = "CLOSED"
    PROCESSING = "PROCESSING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who may receive shares. name: of the merchant or person; travels encrypted, in no repr.

    relation: the gateway's word, e.g. STORE, STAFF, PARTNER, HEADQUARTER; CUSTOM needs custom_relation.
    """

    kind: ReceiverKind
    account: str
    name: str = ""
    relation: str = "STORE"
    custom_relation: str = ""

    def __repr__(self) -> str:
        """Leave out the name."""
        return f"Receiver({self.kind}, {self.account})"


@dataclass(frozen=True, slots=True)
class Share:
    """One share of a payment; description is seen in the receiver's bill."""

    kind: ReceiverKind
    account: str
    amount_fen: int
    description: str


@dataclass(frozen=True, slots=True)
class SharedPart:
    """What became of one share. finished_at: Unix milliseconds. why: the gateway's reason when CLOSED."""

    account: str
    amount_fen: int
    result: ShareResult
    why: str
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class Sharing:
    """A request to share, and its parts. is_finished: nothing is being worked on any more."""

    sharing_no: str
    transaction_id: str
    order_id: str
    is_finished: bool
    parts: tuple[SharedPart, ...]


@dataclass(frozen=True, slots=True)
class ShareReturn:
    """A share that its receiver, a merchant, gives back, e.g. before the order is refunded."""

    sharing_no: str
    return_no: str
    merchant: str
    amount_fen: int
    result: ShareResult
    why: str


class ProfitSharing:
    """Shares payments that were made with profit_sharing. All calls may be repeated under their numbers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def add_receiver(self, receiver: Receiver) -> None:
        """Allow somebody to receive shares; raises Refused, Unavailable."""
        value: dict[str, object] = self._who() | {
            "type": receiver.kind.value,
            "account": receiver.account,
            "relation_type": receiver.relation,
        }
        if receiver.name:
            value["name"] = self._hidden(receiver.name)
        if receiver.custom_relation:
            value["custom_relation"] = receiver.custom_relation
        self._channel.ask(
            self._channel.post("add receiver", receiver.account, f"{_PATH}/receivers/add", value)
        )

    def remove_receiver(self, kind: ReceiverKind, account: str) -> None:
        """Take that back; raises Refused, Unavailable."""
        value = self._who() | {"type": kind.value, "account": account}
        self._channel.ask(self._channel.post("remove receiver", account, f"{_PATH}/receivers/delete", value))

    def share(
        self, transaction_id: str, sharing_no: str, shares: tuple[Share, ...], *, unfreeze_rest: bool
    ) -> Sharing:
        """Share a payment, a minute after it or later, 30 days at most; the rest stays frozen unless told.

        sharing_no: ours; a retry carries the same one. Raises Invalid before sending, Refused (surely not
        done), Unavailable (surely not taken in) or OutcomeUnknown (query, or send the same again).
        """
        if not 0 < len(shares) <= _MOST_RECEIVERS:
            raise Invalid(f"sharing {sharing_no}: 1-{_MOST_RECEIVERS} receivers, not {len(shares)}")
        value = self._who() | {
            "transaction_id": transaction_id,
            "out_order_no": _check(sharing_no),
            "receivers": [_share(share) for share in shares],
            "unfreeze_unsplit": unfreeze_rest,
        }
        call = self._channel.post("share", sharing_no, f"{_PATH}/orders", value)
        return self._act(call, _sharing, lambda: self.query(transaction_id, sharing_no))

    def query(self, transaction_id: str, sharing_no: str) -> Sharing | None:
        """Return what became of a request to share, None when there is none; raises Unavailable."""
        path = f"{_PATH}/orders/{quote(_check(sharing_no), safe='*')}"
        query = {"transaction_id": transaction_id} | self._channel.who.sub_merchant()
        return self._find(self._channel.get("share query", sharing_no, path, query), _sharing)

    def unfreeze(self, transaction_id: str, sharing_no: str, description: str) -> Sharing:
        """Give what is left of a payment to its merchant; raises as share does."""
        value = self._channel.who.sub_merchant() | {
            "transaction_id": transaction_id,
            "out_order_no": _check(sharing_no),
            "description": bill_safe(description, _MAX_DESCRIPTION_BYTES),
        }
        call = self._channel.post("unfreeze", sharing_no, f"{_PATH}/orders/unfreeze", value)
        return self._act(call, _sharing, lambda: self.query(transaction_id, sharing_no))

    def give_back(
        self, sharing_no: str, return_no: str, merchant: str, amount_fen: int, description: str
    ) -> ShareReturn:
        """Take a share back from a merchant, within 180 days; raises as share does."""
        value = self._channel.who.sub_merchant() | {
            "out_order_no": _check(sharing_no),
            "out_return_no": _check(return_no),
            "return_mchid": merchant,
            "amount": _check_fen(return_no, amount_fen),
            "description": bill_safe(description, _MAX_DESCRIPTION_BYTES),
        }
        call = self._channel.post("share return", return_no, f"{_PATH}/return-orders", value)
        return self._act(call, _return, lambda: self.query_return(sharing_no, return_no))

    def query_return(self, sharing_no: str, return_no: str) -> ShareReturn | None:
        """Return what became of a return, None when there is none; raises Unavailable."""
        path = f"{_PATH}/return-orders/{quote(_check(return_no), safe='*')}"
        query = {"out_order_no": _check(sharing_no)} | self._channel.who.sub_merchant()
        return self._find(self._channel.get("share return query", return_no, path, query), _return)

    def unshared_fen(self, transaction_id: str) -> int:
        """Return what may still be shared of a payment; raises Refused, Unavailable."""
        path = f"{_PATH}/transactions/{quote(transaction_id, safe='')}/amounts"
        call = self._channel.get("share amounts", transaction_id, path)
        try:
            return self._channel.ask(call).need_fen("unsplit_amount")
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None

    def _act(self, call: Call, read: Callable[[Fields], Found], again: Callable[[], Found | None]) -> Found:
        """INVALID_REQUEST also means "the same number came with other figures": what exists is returned."""
        try:
            return read(self._channel.act(call))
        except Unreadable as unreadable:
            raise unsure(call, str(unreadable)) from None
        except Refused as refusal:
            if refusal.error.code != "INVALID_REQUEST":
                raise
            refused = refusal
        try:
            found = again()
        except Unavailable as unavailable:
            raise unsure(call, f"{refused.error}, and {unavailable}") from None
        if found is None:
            raise refused
        return found

    def _find(self, call: Call, read: Callable[[Fields], Found]) -> Found | None:
        try:
            return read(self._channel.ask(call))
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        except Refused as refusal:
            if refusal.error.is_absent:
                return None
            raise useless(call, Unreadable(str(refusal.error))) from None

    def _who(self) -> dict[str, object]:
        who = self._channel.who
        own = {"sub_appid": who.sub_appid} if who.sub_appid else {}
        return {"appid": who.appid, **own, **who.sub_merchant()}

    def _hidden(self, text: str) -> str:
        wire = self._channel.wire
        preferred = wire.keys.preferred(wire.now_s())
        if preferred is None:
            raise Unavailable("WeChat Pay: no platform key is known yet to encrypt a name with; try again")
        return encrypt_field(preferred[1], text)


def _share(share: Share) -> Json:
    return {
        "type": share.kind.value,
        "account": share.account,
        "amount": _check_fen(share.account, share.amount_fen),
        "description": bill_safe(share.description, _MAX_DESCRIPTION_BYTES),
    }


def _sharing(fields: Fields) -> Sharing:
    state = fields.need_text("state", 32)
    if state not in ("PROCESSING", "FINISHED"):
        raise Unreadable("the answer's state is unknown to this version")
    return Sharing(
        sharing_no=fields.need_text("out_order_no", 64),
        transaction_id=fields.need_text("transaction_id", 64),
        order_id=fields.need_text("order_id", 64),
        is_finished=state == "FINISHED",
        parts=tuple(_part(view) for view in fields.each("receivers", 2 * _MOST_RECEIVERS)),
    )


def _part(view: Fields) -> SharedPart:
    return SharedPart(
        account=view.need_text("account", 64),
        amount_fen=view.need_fen("amount"),
        result=_result(view),
        why=view.text("fail_reason", 64) or "",
        finished_at=view.instant("finish_time"),
    )


def _return(fields: Fields) -> ShareReturn:
    return ShareReturn(
        sharing_no=fields.need_text("out_order_no", 64),
        return_no=fields.need_text("out_return_no", 64),
        merchant=fields.need_text("return_mchid", 32),
        amount_fen=fields.need_fen("amount"),
        result=_result(fields),
        why=fields.text("fail_reason", 64) or "",
    )


def _result(view: Fields) -> ShareResult:
    try:
        return ShareResult(view.need_text("result", 32))
    except ValueError:
        raise Unreadable("the answer's result is unknown to this version") from None


def _check(number: str) -> str:
    if not _NUMBER.fullmatch(number):
        raise Invalid(f"{number!r} is not a sharing number; use 1-64 of 0-9 A-Z a-z _ - | * @")
    return number


def _check_fen(what: str, amount_fen: int) -> int:
    if not 0 < amount_fen <= MAX_FEN:
        raise Invalid(f"{what}: cannot share {amount_fen} fen")
    return amount_fen
