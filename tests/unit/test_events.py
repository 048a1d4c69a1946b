"""Events: the envelope that HQ reads, the data of each kind, and what must never be in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cloudevents.v1.http import from_json
from jsonschema import Draft202012Validator

from edge.clock import Instant, iso
from edge.errors import Invalid
from edge.hq.codec import MAX_HOLES
from edge.members.landing import BlockKind
from edge.retail.attempt import AttemptState
from edge.retail.basket import MAX_LINES
from edge.retail.order import OrderState
from edge.services import events
from edge.services.events import EventKind, Origin, record_event
from edge.services.publish_events import URGENT_WINDOW, WINDOW
from tests.unit.hq_samples import (
    AT,
    BOOT,
    ORIGIN,
    PAGE,
    RECEIPT,
    CountingIds,
    MemoryOutbox,
    attempt,
    line,
    paid_order,
    samples,
)

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs/protocols/schemas"
INSTANT = Instant(AT, BOOT, 12_345_678_901, False)


def schema(name: str) -> Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.v1.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def record(outbox: MemoryOutbox, kind: EventKind | str, data: events.Data, subject: str = "order-1") -> Any:
    unit: Any = SimpleNamespace(outbox=outbox)
    message = record_event(unit, CountingIds(), INSTANT, ORIGIN, kind, subject, data)
    return json.loads(message.body)


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_kind_follows_its_schema_and_the_envelope_schema(kind: EventKind) -> None:
    envelope = record(MemoryOutbox(), kind, samples()[kind])
    schema("envelope").validate(envelope)
    schema(kind.value).validate(envelope["data"])
    assert envelope["type"] == f"cn.mall.{kind.value}.v1"
    document = json.loads((SCHEMAS / f"{kind.value}.v1.json").read_text(encoding="utf-8"))
    assert envelope["dataschema"] == document["$id"]


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_schema_refuses_data_with_a_missing_field(kind: EventKind) -> None:
    data = dict(samples()[kind])
    for name in data:
        partial = {key: value for key, value in data.items() if key != name}
        assert not schema(kind.value).is_valid(partial), f"{kind} without {name}"


@pytest.mark.parametrize("kind", list(EventKind))
def test_the_cloudevents_package_reads_every_envelope(kind: EventKind) -> None:
    outbox = MemoryOutbox()
    record(outbox, kind, samples()[kind])
    event = from_json(outbox.rows[1].body)
    assert event["source"] == "/mall/demo-mall/edge/till-1"
    assert event["time"] == iso(AT)
    assert event["sequence"] == "0000000000000001"
    assert event.data == json.loads(json.dumps(samples()[kind]))
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in event)


def test_the_stored_message_repeats_what_the_envelope_says() -> None:
    outbox = MemoryOutbox()
    envelope = record(outbox, "help.called", events.help_called("kiosk-1"), "kiosk-1")
    message = outbox.rows[1]
    assert (message.event_id, message.kind, message.source) == (
        envelope["id"],
        "help.called",
        envelope["source"],
    )
    assert message.created_at == AT
    assert envelope["clocktrusted"] is False
    assert envelope["boottimems"] == "12345"
    assert envelope["correlationid"] == "kiosk-1"


def test_text_stays_readable_and_compact() -> None:
    outbox = MemoryOutbox()
    record(outbox, EventKind.ORDER_PAID, samples()[EventKind.ORDER_PAID])
    assert "拿铁".encode() in outbox.rows[1].body
    assert b'", "' not in outbox.rows[1].body


def test_sequences_follow_one_another() -> None:
    outbox = MemoryOutbox()
    for _ in range(3):
        record(outbox, EventKind.HELP_CALLED, events.help_called("kiosk-1"))
    assert [json.loads(row.body)["sequence"] for row in outbox.window(0, 9)] == [
        f"{n:016d}" for n in (1, 2, 3)
    ]


def test_what_each_tenant_earned_sums_to_the_total() -> None:
    data: Any = events.order_paid(paid_order(line(1), line(2, "t-bakery", 800), line(3, amount_fen=50)))
    assert data["tenants"] == [
        {"tenant_id": "t-bakery", "amount_fen": 800},
        {"tenant_id": "t-coffee", "amount_fen": 1_300},
    ]
    assert data["total_fen"] == 2_100


def test_no_secret_and_no_identity_is_in_any_event() -> None:
    text = json.dumps(list(samples().values()), ensure_ascii=False)
    assert "openid-secret" not in text
    assert RECEIPT.token not in text
    assert '"1234"' not in text


def test_the_fullest_basket_fits_into_one_event() -> None:
    wide = replace(line(1, name="龘" * 200), barcode="9" * 400, sku="s" * 64, tenant_id="t" * 64)
    outbox = MemoryOutbox()
    order = paid_order(*[replace(wide, weight_g=99_999, quantity=999)] * MAX_LINES)
    record(outbox, EventKind.ORDER_PAID, events.order_paid(order))
    assert len(outbox.rows[1].body) <= events.MAX_EVENT_BYTES


def test_an_event_beyond_the_limit_is_refused_and_nothing_is_appended() -> None:
    outbox = MemoryOutbox()
    with pytest.raises(Invalid, match="131072 at most"):
        record(outbox, EventKind.HELP_CALLED, {"workstation": "k" * events.MAX_EVENT_BYTES})
    assert outbox.last_sequence == 0


@pytest.mark.parametrize(
    ("kind", "subject", "data", "complaint"),
    [
        ("order.eaten", "order-1", {}, "not one that HQ knows"),
        ("order.paid", "", {}, "needs a subject"),
        ("order.paid", "order-1", {"name": "\ud800"}, "cannot be written"),
        ("order.paid", "order-1", {"share": float("nan")}, "cannot be written"),
        ("order.paid", "order-1", {"raw": b"x"}, "cannot be written"),
    ],
)
def test_what_cannot_be_an_event_is_refused(kind: str, subject: str, data: Any, complaint: str) -> None:
    outbox = MemoryOutbox()
    with pytest.raises(Invalid, match=complaint):
        record(outbox, kind, data, subject)
    assert outbox.last_sequence == 0


@pytest.mark.parametrize("name", ["", "Mall", "a/b", "a+", "#", "-a", "a" * 33, "商场", "a\n"])
def test_a_site_or_edge_that_cannot_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="1-32"):
        Origin(name, "till-1")
    with pytest.raises(Invalid, match="1-32"):
        Origin("mall", name)


def test_builders_refuse_states_that_have_nothing_to_tell() -> None:
    order = paid_order()
    with pytest.raises(Invalid, match="not paid"):
        events.order_paid(replace(order, state=OrderState.AWAITING, closed_at=None))
    with pytest.raises(Invalid, match="not cancelled"):
        events.order_cancelled(order)
    with pytest.raises(Invalid, match="outcomes only"):
        events.payment_step(attempt(AttemptState.SUBMITTED))
    with pytest.raises(Invalid, match="surface"):
        events.landing_step(PAGE, order, "billboard", BlockKind.JOIN)


def test_every_kind_has_a_schema_and_a_line_in_the_document() -> None:
    document = (ROOT / "docs/protocols/hq-events.md").read_text(encoding="utf-8")
    for kind in EventKind:
        assert f"| `{kind.value}` |" in document, f"{kind.value} has no line in hq-events.md"
    described = {path.name.removesuffix(".v1.json") for path in SCHEMAS.glob("*.v1.json")}
    assert f"At most {WINDOW} ordinary and {URGENT_WINDOW} urgent events" in document
    assert f"{MAX_HOLES} at most" in document
    assert described == {kind.value for kind in EventKind} | {
        "envelope",
        "ack",
        "state",
        "request",
        "command",
        "command-reply",
        "reply",
        "snapshot",
        "fetch",
        "chunk",
    }
