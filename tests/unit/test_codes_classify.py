"""The written rule: which reading wins, in which context, with which AIM id, and why."""

from dataclasses import replace

import pytest

from edge.codes import CodeKind, CodeRules, Context, classify, code_rules
from edge.codes.check_digits import mod10
from edge.codes.explain import explain, explain_code, typed_scan
from edge.codes.gs1 import Gs1Message
from edge.codes.gtin import GtinForm, ItemCode
from edge.codes.house import HouseCode, HouseForm, HouseKind, build_house_code, check_forms
from edge.codes.payment import PaymentCode, Wallet
from edge.codes.scale_label import ScaleLabel, build_label, parse_layout
from edge.errors import Invalid

RULES = code_rules(public_hosts=("Mall.Example.com",))
LABEL_18 = "26012340099900500" + str(mod10("26012340099900500"))
NOT_A_LABEL_18 = LABEL_18[:-1] + str((int(LABEL_18[-1]) + 1) % 10)
MONEY_CONTEXTS = (Context.PAYING, Context.TICKETS, Context.MEMBER, Context.PARKING)
GOODS = (Context.IDLE, Context.BASKET)


def read(text, aim=None, context=Context.BASKET, rules=RULES):
    return classify(text, aim, rules, context)


@pytest.mark.parametrize(
    ("text", "aim", "kind"),
    [
        ("6901234567892", None, CodeKind.ITEM),
        ("6901234567892\r\n", "]E0", CodeKind.ITEM),
        ("96385074", "]E4", CodeKind.ITEM),
        ("15400141288763", "]I1", CodeKind.ITEM),
        ("2100001027506", None, CodeKind.SCALE_LABEL),
        ("010952123454321310ABC123\x1d3103001250", "]C1", CodeKind.GS1),
        ("0109521234543213", "]e0", CodeKind.GS1),
        ("0109521234543213", None, CodeKind.GS1),
        ("010952123454321310ABC", None, CodeKind.GS1),
        ("00006141411234567890", None, CodeKind.GS1),
        ("(01)09521234543213", None, CodeKind.GS1),
        ("https://id.gs1.org/01/09521234543213", "]Q1", CodeKind.GS1),
        ("134567890123456789", None, CodeKind.PAYMENT),
        ("134567890123456789", "]Q1", CodeKind.PAYMENT),
        ("134567890123456789", "]C0", CodeKind.PAYMENT),
        ("https://mall.example.com/phone/t/abcd1234", None, CodeKind.TICKET),
        ("https://mall.example.com/phone/m/abcd1234", None, CodeKind.MEMBER),
        ("http://mall.example.com/phone/r/abcd1234", None, CodeKind.RECEIPT),
        ("https://mall.example.com/phone/c/abcd1234", None, CodeKind.COUPON),
        ("https://mall.example.com/phone/p/abcd1234", None, CodeKind.PARKING),
        ("A1023-BLK-M", "]C0", CodeKind.ITEM),
        ("10023", None, CodeKind.ITEM),
        ("", None, CodeKind.UNKNOWN),
        ("京A12345", None, CodeKind.UNKNOWN),
        ("粤BD12345", None, CodeKind.UNKNOWN),
    ],
)
def test_each_class_of_code_is_routed(text, aim, kind):
    reading = read(text, aim)
    assert reading.kind is kind
    assert reading.reasons


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        (HouseKind.MEMBER, "MC"),
        (HouseKind.TICKET, "TK"),
        (HouseKind.COUPON, "CP"),
        (HouseKind.PARKING, "PK"),
        (HouseKind.RECEIPT, "RC"),
        (HouseKind.STAFF, "ST"),
    ],
)
def test_our_own_short_codes_are_known_by_prefix_and_check_character(kind, prefix):
    form = next(form for form in RULES.house_forms if form.kind is kind)
    code = build_house_code(form, "A1B2C3")
    assert code.startswith(prefix)
    assert read(code).payload == HouseCode(kind, "A1B2C3", prefix)
    assert read(code).kind == CodeKind(kind.value)
    wrong = read(code[:-2] + "ZZ")
    assert wrong.kind is CodeKind.UNKNOWN
    assert "check character" in wrong.reasons[0]


