"""A touchpoint's code on a phone: recorded once, leads on with its way, and never more ways than allowed."""

from __future__ import annotations

from dataclasses import replace

from flask.testing import FlaskClient

from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import go
from tests.browser.desk_fake import DeskFake
from tests.unit.test_services_touch import RULES, Touched


def phone(shop: Touched) -> FlaskClient:
    settings = WebSettings()
    return create_web(DeskFake(), settings, apart=(go.blueprint(shop.box, settings),)).test_client()


def steps(shop: Touched) -> list[tuple[str, str]]:
    return [(one["step"], one["touchpoint"]) for one in shop.data("conversion.step")]


def test_a_code_is_recorded_and_leads_on_with_its_way() -> None:
    shop = Touched()
    client = phone(shop)
    answer = client.get("/phone/go/poster")
    assert answer.status_code == 303
    way = shop.data("conversion.step")[0]["correlation"]
    assert answer.location == f"/phone/x?c={way}"
    assert client.get(f"/phone/go/poster?c={way}").location == answer.location
    assert steps(shop) == [("scanned", "poster")]


def test_a_code_without_an_address_has_a_page_that_is_a_step() -> None:
    shop = Touched()
    client = phone(shop)
    target = client.get("/phone/go/guide.li").location
    page = client.get(target + "&language=en").get_data(as_text=True)
    assert "guide Li" in page
    assert "Li is glad to help you." in page
    assert f'href="{target.partition("&")[0].replace("&", "&amp;")}&amp;language=zh" lang="zh-CN"' in page
    assert "李 很高兴为您服务" in client.get(target + "&language=zh").get_data(as_text=True)
    assert steps(shop) == [("scanned", "guide.li"), ("opened", "guide.li")]


def test_an_unknown_code_is_refused_and_asking_for_the_head_records_nothing() -> None:
    shop = Touched()
    client = phone(shop)
    for path in ("/phone/go/nobody", "/phone/hello/nobody", "/phone/go/nobody/code.svg"):
        assert client.get(path).status_code == 404
    assert client.head("/phone/go/poster").status_code == 303
    assert steps(shop) == []


def test_beyond_the_limit_codes_lead_on_and_nothing_is_recorded() -> None:
    shop = Touched(touch=replace(RULES, new_per_minute=2))
    client = phone(shop)
    targets = [client.get("/phone/go/poster").location for _ in range(3)]
    assert targets[2] == "/phone/x"
    assert len(steps(shop)) == 2
    known = shop.data("conversion.step")[0]["correlation"]
    assert client.get(f"/phone/go/guide.li?c={known}").status_code == 303
    assert len(steps(shop)) == 3


def test_the_code_says_the_public_address() -> None:
    shop = Touched()
    assert go.code_address(shop.box, "poster") == "https://mall.example/phone/go/poster"
    answer = phone(shop).get("/phone/go/poster/code.svg")
    assert answer.mimetype == "image/svg+xml"
    shop.box = replace(shop.box, rules=replace(shop.box.rules, public_url=""))
    assert phone(shop).get("/phone/go/poster/code.svg").status_code == 404
