"""Catalogue files: every kind of bad line, header and encoding."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.retail.catalogue import Listing, Product, SoldBy, Tenant
from edge.retail.catalogue_csv import (
    MAX_LINE,
    MAX_REPORTED,
    BadLine,
    FileRules,
    ParsedCatalogue,
    decode_catalogue,
    parse_catalogue,
    read_header,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEADER = "sku,tenant_id,tenant_name,name,barcodes,price,valid_from,sold_by,age_min,plu"
GOOD = "A-1,bakery,麦香坊,蛋挞,6901234567892,5.00,,,,"


def parse(*lines: str, header: str = HEADER, **rules: object) -> ParsedCatalogue:
    data = "\r\n".join((header, *lines)).encode()
    return parse_catalogue(data, FileRules(SHANGHAI, **rules))  # type: ignore[arg-type]


def only_problem(*lines: str, **rules: object) -> BadLine:
    parsed = parse(*lines, **rules)
    assert len(parsed.bad) == 1, parsed.bad
    return parsed.bad[0]


def line(**cells: str) -> str:
    """Return a good line with some cells changed."""
    values = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | cells
    return ",".join(values.values())


def test_a_good_line_becomes_a_listing_with_canonical_keys() -> None:
    parsed = parse("A-1,bakery,麦香坊, 蛋  挞 ,6901234567892|96385074 H-7,¥1234.5,2026-12-01,称重,18,1234")

    keys = ("06901234567892", "00000096385074", "H-7", "plu:01234")
    product = Product("A-1", "bakery", "蛋 挞", 123450, "", SoldBy.WEIGHT, 18)
    first_of_december = int(datetime(2026, 12, 1, tzinfo=SHANGHAI).timestamp()) * 1000
    assert parsed.listings == ((2, Listing(product, keys, first_of_december)),)
    assert parsed.tenants == (Tenant("bakery", "麦香坊"),)
    assert (parsed.bad, parsed.lines, parsed.problem_count) == ((), 1, 0)


@pytest.mark.parametrize(
    ("cells", "column", "problem"),
    [
        ({"sku": ""}, "sku", "is empty"),
        ({"sku": "A 1"}, "sku", "character"),
        ({"sku": "X" * 33}, "sku", "33 characters"),
        ({"tenant_id": ""}, "tenant_id", "is empty"),
        ({"tenant_id": "面包"}, "tenant_id", "character"),
        ({"name": "  "}, "name", "is empty"),
        ({"name": "蛋" * 81}, "name", "81 characters"),
        ({"name": "蛋\x07挞"}, "name", "cannot be printed"),
        ({"tenant_name": "麦" * 81}, "tenant_name", "81 characters"),
        ({"barcodes": "6901234567890"}, "barcodes", "should be 2"),
        ({"barcodes": "96385075"}, "barcodes", "should be 4"),
        ({"barcodes": "6.90123E+12"}, "barcodes", "spreadsheet"),
        ({"barcodes": "条码"}, "barcodes", "no barcode"),
        ({"barcodes": "plu:01234"}, "barcodes", "no barcode"),
        ({"barcodes": "134567890123456789"}, "barcodes", "payment code"),
        ({"barcodes": "H" * 49}, "barcodes", "49 characters"),
        ({"barcodes": " ".join(f"H{n}" for n in range(51))}, "barcodes", "51 barcodes"),
        ({"price": ""}, "price", "is empty"),
        ({"price": "five"}, "price", "no price"),
        ({"price": "5.005"}, "price", "no price"),
        ({"price": "-5"}, "price", "no price"),
        ({"price": "0.00"}, "price", "out of range"),
        ({"price": "1000000.01"}, "price", "out of range"),
        ({"price": "9" * 20}, "price", "out of range"),
        ({"valid_from": "tomorrow"}, "valid_from", "no date"),
        ({"valid_from": "2026-02-30"}, "valid_from", "no date"),
        ({"valid_from": "2026-12-01T25:00"}, "valid_from", "no date"),
        ({"valid_from": "2026-12-01 noon"}, "valid_from", "no date"),
        ({"valid_from": "1999-12-31"}, "valid_from", "1999"),
        ({"sold_by": "dozen"}, "sold_by", "neither piece nor weight"),
        ({"age_min": "adult"}, "age_min", "no age"),
        ({"age_min": "100"}, "age_min", "no age"),
        ({"plu": "12a"}, "plu", "no item number"),
        ({"plu": "1234567"}, "plu", "no item number"),
        ({"plu": "000"}, "plu", "no item number"),
    ],
)
def test_a_bad_cell_is_reported_by_line_and_column(cells: dict[str, str], column: str, problem: str) -> None:
    bad = only_problem(line(sku="OK", barcodes=""), line(**cells))

    assert (bad.line, bad.column) == (3, column)
    assert problem in bad.problem
    assert bad.remedy


def test_all_problems_of_a_line_are_reported_at_once() -> None:
    parsed = parse(line(name="", price="x", age_min="y"))

    assert [bad.column for bad in parsed.bad] == ["name", "price", "age_min"]
    assert (parsed.bad_lines, parsed.bad_skus, parsed.listings) == ({2}, {"A-1"}, ())


def test_a_second_line_with_the_same_sku_names_the_first() -> None:
    bad = only_problem(GOOD, line(sku="B", barcodes=""), line(barcodes=""))

    assert str(bad) == "line 4, sku: A-1 is in line 2 too; keep one of the two lines"


@pytest.mark.parametrize("second", ["6901234567892", "06901234567892", "H1 6901234567892"])
def test_a_barcode_of_two_products_names_both_lines_in_whatever_form(second: str) -> None:
    bad = only_problem(GOOD, line(sku="B", barcodes=second))

    assert (bad.line, bad.column) == (3, "barcodes")
    assert "line 2" in bad.problem


def test_an_item_number_of_two_products_names_both_lines() -> None:
    bad = only_problem(line(plu="01234"), line(sku="B", barcodes="", plu="1234"))

    assert (bad.line, bad.column) == (3, "plu")
    assert "plu:01234" in bad.problem
    assert "line 2" in bad.problem


def test_a_barcode_given_twice_for_one_product_is_one_barcode() -> None:
    parsed = parse(line(barcodes="6901234567892 06901234567892"))

    assert parsed.listings[0][1].keys == ("06901234567892",)


def test_a_tenant_that_nobody_has_named_makes_its_lines_bad() -> None:
    parsed = parse(GOOD, line(sku="B", barcodes="", tenant_id="ghost", tenant_name=""))

    assert [(bad.line, bad.column) for bad in parsed.bad] == [(3, "tenant_id")]
    assert parsed.bad_skus == {"B"}
    assert [tenant.tenant_id for tenant in parsed.tenants] == ["bakery"]


def test_a_tenant_may_be_named_in_any_line_or_be_known_to_the_box() -> None:
    known = {"books": Tenant("books", "书店", "Books")}
    unnamed = line(sku="0", barcodes="", tenant_name="")
    parsed = parse(
        unnamed, GOOD, line(sku="B", barcodes="", tenant_id="books", tenant_name=""), tenants=known
    )

    assert parsed.bad == ()
    assert parsed.tenants == (Tenant("bakery", "麦香坊"), Tenant("books", "书店", "Books"))


def test_a_tenant_with_two_names_is_reported_with_both_lines() -> None:
    bad = only_problem(GOOD, line(sku="B", barcodes="", tenant_name="麦香"))

    assert (bad.line, bad.column) == (3, "tenant_name")
    assert "line 2" in bad.problem


def test_a_line_of_another_tenant_is_bad_when_the_import_is_for_one() -> None:
    bad = only_problem(
        GOOD, line(sku="B", barcodes="", tenant_id="books", tenant_name="书店"), only_tenant="bakery"
    )

    assert (bad.line, bad.column) == (3, "tenant_id")
    assert "bakery" in bad.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A-1,bakery,麦香坊", "3 cells, the header has 10"),
        (GOOD + ",,", "12 cells"),
        ('A-1,bakery,麦香坊,"蛋挞,,5.00,,,,', "quote"),
        ('A-1,bakery,麦香坊,"蛋"挞,,5.00,,,,', "quote"),
        ("A-1,bakery,麦香坊," + "x" * MAX_LINE, "characters"),
    ],
)
def test_a_line_that_does_not_fit_the_table_is_reported_whole_and_the_next_one_is_read(
    text: str, problem: str
) -> None:
    parsed = parse(text, line(sku="B"))

    assert [(bad.line, bad.column) for bad in parsed.bad] == [(2, "")]
    assert problem in parsed.bad[0].problem
    assert [number for number, _ in parsed.listings] == [3]


def test_blank_lines_are_skipped_and_still_counted_by_number() -> None:
    parsed = parse("", ",,,,,,,,,", GOOD, line(sku="B", price="x", barcodes=""))

    assert [number for number, _ in parsed.listings] == [4]
    assert [bad.line for bad in parsed.bad] == [5]
    assert parsed.lines == 2


def test_past_the_limit_problems_are_counted_but_not_kept() -> None:
    lines = [line(sku=f"S{n}", barcodes="", price="x") for n in range(MAX_REPORTED + 7)]
    parsed = parse(*lines)

    assert len(parsed.bad) == MAX_REPORTED
    assert parsed.problem_count == MAX_REPORTED + 7
    assert len(parsed.bad_lines) == MAX_REPORTED + 7


def test_progress_ends_at_the_number_of_lines() -> None:
    seen: list[tuple[int, int]] = []
    data = "\n".join((HEADER, GOOD, line(sku="B", barcodes=""))).encode()
    parse_catalogue(data, FileRules(SHANGHAI), lambda done, total: seen.append((done, total)))

    assert seen == [(0, 2), (2, 2)]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_save_is_read(encoding: str, name: str, separator: str) -> None:
    text = "\r\n".join((HEADER, GOOD)).replace(",", separator)
    parsed = parse_catalogue(text.encode(encoding), FileRules(SHANGHAI))

    assert parsed.listings[0][1].product.name == "蛋挞"
    assert (parsed.encoding, parsed.separator) == (name, separator)


def test_a_separator_line_of_a_spreadsheet_and_old_line_ends_are_read() -> None:
    text = "sep=;\r" + HEADER.replace(",", ";") + "\r" + GOOD.replace(",", ";")
    parsed = parse_catalogue(text.encode(), FileRules(SHANGHAI))

    assert [number for number, _ in parsed.listings] == [3]


def test_text_that_spreadsheets_wrapped_to_save_digits_is_unwrapped() -> None:
    parsed = parse('A-1,bakery,麦香坊,蛋挞,"=""6901234567892""",5.00,,,,', line(sku="'B", barcodes="'H-7"))

    assert [listing.keys for _, listing in parsed.listings] == [("06901234567892",), ("H-7",)]
    assert parsed.listings[1][1].product.sku == "B"


