"""Catalogue files: CSV as spreadsheets write it, with every bad line reported by number.

Text: UTF-8 with or without BOM, UTF-16 with BOM, or GB18030. Separator: comma, semicolon or tab. One
line of text is one product; the first line names the columns, in any order, in English or Chinese.
docs/operations/catalogue.md describes the columns for people.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeVar

from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.catalogue import PLU_PREFIX, Listing, Product, SoldBy, Tenant
from edge.retail.catalogue_cells import (
    CellProblem,
    read_age_min,
    read_barcodes,
    read_id,
    read_name,
    read_plu,
    read_price,
    read_sold_by,
    read_valid_from,
)

#: Limits of one file. Past MAX_REPORTED, problems are counted only.
MAX_BYTES = 128 * 1024 * 1024
MAX_LINES = 500_000
MAX_LINE = 8_192
MAX_REPORTED = 1_000
PROGRESS_EVERY = 1_000

#: Columns and their other names; compared without case, spaces, signs and a unit in brackets.
COLUMNS: dict[str, tuple[str, ...]] = {
    "sku": ("商品编号", "商品编码", "货号", "编号"),
    "tenant_id": ("商户编号", "商户号", "商户编码"),
    "tenant_name": ("商户名称", "商户", "商户名"),
    "tenant_name_en": ("商户英文名", "商户英文名称"),
    "name": ("商品名称", "名称", "品名", "商品名"),
    "name_en": ("英文名称", "英文名", "英文品名"),
    "barcodes": ("条码", "条形码", "商品条码", "barcode"),
    "price": ("价格", "售价", "单价", "零售价", "price_yuan"),
    "valid_from": ("生效时间", "生效日期", "生效"),
    "sold_by": ("计价方式", "销售方式", "计量方式"),
    "age_min": ("最低年龄", "年龄限制"),
    "plu": ("秤码", "PLU码", "称重码"),
}
REQUIRED = ("sku", "tenant_id", "name", "price")

Progress = Callable[[int, int], None]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class BadLine:
    """One problem of a file. line: from 1, as an editor counts. column: "" when it is the whole line."""

    line: int
    column: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return it as a sentence for people."""
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.problem}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class ParsedCatalogue:
    """What a file says.

    listings: the good lines as (line number, listing). tenants: all that it names. bad: the problems,
    by line, MAX_REPORTED at most. problem_count: all problems. bad_lines: numbers of the lines that have
    any. bad_skus: skus of bad lines, where they could be read. lines: product lines, good and bad.
    """

    listings: tuple[tuple[int, Listing], ...]
    tenants: tuple[Tenant, ...]
    bad: tuple[BadLine, ...]
    problem_count: int
    bad_lines: frozenset[int]
    bad_skus: frozenset[str]
    lines: int
    encoding: str
    separator: str


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a file's lines are checked against.

    zone: of times without an offset. tenants: those that the box knows, by id. only_tenant: lines of
    any other tenant are bad.
    """

    zone: tzinfo
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    only_tenant: str | None = None


def decode_catalogue(data: bytes) -> tuple[str, str]:
    """Return a file's text and the name of its encoding.

    Raises Invalid when it is too big, empty, or neither UTF-8, UTF-16 with BOM nor GB18030.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"the file has {len(data)} bytes; split it, {MAX_BYTES} at most")
    if not data.strip():
        raise Invalid("the file is empty; the first line names the columns")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise Invalid("the file is not text in UTF-8, UTF-16 or GB18030; save it as CSV UTF-8")


def parse_catalogue(data: bytes, rules: FileRules, progress: Progress | None = None) -> ParsedCatalogue:
    """Return all good listings and all problems of a catalogue file.

    progress: called with (lines done, lines in all) now and then. Raises Invalid for what stops the
    whole file: its encoding, its header, no lines or too many.
    """
    text, encoding = decode_catalogue(data)
    count = sum(1 for _ in _numbered(text)) - 1
    lines = _numbered(text)
    first, header_text = next(lines, (0, ""))
    separator, header = _read_first(first, header_text)
    if count > MAX_LINES:
        raise Invalid(f"the file has {count} lines; split it, {MAX_LINES} at most")
    if count == 0:
        raise Invalid(f"the file has no product lines after the header in line {first}")
    reader = _Reader(header, rules)
    for done, (number, line) in enumerate(lines):
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done, count)
        reader.take(number, line, separator)
    if progress is not None:
        progress(count, count)
    return reader.result(count, encoding, separator)


def read_header(cells: Sequence[str]) -> tuple[str | None, ...]:
    """Return the column of each cell; None for cells that are empty or begin with # (ignored).

    Raises Invalid that names every unknown, doubled and missing column, with the nearest known one.
    """
    found = tuple(_column(cell) for cell in cells)
    unknown = [
        cell for cell, column in zip(cells, found, strict=True) if column is None and not _is_ignored(cell)
    ]
    problems = [_unknown_column(cell, found) for cell in unknown]
    columns = [column for column in found if column is not None]
    problems += [f"column {column} is there twice" for column in COLUMNS if columns.count(column) > 1]
    problems += [
        f"column {column} ({COLUMNS[column][0]}) is missing" for column in REQUIRED if column not in columns
    ]
    if problems:
        raise Invalid(
            f"header: {'; '.join(problems)}. Known columns: {', '.join(COLUMNS)}; # before a name ignores it"
        )
    return found


