"""Trade item numbers, payment codes and codes of our own: forms, check digits, lookup keys."""

import pytest

from edge.codes.check_digits import is_digits, mod10, mod37_36, model_check, price_check_digit
from edge.codes.gtin import (
    Gtin,
    GtinForm,
    canonical_key,
    compress_upc_a,
    expand_upc_e,
    lookup_keys,
    parse_gtin,
    prefix_meaning,
)
from edge.codes.house import (
    DEFAULT_FORMS,
    HouseCode,
    HouseForm,
    HouseKind,
    build_house_code,
    build_link,
    check_forms,
    match_form,
    read_house_code,
    read_link,
)
from edge.codes.payment import PaymentCode, Wallet, not_a_payment_code, parse_payment_code
from edge.errors import Invalid


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("6901234567892", GtinForm.EAN_13),
        ("96385074", GtinForm.EAN_8),
        ("036000291452", GtinForm.UPC_A),
        ("09521234543213", GtinForm.ITF_14),
        ("15400141288763", GtinForm.ITF_14),
        ("04252614", GtinForm.UPC_E),
    ],
)
def test_published_samples_have_the_right_check_digit(code, form):
    assert parse_gtin(code).form is form


def test_a_wrong_check_digit_is_named_with_the_right_one():
    with pytest.raises(Invalid, match=r"check digit of 6901234567893 is 3, expected 2"):
        parse_gtin("6901234567893")


@pytest.mark.parametrize(
    "text", ["", "12345", "690123456789X", "６９０１２３４５６７８９２", "٦٩٠١٢٣٤٥٦٧٨٩٢", "690123456789²"]
)
def test_only_ascii_digits_of_a_known_length_are_trade_item_numbers(text):
    with pytest.raises(Invalid, match="8, 12, 13 or 14 digits"):
        parse_gtin(text)
    assert text == "12345" or not is_digits(text)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("04252614", "042100005264"),
        ("01234565", "012345000065"),
        ("01213007", "012000001307"),
        ("06397126", "063200009716"),
        ("12345670", "123456000070"),
    ],
)
def test_upc_e_expands_to_upc_a_in_both_number_systems(short, long):
    assert expand_upc_e(short) == long
    assert compress_upc_a(long) == short


def test_upc_e_of_another_number_system_or_check_digit_is_refused():
    with pytest.raises(Invalid, match="begin with 0 or 1"):
        expand_upc_e("24252614")
    with pytest.raises(Invalid, match="expected 4"):
        expand_upc_e("04252615")
    assert compress_upc_a("036000291453") is None
    assert compress_upc_a("236000291452") is None


def test_upc_a_and_ean_13_with_a_leading_zero_are_one_item():
    assert parse_gtin("036000291452") == parse_gtin("0036000291452") == parse_gtin("00036000291452")
    assert parse_gtin("036000291452").form is not parse_gtin("0036000291452").form
    assert parse_gtin("036000291452") != parse_gtin("6901234567892")


def test_lookup_keys_begin_as_scanned_and_hold_every_written_form():
    keys = lookup_keys("042100005264")
    assert keys[:2] == ("042100005264", "00042100005264")
    assert set(keys[2:]) == {"0042100005264", "04252614", "42100005264"}
    assert lookup_keys("04252614")[1] == "00042100005264"
    assert lookup_keys(" SKU-1 ") == ("SKU-1",)
    assert lookup_keys("  ") == ()


def test_the_canonical_key_is_the_same_for_every_form_and_found_from_each():
    forms = ("04252614", "042100005264", "0042100005264", "00042100005264")
    assert {canonical_key(form) for form in forms} == {"00042100005264"}
    assert all("00042100005264" in lookup_keys(form) for form in forms)
    assert canonical_key(" A-1 ") == "A-1"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("6901234567892", "mainland China"),
        ("2001234009997", "in-store"),
        ("9780201379624", "ISBN"),
        ("02345673", "in-store"),
        ("4891234567894", "Hong Kong"),
        ("1400000000008", "another GS1"),
    ],
)
def test_the_prefix_is_told_in_words(code, words):
    body = code[:-1]
    number = body + str(mod10(body))
    form = GtinForm.EAN_8 if len(number) == 8 else GtinForm.EAN_13
    assert words in prefix_meaning(Gtin(number.zfill(14), form))


def test_check_digits_of_the_standards_own_examples():
    assert price_check_digit("2875") == 9
    assert price_check_digit("14685") == 6
    assert mod37_36("A12425GABC1234002") == "M"
    assert model_check("1987654Ad4X4bL5ttr2310c") == "2K"


