"""What HQ rejected, on the staff pages: read, sent again, repaired, dropped, and by whom."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from edge.services.dead_letters import MAX_NOTE
from edge.services.outbox_records import DeadLetter, DeadState, OutboxMessage
from tests.unit.hq_samples import AT, CountingIds, record
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS, PERSON, staff_client

LETTER = "/staff/letters/2"


@pytest.fixture
def shop() -> Shop:
    """Three events, of which HQ has rejected the second."""
    one = Shop()
    one.box.store.write(lambda unit: record(unit.outbox, CountingIds(), 3))  # type: ignore[arg-type]
    one.box.store.write(lambda unit: unit.outbox.set_aside(2, "no such tenant <b>", AT))
    return one


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    return staff_client(shop.box)


def letter(shop: Shop) -> DeadLetter:
    found = shop.box.store.read(lambda unit: unit.outbox.dead_letter(2))
    assert found is not None
    return found


def newest(shop: Shop) -> OutboxMessage:
    return shop.box.store.read(lambda unit: unit.outbox.window(0, 9))[-1]


def test_a_letter_shows_hqs_reason_as_text(client: FlaskClient) -> None:
    page = client.get(LETTER).text
    assert "no such tenant &lt;b&gt;" in page
    assert "<textarea" in page


def test_sending_again_keeps_the_data_and_names_the_person(client: FlaskClient, shop: Shop) -> None:
    before = json.loads(letter(shop).message.body)["data"]
    data = json.dumps(before, indent=4)
    answer = client.post(f"{LETTER}/resend", data={"data": data}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/outbox?sequence=2&again=4")
    assert json.loads(newest(shop).body)["data"] == before
    closed = letter(shop)
    assert (closed.state, closed.note, closed.closed_by) == (DeadState.RESENT, "", PERSON)
    assert "goes out again as event 4" in client.get("/staff/outbox?sequence=2&again=4").text
    assert PERSON in client.get(LETTER).text


def test_changed_data_goes_out_repaired(client: FlaskClient, shop: Shop) -> None:
    client.post(f"{LETTER}/resend", data={"data": '{"tenant": "t-1"}'}, headers=OURS)
    assert json.loads(newest(shop).body)["data"] == {"tenant": "t-1"}
    assert letter(shop).note == "repaired"


@pytest.mark.parametrize(("data", "why"), [("{", "not JSON"), ("[1]", "must be a JSON object")])
def test_data_that_cannot_be_sent_is_shown_again_with_the_reason(
    client: FlaskClient, shop: Shop, data: str, why: str
) -> None:
    answer = client.post(f"{LETTER}/resend", data={"data": data}, headers=OURS)
    assert answer.status_code == 400
    assert why in answer.text
    assert f">{data}</textarea>" in answer.text
    assert letter(shop).state is DeadState.DEAD


def test_dropping_needs_a_note_and_keeps_it_with_the_person(client: FlaskClient, shop: Shop) -> None:
    for note in ("  ", "x" * (MAX_NOTE + 1)):
        assert client.post(f"{LETTER}/drop", data={"note": note}, headers=OURS).status_code == 400
    assert letter(shop).state is DeadState.DEAD
    answer = client.post(f"{LETTER}/drop", data={"note": "told Ms Li"}, headers=OURS)
    assert answer.headers["Location"] == "/staff/outbox?sequence=2"
    closed = letter(shop)
    assert (closed.state, closed.note, closed.closed_by) == (DeadState.DROPPED, "told Ms Li", PERSON)


def test_a_letter_that_was_dealt_with_offers_nothing_and_changes_nothing(
    client: FlaskClient, shop: Shop
) -> None:
    client.post(f"{LETTER}/drop", data={"note": "told Ms Li"}, headers=OURS)
    assert "<form class" not in client.get(LETTER).text
    answer = client.post(f"{LETTER}/resend", data={"data": ""}, headers=OURS)
    assert (answer.status_code, "was dropped before" in answer.text) == (400, True)
    assert letter(shop).state is DeadState.DROPPED


def test_all_that_were_rejected_for_one_reason_go_out_again(client: FlaskClient, shop: Shop) -> None:
    store = shop.box.store
    store.write(lambda unit: unit.outbox.set_aside(3, "no such tenant <b>", AT))
    store.write(lambda unit: unit.outbox.set_aside(1, "another reason", AT))
    answer = client.post("/staff/letters/resend", data={"reason": "no such tenant <b>"}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/outbox?count=2")
    assert "2 events go out again." in client.get("/staff/outbox?count=2").text
    left = store.read(lambda unit: unit.outbox.dead_letters(9))
    assert [(one.message.sequence, one.reason) for one in left] == [(1, "another reason")]
    assert [one.sequence for one in store.read(lambda unit: unit.outbox.window(3, 9))] == [4, 5]
    assert client.post("/staff/letters/resend", data={"reason": "x"}).status_code == 403


@pytest.mark.parametrize("act", ["resend", "drop"])
def test_posts_from_elsewhere_or_without_a_session_change_nothing(
    client: FlaskClient, shop: Shop, act: str
) -> None:
    form = {"data": "", "note": "x"}
    stranger = client.post(f"{LETTER}/{act}", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert stranger.status_code == 403
    client.post("/staff/logout", headers=OURS)
    assert client.post(f"{LETTER}/{act}", data=form, headers=OURS).headers["Location"] == "/staff/login"
    assert letter(shop).state is DeadState.DEAD


@pytest.mark.parametrize("sequence", [1, 99, 10**30])
def test_an_event_that_hq_has_not_rejected_has_no_page(client: FlaskClient, sequence: int) -> None:
    assert client.get(f"/staff/letters/{sequence}").status_code == 404
    assert client.post(f"/staff/letters/{sequence}/drop", data={"note": "x"}, headers=OURS).status_code == 404
