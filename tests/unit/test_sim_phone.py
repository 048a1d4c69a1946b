"""The simulated phone's server: where it lets a phone go, what it gives of the program, what it reads."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import segno

from sim.phone import PhoneServer, PhoneSettings
from sim.phone.server import program_texts, read_codes
from tests.browser.phone_program import Echo, echo, write_program


@pytest.fixture
def box() -> Iterator[Echo]:
    with echo() as box:
        yield box


@pytest.fixture
def phone(box: Echo, tmp_path: Path) -> Iterator[httpx.Client]:
    program = write_program(tmp_path / "program", {})
    origin = box.url.removesuffix("/b/mall/box")
    settings = PhoneSettings(
        box.url, origin, origin, "wx1", program=program, receipts=tmp_path, lanes=("out",)
    )
    with PhoneServer(settings) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def picture_of(text: str) -> bytes:
    file = io.BytesIO()
    segno.make(text, error="m", micro=False).save(file, kind="png", scale=4, border=4)
    return file.getvalue()


def test_requests_reach_the_box_alone_with_the_query_as_it_was_written(
    phone: httpx.Client, box: Echo
) -> None:
    phone.get("/relay/phone/api/v1/parking?plate=%E7%B2%A4B1&x=a%2Fb", headers={"Cookie": "a=1"})
    assert box.asked[-1]["target"] == "/b/mall/box/phone/api/v1/parking?plate=%E7%B2%A4B1&x=a%2Fb"
    headers = box.asked[-1]["headers"]
    assert isinstance(headers, dict)
    assert "cookie" not in headers
    assert "MicroMessenger" in headers["user-agent"]


def test_of_the_wallets_office_a_phone_sees_wallets_and_sheets(phone: httpx.Client, box: Echo) -> None:
    assert phone.get("/gateway/sim/wallets/w1/messages").status_code == 200
    for path in ("orders", "faults", "ledger", "settings"):
        asked = len(box.asked)
        assert phone.get(f"/gateway/sim/{path}").status_code == 404
        assert len(box.asked) == asked


def test_the_browser_opens_pages_of_the_box_for_a_wallet_alone(phone: httpx.Client, box: Echo) -> None:
    assert phone.get("/b/mall/box/phone/me").status_code == 403
    for wallet, to in (
        ("w1", "https://elsewhere.example/"),
        ("w1", f"{box.url}.example/"),
        ("x", f"{box.url}/a"),
    ):
        assert phone.get(f"/as/{wallet}", params={"to": to}).status_code == 404
    opened = phone.get("/as/w1", params={"to": f"{box.url}/phone/me", "language": "en"})
    assert (opened.status_code, opened.headers["Location"]) == (303, "/b/mall/box/phone/me")
    page = phone.get("/b/mall/box/phone/me")
    assert page.status_code == 200
    assert "X-Frame-Options" not in page.headers
    assert page.headers["Content-Security-Policy"] == "default-src 'self';"
    assert phone.get("/b/other/box/phone/me").status_code == 404


def test_a_box_that_nobody_reaches_is_no_answer(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/b/mall/box"
    settings = PhoneSettings(nowhere, nowhere, nowhere, "wx1", program=tmp_path)
    with PhoneServer(settings) as server:
        answer = httpx.get(f"{server.url}/relay/phone/api/v1/cart", trust_env=False)
    assert answer.status_code == 502
    assert answer.text.startswith("request:fail")


def test_the_program_is_given_as_it_is_with_its_one_value_set(tmp_path: Path) -> None:
    folder = write_program(
        tmp_path, {"node_modules/a/index.js": "no", "test/a.js": "no", "pages/one/a.png": "no"}
    )
    given = program_texts(folder, "http://box/b/x/y")
    assert given["config.js"] == "module.exports = { base: 'http://box/b/x/y' };"
    assert given["app.js"] == (folder / "app.js").read_text()
    assert not [name for name in given if name.startswith(("node_modules", "test")) or name.endswith(".png")]
    (folder / "config.js").write_text("module.exports = {};")
    with pytest.raises(ValueError, match=r"config\.js must set base"):
        program_texts(folder, "http://box")


def test_the_shipped_program_can_be_given() -> None:
    given = program_texts(Path(__file__).parents[2] / "miniprogram", "http://box")
    assert {"app.json", "app.js", "app.wxss", "pages/home/home.wxml"} <= set(given)


def test_codes_are_read_off_pictures_and_what_is_no_picture_is_refused(phone: httpx.Client) -> None:
    text = "http://box.example/phone/t/t123"
    assert read_codes(picture_of(text)) == [text]
    assert phone.post("/read", content=picture_of(text)).json() == {"codes": [text]}
    refused = phone.post("/read", content=b"no picture")
    assert (refused.status_code, refused.json()) == (400, {"error": "that is no picture that can be read"})


def test_slips_lanes_and_walls_are_codes_that_can_be_seen_and_strangers_codes_are_not(
    phone: httpx.Client, box: Echo, tmp_path: Path
) -> None:
    receipt = f"{box.url}/phone/r/abc"
    (tmp_path / "receipt-0001.png").write_bytes(picture_of(receipt))
    (tmp_path / "receipt-0002.png").write_bytes(picture_of("https://elsewhere.example/phone/r/x"))
    told = phone.get("/codes").json()
    seen = {(one["where"], one["text"]) for one in told["codes"] if "text" in one}
    assert ("slip", receipt) in seen
    assert ("lane", f"{box.url}/phone/parking/lane/out") in seen
    assert ("wall", f"{box.url}/phone/shop") in seen
    assert not [text for _, text in seen if "elsewhere" in text]
    assert {"name", "name_en", "price", "code"} == set(told["goods"][0])


def test_a_code_on_the_phone_is_read_by_the_scanner_of_a_place_of_the_mall(
    phone: httpx.Client, box: Echo
) -> None:
    code = "cAbCdEfGhIjK_-0123456789abcdefgh"
    assert phone.post("/hold", json={"place": "K02", "text": code}).json() == {"place": "K02"}
    assert (box.asked[-1]["method"], box.asked[-1]["target"]) == ("POST", "/api/kiosk/K02/type_code")
    assert code in str(box.asked[-1]["body"])
    asked = len(box.asked)
    assert phone.post("/hold", json={"place": "K09", "text": code}).status_code == 404
    assert phone.post("/hold", json={"place": "K02"}).status_code == 400
    assert len(box.asked) == asked
