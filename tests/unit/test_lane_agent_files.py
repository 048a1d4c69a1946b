"""What an agent reads and writes: its file, its messages, its journal."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from devices.agent import journal as journals
from devices.agent.command import build_agent_devices, main
from devices.agent.journal import AgentJournal, Moment
from devices.agent.messages import (
    MAX_LINES,
    BadMessage,
    Op,
    Outcome,
    Reply,
    Request,
    Seen,
    decode_number,
    decode_presence,
    decode_reply,
    decode_request,
    decode_seen,
    encode_number,
    encode_presence,
    encode_reply,
    encode_request,
    encode_seen,
)
from devices.agent.settings import AgentConfig
from devices.building import Buses
from devices.settings_reader import load_settings, read_settings
from devices.types import GateInputs, LoopSeen, Photo, PlateSeen

EXAMPLE = Path(__file__).parents[2] / "systemd/examples/agent.toml"
A = {"name": "a", "port": "/dev/x"}
NOW = Moment("boot-1", 10_000_000_000, 1_790_000_000_000)

texts = st.text(max_size=20)
numbers = st.integers(0, 2**53 - 1)
requests = st.builds(
    Request,
    texts,
    texts,
    st.sampled_from(Op),
    numbers,
    numbers,
    st.lists(texts, max_size=MAX_LINES).map(tuple),
    numbers,
)
inputs = st.builds(GateInputs, st.booleans(), st.booleans(), st.lists(st.booleans(), max_size=4).map(tuple))
replies = st.builds(Reply, texts, st.sampled_from(Outcome), texts, st.none() | inputs)
plates = st.builds(
    PlateSeen,
    device=texts,
    key=texts,
    plate=texts,
    read_ns=st.just(0),
    confidences=st.lists(st.sampled_from((0.0, 0.25, 1.0)), max_size=8).map(tuple),
    backfill=st.booleans(),
    camera_at_ms=st.none() | numbers,
    photos=st.lists(st.builds(Photo, texts, st.binary(max_size=50)), max_size=4).map(tuple),
)
loops = st.builds(LoopSeen, texts, st.integers(0, 3), st.booleans(), st.just(0))


@given(requests)
def test_a_request_arrives_as_it_was_sent(request: Request) -> None:
    assert decode_request(encode_request(request)) == request


@given(replies)
def test_a_reply_arrives_as_it_was_sent(reply: Reply) -> None:
    assert decode_reply(encode_reply(reply)) == reply


@given(numbers, st.integers(0, 10**9), plates | loops)
def test_what_was_seen_arrives_with_its_age(seq: int, age_ms: int, what: PlateSeen | LoopSeen) -> None:
    sent = Seen(seq, age_ms, what)
    assert decode_seen(encode_seen(sent), age_ms * 1_000_000) == sent


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
    ).map(lambda x: json.dumps(x).encode())
)
def test_what_is_no_message_is_refused_and_never_crashes(raw: bytes) -> None:
    for decode in (decode_request, decode_reply, decode_number, lambda one: decode_seen(one, 0)):
        with pytest.raises(BadMessage):
            decode(raw)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"op": "explode"}, "none of pulse"),
        ({"beat": -1}, "beat is no whole number"),
        ({"beat": True}, "beat is no whole number"),
        ({"lines": ["x"] * 9}, "8 texts"),
        ({"lines": [1]}, "8 texts"),
        ({"device": None}, "device is no text"),
    ],
)
def test_a_request_with_a_fault_says_which(change: dict[str, object], problem: str) -> None:
    good = json.loads(encode_request(Request("r", "gate", Op.PULSE, 1, 2)))
    with pytest.raises(BadMessage, match=problem):
        decode_request(json.dumps({**good, **change}).encode())


def test_numbers_and_presence_arrive_and_an_emptied_topic_is_nobody() -> None:
    assert decode_number(encode_number(7)) == 7
    assert decode_presence(encode_presence(True, "s")) == (True, "s")
    assert decode_presence(encode_presence(False, "s")) == (False, "s")
    assert decode_presence(b"") == (False, "")


def test_the_age_of_what_waits_counts_on_over_a_restart_and_a_reboot(tmp_path: Path) -> None:
    seen = PlateSeen("cam", "k", "粤B12345", NOW.boottime_ns - 2_000_000_000)
    before = AgentJournal(tmp_path / "agent.db")
    seq = before.keep(seen, NOW)
    before.close()
    after = AgentJournal(tmp_path / "agent.db")
    same_boot = Moment(NOW.boot_id, NOW.boottime_ns + 5_000_000_000, NOW.wall_ms - 3_600_000)
    other_boot = Moment("boot-2", 1_000_000_000, NOW.wall_ms + 60_000)
    clock_lost = Moment("boot-2", 1_000_000_000, 0)
    ages = [after.waiting(0, 8, now)[0].age_ms for now in (NOW, same_boot, other_boot, clock_lost)]
    after.acked(seq)
    left = after.count()
    after.close()
    assert ages == [2_000, 7_000, 62_000, 0]
    assert left == 0


def test_a_full_journal_lets_the_oldest_go_and_counts_it(tmp_path: Path) -> None:
    journal = AgentJournal(tmp_path / "agent.db", kept_seen=3)
    for number in range(5):
        journal.keep(LoopSeen("cam", number, True, NOW.boottime_ns), NOW)
    kept = [seen.what.loop for seen in journal.waiting(0, 9, NOW) if isinstance(seen.what, LoopSeen)]
    journal.close()
    assert kept == [2, 3, 4]
    assert journal.dropped == 2


def test_outcomes_are_answered_again_and_the_oldest_forgotten(tmp_path: Path) -> None:
    journal = AgentJournal(tmp_path / "agent.db")
    for number in range(journals.KEPT_OUTCOMES + 1):
        assert journal.begin(f"r-{number}") is None
        journal.end(Reply(f"r-{number}", Outcome.DONE))
    assert journal.begin("r-1") == Reply("r-1", Outcome.DONE)
    assert journal.begin("r-0") is None
    journal.close()


def test_the_example_can_be_used_as_it_stands() -> None:
    config = load_settings(EXAMPLE, AgentConfig, "")
    buses = Buses()
    devices = build_agent_devices(config, buses)
    # A camera that is asked looks for its address from the beginning until it is closed.
    for one in (*buses.opened.values(), *devices.cameras.values()):
        one.close()
    assert devices.names() == ("out-2", "board-out-2", "ramp")
    assert len(buses.opened) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gate": [{"name": "a", "agent": "other"}]}, "give the port and no agent"),
        ({"gate": [{"name": "a"}]}, "give its port, or the agent"),
        ({"gate": [A], "display": [A]}, "two devices"),
    ],
)
def test_a_file_that_cannot_work_is_refused_by_name(change: dict[str, object], problem: str) -> None:
    raw = {
        **tomllib.loads(EXAMPLE.read_text("utf-8")),
        "gate": [],
        "display": [],
        "space_board": [],
        **change,
    }
    with pytest.raises(ValueError, match=problem):
        build_agent_devices(read_settings(raw, AgentConfig, "test"), Buses())


def test_the_command_checks_a_file_and_names_its_mistakes(tmp_path: Path) -> None:
    good = CliRunner().invoke(main, ["agent", "--config", str(EXAMPLE), "--check"])
    assert good.exit_code == 0
    assert "lane-out-2 drives out-2, board-out-2, ramp" in good.output
    bad = tmp_path / "bad.toml"
    bad.write_text(EXAMPLE.read_text("utf-8").replace("keepalive_s", "keepalives"), "utf-8")
    found = CliRunner().invoke(main, ["agent", "--config", str(bad), "--check"])
    assert found.exit_code == 1
    assert "agent.keepalives is not known; did you mean keepalive_s?" in found.output
    missing = CliRunner().invoke(main, ["agent", "--config", str(tmp_path / "none.toml")])
    assert "start from systemd/examples/agent.toml" in missing.output
