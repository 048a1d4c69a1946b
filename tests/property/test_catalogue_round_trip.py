"""What a catalogue file says survives writing and reading, in every encoding that is accepted."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from edge.codes.check_digits import mod10
from edge.errors import Invalid
from edge.retail.catalogue import Listing, Product, SoldBy, Tenant, barcode_key, plu_key
from edge.retail.catalogue_csv import FileRules, ParsedCatalogue, format_catalogue, parse_catalogue

SHANGHAI = ZoneInfo("Asia/Shanghai")
TENANTS = {
    "t1": Tenant("t1", '麦香, "坊"', "Bakery; Maixiang"),
    "t2": Tenant("t2", "书店\u2014知行", ""),
}

_printable = st.text(
    st.characters(codec="gb18030", exclude_categories=("C", "Z"), max_codepoint=0xFFFF),
    min_size=1,
    max_size=20,
)
_names = st.lists(_printable, min_size=1, max_size=3).map(" ".join)
_gtins = st.integers(0, 10**12 - 1).map(lambda body: barcode_key(f"{body:012d}{mod10(f'{body:012d}')}"))
_house = st.from_regex(r"H[0-9A-Za-z!#-&*+.-]{1,20}", fullmatch=True)
_plus = st.integers(1, 999_999).map(lambda item: plu_key(str(item)))
_moments = st.none() | st.integers(946_684_800_000 + 86_400_000, 4_102_358_400_000 - 86_400_000)


@st.composite
def _listings(draw: st.DrawFn) -> list[Listing]:
    skus = draw(
        st.lists(st.from_regex(r"[0-9A-Za-z._/-]{1,32}", fullmatch=True), unique=True, min_size=1, max_size=8)
    )
    barcodes = draw(st.lists(_gtins | _house, unique=True, max_size=20))
    plus = draw(st.lists(_plus, unique=True, max_size=len(skus)))
    listings = []
    for place, sku in enumerate(skus):
        product = Product(
            sku=sku,
            tenant_id=draw(st.sampled_from(sorted(TENANTS))),
            name=draw(_names),
            price_fen=draw(st.integers(1, 100_000_000)),
            name_en=draw(st.just("") | _names),
            sold_by=draw(st.sampled_from(SoldBy)),
            age_min=draw(st.integers(0, 99)),
        )
        keys = (*barcodes[place :: len(skus)], *plus[place : place + 1])
        listings.append(Listing(product, keys, draw(_moments)))
    return listings


@given(
    _listings(),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "gb18030")),
    st.sampled_from((",", ";", "\t")),
)
def test_a_catalogue_survives_its_file(listings: list[Listing], encoding: str, separator: str) -> None:
    text = format_catalogue(listings, TENANTS, SHANGHAI, separator)

    parsed = parse_catalogue(text.encode(encoding), FileRules(SHANGHAI))

    assert parsed.bad == ()
    assert [listing for _, listing in parsed.listings] == listings
    assert set(parsed.tenants) == {TENANTS[listing.product.tenant_id] for listing in listings}


def _outcome(data: bytes) -> ParsedCatalogue | str:
    """Return what was read, or why the whole file was refused."""
    try:
        return parse_catalogue(data, FileRules(SHANGHAI))
    except Invalid as refusal:
        return str(refusal)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes, under_a_header: bool) -> None:
    header = b"sku,tenant_id,tenant_name,name,price,barcodes,valid_from,plu\n"
    outcome = _outcome(header + data if under_a_header else data)

    if isinstance(outcome, ParsedCatalogue):
        assert len(outcome.listings) + len(outcome.bad_lines) == outcome.lines
    else:
        assert any(word in outcome for word in ("header", "empty", "not text", "no product lines"))


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), min_size=8, max_size=8))
def test_any_cells_give_a_listing_or_a_reason_for_each_line(cells: list[str]) -> None:
    header = "sku;tenant_id;tenant_name;name;price;barcodes;valid_from;plu"
    body = ";".join(
        '"' + cell.replace('"', '""').replace("\r", " ").replace("\n", " ") + '"' for cell in cells
    )
    outcome = _outcome(f"{header}\nX-1;t;T;n;1;;;\n{body}".encode())

    assert isinstance(outcome, ParsedCatalogue)
    assert len(outcome.listings) + len(outcome.bad_lines) == outcome.lines
    assert all(bad.problem and bad.remedy for bad in outcome.bad)
