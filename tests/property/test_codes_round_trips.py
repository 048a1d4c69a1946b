"""What is built reads back, and check digits catch what they promise to catch."""

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.codes import CodeKind, CodeRules, Context, classify
from edge.codes.check_digits import has_mod10, mod10, mod37_36, price_check_digit
from edge.codes.digital_link import build_digital_link, parse_digital_link
from edge.codes.gs1 import build_element_string, parse_element_string, parse_parenthesised
from edge.codes.gs1_table import AIS, Ai
from edge.codes.gtin import canonical_key, compress_upc_a, expand_upc_e, lookup_keys, parse_gtin
from edge.codes.house import DEFAULT_FORMS, LINK_LETTERS, build_house_code, build_link, read_link
from edge.codes.scale_label import build_label, parse_layout, read_label
from edge.errors import Invalid

RULES = CodeRules()
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
CSET_39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABETS = {"n": "0123456789", "x": CSET_82, "y": CSET_39, "z": "ABCabc0189_-="}


def digits(low, high=None):
    return st.text("0123456789", min_size=low, max_size=high or low)


bodies = st.sampled_from((7, 11, 12, 13)).flatmap(digits)


@given(bodies)
def test_every_built_number_is_classified_as_that_item_or_as_a_configured_label(body):
    code = body + str(mod10(body))
    reading = classify(code, None, RULES, Context.BASKET)
    gtin = parse_gtin(code)
    readings = [reading, *(other.reading for other in reading.also)]
    assert any(one.kind is CodeKind.ITEM and one.payload.gtin == gtin for one in readings)
    assert reading.kind is CodeKind.ITEM or code[:2] in ("20", "21", "02")
    assert gtin.gtin14 in lookup_keys(code)
    assert canonical_key(code) == canonical_key(gtin.gtin14) == gtin.gtin14


@given(bodies, st.data())
def test_every_single_wrong_digit_is_caught(body, data):
    code = body + str(mod10(body))
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    assert not has_mod10(code[:place] + wrong + code[place + 1 :])


@given(bodies, st.data())
def test_swapped_neighbours_are_caught_unless_they_differ_by_five(body, data):
    code = body + str(mod10(body))
    place = data.draw(st.integers(0, len(code) - 2))
    first, second = code[place], code[place + 1]
    swapped = code[:place] + second + first + code[place + 2 :]
    caught = not has_mod10(swapped)
    assert caught == (abs(int(first) - int(second)) not in (0, 5))


@given(st.text(ALNUM, min_size=1, max_size=40), st.data())
def test_the_check_character_of_our_codes_catches_wrong_and_swapped_characters(body, data):
    code = body + mod37_36(body)
    place = data.draw(st.integers(0, len(code) - 2))
    wrong = data.draw(st.sampled_from([c for c in ALNUM if c != code[place]]))
    spoiled = code[:place] + wrong + code[place + 1 :]
    assert mod37_36(spoiled[:-1]) != spoiled[-1]
    if code[place] != code[place + 1]:
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert mod37_36(swapped[:-1]) != swapped[-1]


@given(st.sampled_from("01"), digits(6))
def test_upc_e_expands_and_compresses_to_the_same_item(system, short):
    upc_a = next(
        long for check in "0123456789" if (long := _expanded_or_none(system + short + check)) is not None
    )
    again = compress_upc_a(upc_a)
    assert again is not None
    assert expand_upc_e(again) == upc_a
    last, digit_3, digit_4, digit_5 = short[5], short[2], short[3], short[4]
    canonical = (
        last in "012"
        or (last == "3" and digit_3 > "2")
        or (last == "4" and digit_4 != "0")
        or (last > "4" and digit_5 != "0")
    )
    assert not canonical or again[1:7] == short


@given(st.text("0123456789", min_size=11, max_size=11))
def test_compression_never_changes_the_item(body):
    upc_a = body + str(mod10(body))
    short = compress_upc_a(upc_a)
    assert short is None or expand_upc_e(short) == upc_a


def _expanded_or_none(code):
    try:
        return expand_upc_e(code)
    except Invalid:
        return None


