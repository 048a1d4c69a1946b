"""No string at all may crash `classify` or `explain`, or be read without a reason."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.codes import CodeKind, CodeRules, Context, classify, code_rules
from edge.codes.check_digits import has_mod10, is_digits
from edge.codes.digital_link import parse_digital_link
from edge.codes.explain import explain, typed_scan
from edge.codes.gs1 import parse_element_string, parse_parenthesised
from edge.codes.gs1_table import AIS
from edge.codes.gtin import canonical_key, lookup_keys, parse_gtin
from edge.codes.payment import parse_payment_code
from edge.codes.scale_label import parse_layout
from edge.errors import Invalid

RULES = code_rules(public_hosts=("mall.example.com",))
AIMS = (
    None,
    "",
    "]E0",
    "]E3",
    "]E4",
    "]C0",
    "]C1",
    "]Q1",
    "]Q3",
    "]d2",
    "]e0",
    "]I1",
    "]A0",
    "]",
    "x",
    "]\x00",
)

almost_codes = st.one_of(
    st.text(max_size=60),
    st.text("0123456789", max_size=30),
    st.text("0123456789０１２٣٤²ⅣAB \x1d()]/%", max_size=40),
    st.lists(
        st.one_of(st.sampled_from(sorted(AIS)), st.text("0123456789AZ-/%", max_size=20), st.just("\x1d"))
    ).map("".join),
    st.text("0123456789/%?&=;.:@[]#ABabé", max_size=60).map("https://a.cn/01/".__add__),
    st.text("0123456789/%?&=abmt-_", max_size=40).map("https://mall.example.com/phone/".__add__),
    st.text("0123456789ABCKMPRTabc", max_size=20).map("TK".__add__),
    st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
    st.text(st.characters(categories=("Cs", "Lo", "Nd", "So")), max_size=20),
)


@settings(max_examples=600)
@given(almost_codes, st.sampled_from(AIMS), st.sampled_from(Context))
@example("https://[", None, Context.IDLE)
@example("http://\u2100.example/01/1", None, Context.IDLE)
@example("https://a.cn:x/01/09521234543213", None, Context.IDLE)
@example("\ud800", None, Context.IDLE)
@example("9" * 5000, None, Context.PAYING)
@example("(" * 3000, None, Context.IDLE)
@example("00000000", None, Context.IDLE)
@example("2500000000000000", "]\x00", Context.IDLE)
@example("8007-----", "]C1", Context.IDLE)
@example("3920" + "0" * 15, "]C1", Context.IDLE)
def test_any_text_is_classified_and_explained(text, aim, context):
    reading = classify(text, aim, RULES, context)
    assert reading.reasons
    assert (reading.payload is None) == (reading.kind is CodeKind.UNKNOWN)
    assert all(line.isprintable() for line in explain(reading))
    assert reading == classify(text, aim, RULES, context)


@settings(max_examples=300)
@given(almost_codes, st.sampled_from(Context))
def test_digits_are_ascii_digits_everywhere(text, context):
    clean = text.strip(" \t\r\n\0")
    reading = classify(text, None, RULES, context)
    if reading.kind in (CodeKind.PAYMENT, CodeKind.SCALE_LABEL):
        assert is_digits(clean)
    if reading.kind is CodeKind.ITEM and reading.payload.gtin is not None:
        assert is_digits(clean)
        assert reading.payload.gtin.form == "UPC-E" or has_mod10(clean)


@settings(max_examples=300)
@given(
    st.one_of(
        st.from_regex(r"1[0-5][0-9]{16}", fullmatch=True),
        st.from_regex(r"(2[5-9]|30)[0-9]{14,22}", fullmatch=True),
        st.from_regex(r"62[0-9]{17}", fullmatch=True),
    ),
    st.sampled_from((Context.PAYING, Context.PARKING, Context.TICKETS, Context.MEMBER)),
    st.sampled_from((None, "]C0", "]Q1")),
)
def test_where_money_is_expected_every_payment_code_is_one_and_stays_hidden(code, context, aim):
    reading = classify(code, aim, CodeRules(), context)
    assert reading.kind is CodeKind.PAYMENT
    assert reading.payload == parse_payment_code(code)
    assert code not in repr(reading)
    assert code not in "\n".join(explain(reading))
    assert code not in reading.keys


@given(almost_codes)
def test_parsers_raise_invalid_or_answer(text):
    parsers = (
        parse_gtin,
        parse_layout,
        canonical_key,
        lookup_keys,
        parse_payment_code,
        typed_scan,
        lambda one: parse_element_string(one, 2026),
        lambda one: parse_parenthesised(one, 2026),
        lambda one: parse_digital_link(one, 2026),
    )
    problems = [problem for parse in parsers if (problem := _problem(parse, text)) is not None]
    assert len(problems) <= 5
    assert all(problems)


def _problem(parse, text):
    try:
        parse(text)
    except Invalid as error:
        return str(error)
    return None
