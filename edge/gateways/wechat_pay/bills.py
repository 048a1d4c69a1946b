"""Trade and fund-flow bills: asked for, downloaded to disk, checked as a whole, then read row by row.

Source: pay.weixin.qq.com, bill/tradebill, bill/fundflowbill, billdownload/file. The answer that names the
file is signed; the file is not, so its SHA-1 (of the uncompressed bytes) stands for it.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

from edge.errors import Corrupt, Unavailable
from edge.gateways.line import Call, NoAnswer, NotSent, Unreadable
from edge.gateways.wechat_pay.bill_table import (
    BillForm,
    BillTable,
    Total,
    parse_fee_fen,
    parse_fen,
    parse_time,
)
from edge.gateways.wechat_pay.channel import Channel, Refused, useless
from edge.retail.bill import BillKind, BillRow
from edge.services.payment_ports import BillNotReady

Row = TypeVar("Row")

_NOT_READY = frozenset({"NO_STATEMENT_EXIST", "STATEMENT_CREATING", "NO_BILL_EXIST"})
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_FILE_BYTES = 256 << 20
_MAX_BILL_BYTES = 1 << 30
_CHUNK = 1 << 16
_LINE_LIMIT = 64 * 1024
_SHA1 = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)

_TRADE = BillForm(
    first_total="总交易单数",
    loose=("商品名称", "商户数据包"),
    totals={
        "应结订单总金额": Total("应结订单金额"),
        "退款总金额": Total("退款金额"),
        "充值券退款总金额": Total("充值券退款金额"),
        "手续费总金额": Total("手续费"),
        "订单总金额": Total("订单金额"),
        "申请退款总金额": Total("申请退款金额"),
    },
)
_FUND_FLOW = BillForm(
    first_total="资金流水总笔数",
    loose=("备注",),
    totals={
        "收入金额": Total("收支金额(元)", "收支类型", "收入"),
        "支出金额": Total("收支金额(元)", "收支类型", "支出"),
    },
)


class Account(StrEnum):
    """Which of the merchant's accounts a fund-flow bill is about: current, operating, or fees."""

    BASIC = "BASIC"
    OPERATION = "OPERATION"
    FEES = "FEES"


@dataclass(frozen=True, slots=True)
class FundFlow:
    """One booking in the merchant's account.

    business_id: of the payment or refund it belongs to. flow_id: of the booking. amount_fen: positive
    when money came in. balance_fen: afterwards. happened_at: Unix milliseconds. voucher: our number.
    """

    happened_at: int
    business_id: str
    flow_id: str
    business: str
    kind: str
    amount_fen: int
    balance_fen: int
    applicant: str
    note: str
    voucher: str


class Bills:
    """The bills of one merchant."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Return the rows of one day's payments and refunds; see the port BillSource.

        When it returns, hash, totals and every row were checked; rows are then read again from disk.
        """
        query = {"bill_date": day.isoformat(), "bill_type": "ALL", "tar_type": "GZIP"}
        return self._rows("trade bill", "/v3/bill/tradebill", query, _TRADE, _trade_reader)

    def fund_flow_bill(self, day: date, account: Account = Account.BASIC) -> Iterator[FundFlow]:
        """Return one day's bookings in an account; the same rules as trade_bill."""
        query = {"bill_date": day.isoformat(), "account_type": account.value, "tar_type": "GZIP"}
        return self._rows("fund flow bill", "/v3/bill/fundflowbill", query, _FUND_FLOW, _flow_reader)

    def _rows(
        self,
        name: str,
        path: str,
        query: dict[str, str],
        form: BillForm,
        reader: Callable[[BillTable], Callable[[Sequence[str]], Row]],
    ) -> Iterator[Row]:
        day = query["bill_date"]
        partner = self._channel.who.sub_merchant() if form is _TRADE else {}
        call = self._channel.get(name, day, path, query | partner)
        token_target, sha1 = self._order(call)
        file = self._spool(name)
        with ExitStack() as unless_good:
            unless_good.enter_context(file)
            self._download(Call(f"{name} file", day, "GET", token_target, b"", call.read_s, True), file)
            _check_hash(file, sha1, f"{name} of {day}")
            for _ in _read(file, form, reader):
                pass
            unless_good.pop_all()
        return _read(file, form, reader, close=True)

    def _spool(self, name: str) -> BinaryIO:
        folder = self._channel.settings.spool_dir
        try:
            return cast(BinaryIO, tempfile.TemporaryFile(dir=folder))
        except OSError as error:
            raise Unavailable(f"the {name} cannot be stored in {folder}: {error.strerror}") from None

    def _order(self, call: Call) -> tuple[str, str]:
        """Have the bill made; return the file's path with query, and its SHA-1."""
        try:
            fields = self._channel.ask(call)
        except Refused as refusal:
            if refusal.error.code in _NOT_READY:
                raise BillNotReady(
                    f"WeChat Pay has no {call.name} of {call.subject}: it is made at 10:00 of the next day, "
                    "and none is made of a day without payments"
                ) from None
            raise Unavailable(f"{refusal}; correct it, then fetch the bill again") from None
        try:
            kind, sha1 = fields.need_text("hash_type"), fields.need_text("hash_value")
            url = urlsplit(fields.need_text("download_url", 2048))
            if kind != "SHA1" or not _SHA1.fullmatch(sha1):
                raise Unreadable("the answer's hash is not a SHA1")
            if not url.path.startswith("/v3/"):
                raise Unreadable("the answer's download_url is not one of the gateway")
        except (Unreadable, ValueError) as error:
            raise useless(call, Unreadable(str(error))) from None
        # Only path and query are taken: our signature goes to the configured domains and nowhere else.
        return f"{url.path}?{url.query}", sha1.lower()

    def _download(self, call: Call, into: BinaryIO) -> None:
        wire = self._channel.wire
        deadline_ns = wire.deadline_ns(self._channel.settings.download_s)
        try:
            reply = wire.download(call, deadline_ns, into, _MAX_FILE_BYTES)
        except (NotSent, NoAnswer, OSError) as error:
            problem = str(error)
        else:
            if reply.status == 200:
                return
            problem = f"status {reply.status}"
        raise Unavailable(
            f"WeChat Pay: {call.name} {call.subject} was not downloaded ({problem}); fetch it again"
        )


