"""Scale labels: layouts as written in the settings, labels read and refused."""

import pytest

from edge.codes.check_digits import mod10
from edge.codes.scale_label import (
    CHINA_LAYOUTS,
    MAX_LAYOUTS,
    build_label,
    match_layout,
    parse_layout,
    parse_layouts,
    read_label,
)
from edge.errors import Invalid


def test_a_weight_label_gives_item_and_grams():
    label = read_label("2100001027506", parse_layout("21PPPPPWWWWWC"))
    assert (label.item, label.weight_g, label.amount_fen) == ("00001", 2750, None)


def test_a_price_label_gives_item_and_fen():
    label = read_label("2001234009997", parse_layout("20PPPPPAAAAAC"))
    assert (label.item, label.weight_g, label.amount_fen) == ("01234", None, 999)


def test_chinas_18_digit_label_gives_item_amount_and_weight():
    layout = parse_layout("26PPPPPAAAAAWWWWWC")
    label = read_label(build_label(layout, "1234", weight_g=500, amount_fen=999), layout)
    assert label.text[:17] == "26012340099900500"
    assert (label.item, label.weight_g, label.amount_fen) == ("01234", 500, 999)


def test_the_item_is_found_as_plu_with_prefix_or_with_zeros_and_a_new_check_digit():
    label = read_label("2100001027506", parse_layout("21PPPPPWWWWWC"))
    assert label.keys == ("00001", "2100001", "2100001000004", "02100001000004", "1")


def test_decimals_of_weight_and_amount_can_be_set():
    layout = parse_layout("26PPPPPAAAAAWWWWWC w2 a1")
    label = read_label(build_label(layout, "1", weight_g=1230, amount_fen=4560), layout)
    assert (label.weight_g, label.amount_fen) == (1230, 4560)
    assert (layout.weight_factor, layout.amount_factor) == (10, 10)


def test_the_verifier_of_the_amount_is_checked():
    layout = parse_layout("2PPPPPPVAAAAC")
    good = build_label(layout, "123456", amount_fen=2875)
    assert good[7] == "9"
    assert read_label(good, layout).amount_fen == 2875
    body = good[:7] + "8" + good[8:12]
    with pytest.raises(Invalid, match="verifier of amount 2875 in the label is 8, expected 9"):
        read_label(body + str(mod10(body)), layout)


def test_a_wrong_check_digit_is_named_without_the_whole_number():
    with pytest.raises(Invalid, match="check digit is 7, expected 6") as caught:
        read_label("2100001027507", parse_layout("21PPPPPWWWWWC"))
    assert "2100001027507" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("21PPPPPWWWWC", "has 12 places; a label has 13 or 18"),
        ("21PPPPPWWWWXC", r"'X' at place 12 means nothing"),
        ("21PPPWWWPPAAC", "splits the item field P"),
        ("PPPPPPPWWWWWC", "no prefix"),
        ("21PPPPPWWWWWW", "must end with exactly one check digit C"),
        ("21PPPPPWWWWCC", "must end with exactly one check digit C"),
        ("21WWWWWWWWWWC", "no item field P"),
        ("21PPPPPPPPPPC", "neither weight W nor amount A"),
        ("2PPPPPPVVAAAC", "more than one digit"),
        ("2PPPPPVWWWWWC", "needs an amount A of 4 or 5 digits"),
        ("21PPPPPWWWW0C", r"'0' at place 12 means nothing"),
        ("21PPPPPWWWWWC W4", "'W4' is not W0 to W3"),
        ("21PPPPPWWWWWC A3", "'A3' is not"),
        ("21PPPPPWWWWWC X", "'X' is not"),
        ("21ＰPPPPWWWWWC", "means nothing|has 13"),
    ],
)
def test_a_bad_layout_is_refused_with_what_is_wrong(pattern, words):
    with pytest.raises(Invalid, match=words):
        parse_layout(pattern)


def test_two_layouts_that_read_the_same_labels_are_refused():
    with pytest.raises(Invalid, match="21PPPPPWWWWWC and 21PPPPPAAAAAC both read 13-digit labels"):
        parse_layouts(("21PPPPPWWWWWC", "20PPPPPAAAAAC", "21PPPPPAAAAAC"))
    with pytest.raises(Invalid, match="both read"):
        parse_layouts(("21PPPPPWWWWWC", "21PPPPPWWWWWC"))
    with pytest.raises(Invalid, match="too many"):
        parse_layouts(("21PPPPPWWWWWC",) * (MAX_LAYOUTS + 1))


def test_the_longest_prefix_is_tried_first_and_lengths_do_not_mix():
    layouts = parse_layouts(("2PPPPPPAAAAAC", "2115PPPWWWWWC", "21PPPPPAAAAAWWWWWC"))
    assert match_layout("2115123000000", layouts) == layouts[0]
    assert layouts[0].prefix == "2115"
    assert match_layout("2125123000000", layouts).prefix == "2"
    assert match_layout("211512300000000000", layouts).length == 18
    assert match_layout("3115123000000", layouts) is None


def test_the_defaults_for_china_are_valid_together():
    assert {layout.prefix for layout in parse_layouts(CHINA_LAYOUTS)} == {"20", "21", "02", "26"}


def test_what_does_not_fit_a_layout_cannot_be_built_or_read():
    layout = parse_layout("21PPPPPWWWWWC W2")
    with pytest.raises(Invalid, match="multiple of 10"):
        build_label(layout, "1", weight_g=1234)
    with pytest.raises(Invalid, match="does not fit 5 digits"):
        build_label(layout, "123456", weight_g=10)
    with pytest.raises(Invalid, match="does not fit 5 digits"):
        build_label(layout, "1", weight_g=10_000_000)
    with pytest.raises(Invalid, match="do not fit scale layout"):
        read_label("2200001027506", layout)
    with pytest.raises(Invalid, match="do not fit scale layout"):
        read_label("21００００１02750 6", layout)
