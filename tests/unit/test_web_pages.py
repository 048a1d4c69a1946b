from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.errors import Corrupt, Declined, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from tests.browser.desk_fake import PIN, TOKEN, DeskFake

OURS = {"Sec-Fetch-Site": "same-origin"}
TEA = "6901234567892"


@pytest.fixture
def desk() -> DeskFake:
    return DeskFake()


@pytest.fixture
def client(desk: DeskFake, tmp_path: Path) -> FlaskClient:
    (tmp_path / "tea.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "notes.txt").write_bytes(b"not a picture")
    return create_web(desk, WebSettings(pictures=tmp_path, max_streams=2)).test_client()


def test_settings_that_would_starve_requests_are_refused() -> None:
    with pytest.raises(Invalid, match="max_streams 8 must be below threads 8"):
        WebSettings(threads=8, max_streams=8)


# Pages and headers


@pytest.mark.parametrize("path", ["/", "/kiosk/K1", "/till/T1", f"/phone/r/{TOKEN}", "/staff/login"])
def test_every_page_carries_the_policy_and_is_not_stored(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "script>" not in answer.text.replace("</script>", "") or "src=" in answer.text


@pytest.mark.parametrize("path", ["/kiosk/K9", "/kiosk/T1", "/till/K1", "/phone/r/wrong", "/nothing"])
def test_a_wrong_address_is_answered_in_both_languages(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.text
    assert "There is no such page" in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/kiosk/K1", "/api/kiosk/K1/view", "/staff/login", "/metrics", "/health/ready"]
)
def test_other_networks_see_no_shop_pages(client: FlaskClient, path: str) -> None:
    assert client.get(path, environ_base={"REMOTE_ADDR": "192.168.1.20"}).status_code == 403


@pytest.mark.parametrize("path", [f"/phone/r/{TOKEN}", "/health/live", "/static/page.css"])
def test_phones_may_come_from_anywhere(client: FlaskClient, path: str) -> None:
    with client.get(path, environ_base={"REMOTE_ADDR": "192.168.1.20"}) as answer:
        assert answer.status_code == 200


def test_a_trusted_network_is_also_recognised_as_a_mapped_address(desk: DeskFake) -> None:
    client = create_web(desk, WebSettings(trusted_networks=("10.1.0.0/16",))).test_client()
    assert client.get("/", environ_base={"REMOTE_ADDR": "::ffff:10.1.2.3"}).status_code == 200
    assert client.get("/", environ_base={"REMOTE_ADDR": "::ffff:10.2.2.3"}).status_code == 403
    assert client.get("/", environ_base={"REMOTE_ADDR": ""}).status_code == 403


# Requests from elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://evil.example/localhost"},
    ],
)
def test_posts_from_elsewhere_change_nothing(
    client: FlaskClient, desk: DeskFake, headers: dict[str, str]
) -> None:
    answer = client.post("/api/kiosk/K1/start", headers=headers)
    assert (answer.status_code, answer.json and answer.json["error"]) == (403, "forbidden")
    assert desk.seats["K1"].screen == "attract"


@pytest.mark.parametrize(
    "headers", [OURS, {"Origin": "http://localhost"}, {"Referer": "http://localhost/kiosk/K1"}]
)
def test_posts_from_our_own_pages_are_done(
    client: FlaskClient, desk: DeskFake, headers: dict[str, str]
) -> None:
    assert client.post("/api/kiosk/K1/start", headers=headers).json == {"version": 2}
    assert desk.seats["K1"].screen == "basket"


# The API


def test_the_view_speaks_the_asked_language_or_the_workstations_own(client: FlaskClient) -> None:
    assert client.get("/api/kiosk/K1/view").json["language"] == "zh"  # type: ignore[index]
    assert client.get("/api/kiosk/K1/view?language=en").json["language"] == "en"  # type: ignore[index]
    assert client.get("/api/kiosk/K1/view?language=fr").status_code == 400


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (Invalid("x"), 400, "invalid"),
        (Declined("x"), 409, "declined"),
        (Unavailable("x"), 503, "unavailable"),
        (OutcomeUnknown("x"), 503, "outcome_unknown"),
        (Corrupt("x"), 500, "corrupt"),
    ],
)
def test_errors_of_the_service_have_their_status(
    desk: DeskFake, error: EdgeError, status: int, word: str
) -> None:
    class Broken(DeskFake):
        def act(self, workstation: str, action: str, arguments: object) -> None:
            raise error

    answer = create_web(Broken(), WebSettings()).test_client().post("/api/kiosk/K1/start", headers=OURS)
    assert (answer.status_code, answer.json) == (status, {"error": word, "message": "x"})