@pytest.mark.parametrize(
    ("written", "hour", "minute"),
    [
        ("2026/12/1", 0, 0),
        ("2026-12-01 8:05", 8, 5),
        ("2026-12-01T08:05:00.000", 8, 5),
        ("2026-12-01T00:05Z", 8, 5),
        ("2026-12-01T08:05+08:00", 8, 5),
    ],
)
def test_times_are_of_the_malls_zone_unless_they_say_otherwise(written: str, hour: int, minute: int) -> None:
    parsed = parse(line(valid_from=written))

    wanted = datetime(2026, 12, 1, hour, minute, tzinfo=SHANGHAI)
    assert parsed.listings[0][1].valid_from == int(wanted.timestamp()) * 1000


@pytest.mark.parametrize("price", ["12.5", "12.50", "¥12.50", "￥12.50", "12.50元", "１２.５０"])
def test_prices_are_read_as_people_write_them(price: str) -> None:
    assert parse(line(price=price)).listings[0][1].product.price_fen == 1250


def test_thousands_need_quotes_and_are_read() -> None:
    assert parse(line(price='"1,234.50"')).listings[0][1].product.price_fen == 123450


def test_chinese_headers_with_units_are_understood_and_hashed_columns_ignored() -> None:
    header = "货号,商户编号,商户名称,商品名称,条形码,售价（元）,#库存,计价方式"
    parsed = parse("A-1,bakery,麦香坊,蛋挞,6901234567892,5,99,计件", header=header)

    assert parsed.listings[0][1].product == Product("A-1", "bakery", "蛋挞", 500)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("sku,tenant_id,name,pricee", ["'pricee' is not known", "did you mean price?"]),
        ("sku,tenant_id,name,price,barcods", ["did you mean barcodes?"]),
        ("sku,tenant_id,name,price,stock", ["'stock' is not known"]),
        ("sku,tenant_id,name", ["price", "is missing"]),
        ("sku,tenant_id,name,price,售价", ["price is there twice"]),
        ("A-1,bakery,蛋挞,5.00", ["sku", "tenant_id", "name", "price", "is missing"]),
    ],
)
def test_a_header_problem_says_which_column_and_what_is_near(header: str, words: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        read_header(header.split(","))

    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        (HEADER.encode(), "no product lines"),
        (b"\xff\xff\xff\x00" * 20, "not text"),
        (b'sku,"tenant_id\n1,2', "header"),
        (b",,,\n;;", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        parse_catalogue(data, FileRules(SHANGHAI))


def test_utf8_wins_over_gb18030_for_plain_ascii() -> None:
    assert decode_catalogue(b"sku") == ("sku", "utf-8")
