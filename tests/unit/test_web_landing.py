"""The editor's pages, uploaded pictures, the mini-program's JSON and WeChat's slip, as browsers meet them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from edge.errors import Invalid, Unavailable
from edge.members.bandit import BanditRule, VariantArm, states
from edge.members.landing_version import LandingSlot
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.staff.landing_pictures import MAX_EDGE, keep_picture, list_pictures
from edge.web.staff.landing_plot import explain, plot_bandit
from edge.web.staff.pages import box_pages
from edge.web.texts import load_texts
from tests.browser.desk_fake import NUMBER, PIN, TOKEN, DeskFake
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS

EDIT = "/staff/landing/edit?tenant=t-drinks&occasion=kiosk&campaign="
VARIANT = {
    "name": "A",
    "weight": 100,
    "title": "新茶",
    "title_en": "New tea",
    "blocks": [{"kind": "coupon", "title": "券", "code": "TEA-15"}, {"kind": "parking", "title": "停车"}],
}


class Office:
    """Somebody signed in, and what the box keeps."""

    def __init__(self, folder: Path | None) -> None:
        self.shop = Shop()
        settings = WebSettings(pictures=folder)
        app = create_web(DeskFake(), settings, box_pages(self.shop.box, settings))
        self.client: FlaskClient = app.test_client()
        self.client.set_cookie("language", "en", path="/staff")
        assert self.client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def publish(self, based_on: int = 0, **changes: object) -> Any:
        said = {"based_on": based_on, "variants": [VARIANT], **changes}
        return self.client.post(EDIT, data={"content": json.dumps(said)}, headers=OURS)

    def numbers(self) -> list[int]:
        slots = self.shop.box.store.read(lambda unit: unit.landings.slots())
        return [
            one.number
            for slot in slots
            for one in self.shop.box.store.read(lambda unit, slot=slot: unit.landings.versions(slot, 9))  # type: ignore[misc]
        ]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def picture(kind: str = "PNG", size: tuple[int, int] = (1_600, 900)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "tomato").save(out, kind)
    return out.getvalue()


def test_a_page_is_published_listed_and_edited_on_from_there(office: Office) -> None:
    assert "configuration or HQ" in office.get("/staff/landing")
    assert office.publish().status_code == 303

    assert "New tea" in office.get("/staff/landing")
    page = office.get(EDIT)
    assert "Begun with version 1" in page
    assert '"based_on": 1' in page
    assert "李敏" in page


def test_a_form_that_is_refused_keeps_what_was_typed(office: Office) -> None:
    office.publish()
    answer = office.publish(0, variants=[{**VARIANT, "title": "后来的"}])

    assert answer.status_code == 400
    assert "version 1 was published meanwhile" in answer.get_data(as_text=True)
    assert json.dumps("后来的")[1:-1] in answer.get_data(as_text=True)
    assert office.numbers() == [1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valid_from": "tomorrow"}, "give day and time"),
        ({"valid_to": "2000-01-01T00:00"}, "ended already"),
        ({"variants": [{**VARIANT, "title": ""}]}, "needs a title"),
        ({"floor": 90}, "least share"),
    ],
)
def test_what_may_not_be_published_is_said_above_the_form(
    office: Office, changes: dict[str, Any], why: str
) -> None:
    answer = office.publish(**changes)
    assert (answer.status_code, why in answer.get_data(as_text=True)) == (400, True)
    assert office.numbers() == []


@pytest.mark.parametrize("content", ["", "[]", '{"variants": []}'])
def test_an_empty_form_changes_nothing(office: Office, content: str) -> None:
    assert office.client.post(EDIT, data={"content": content}, headers=OURS).status_code == 400
    assert office.numbers() == []


def test_an_old_version_comes_back_and_all_are_withdrawn(office: Office) -> None:
    office.publish()
    office.publish(1)
    again = EDIT.replace("edit", "return")
    for form in ({"do": "return", "number": "1"}, {"do": "withdraw"}):
        assert office.client.post(again, data=form, headers=OURS).status_code == 303
    page = office.get(EDIT)
    assert "returned from version 1" in page
    assert "withdrawn" in page
    assert office.numbers() == [4, 3, 2, 1]
    assert office.client.post(again, data={"do": "return", "number": "x"}, headers=OURS).status_code == 400
    assert "Begun with version 2" in office.get(f"{EDIT}&version=2")


def test_the_preview_is_drawn_as_the_phone_draws_it_and_says_what_is_missing(office: Office) -> None:
    def preview(**changes: object) -> tuple[int, str]:
        said = {"language": "zh", "variant": {**VARIANT, **changes}}
        answer = office.client.post("/staff/landing/preview", json=said, headers=OURS)
        return answer.status_code, answer.get_data(as_text=True)

    status, drawn = preview(title="<b>茶</b>")
    assert status == 200
    assert "&lt;b&gt;茶&lt;/b&gt;" in drawn
    assert "TEA-15" in drawn
    assert "已减免停车" in drawn
    assert "needs a title" in preview(title="")[1]
    assert preview(blocks="x")[0] == 400


def test_an_uploaded_picture_is_made_anew_and_offered(office: Office, tmp_path: Path) -> None:
    form = {"picture": (io.BytesIO(picture()), "tea.png")}
    said: Any = office.client.post("/staff/landing/pictures", data=form, headers=OURS).get_json()

    assert list_pictures(tmp_path) == (said["name"],)
    with Image.open(tmp_path / said["name"]) as kept:
        assert (kept.format, kept.size) == ("JPEG", (MAX_EDGE, 720))
    with office.client.get(said["url"]) as answer:
        assert answer.status_code == 200
    assert f"<option>{said['name']}</option>" in office.get(EDIT)


@pytest.mark.parametrize("content", [b"<svg/>", b"", picture("GIF"), picture()[:200]])
def test_what_is_no_picture_is_refused_and_not_kept(office: Office, tmp_path: Path, content: bytes) -> None:
    form = {"picture": (io.BytesIO(content), "x.png")}
    answer = office.client.post("/staff/landing/pictures", data=form, headers=OURS)
    assert answer.status_code == 400
    assert "choose another" in answer.get_json()["message"]
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_is_nowhere_to_keep_a_picture() -> None:
    with pytest.raises(Unavailable, match=r"web\.pictures"):
        keep_picture(None, picture())
    assert list_pictures(None) == ()
    assert "data-upload" not in Office(None).get(EDIT)


def test_a_picture_of_too_many_pixels_or_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="make it smaller"):
        keep_picture(tmp_path, picture(size=(8_000, 6_000)))
    with pytest.raises(Invalid, match="bytes"):
        keep_picture(tmp_path, bytes(8 * 1024 * 1024 + 1))


def said_of(*arms: VariantArm, rule: BanditRule = BanditRule()) -> str:  # noqa: B008
    return explain(states(arms, rule, 1), rule, load_texts("en"))


def test_why_traffic_goes_where_it_goes_is_said_in_words() -> None:
    few = VariantArm("A", 100, 12, 1)
    assert "every shopper sees the same" in said_of(few)
    assert "(A: 12 so far)" in said_of(few, VariantArm("B", 100, 40, 2))
    assert "not shifted" in said_of(few, VariantArm("B"), rule=BanditRule(False))
    assert "ranges overlap" in said_of(VariantArm("A", 100, 50, 5), VariantArm("B", 100, 50, 6))
    sure = said_of(VariantArm("A", 100, 900, 45), VariantArm("B", 100, 900, 180))
    assert "B is clearly better (20.1 % against 5.1 % of A); 90 % of new shoppers" in sure


def test_the_plot_keeps_rates_and_shares_within_its_edges() -> None:
    rule = BanditRule()
    plot = plot_bandit(states([VariantArm("A", 100, 90, 9), VariantArm("B", 100, 90, 20)], rule, 1), rule)
    for row in plot.rows:
        assert plot.left <= row.low <= row.mean <= row.high <= plot.right
        assert row.floor <= row.bar
    assert plot.top_percent == 50


@pytest.fixture
def phone() -> FlaskClient:
    return create_web(DeskFake(), WebSettings()).test_client()


def slip(phone: FlaskClient, number: str = NUMBER, code: str = "good") -> Any:
    return phone.get(f"/phone/gold/slip?sub_mch_id=1900000109&out_trade_no={number}&check_code={code}")


def test_wechats_page_alone_may_frame_the_slip_and_it_holds_no_form(phone: FlaskClient) -> None:
    answer = slip(phone)
    page = answer.get_data(as_text=True)

    assert "frame-ancestors https://payapp.weixin.qq.com" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert phone.get(f"/phone/r/{TOKEN}").headers["X-Frame-Options"] == "DENY"
    assert "<form" not in page
    assert 'data-jump="https://mall.example/coupon"' in page
    assert 'data-state="ready"' in page
    assert TOKEN in page


def test_a_guessed_slip_tells_nothing_of_its_order(phone: FlaskClient) -> None:
    page = slip(phone, code="guess").get_data(as_text=True)
    assert "K1-1122-0042" not in page
    assert TOKEN not in page
    assert 'data-state="unknown"' in slip(phone, "1" * 32).get_data(as_text=True)
    assert slip(phone, "1" * 65).status_code == 400


def test_a_slots_page_without_any_page_begins_with_thanks() -> None:
    office = Office(None)
    office.shop.box.store.write(lambda unit: unit.landings.clear())
    assert "谢谢光临" in office.get(EDIT)
    assert LandingSlot("").landing_id == "mall"