@pytest.mark.parametrize("body", ["[]", "{", '"x"', "null"])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, body: str) -> None:
    answer = client.post("/api/kiosk/K1/start", data=body, headers=OURS, content_type="application/json")
    assert (answer.status_code, answer.json and answer.json["error"]) == (400, "invalid")


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    text = "9" * 20_000
    answer = client.post("/api/kiosk/K1/type_code", json={"text": text}, headers=OURS)
    assert (answer.status_code, answer.json and answer.json["error"]) == (413, "too_large")


def test_unknown_workstations_and_actions_are_refused(client: FlaskClient) -> None:
    assert client.post("/api/kiosk/K9/start", headers=OURS).status_code == 404
    assert client.post("/api/kiosk/K1/explode", headers=OURS).status_code == 400
    assert client.get("/api/kiosk/K1/start").status_code == 405


# The stream


def test_the_stream_begins_with_the_view_and_follows_changes(client: FlaskClient, desk: DeskFake) -> None:
    answer = client.get("/api/kiosk/K1/stream", buffered=False)
    events = iter(answer.response)
    assert answer.mimetype == "text/event-stream"
    assert next(events) == b"retry: 1000\n\n"
    assert next(events).startswith(b"id: 1\nevent: view\ndata: {")
    desk.scan("K1", TEA)
    assert next(events).startswith(b"id: 2\nevent: view\ndata: {")
    answer.close()


def test_an_idle_stream_says_that_it_lives(desk: DeskFake) -> None:
    client = create_web(desk, WebSettings(keep_alive_s=0.01)).test_client()
    answer = client.get("/api/kiosk/K1/stream", buffered=False)
    events = iter(answer.response)
    assert [next(events) for _ in range(3)][2] == b": keep-alive\nevent: alive\ndata: 1\n\n"
    answer.close()


def test_a_stream_ends_when_the_service_stops(client: FlaskClient, desk: DeskFake) -> None:
    answer = client.get("/api/kiosk/K1/stream", buffered=False)
    events = iter(answer.response)
    next(events)
    next(events)
    desk.changes.close()
    assert len(list(events)) <= 1


def test_streams_beyond_the_cap_are_sent_to_polling_until_one_closes(client: FlaskClient) -> None:
    first, second = (client.get("/api/kiosk/K1/stream", buffered=False) for _ in range(2))
    refused = client.get("/api/kiosk/K1/stream")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "15")
    first.close()
    first.close()
    third = client.get("/api/kiosk/K1/stream", buffered=False)
    assert third.status_code == 200
    assert client.get("/api/kiosk/K1/stream").status_code == 503
    second.close()
    third.close()


# Phones