def format_catalogue(
    listings: Iterable[Listing], tenants: Mapping[str, Tenant], zone: tzinfo, separator: str = ","
) -> str:
    """Return a catalogue file (without BOM) that `parse_catalogue` reads back as the same listings."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for listing in listings:
        writer.writerow(_row(listing, tenants[listing.product.tenant_id], zone))
    return out.getvalue()


class _Reader:
    """Reads line after line and remembers what must be unique."""

    def __init__(self, header: tuple[str | None, ...], rules: FileRules) -> None:
        self._header = header
        self._rules = rules
        self._listings: dict[int, Listing] = {}
        self._bad: list[BadLine] = []
        self._problem_count = 0
        self._bad_lines: set[int] = set()
        self._sku_lines: dict[str, int] = {}
        self._key_lines: dict[str, int] = {}
        self._tenants: dict[str, tuple[int, Tenant]] = {}
        self._tenant_lines: dict[str, list[int]] = {}

    def take(self, number: int, line: str, separator: str) -> None:
        """Read one line."""
        try:
            cells = _cells(line, separator)
            if len(cells) != len(self._header):
                raise CellProblem(
                    f"has {len(cells)} cells, the header has {len(self._header)}",
                    "put quotes around text that holds the separator, and fill up short lines",
                )
        except CellProblem as problem:
            self._report(number, "", problem)
            return
        self._take_row(_Row(number, dict(zip(self._header, cells, strict=True)), self._report))

    def result(self, lines: int, encoding: str, separator: str) -> ParsedCatalogue:
        """Check what needs the whole file, and return everything."""
        self._check_tenants()
        rows = self._listings.items()
        return ParsedCatalogue(
            listings=tuple((number, each) for number, each in rows if number not in self._bad_lines),
            tenants=tuple(tenant for _, tenant in self._tenants.values() if tenant.name),
            bad=tuple(sorted(self._bad, key=lambda bad: bad.line)),
            problem_count=self._problem_count,
            bad_lines=frozenset(self._bad_lines),
            bad_skus=frozenset(each.product.sku for number, each in rows if number in self._bad_lines) - {""},
            lines=lines,
            encoding=encoding,
            separator=separator,
        )

    def _take_row(self, row: _Row) -> None:
        product = Product(
            sku=row.read("sku", read_id, ""),
            tenant_id=row.read("tenant_id", read_id, ""),
            name=row.read("name", lambda cell: read_name(cell, required=True), ""),
            price_fen=row.read("price", read_price, 0),
            name_en=row.read("name_en", lambda cell: read_name(cell, required=False), ""),
            sold_by=row.read("sold_by", read_sold_by, SoldBy.PIECE),
            age_min=row.read("age_min", read_age_min, 0),
        )
        no_barcodes: tuple[str, ...] = ()
        barcodes, plu = row.read("barcodes", read_barcodes, no_barcodes), row.read("plu", read_plu, None)
        keys = barcodes if plu is None else (*barcodes, plu)
        valid_from = row.read("valid_from", lambda cell: read_valid_from(cell, self._rules.zone), None)
        self._take_tenant(row, product.tenant_id)
        self._claim(row.number, product.sku, keys)
        self._listings[row.number] = Listing(product, keys, valid_from)

    def _take_tenant(self, row: _Row, tenant_id: str) -> None:
        name = row.read("tenant_name", lambda cell: read_name(cell, required=False), "")
        name_en = row.read("tenant_name_en", lambda cell: read_name(cell, required=False), "")
        if not tenant_id:
            return
        only = self._rules.only_tenant
        if only is not None and tenant_id != only:
            problem = CellProblem(f"{tenant_id} is not {only}, for whom this import is", "take the line out")
            self._report(row.number, "tenant_id", problem)
            return
        self._tenant_lines.setdefault(tenant_id, []).append(row.number)
        first = self._tenants.setdefault(tenant_id, (row.number, Tenant(tenant_id, name, name_en)))
        self._tenants[tenant_id] = self._joined(row, first, name, name_en)

    def _joined(self, row: _Row, first: tuple[int, Tenant], name: str, name_en: str) -> tuple[int, Tenant]:
        """Return the tenant with what this line adds; report a name that says otherwise."""
        line, tenant = first
        for column, here, there in (
            ("tenant_name", name, tenant.name),
            ("tenant_name_en", name_en, tenant.name_en),
        ):
            if here and there and here != there:
                problem = CellProblem(f"{here!r} is {there!r} in line {line}", "give a tenant one name")
                self._report(row.number, column, problem)
        return line, Tenant(tenant.tenant_id, tenant.name or name, tenant.name_en or name_en)

    def _claim(self, number: int, sku: str, keys: Sequence[str]) -> None:
        other = self._sku_lines.setdefault(sku, number) if sku else number
        if other != number:
            self._report(
                number, "sku", CellProblem(f"{sku} is in line {other} too", "keep one of the two lines")
            )
        for key in keys:
            other = self._key_lines.setdefault(key, number)
            if other != number:
                column = "plu" if key.startswith(PLU_PREFIX) else "barcodes"
                problem = CellProblem(
                    f"{key} belongs to the product in line {other} too", "take it out of one of them"
                )
                self._report(number, column, problem)

    def _check_tenants(self) -> None:
        """Fill in what the box knows of the tenants; report lines of those that nobody knows."""
        for tenant_id, (line, tenant) in self._tenants.items():
            known = self._rules.tenants.get(tenant_id, Tenant(tenant_id, ""))
            merged = Tenant(tenant_id, tenant.name or known.name, tenant.name_en or known.name_en)
            self._tenants[tenant_id] = (line, merged)
            if merged.name:
                continue
            problem = CellProblem(
                f"{tenant_id} is not known here", "give its tenant_name in one line of the file"
            )
            for number in self._tenant_lines[tenant_id]:
                self._report(number, "tenant_id", problem)

    def _report(self, number: int, column: str, problem: CellProblem) -> None:
        self._problem_count += 1
        self._bad_lines.add(number)
        if len(self._bad) < MAX_REPORTED:
            self._bad.append(BadLine(number, column, problem.problem, problem.remedy))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line's cells by column."""

    number: int
    cells: Mapping[str | None, str]
    report: Callable[[int, str, CellProblem], None]

    def read(self, column: str, reader: Callable[[str], _Value], default: _Value) -> _Value:
        """Return what `reader` makes of the column's cell; report a problem and return `default`."""
        try:
            return reader(self.cells.get(column, ""))
        except CellProblem as problem:
            self.report(self.number, column, problem)
            return default


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold anything, with their numbers, without a spreadsheet's "sep=" line."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        line = line.removesuffix("\n")
        if line.strip(" \t,;") and not (number == 1 and line.startswith("sep=")):
            yield number, line