def test_payloads_are_typed():
    assert isinstance(read("6901234567892").payload, ItemCode)
    assert isinstance(read("2100001027506").payload, ScaleLabel)
    assert isinstance(read("(01)09521234543213").payload, Gs1Message)
    assert isinstance(read("134567890123456789").payload, PaymentCode)


@pytest.mark.parametrize("context", MONEY_CONTEXTS)
def test_an_18_digit_label_where_money_is_expected_is_a_payment_code_and_ambiguous(context):
    reading = read(LABEL_18, None, context)
    assert reading.kind is CodeKind.PAYMENT
    assert reading.ambiguous
    assert [other.reading.kind for other in reading.also] == [CodeKind.SCALE_LABEL]


@pytest.mark.parametrize("context", GOODS)
def test_an_18_digit_label_where_goods_are_expected_is_a_label_and_ambiguous(context):
    reading = read(LABEL_18, None, context)
    assert reading.kind is CodeKind.SCALE_LABEL
    assert reading.ambiguous
    assert [other.reading.kind for other in reading.also] == [CodeKind.PAYMENT]


@pytest.mark.parametrize("context", Context)
def test_a_wrong_label_check_digit_leaves_only_the_payment_code(context):
    reading = read(NOT_A_LABEL_18, None, context)
    assert (reading.kind, reading.ambiguous, reading.also) == (CodeKind.PAYMENT, False, ())
    assert any("check digit" in reason for reason in reading.reasons)


@pytest.mark.parametrize(
    ("aim", "kind"),
    [("]Q1", CodeKind.PAYMENT), ("]I1", CodeKind.SCALE_LABEL)],
)
@pytest.mark.parametrize("context", Context)
def test_the_aim_id_settles_an_18_digit_number_in_every_context(aim, kind, context):
    reading = read(LABEL_18, aim, context)
    assert (reading.kind, reading.ambiguous) == (kind, False)


def test_code_128_alone_does_not_settle_it():
    assert read(LABEL_18, "]C0").ambiguous


@pytest.mark.parametrize("context", Context)
@pytest.mark.parametrize("text", ["134567890123456789", "2812345678901234567", "62" + "1" * 17])
def test_a_payment_code_is_one_in_every_context(text, context):
    reading = read(text, None, context)
    assert (reading.kind, reading.ambiguous, reading.keys) == (CodeKind.PAYMENT, False, ())


def test_an_ean_with_a_5_digit_add_on_is_never_a_payment_code():
    book = "978020137962" + str(mod10("978020137962"))
    reading = read(book + "90000", "]E3", Context.PAYING)
    assert reading.payload.add_on == "90000"
    assert reading.payload.text == book
    number = "134567890123" + str(mod10("134567890123"))
    assert read(number + "12345", "]E3", Context.PAYING).kind is CodeKind.ITEM
    assert read(number + "12345", None, Context.PAYING).kind is CodeKind.PAYMENT


def test_18_digits_from_a_gs1_128_are_never_a_payment_code():
    reading = read("10" + "1" * 16, "]C1", Context.PAYING)
    assert reading.kind is CodeKind.GS1
    assert reading.payload.text("10") == "1" * 16


def test_a_configured_label_goes_before_an_in_store_number_which_stays_possible():
    reading = read("2100001027506")
    assert not reading.ambiguous
    (other,) = reading.also
    assert other.reading.kind is CodeKind.ITEM
    assert other.reading.keys[0] == "2100001027506"
    assert "configured" in other.lost_because


def test_without_a_layout_an_in_store_number_is_an_item():
    reading = read("2100001027506", rules=code_rules(scale_layouts=()))
    assert (reading.kind, reading.also) == (CodeKind.ITEM, ())


def test_a_label_of_no_weight_and_no_amount_is_the_item_itself():
    reading = read("2100001000004")
    assert reading.kind is CodeKind.ITEM
    assert any("zero" in reason for reason in reading.reasons)