def test_the_phone_page_shows_receipt_and_offers_in_the_phones_language(client: FlaskClient) -> None:
    english = client.get(f"/phone/r/{TOKEN}", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert "Longjing green tea" in english
    assert "¥147.90" in english
    assert "2025-11-22 16:35" in english
    assert "龙井绿茶" in client.get(f"/phone/r/{TOKEN}?language=zh").text


def test_the_qr_code_is_a_picture_from_the_box(client: FlaskClient) -> None:
    answer = client.get(f"/phone/r/{TOKEN}/qr.svg")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.data.startswith(b"<svg")
    assert client.get("/phone/r/unknown/qr.svg").status_code == 404


def test_a_touch_is_recorded_and_leads_to_the_tenants_address(client: FlaskClient, desk: DeskFake) -> None:
    answer = client.post(f"/phone/r/{TOKEN}/touch", data={"touchpoint": "offer", "block": "0"}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://mall.example/coupon")
    assert desk.touches == [(TOKEN, "offer")]


@pytest.mark.parametrize("block", ["-1", "99", "x", "٣", ""])
def test_a_touch_without_a_block_of_the_page_leads_nowhere(client: FlaskClient, block: str) -> None:
    answer = client.post(
        f"/phone/r/{TOKEN}/touch", data={"touchpoint": "offer", "block": block}, headers=OURS
    )
    assert answer.status_code == 204


def test_an_unknown_touch_is_refused_and_not_recorded(client: FlaskClient, desk: DeskFake) -> None:
    answer = client.post(f"/phone/r/{TOKEN}/touch", json={"touchpoint": "stolen"}, headers=OURS)
    assert (answer.status_code, answer.json and answer.json["error"]) == (400, "invalid")
    assert client.post("/phone/r/nope/touch", json={"touchpoint": "join"}, headers=OURS).status_code == 404
    assert client.get(f"/phone/r/{TOKEN}/touch").status_code == 405
    assert desk.touches == []


@pytest.mark.parametrize(
    ("name", "status"),
    [("tea.jpg", 200), ("other.jpg", 404), ("notes.txt", 404), ("..%2ftea.jpg", 404), ("%2e%2e/x.jpg", 404)],
)
def test_only_pictures_of_the_folder_are_served(client: FlaskClient, name: str, status: int) -> None:
    with client.get(f"/phone/pictures/{name}") as answer:
        assert answer.status_code == status


# Staff and health


def sign_in(client: FlaskClient) -> None:
    assert client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303


@pytest.mark.parametrize(
    "path", ["/staff/", "/staff/devices", "/staff/service", "/staff/outbox", "/staff/scans/K1"]
)
def test_staff_pages_ask_for_a_pin_first(client: FlaskClient, path: str) -> None:
    where = client.get(path).headers["Location"]
    assert where == ("/staff/login" if path == "/staff/" else f"/staff/login?to={path}")
    sign_in(client)
    assert client.get(path, follow_redirects=True).status_code == 200


def test_who_signs_in_comes_to_the_page_that_was_wanted(client: FlaskClient) -> None:
    form = client.get("/staff/login?to=/staff/scans/K1").get_data(as_text=True)
    assert 'action="/staff/login?to=/staff/scans/K1"' in form
    answer = client.post("/staff/login?to=/staff/scans/K1", data={"pin": PIN}, headers=OURS)
    assert answer.headers["Location"] == "/staff/scans/K1"


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/phone/x", "/staff/..//evil", "/staff//evil"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(client: FlaskClient, to: str) -> None:
    answer = client.post("/staff/login", query_string={"to": to}, data={"pin": PIN}, headers=OURS)
    assert answer.headers["Location"] == "/staff/devices"


def test_the_staff_cookie_stays_in_the_browser_and_with_us(client: FlaskClient) -> None:
    cookie = client.post("/staff/login", data={"pin": PIN}, headers=OURS).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/staff" in cookie


def test_a_wrong_pin_opens_nothing(client: FlaskClient) -> None:
    answer = client.post("/staff/login", data={"pin": "0000"}, headers=OURS)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert client.get("/staff/devices").status_code == 303


def test_signing_out_ends_the_session_at_the_box(client: FlaskClient) -> None:
    sign_in(client)
    cookie = client.get_cookie("staff", path="/staff")
    assert cookie is not None
    client.post("/staff/logout", headers=OURS)
    client.set_cookie("staff", cookie.value, path="/staff")
    assert client.get("/staff/devices").status_code == 303


def test_the_outbox_page_shows_depth_and_age(client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/staff/outbox?language=en").text
    assert "<dd>17</dd>" in page
    assert "3 min 4 s" in page


def test_staff_are_told_when_phones_cannot_open_receipts(client: FlaskClient, desk: DeskFake) -> None:
    sign_in(client)
    assert "public_url" not in client.get("/staff/service").text
    desk.public_url = ""
    assert "没有设置 public_url" in client.get("/staff/service").text
    assert client.get(f"/phone/r/{TOKEN}/qr.svg").status_code == 404
    assert "qr.svg" not in client.get(f"/phone/r/{TOKEN}").text


@pytest.mark.parametrize(
    ("asked", "rows"),
    [("", 3), ("class=payment", 1), ("outcome=added", 1), ("text=0123", 2), ("class=item&text=66", 0)],
)
def test_scans_can_be_filtered(client: FlaskClient, asked: str, rows: int) -> None:
    sign_in(client)
    assert client.get(f"/staff/scans/K1?{asked}").text.count("data-class=") == rows


def test_a_page_that_only_refreshes_itself_does_not_stay_signed_in(desk: DeskFake) -> None:
    client = create_web(desk, WebSettings(staff_idle_s=1)).test_client()
    sign_in(client)
    refreshed = []
    for _ in range(50):
        refreshed.append(client.get("/staff/devices", headers={"X-Refresh": "1"}).status_code)
        if refreshed[-1] == 303 or threading.Event().wait(0.1):
            break
    assert (refreshed[0], refreshed[-1]) == (200, 303)


def test_readiness_follows_the_desk(client: FlaskClient, desk: DeskFake) -> None:
    assert client.get("/health/ready").status_code == 200
    desk.ready = False
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200
    assert "mall_edge_outbox_depth 17" in client.get("/metrics").text
