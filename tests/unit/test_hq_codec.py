"""Acks as HQ may send them, well-formed or not; topics and presence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.errors import Invalid
from edge.hq.codec import MAX_ACK_BYTES, Presence, decode_ack, encode_presence
from edge.hq.connection import LinkSettings
from edge.hq.topics import Topics
from edge.services.ports import HqAck, Rejection
from tests.unit.hq_samples import ORIGIN

SCHEMAS = Path(__file__).parents[2] / "docs/protocols/schemas"


@pytest.mark.parametrize(
    ("payload", "ack"),
    [
        (b'{"through":0}', HqAck(0)),
        (b'{"through":42,"holes":[]}', HqAck(42)),
        (b'{"through":42,"holes":[41,7,7]}', HqAck(42, (7, 41))),
        (b'{"through":42,"holes":[40],"at":"later versions may say more"}', HqAck(42, (40,))),
        (b'{"through":42,"also":[99,70,70]}', HqAck(42, (), (70, 99))),
        (
            b'{"through":42,"rejected":[{"sequence":41,"reason":"no\\nsuch tenant"}]}',
            HqAck(42, rejected=(Rejection(41, "no such tenant"),)),
        ),
    ],
)
def test_an_ack_is_read(payload: bytes, ack: HqAck) -> None:
    assert decode_ack(payload) == ack


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 4_000, "not JSON"),
        (b"[]", "must be an object"),
        (b"{}", "through"),
        (b'{"through":-1}', "through"),
        (b'{"through":true}', "through"),
        (b'{"through":1.0}', "through"),
        (b'{"through":"7"}', "through"),
        (b'{"through":99999999999999999}', "through"),
        (b'{"through":7,"holes":{}}', "list of 100"),
        (b'{"through":7,"holes":[0]}', "one of holes"),
        (b'{"through":7,"holes":[7]}', "below through"),
        (b'{"through":7,"holes":["1"]}', "one of holes"),
        (b'{"through":999,"holes":%s}' % json.dumps(list(range(1, 102))).encode(), "list of 100"),
        (b'{"through":7,"also":[7]}', "above through"),
        (b'{"through":7,"rejected":[5]}', "sequence and reason"),
        (b'{"through":7,"rejected":[{"sequence":0,"reason":"x"}]}', "a rejected sequence"),
        (b'{"through":7,"rejected":%s}' % json.dumps([{}] * 21).encode(), "list of 20"),
        (b" " * (MAX_ACK_BYTES + 1), "8192 at most"),
    ],
)
def test_junk_is_refused_and_named(payload: bytes, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        decode_ack(payload)


@given(
    st.binary(max_size=200)
    | st.recursive(st.integers() | st.none() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_no_payload_does_anything_but_pass_or_be_invalid(payload: bytes) -> None:
    try:
        ack = decode_ack(payload)
    except Invalid:
        return
    assert ack.through_sequence >= 0
    assert all(0 < hole < ack.through_sequence for hole in ack.holes)


def test_topics_are_those_of_the_document() -> None:
    topics = Topics(ORIGIN)
    assert topics.event("order.paid") == "mall/demo-mall/edge/till-1/events/v1/order.paid"
    assert topics.acks == "mall/demo-mall/edge/till-1/acks/v1"
    assert topics.state == "mall/demo-mall/edge/till-1/state/v1"


@pytest.mark.parametrize("presence", list(Presence))
def test_presence_follows_its_schema(presence: Presence) -> None:
    schema = Draft202012Validator(json.loads((SCHEMAS / "state.v1.json").read_text(encoding="utf-8")))
    schema.validate(json.loads(encode_presence(presence, 7)))


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(LinkSettings("hq.example", username="till-1", password="hunter2"))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"host": ""}, "address"),
        ({"port": 0}, "address"),
        ({"window": 0}, "window"),
        ({"window": 101}, "window"),
        ({"first_delay_s": 0}, "pauses"),
        ({"first_delay_s": 9, "last_delay_s": 8}, "pauses"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        LinkSettings(**({"host": "127.0.0.1"} | wrong))  # type: ignore[arg-type]
