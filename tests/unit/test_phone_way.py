"""A phone that has been here before and comes back by another code goes on with that code's way."""

from __future__ import annotations

import pytest

from tests.unit.phone_shop import PhoneShop

OLD, NEW = "way-of-yesterday-000001", "way-of-this-poster-0002"


@pytest.fixture
def shop() -> PhoneShop:
    return PhoneShop()


def begun(shop: PhoneShop) -> str:
    return str(shop.json("POST", "/session", body={"c": OLD})["token"])


def test_the_way_of_the_code_that_was_opened_last_counts(shop: PhoneShop) -> None:
    token = begun(shop)
    assert shop.session(token).correlation == OLD
    shop.json("GET", f"/me?c={NEW}", token)
    assert shop.session(token).correlation == NEW
    shop.json("GET", "/me", token)
    assert shop.session(token).correlation == NEW


def test_signing_in_afterwards_keeps_the_way(shop: PhoneShop) -> None:
    token = begun(shop)
    shop.json("GET", f"/me?c={NEW}", token)
    signed = shop.sign_in("openid-a", token)
    assert shop.session(signed).correlation == NEW


@pytest.mark.parametrize("way", ["", "x", "no%20way", "a" * 200])
def test_what_is_no_way_changes_nothing(shop: PhoneShop, way: str) -> None:
    token = begun(shop)
    shop.json("GET", f"/me?c={way}", token)
    assert shop.session(token).correlation == OLD