def test_eight_digits_that_are_ean_8_and_upc_e_are_ambiguous_until_an_aim_id_tells():
    reading = read("01234565")
    assert reading.ambiguous
    assert reading.payload.gtin.form is GtinForm.EAN_8
    assert reading.also[0].reading.payload.gtin.gtin14 == "00012345000065"
    assert read("01234565", "]E4").also == ()
    assert read("01234565", "]E0").payload.gtin.form is GtinForm.UPC_E
    assert not read("01234565", "]E0").ambiguous
    assert read("04252614").payload.gtin.form is GtinForm.UPC_E
    assert read("04252614", "]E4").kind is CodeKind.UNKNOWN


@pytest.mark.parametrize("aim", [None, "]E0", "]I1"])
@pytest.mark.parametrize("text", ["6901234567893", "15400141288764", "036000291453", "96385075"])
def test_a_wrong_check_digit_is_unknown_and_only_looked_up_as_it_stands(text, aim):
    reading = read(text, aim)
    assert reading.kind is CodeKind.UNKNOWN
    assert reading.keys == (text,)
    assert any("check digit" in reason or "ITF" in reason for reason in reading.reasons)


def test_code_128_may_carry_a_stock_code_of_13_digits_that_is_no_ean():
    reading = read("6901234567893", "]C0")
    assert reading.kind is CodeKind.ITEM
    assert reading.payload.gtin is None


def test_itf_symbols_of_other_lengths_are_refused():
    reading = read("154001412887", "]I1")
    assert reading.kind is CodeKind.UNKNOWN
    assert any("read in part" in reason for reason in reading.reasons)
    six = read("123456", "]I1", rules=code_rules(itf_lengths=(6, 14)))
    assert six.kind is CodeKind.ITEM


def test_two_codes_read_as_one_and_an_add_on_alone_are_refused():
    glued = read("69012345678926901234567892")
    assert glued.kind is CodeKind.UNKNOWN
    assert "two EAN-13" in glued.reasons[0]
    assert "add-on" in read("12", "]E1").reasons[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("６９０１２３４５６７８９２", "input method"),
        ("京A12345", "licence plate"),
        ("粤Z1234港", "licence plate"),
        ("商品", "encoding"),
        ("AB\x07C", "control"),
        ("wxp://f2f0abc", "收款码"),
        ("https://qr.alipay.com/abc", "收款码"),
        ("https://example.com/", "web address"),
        ("https://evil.example/phone/t/abcd1234", "forged"),
        ("https://mall.example.com/phone/t/ab", "not one of ours"),
        ("(01)09521234543214", "check digit"),
        ("0109521234543213\x1dZ", "no AI begins"),
        ("x" * 3000, "too many"),
        (" \r\n", "empty"),
        ("?", "no code that this box knows"),
    ],
)
def test_what_is_no_code_says_why(text, words):
    reading = read(text)
    assert reading.kind is CodeKind.UNKNOWN
    assert reading.payload is None
    assert words in " ".join(reading.reasons)


def test_a_numeric_member_card_that_is_an_ean_too_is_ambiguous():
    forms = (HouseForm(HouseKind.MEMBER, "690", 10, 10, checked=False),)
    rules = replace(RULES, house_forms=check_forms(forms))
    reading = read("6901234567892", context=Context.MEMBER, rules=rules)
    assert reading.kind is CodeKind.MEMBER
    assert reading.ambiguous
    assert reading.also[0].reading.kind is CodeKind.ITEM


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"public_hosts": ("https://mall",)}, "bare hosts"),
        ({"public_hosts": ("",)}, "bare hosts"),
        ({"itf_lengths": (1,)}, "itf_lengths"),
        ({"year": 3000}, "year 3000"),
        ({"scale_layouts": ("21",)}, "has 2 places"),
    ],
)
def test_bad_rules_are_refused_by_name(settings, words):
    with pytest.raises(Invalid, match=words):
        code_rules(**settings)


