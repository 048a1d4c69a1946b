"""Look-up keys and prices by their time."""

from __future__ import annotations

import pytest

from edge.codes.classify import classify
from edge.codes.reading import code_rules
from edge.retail.catalogue import Price, barcode_key, plu_key, price_at, scan_keys
from sim.goods import scale_label


@pytest.mark.parametrize("written", ["012345678905", "0012345678905", "00012345678905"])
def test_one_article_has_one_key_in_whatever_form_it_is_written(written: str) -> None:
    assert barcode_key(written) == "00012345678905"


def test_a_house_code_is_its_own_key() -> None:
    assert barcode_key("BK0001") == "BK0001"


@pytest.mark.parametrize("item", ["1234", "01234", "001234"])
def test_an_item_number_has_one_key_whatever_its_zeros(item: str) -> None:
    assert plu_key(item) == "plu:01234"


def test_an_item_number_of_six_digits_keeps_them() -> None:
    assert plu_key("123456") == "plu:123456"


def test_a_scale_label_is_looked_up_by_its_item_number_first() -> None:
    keys = scan_keys(classify(scale_label("01234", 2750), None, code_rules()))

    assert keys[0] == "plu:01234"
    assert barcode_key(scale_label("01234", 0)) in keys


def test_another_code_is_looked_up_by_its_own_keys() -> None:
    reading = classify("6901234567892", None, code_rules())

    assert scan_keys(reading) == reading.keys
    assert "06901234567892" in reading.keys


def test_a_price_holds_from_its_moment_until_the_next() -> None:
    first, second = Price("A", 1000, 500), Price("A", 2000, 650)

    found = [price_at((second, first), at) for at in (999, 1000, 1999, 2000, 9999)]

    assert found == [None, first, first, second, second]