def _check_hash(file: BinaryIO, sha1: str, what: str) -> None:
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    try:
        with _plain(file) as plain:
            while chunk := plain.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > _MAX_BILL_BYTES:
                    raise Corrupt(f"the {what} is larger than {_MAX_BILL_BYTES} bytes")
    except (OSError, EOFError, zlib.error) as error:
        raise Unavailable(f"the file of the {what} is broken ({error}); fetch it again") from None
    if digest.hexdigest() != sha1:
        raise Corrupt(
            f"the file of the {what} has another SHA-1 than its answer says; fetch it again, else report it"
        )


def _plain(file: BinaryIO) -> gzip.GzipFile | _Borrowed:
    """Return the uncompressed bytes from the start; closing it leaves `file` open."""
    file.seek(0)
    is_gzip = file.read(2) == _GZIP_MAGIC
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if is_gzip else _Borrowed(file)


class _Borrowed:
    """A file that somebody else closes."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.readline = file.readline

    def __enter__(self) -> _Borrowed:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the file open."""


def _read(
    file: BinaryIO,
    form: BillForm,
    reader: Callable[[BillTable], Callable[[Sequence[str]], Row]],
    close: bool = False,
) -> Iterator[Row]:
    try:
        with _plain(file) as plain:
            table = BillTable(form, iter(lambda: plain.readline(_LINE_LIMIT), b""))
            read: Callable[[Sequence[str]], Row] | None = None
            for fields in table.rows():
                read = read or reader(table)
                yield read(fields)
    finally:
        if close:
            file.close()


def _trade_reader(table: BillTable) -> Callable[[Sequence[str]], BillRow]:
    """Return how a row of this bill is read, whichever of the three forms (all, payments, refunds) it has."""
    at_time = _need(table, "退款成功时间", "退款申请时间", "交易时间")
    state, order_no = _need(table, "交易状态"), _need(table, "商户订单号")
    transaction_id, fee = _need(table, "微信订单号"), _need(table, "手续费")
    paid = _need(table, "订单金额", "应结订单金额", "总金额")
    refund_id, refund_no = table.place("微信退款单号"), table.place("商户退款单号")
    refunded = table.place("申请退款金额"), table.place("退款金额")
    traded_at = _need(table, "交易时间")
    attached = table.place("商户数据包")

    def read(fields: Sequence[str]) -> BillRow:
        word = fields[state]
        theirs = _number(fields, refund_id)
        is_refund = bool(theirs) or word in ("REFUND", "REVOKED")
        has_number = is_refund and word != "REVOKED"
        return BillRow(
            kind=BillKind.REFUND if is_refund else BillKind.PAYMENT,
            merchant_order_no=fields[order_no],
            merchant_refund_no=_number(fields, refund_no) if has_number else "",
            transaction_id=fields[transaction_id],
            refund_id=theirs if is_refund else "",
            amount_fen=_first_fen(fields, refunded) if is_refund else parse_fen(fields[paid]),
            fee_fen=parse_fee_fen(fields[fee]),
            happened_at=parse_time(fields[at_time] or fields[traded_at]),
            state=word,
            attach=_text(fields, attached),
        )

    return read


def _flow_reader(table: BillTable) -> Callable[[Sequence[str]], FundFlow]:
    names = (
        *("记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型"),
        *("收支金额(元)", "账户结余(元)", "资金变更提交申请人", "备注", "业务凭证号"),
    )
    places = [_need(table, name) for name in names]

    def read(fields: Sequence[str]) -> FundFlow:
        at, business_id, flow_id, business, kind, way, amount, balance, who, note, voucher = (
            fields[place] for place in places
        )
        if way not in ("收入", "支出"):
            raise Corrupt(f"{way[:20]!r} in the fund flow bill is neither income nor expense")
        fen = parse_fen(amount)
        return FundFlow(
            happened_at=parse_time(at),
            business_id=business_id,
            flow_id=flow_id,
            business=business,
            kind=kind,
            amount_fen=fen if way == "收入" else -fen,
            balance_fen=parse_fen(balance),
            applicant=who,
            note=note,
            voucher=voucher,
        )

    return read


def _need(table: BillTable, *names: str) -> int:
    place = table.place(*names)
    if place is None:
        raise Corrupt(f"the bill has no column {names[0]}; its form has changed, this version cannot read it")
    return place


def _text(fields: Sequence[str], place: int | None) -> str:
    return fields[place] if place is not None else ""


def _first_fen(fields: Sequence[str], places: tuple[int | None, ...]) -> int:
    """Return the first amount that is not nought: a reversal may leave what was applied for empty."""
    found = (parse_fen(fields[place]) for place in places if place is not None)
    return next((fen for fen in found if fen), 0)


def _number(fields: Sequence[str], place: int | None) -> str:
    """A bill says "0" where there is no refund."""
    text = fields[place] if place is not None else ""
    return "" if text == "0" else text