def test_no_repr_text_or_explanation_shows_a_payment_code_unless_asked():
    for text in ("134567890123456789", LABEL_18, NOT_A_LABEL_18):
        reading = read(text, None, Context.PAYING)
        assert text not in repr(reading)
        assert text not in "\n".join(explain(reading))
        assert reading.text == f"..{text[-4:]}"
        assert text[7:12] not in repr(reading) + "\n".join(explain(reading))
        assert text in "\n".join(explain(reading, reveal=True))
    in_basket = read(LABEL_18)
    assert in_basket.text == LABEL_18
    assert in_basket.also[0].reading.text == f"..{LABEL_18[-4:]}"
    assert in_basket.also[0].reading.payload == PaymentCode(Wallet.ALIPAY, LABEL_18)


@pytest.mark.parametrize("text", ["1345678901234567", "134567890123456789" * 2, "13456789012345678900"])
def test_what_may_be_part_of_a_payment_code_is_masked_too(text):
    assert read(text).text == f"..{text[-4:]}"
    assert read(text).keys == (text,)


def test_explain_code_takes_what_a_person_types():
    assert "AIM ]C1" in explain_code("]C110A<GS>17261231", rules=RULES)
    assert "AIM ]Q3" in explain_code("10A{GS}17261231", aim="]Q3")
    assert "Taken as payment code" in explain_code(LABEL_18, context="paying")
    with pytest.raises(Invalid, match="'shop' is not one of idle, basket"):
        explain_code("1", context="shop")


def test_explain_shows_every_field_the_reason_and_the_other_readings():
    lines = explain(read("2100001027506", "]E0"))
    text = "\n".join(lines)
    assert lines[0] == "2100001027506   AIM ]E0"
    assert lines[2].split() == ["field", "value", "meaning"]
    assert "weight" in text
    assert "2.750 kg" in text
    assert "Taken as scale label 称重标签, because " in text
    assert "Also possible: goods 商品; it lost because " in text
    assert "AMBIGUOUS" not in text
    assert "AMBIGUOUS" in "\n".join(explain(read(LABEL_18)))


def test_explain_lines_up_columns_and_shows_gs():
    lines = explain(read("010952123454321310A\x1d17261231", "]C1"))
    assert lines[0].startswith("010952123454321310A<GS>17261231")
    rows = lines[2:6]
    assert len({row.index(word) for row, word in zip(rows, ("value", "0952", "A", "2612"), strict=True)}) == 1
    assert "\\x07" in explain(read("a\x07"))[0]
    assert "sentence" not in explain(read(""))[-1]


@pytest.mark.parametrize("spelling", ["<GS>", "{GS}", "<gs>", "{FNC1}", "<FNC1>", "\\x1d", "^]", "\x1d"])
def test_a_typed_scan_may_spell_gs_and_begin_with_an_aim_id(spelling):
    text, aim = typed_scan(f"]C110A{spelling}17261231")
    assert (text, aim) == ("10A\x1d17261231", "]C1")
    assert read(text, aim).kind is CodeKind.GS1
    assert typed_scan("6901234567892") == ("6901234567892", None)


@pytest.mark.parametrize(
    ("text", "aim", "words"),
    [
        ("15400141288763", "]I1", "a carton or other grouping"),
        ("95400141288769", None, "variable measure"),
        ("09521234543213", None, "the item itself"),
        ("977123456700300012"[:13] + "05", "]E3", "issue of a magazine"),
        ("https://a.cn/01/09521234543213?17=269931", None, "attribute passed over"),
        (build_label(parse_layout("2PPPPPPVAAAAC"), "123456", amount_fen=2875), None, "28.75 yuan"),
        (build_label(parse_layout("2PPPPPPVAAAAC"), "123456", amount_fen=2875), None, "of the amount, right"),
    ],
)
def test_fields_say_what_they_mean(text, aim, words):
    rules = code_rules(scale_layouts=("2PPPPPPVAAAAC",))
    assert words in "\n".join(explain(read(text, aim, rules=rules)))


def test_digits_that_begin_like_gs1_data_but_are_not_right_are_a_stock_code():
    reading = read("0109521234543214")
    assert reading.kind is CodeKind.ITEM
    assert reading.payload.gtin is None


def test_a_clock_that_is_not_set_yet_does_not_stop_the_box():
    assert code_rules(year=1970).year == 2026
    assert code_rules(year=2031).year == 2031


def test_default_rules_are_the_checked_defaults():
    assert code_rules() == CodeRules()
