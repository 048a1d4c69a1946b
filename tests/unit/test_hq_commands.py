"""HQ's commands on the wire: what is read, what is named as wrong, what is ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.errors import Invalid
from edge.hq.commands import MAX_COMMAND_BYTES, MAX_QUEUED, CommandDesk, decode_command, encode_reply
from edge.hq.connection import Incoming, Saying
from edge.hq.topics import Topics
from edge.services.command_records import CommandState
from edge.services.obey_command import Obeyed
from sim.commander import Wish, encode
from tests.unit.hq_samples import AT, ORIGIN, command

SCHEMAS = Path(__file__).parents[2] / "docs/protocols/schemas"
TOPICS = Topics(ORIGIN)


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.v1.json").read_text(encoding="utf-8")))


def sample(**changes: Any) -> bytes:
    message = {
        "id": "cmd-1",
        "kind": "open_gate",
        "issued_by": "Ms Li",
        "issued_at": AT,
        "expires_at": AT + 1,
        "arguments": {"gate": "exit-1"},
    }
    return json.dumps({**message, **changes}).encode()


def incoming(payload: bytes, **changes: Any) -> Incoming:
    return Incoming(TOPICS.commands, payload, **changes)


class Desk:
    """A desk and what it said."""

    def __init__(self) -> None:
        self.said: list[Saying] = []
        self.connected = True
        self.desk = CommandDesk(TOPICS, self._say)

    def _say(self, saying: Saying) -> bool:
        if self.connected:
            self.said.append(saying)
        return self.connected


def test_a_command_is_read_and_follows_its_schema() -> None:
    schema("command").validate(json.loads(sample()))
    read = decode_command(sample(more="ignored"))
    assert (read.command_id, read.kind, read.issued_by, read.problem) == ("cmd-1", "open_gate", "Ms Li", "")
    assert (read.issued_at, read.expires_at, read.arguments) == (AT, AT + 1, {"gate": "exit-1"})


def test_what_the_reference_hq_sends_can_be_read() -> None:
    payload = encode(Wish("demo-mall", "till-1", "freeze_sales", {"note": "盘点"}), AT)
    schema("command").validate(json.loads(payload))
    assert decode_command(payload).problem == ""
    assert decode_command(payload).arguments == {"note": "盘点"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "Open Gate"}, "kind"),
        ({"kind": None}, "kind"),
        ({"issued_by": ""}, "issued_by"),
        ({"issued_by": "a\nb"}, "issued_by"),
        ({"issued_at": AT // 1000}, "issued_at"),
        ({"issued_at": True}, "issued_at"),
        ({"expires_at": float(AT)}, "expires_at"),
        ({"expires_at": AT}, "after issued_at"),
        ({"arguments": []}, "arguments"),
        ({"arguments": {f"a{n}": 1 for n in range(17)}}, "arguments"),
        ({"arguments": {"A b": 1}}, "A b"),
        ({"arguments": {"gate": None}}, "gate"),
        ({"arguments": {"gate": "x" * 201}}, "gate"),
        ({"arguments": {"gate": "\ud800"}}, "gate"),
        ({"arguments": {"gate": 1.5}}, "gate"),
    ],
)
def test_what_is_wrong_is_named_and_can_be_answered(changes: dict[str, Any], word: str) -> None:
    read = decode_command(sample(**changes))
    assert read.command_id == "cmd-1"
    assert word in read.problem


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"\xff", b"{}", sample(id=7), sample(id=""), sample(id="../x"), sample(id="x" * 65)],
)
def test_what_has_no_usable_id_is_no_command(payload: bytes) -> None:
    with pytest.raises(Invalid):
        decode_command(payload)


def test_a_command_that_is_too_large_is_not_read() -> None:
    with pytest.raises(Invalid, match="at most"):
        decode_command(sample(more="x" * MAX_COMMAND_BYTES))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_field_of_any_shape_crashes_the_reader(value: object) -> None:
    for name in ("kind", "issued_by", "issued_at", "expires_at", "arguments"):
        assert decode_command(sample(**{name: value})).command_id == "cmd-1"


def test_the_answer_goes_to_the_response_topic_with_the_correlation_and_follows_its_schema() -> None:
    it = Desk()
    topic = f"{TOPICS.replies}/hand-1"
    it.desk.take(incoming(sample(), response_topic=topic, correlation=b"c1"))
    order = it.desk.next(0.0)
    assert order is not None
    it.desk.answer(order, Obeyed(command(CommandState.DONE), repeated=True))
    assert [(one.topic, one.correlation) for one in it.said] == [(topic, b"c1")]
    answer = json.loads(it.said[0].payload)
    schema("command-reply").validate(answer)
    assert (answer["state"], answer["repeated"], answer["command_id"]) == ("done", True, "cmd-1")


@pytest.mark.parametrize("topic", ["", "mall/other/edge/till-1/replies/v1", f"{TOPICS.replies}/a/b"])
def test_no_answer_goes_anywhere_else(topic: str) -> None:
    it = Desk()
    it.desk.take(incoming(sample(), response_topic=topic, correlation=b"c1"))
    order = it.desk.next(0.0)
    assert order is not None
    it.desk.answer(order, Obeyed(command(CommandState.DONE)))
    assert it.said == []


def test_an_answer_without_a_connection_is_counted() -> None:
    it = Desk()
    it.connected = False
    it.desk.take(incoming(sample(), response_topic=TOPICS.replies))
    order = it.desk.next(0.0)
    assert order is not None
    it.desk.answer(order, Obeyed(command(CommandState.REFUSED)))
    assert it.desk.counts().lost == 1


def test_retained_commands_and_junk_are_counted_and_not_obeyed() -> None:
    it = Desk()
    it.desk.take(incoming(sample(), retained=True))
    it.desk.take(incoming(b"junk"))
    assert it.desk.next(0.0) is None
    assert it.desk.counts().junk == 2


def test_the_queue_has_an_end_and_what_is_over_is_counted() -> None:
    it = Desk()
    for number in range(MAX_QUEUED + 3):
        it.desk.take(incoming(sample(id=f"cmd-{number}")))
    counts = it.desk.counts()
    assert (counts.taken, counts.dropped) == (MAX_QUEUED, 3)


def test_a_reply_of_a_refusal_says_why() -> None:
    answer = json.loads(encode_reply(Obeyed(command(CommandState.REFUSED))))
    assert (answer["state"], answer["repeated"]) == ("refused", False)