@pytest.mark.parametrize(
    ("text", "wallet"),
    [
        ("10" + "1" * 16, Wallet.WECHAT),
        ("15" + "1" * 16, Wallet.WECHAT),
        ("25" + "1" * 14, Wallet.ALIPAY),
        ("28" + "1" * 16, Wallet.ALIPAY),
        ("30" + "1" * 22, Wallet.ALIPAY),
        ("62" + "1" * 17, Wallet.UNIONPAY),
    ],
)
def test_payment_codes_are_known_by_length_and_beginning(text, wallet):
    code = parse_payment_code(text)
    assert code is not None
    assert (code.wallet, code.code) == (wallet, text)


@pytest.mark.parametrize(
    "text",
    ["16" + "1" * 16, "10" + "1" * 15, "10" + "1" * 17, "24" + "1" * 16, "31" + "1" * 16, "25" + "1" * 13]
    + ["25" + "1" * 23, "62" + "1" * 16, "10" + "１" * 16, "10" + "1" * 16 + "\n", ""],
)
def test_everything_else_is_no_payment_code(text):
    assert parse_payment_code(text) is None


def test_a_payment_code_never_shows_itself():
    code = PaymentCode(Wallet.WECHAT, "134567890123456789")
    assert repr(code) == "PaymentCode(wechat, ..6789)"
    assert f"{code}" == repr(code)


def test_the_address_that_takes_money_is_told_apart_from_a_payment_code():
    assert "收款码" in (not_a_payment_code("wxp://f2f0abc") or "")
    assert "Alipay" in (not_a_payment_code("HTTPS://QR.ALIPAY.COM/fkx1") or "")
    assert not_a_payment_code("https://example.com") is None


def test_a_house_code_reads_back_in_any_case_and_a_wrong_character_is_caught():
    forms = check_forms(DEFAULT_FORMS)
    ticket = next(form for form in forms if form.kind is HouseKind.TICKET)
    code = build_house_code(ticket, "8F3K2Q")
    assert match_form(code.lower(), forms) == ticket
    assert read_house_code(code.lower(), ticket) == HouseCode(HouseKind.TICKET, "8F3K2Q", "TK")
    with pytest.raises(Invalid, match="check character of TK8F3K2R"):
        read_house_code("TK8F3K2R" + code[-1], ticket)


@pytest.mark.parametrize(
    ("forms", "words"),
    [
        ((HouseForm(HouseKind.MEMBER, "m-"),), "must be 2 to 8"),
        ((HouseForm(HouseKind.MEMBER, "M"),), "must be 2 to 8"),
        ((HouseForm(HouseKind.MEMBER, "MC", 5, 4),), "lengths 5 to 4"),
        (
            (HouseForm(HouseKind.MEMBER, "MC"), HouseForm(HouseKind.STAFF, "MC")),
            "given to member and to staff",
        ),
    ],
)
def test_bad_house_forms_are_refused_by_name(forms, words):
    with pytest.raises(Invalid, match=words):
        check_forms(forms)


def test_the_longer_house_prefix_is_tried_first():
    forms = check_forms((HouseForm(HouseKind.MEMBER, "MC"), HouseForm(HouseKind.STAFF, "MCX")))
    assert match_form("MCX123456", forms) == forms[0]
    assert forms[0].prefix == "MCX"


def test_links_are_read_on_our_host_only():
    link = build_link(HouseKind.TICKET, "abc_DEF-123", "mall.example.com")
    assert link == "https://mall.example.com/phone/t/abc_DEF-123"
    assert read_link(link, ("mall.example.com",)).token == "abc_DEF-123"
    with pytest.raises(Invalid, match="may be forged"):
        read_link("https://mall.example.com@evil.example/phone/t/abcd", ("mall.example.com",))
    with pytest.raises(Invalid, match="no public host"):
        read_link(link, ())
    with pytest.raises(Invalid, match="not one of ours"):
        read_link("https://mall.example.com/phone/x/abcd", ("mall.example.com",))
    with pytest.raises(Invalid, match="not a web address"):
        read_link("http://[", ("mall.example.com",))
    with pytest.raises(Invalid, match="have no link"):
        build_link(HouseKind.STAFF, "abcd", "mall.example.com")
    with pytest.raises(Invalid, match="must be 4 to 64"):
        build_link(HouseKind.TICKET, "a b", "mall.example.com")
    with pytest.raises(Invalid, match="must be 4 to 40"):
        build_house_code(DEFAULT_FORMS[0], "ab")
