"""Alipay's trade bill: asked for, downloaded to disk, checked as a whole, then read row by row.

Source: opendocs.alipay.com, alipay.data.dataservice.bill.downloadurl.query and the form of 业务明细: a zip
of CSV files in GBK; one has a line for each payment and refund between lines that begin with "#", amounts
in yuan, times of Asia/Shanghai. No hash is given: the zip's checksums, the end mark and the counts stand
for the whole.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import BinaryIO, cast

from edge.errors import Corrupt, Invalid
from edge.gateways.alipay.answers import SHANGHAI
from edge.money import parse_yuan
from edge.retail.bill import BillKind, BillRow

MOST_FILE_BYTES = 256 << 20
_MOST_BILL_BYTES = 1 << 30
_LINE_LIMIT = 16 * 1024
_LOOSE = "商品名称"
_FIRST = "支付宝交易号"
_KINDS = {"交易": BillKind.PAYMENT, "退款": BillKind.REFUND}
_NAMES = (_FIRST, "商户订单号", "业务类型", "完成时间", "订单金额（元）", "退款批次号/请求号", "服务费（元）")
_TOTAL = re.compile(r"#(交易|退款)合计：(\d+)笔")


def new_file() -> BinaryIO:
    """Return a file on disk that vanishes when it is closed."""
    return cast(BinaryIO, tempfile.TemporaryFile())


def checked_rows(file: BinaryIO, what: str) -> Iterator[BillRow]:
    """Return the rows of a downloaded bill after all of it was checked; closes the file in the end.

    what: for messages. Raises Corrupt for a file that is broken, cut or of another form.
    """
    with ExitStack() as unless_good:
        unless_good.enter_context(file)
        for _ in _rows(file, what):
            pass
        unless_good.pop_all()
    return _closing(file, what)


def _closing(file: BinaryIO, what: str) -> Iterator[BillRow]:
    with file:
        yield from _rows(file, what)


def _rows(file: BinaryIO, what: str) -> Iterator[BillRow]:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.file_size > _MOST_BILL_BYTES:
                    raise Corrupt(f"the {what} is larger than {_MOST_BILL_BYTES} bytes")
                with archive.open(member) as raw, io.TextIOWrapper(raw, "gb18030") as lines:
                    if (yield from _details(lines, what)):
                        return
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError) as error:
        raise Corrupt(f"the file of the {what} is broken ({error}); fetch it again, else report it") from None
    raise Corrupt(f"the file of the {what} holds no list of payments; its form has changed")


def _details(lines: io.TextIOWrapper, what: str) -> Generator[BillRow, None, bool]:
    """Yield the rows of one CSV file; return whether it is the one with payments, checked to its end."""
    header: Sequence[str] | None = None
    counts = {"交易": 0, "退款": 0}
    ended = False
    while line := lines.readline(_LINE_LIMIT):
        if line.startswith("#"):
            ended = ended or "列表结束" in line
            _check_total(line, counts, what)
        elif header is None:
            header = [name.strip() for name in line.split(",")]
            if header[0] != _FIRST:
                return False
            _check_header(header, what)
        elif line.strip():
            fields = _named(header, line, what)
            counts[fields["业务类型"]] = counts.get(fields["业务类型"], 0) + 1
            yield _row(fields, what)
    if header is not None and not ended:
        raise Corrupt(f"the {what} has no end mark; fetch it again")
    return header is not None


def _check_header(header: Sequence[str], what: str) -> None:
    missing = [name for name in (*_NAMES, _LOOSE) if name not in header]
    if missing:
        raise Corrupt(f"the {what} has no column {missing[0]}; its form has changed")


def _check_total(line: str, counts: Mapping[str, int], what: str) -> None:
    told = _TOTAL.match(line)
    if told and int(told[2]) != counts[told[1]]:
        raise Corrupt(f"the {what} says {told[2]} of {told[1]} and lists {counts[told[1]]}")


def _named(header: Sequence[str], line: str, what: str) -> Mapping[str, str]:
    """Return a line's fields by name; commas in the goods' name, which nothing quotes, stay in it."""
    fields = [field.strip().strip('"') for field in line.rstrip("\r\n").split(",")]
    more, at = len(fields) - len(header), header.index(_LOOSE)
    if more < 0:
        raise Corrupt(f"a line of the {what} has {len(fields)} fields, not {len(header)}")
    fields[at : at + more + 1] = [",".join(fields[at : at + more + 1])]
    return dict(zip(header, fields, strict=True))


def _row(fields: Mapping[str, str], what: str) -> BillRow:
    kind = _KINDS.get(fields["业务类型"])
    if kind is None:
        raise Corrupt(f"{fields['业务类型'][:20]!r} in the {what} is neither a payment nor a refund")
    order_no, request_no = fields["商户订单号"], fields["退款批次号/请求号"]
    is_refund = kind is BillKind.REFUND
    try:
        amount_fen, fee_fen = parse_yuan(fields["订单金额（元）"]), -parse_yuan(fields["服务费（元）"])
        done = datetime.strptime(fields["完成时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except (Invalid, ValueError) as error:
        raise Corrupt(f"order {order_no[:64]} in the {what}: {error}") from None
    return BillRow(
        kind=kind,
        merchant_order_no=order_no,
        # A reversal has the order's own number.
        merchant_refund_no=request_no if is_refund and request_no != order_no else "",
        transaction_id=fields[_FIRST],
        refund_id=request_no if is_refund else "",
        amount_fen=abs(amount_fen),
        fee_fen=fee_fen,
        happened_at=int(done.timestamp()) * 1000,
        state=fields["业务类型"],
    )
