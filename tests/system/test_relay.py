"""The whole mall: a shopper pays at the kiosk and opens the receipt on a phone that only reaches HQ."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.system.mall_process import Person, audit, code_of, open_mall

WATER = "MK-001"


def test_the_receipt_of_a_sale_opens_through_hq_and_a_touch_reaches_the_books(tmp_path: Path) -> None:
    with open_mall(tmp_path) as mall:
        person = Person(mall)
        person.scan(code_of(WATER))
        person.sees_skus(WATER)
        person.touch("checkout")
        person.sees("checkout")
        _, code = person.shows_code()
        person.scan(code)
        receipt = person.sees("paid")["receipt"]
        assert isinstance(receipt, dict)
        assert str(receipt["url"]).startswith(f"{mall.public_url}/phone/r/")
        with httpx.Client(timeout=30) as phone:
            page = phone.get(str(receipt["url"]))
            assert page.status_code == 200
            assert str(receipt["number"]) in page.text
            style = phone.get(f"{mall.public_url}/static/page.css")
            assert style.headers["Content-Type"].startswith("text/css")
            origin = {"Origin": mall.public_url.partition("/b/")[0]}
            touched = phone.post(f"{receipt['url']}/touch", json={"touchpoint": "join"}, headers=origin)
            assert touched.status_code == 204
            assert phone.get(f"{mall.public_url}/staff/").status_code == 404
            metrics = phone.get(f"{mall.url}/metrics").text
            assert "# TYPE mall_edge_relay_served_total counter\nmall_edge_relay_served_total 4\n" in metrics
            assert "mall_edge_hq_connections_total 1\n" in metrics
        _, hq = audit(mall, tmp_path)
        assert hq.kinds["landing.join"] == 1