def _read_first(number: int, line: str) -> tuple[str, tuple[str | None, ...]]:
    """Return the separator and the columns of the header."""
    if not line:
        raise Invalid("the file is empty; the first line names the columns")
    separator = _separator(line)
    try:
        return separator, read_header(_cells(line, separator))
    except CellProblem as problem:
        raise Invalid(f"header in line {number}: {problem.problem}; {problem.remedy}") from None


def _cells(line: str, separator: str) -> list[str]:
    if len(line) > MAX_LINE:
        raise CellProblem(f"has {len(line)} characters", f"use {MAX_LINE} at most")
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        raise CellProblem(
            "has a quote that is not closed in the line, or text after one",
            'write "..." and "" for a quote inside',
        ) from None


def _separator(header: str) -> str:
    """Return the separator by which the header has most known columns."""

    def known(separator: str) -> int:
        try:
            return sum(_column(cell) is not None for cell in _cells(header, separator))
        except CellProblem:
            return 0

    return max((",", ";", "\t"), key=known)


def _fold(name: str) -> str:
    """Return a column name as it is compared: no case, no signs, no unit in brackets."""
    bare = re.sub(r"\(.*?\)", "", unicodedata.normalize("NFKC", name).casefold())
    return "".join(character for character in bare if character.isalnum())


_COLUMN_OF = {_fold(name): column for column, others in COLUMNS.items() for name in (column, *others)}


def _column(cell: str) -> str | None:
    return None if cell.startswith("#") else _COLUMN_OF.get(_fold(cell))


def _is_ignored(cell: str) -> bool:
    return cell.startswith("#") or not cell.strip()


def _unknown_column(cell: str, found: Sequence[str | None]) -> str:
    free = [name for name, column in _COLUMN_OF.items() if column not in found]
    near = difflib.get_close_matches(_fold(cell), free, n=1, cutoff=0.5)
    hint = f"; did you mean {_COLUMN_OF[near[0]]}?" if near else ""
    return f"column {cell.strip()[:30]!r} is not known{hint}"


def _row(listing: Listing, tenant: Tenant, zone: tzinfo) -> tuple[str | int, ...]:
    product = listing.product
    barcodes = [key for key in listing.keys if not key.startswith(PLU_PREFIX)]
    plus = [key.removeprefix(PLU_PREFIX) for key in listing.keys if key.startswith(PLU_PREFIX)]
    return (
        product.sku,
        tenant.tenant_id,
        tenant.name,
        tenant.name_en,
        product.name,
        product.name_en,
        " ".join(barcodes),
        format_yuan(product.price_fen),
        "" if listing.valid_from is None else _iso(listing.valid_from, zone),
        product.sold_by.value,
        product.age_min,
        *(plus or [""]),
    )


def _iso(at: int, zone: tzinfo) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.astimezone(zone).isoformat(timespec="milliseconds")