@given(
    st.sampled_from(
        (
            "21PPPPPWWWWWC",
            "20PPPPPAAAAAC",
            "26PPPPPAAAAAWWWWWC",
            "2PPPPPPVAAAAC",
            "22PPPPVAAAAAC W2 A1",
            "2WWWWAAAAPPPC",
        )
    ),
    st.integers(0, 9999),
    st.integers(0, 999),
    st.integers(0, 999),
)
def test_a_label_reads_back_what_was_weighed(pattern, item, weight, amount):
    layout = parse_layout(pattern)
    width = layout.item[1] - layout.item[0]
    assume(item < 10**width)
    weight_g, amount_fen = weight * layout.weight_factor, amount * layout.amount_factor
    label = read_label(build_label(layout, str(item), weight_g, amount_fen), layout)
    assert label.item == str(item).zfill(width)
    assert label.weight_g == (weight_g if layout.weight else None)
    assert label.amount_fen == (amount_fen if layout.amount else None)


@given(digits(4, 5))
def test_a_price_field_has_exactly_one_verifier(price):
    check = price_check_digit(price)
    assert 0 <= check <= 9


@given(digits(4, 5), st.data())
def test_the_verifier_catches_every_single_wrong_digit_of_a_price(price, data):
    place = data.draw(st.integers(0, len(price) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != price[place]]))
    assert price_check_digit(price[:place] + wrong + price[place + 1 :]) != price_check_digit(price)


PLAIN_AIS = sorted(ai for ai, known in AIS.items() if not any(part.rule for part in known.components))


@st.composite
def elements(draw):
    """One AI whose value has no rule beyond alphabet and length, or one with a check digit or date."""
    kind = draw(st.sampled_from(("plain", "plain", "gtin", "date")))
    if kind == "gtin":
        body = draw(digits(13))
        return ("01", body + str(mod10(body)))
    if kind == "date":
        month, day = draw(st.integers(1, 12)), draw(st.integers(0, 28))
        return (
            draw(st.sampled_from(("11", "13", "15", "17"))),
            f"{draw(st.integers(0, 99)):02}{month:02}{day:02}",
        )
    known: Ai = AIS[draw(st.sampled_from(PLAIN_AIS))]
    parts = [
        draw(st.text(ALPHABETS[part.alphabet], min_size=part.shortest, max_size=part.longest))
        for part in known.components
    ]
    return (known.ai, "".join(parts))


messages = st.lists(elements(), min_size=1, max_size=8, unique_by=lambda pair: pair[0])


@given(messages)
def test_gs1_data_reads_back_element_by_element(pairs):
    message = parse_element_string(build_element_string(pairs), 2026)
    assert [(one.ai, one.value) for one in message.elements] == pairs


@given(messages, st.sampled_from(("]C1", "]d2", "]Q3", "]e0")))
def test_gs1_data_with_a_gs1_aim_id_is_always_gs1(pairs, aim):
    text = build_element_string(pairs)
    assume(text == text.strip())
    assert classify(text, aim, RULES, Context.PAYING).kind is CodeKind.GS1


@given(messages)
def test_the_printed_form_says_the_same(pairs):
    assume(not any("(" in value for _, value in pairs))
    message = parse_parenthesised("".join(f"({ai}){value}" for ai, value in pairs), 2026)
    assert [(one.ai, one.value) for one in message.elements] == pairs


link_value = st.text(CSET_82, min_size=1, max_size=20)


@given(digits(13), link_value, link_value, digits(6))
def test_a_digital_link_reads_back_with_any_characters(body, lot, serial, weight):
    path = (("01", body + str(mod10(body))), ("10", lot), ("21", serial))
    link = build_digital_link("shop.example", path, (("3103", weight),))
    message = parse_digital_link(link, 2026)
    assert [(one.ai, one.value) for one in message.elements] == [*path, ("3103", weight)]
    assert classify(link, "]Q1", RULES).payload == message


@given(st.sampled_from(DEFAULT_FORMS), st.text(ALNUM, min_size=4, max_size=40), st.booleans())
def test_our_own_codes_read_back_in_any_case(form, token, lower):
    code = build_house_code(form, token)
    reading = classify(code.lower() if lower else code, None, RULES, Context.TICKETS)
    assert (reading.kind.value, reading.payload.token) == (form.kind.value, token)


@given(
    st.sampled_from(sorted(LINK_LETTERS.values())),
    st.from_regex(r"[0-9A-Za-z_-]{4,64}", fullmatch=True),
    st.sampled_from(("mall.example.com", "10.0.0.7:8080")),
)
def test_our_own_links_read_back(kind, token, host):
    code = read_link(build_link(kind, token, host), (host,))
    assert (code.kind, code.token) == (kind, token)
