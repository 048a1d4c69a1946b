"""GS1 element strings and Digital Links: what is read, and how errors are told."""

from datetime import date

import pytest

from edge.codes.digital_link import build_digital_link, is_digital_link, parse_digital_link
from edge.codes.gs1 import build_element_string, element, parse_element_string, parse_parenthesised
from edge.codes.gs1_table import AIS, PREDEFINED
from edge.codes.gs1_values import decimal_text, gs1_date
from edge.errors import Invalid

YEAR = 2026
GS = "\x1d"


def pairs(message):
    return [(one.ai, one.value) for one in message.elements]


def test_fixed_and_variable_elements_are_told_apart_by_gs():
    message = parse_element_string(f"010952123454321310ABC123{GS}3103001250", YEAR)
    assert pairs(message) == [("01", "09521234543213"), ("10", "ABC123"), ("3103", "001250")]
    assert message.gtin14 == "09521234543213"
    assert message.weight_g == 1250


def test_a_leading_gs_and_a_gs_after_a_fixed_element_are_passed_over():
    message = parse_element_string(f"{GS}0109521234543213{GS}17261231{GS}", YEAR)
    assert pairs(message) == [("01", "09521234543213"), ("17", "261231")]


def test_the_printed_form_is_read_and_brackets_inside_values_stay():
    message = parse_parenthesised("(01)09521234543213(10)A(5)B(21)X", YEAR)
    assert pairs(message) == [("01", "09521234543213"), ("10", "A(5)B"), ("21", "X")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("0109521234543214", r"\(01\) at character 1 GTIN: check digit of 09521234543214 is 4, expected 3"),
        ("010952123454321", r"\(01\) at character 1 GTIN: 13 characters where 14 are needed"),
        (f"0109521234{GS}10A", r"\(01\) at character 1 GTIN: 8 characters where 14"),
        ("010952123454321317261331", r"\(17\) at character 17 Expiry: month 13"),
        ("17260230", r"\(17\) at character 1 Expiry: day 30"),
        ("70031712002400", r"7003.*day 00|not a time"),
        ("010952123454321399", r"\(99\) at character 17 .*0 characters where at least 1"),
        (
            "10" + "A" * 21,
            r"\(10\) at character 1 Batch or lot: 21 characters, 20 at most; set the scanner to send GS",
        ),
        ("10AB#C", r"'#' is not one of GS1's 82 characters"),
        ("3103A01250", r"'A' is not one of digits"),
        ("0109521234543213Z", r"no AI begins with 'Z' at character 17"),
        ("0100", "13|where 14"),
        ("4321" + "2", r"neither 0"),
        (f"10A{GS}10B", r"\(10\) at character 5 comes twice with different values"),
        ("42215600", "characters, 3 at most"),
        ("800609521234543213" + "0302", "piece 3 of 2"),
        ("8007GB82WEST12345698765433", "IBAN"),
        ("80131987654Ad4X4bL5ttr2310cXX", "expected 2K"),
        ("8003112345678901231", "the first digit is 1"),
        ("70032612312460", "not a time of day"),
        ("800826123124", "24 is not an hour"),
        ("80082612310860", "60 is not minutes"),
        ("800826123108300", "300 is not minutes"),
        ("725019990230", "not a date YYYYMMDD"),
        ("4231563", "not a list of 3-digit country"),
        ("4330001000+", "only be a minus sign"),
        ("4307cn", "not a country of two letters"),
        ("8004A12345", "company prefix"),
        ("430918000000010300000000", "is more than 1800000000"),
        ("43011%FF", "percent-encoded"),
        ("72523", "ISO/IEC 5218"),
        ("8001" + "00001234500101", "must not be zero"),
        ("801101", "must not begin with 0"),
        ("801312", "expected two characters"),
        ("2531234567890128" + "A" * 18, "18 characters|31 characters, 30 at most"),
        (GS, "empty"),
        ("", "empty"),
    ],
)
def test_an_error_names_the_ai_the_place_and_the_fault(data, words):
    with pytest.raises(Invalid, match=words):
        parse_element_string(data, YEAR)


def test_an_unknown_ai_in_parentheses_is_named():
    with pytest.raises(Invalid, match=r"\(05\) is not a GS1 AI"):
        parse_parenthesised("(05)123", YEAR)
    with pytest.raises(Invalid, match="does not begin"):
        parse_parenthesised("x(01)09521234543213", YEAR)
    with pytest.raises(Invalid, match=r"\(05\) does not exist"):
        element("05", "1", YEAR)


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        ("17260200", "2026-02-28"),
        ("17280200", "2028-02-29"),
        ("3922" + "1999", "19.99"),
        ("3932" + "156" + "1999", "CNY, 19.99"),
        ("3100" + "000012", "12"),
        ("3105" + "000012", "0.00012"),
        ("4302%E5%8C%97%E4%BA%AC", "北京"),
        ("4309" + "1307000000" + "0300000000", "40.7000000 degrees, -150.0000000 degrees"),
        ("422156", "China"),
        ("423156392", "China, Japan"),
        ("43211", "yes"),
        ("4330001000-", "below zero"),
        ("7011261231" + "2359", "2026-12-31, 23:59"),
        ("8008261231" + "08" + "30", "2026-12-31 08h, 30 min"),
        ("725019991231", "1999-12-31"),
        ("8007GB82WEST12345698765432", ""),
        ("80131987654Ad4X4bL5ttr2310c2K", ""),
        ("4301ABC", ""),
        ("72529", ""),
        ("8001" + "00010000200311", ""),
        ("80110", ""),
        ("8004" + "1234X", ""),
        ("4307CN", ""),
        ("8006" + "09521234543213" + "0102", "piece 1 of 2"),
    ],
)
def test_values_are_told_in_words(data, meaning):
    assert parse_element_string(data, YEAR).elements[0].meaning == meaning


@pytest.mark.parametrize(
    ("digits", "year", "expected"),
    [
        ("760101", 2026, date(2076, 1, 1)),
        ("770101", 2026, date(1977, 1, 1)),
        ("260131", 2026, date(2026, 1, 31)),
        ("000101", 2050, date(2100, 1, 1)),
        ("010101", 2050, date(2001, 1, 1)),
        ("990101", 2000, date(1999, 1, 1)),
    ],
)
def test_the_century_is_the_nearest_one(digits, year, expected):
    assert gs1_date(digits, year) == expected


def test_money_and_counts_are_integers_or_absent():
    read = lambda data: parse_element_string(data, YEAR)  # noqa: E731
    assert read("39221999").amount_fen == 1999
    assert read("39201999").amount_fen == 199900
    assert read("39231999").amount_fen is None
    assert read("39321561999").amount_fen == 1999
    assert read("39328401999").amount_fen is None
    assert read("3920" + "9" * 15).amount_fen is None
    assert read(f"3012{GS}15260101").count == 12
    assert read(f"3012{GS}15260101").expires_on == date(2026, 1, 1)
    assert read("15260101" + "17251231").expires_on == date(2025, 12, 31)
    assert read("10A").expires_on is None
    assert read("10A").weight_g is None
    assert read("10A").gtin14 is None
    assert read("8006095212345432130102").gtin14 == "09521234543213"
    assert read("3104012345").weight_g == 1235


def test_decimals_are_put_in():
    assert decimal_text("001250", 3) == "1.250"
    assert decimal_text("5", 3) == "0.005"
    assert decimal_text("005", 0) == "5"


def test_the_table_holds_every_ai_family_and_no_ai_begins_another():
    assert len(AIS) == 541
    assert not [(a, b) for a in AIS for b in AIS if a != b and b.startswith(a)]
    fixed = {
        "00": 18,
        "01": 14,
        "02": 14,
        "11": 6,
        "17": 6,
        "20": 2,
        "3105": 6,
        "3695": 6,
        "410": 13,
        "417": 13,
    }
    variable = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "3909": 15, "3919": 18, "420": 20, "421": 12}
    other = {"3943": 4, "3955": 6, "253": 30, "255": 25, "8003": 30, "99": 90}
    assert {ai: AIS[ai].longest for ai in fixed | variable | other} == fixed | variable | other
    assert all(AIS[ai].predefined for ai in fixed)
    assert not any(AIS[ai].predefined for ai in variable | other)
    for ai, known in AIS.items():
        lengths = {(part.shortest, part.longest) for part in known.components}
        assert ai[:2] not in PREDEFINED or all(low == high for low, high in lengths)


def test_gs_is_written_only_where_one_is_needed():
    data = build_element_string((("01", "09521234543213"), ("10", "A"), ("17", "261231"), ("21", "B")))
    assert data == f"010952123454321310A{GS}1726123121B"
    with pytest.raises(Invalid, match="check digit"):
        build_element_string((("01", "09521234543214"),))


def test_the_digital_link_of_the_standard_is_read():
    link = "https://id.gs1.org/01/09521234543213/10/ABC123/21/12345?17=261231"
    message = parse_digital_link(link, YEAR)
    expected = [("01", "09521234543213"), ("10", "ABC123"), ("21", "12345"), ("17", "261231")]
    assert pairs(message) == expected
    assert build_digital_link("id.gs1.org", tuple(expected[:3]), (expected[3],)) == link


def test_any_domain_path_prefix_short_gtin_and_percent_encoding_are_read():
    link = "HTTPS://shop.example:8443/cn/p/01/9521234543213/10/A%2FB%25?3103=000500&linkType=x&21=S;17=271231#top"
    message = parse_digital_link(link, YEAR)
    assert pairs(message) == [
        ("01", "09521234543213"),
        ("10", "A/B%"),
        ("3103", "000500"),
        ("21", "S"),
        ("17", "271231"),
    ]
    assert parse_digital_link("https://a.cn/01/96385074", YEAR).gtin14 == "00000096385074"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "/01/09521234543213/21/X/10/A",
            r"after \(01\) come 21, 10; allowed in this order: 22, 10, 21 or 235",
        ),
        ("/01/09521234543213/17/261231", r"after \(01\) come 17"),
        ("/01/09521234543213/235/T/10/A", "come 235, 10"),
        ("/01/09521234543210", "check digit"),
        ("/01/09521234543213/10/%FF", "percent-encoded"),
        ("/01/095212345432130", "characters are too many, 14 at most"),
        ("/product/123", "no primary key"),
    ],
)
def test_a_wrong_link_is_refused_with_its_fault(path, words):
    with pytest.raises(Invalid, match=words):
        parse_digital_link("https://id.gs1.org" + path, YEAR)


def test_wrong_attributes_are_noted_and_lose_nothing():
    message = parse_digital_link("https://a.cn/01/09521234543213?17=269931&9999=1&01=1&10=A", YEAR)
    assert pairs(message) == [("01", "09521234543213"), ("10", "A")]
    assert len(message.notes) == 3
    many = "&".join(["90=1"] * 60)
    assert "first 50 of 60" in parse_digital_link(f"https://a.cn/01/09521234543213?{many}", YEAR).notes[0]


def test_other_addresses_are_no_digital_links():
    assert not is_digital_link("https://example.com/")
    assert not is_digital_link("ftp://id.gs1.org/01/09521234543213")
    assert is_digital_link("https://a.cn/414/9521234543213/254/x")
