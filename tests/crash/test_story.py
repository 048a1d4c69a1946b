"""A story tells whoever did not see the run what was done, committed and lost, and when."""

from __future__ import annotations

import inspect
import re
import shlex
from dataclasses import dataclass
from typing import get_type_hints

import pytest

from edge.services.records import Unit
from sim.world.brief import brief, changed
from sim.world.command import Telling, Wish, run
from sim.world.conditions import CALM, CLOCKS, Conditions
from sim.world.explore import EVERY, replay
from sim.world.moments import writes
from sim.world.steps import RECORDS
from sim.world.world import World

STEPS = next(one for one in CLOCKS if one.name == "clock steps")


@dataclass(frozen=True, slots=True)
class Stay:
    """A record as there are many."""

    stay_id: str
    plate: str
    entered_at: int
    opened_at: int = 7
    state: str = "inside"
    left_at: int | None = None
    zone: str = ""


def test_a_record_is_told_by_what_became_another_since_it_was_written_last() -> None:
    stay = Stay("s1", "粤B12345", 1_795_336_000_000)
    gone = Stay("s1", "粤B12345", 1_795_336_000_000, 8, "left", 1_795_336_060_000)
    assert brief(stay) == "Stay(stay_id=s1, plate=粤B12345, entered_at=16:26:40)"
    assert changed(gone, stay) == "Stay(s1: state=left, opened_at=1970-01-01 08:00:00, left_at=16:27:40)"
    assert changed(stay, gone).endswith("opened_at=1970-01-01 08:00:00, left_at=None)")
    assert changed(stay, stay) == "Stay(s1: as it was)"


def test_each_call_of_a_record_that_brings_nothing_back_is_told_as_a_write_and_no_look_is() -> None:
    hints = get_type_hints(Unit)
    calls = [
        (f"{record}.{name}", get_type_hints(call).get("return"))
        for record in RECORDS
        for name, call in inspect.getmembers(hints.get(record) or _kind_of(record), inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(calls) > 200
    assert [name for name, back in calls if back is type(None) and not writes(name.split(".")[1])] == []
    looks = ("get", "find", "all", "recent", "block_of", "notes", "inside", "entries", "reservations", "due")
    assert not any(writes(name) for name in looks)


def _kind_of(record: str) -> type:
    return get_type_hints(getattr(Unit, record).fget)["return"]  # type: ignore[no-any-return]


def test_the_command_that_shows_a_run_again_can_be_given_to_a_shell() -> None:
    for name, scenario in EVERY.items():
        words = shlex.split(World(scenario, 1, (7,), conditions=CALM).again())
        assert words[words.index("--scenario") + 1] == name
        assert words[words.index("--world") + 1 :] == ["calm", "--replay", "1:7"]


def test_a_story_tells_what_the_machine_and_the_lanes_went_through_and_when() -> None:
    text = "\n".join(replay("car: turns back at the entry, comes again", STEPS, 1, (900,), whole=True))
    assert re.search(r"\d+ +[\d.]+ s  machine +started anew; of its clock: it is right", text)
    assert re.search(r"machine +its clock was set by \+10800 s; it is \+10800 s wrong", text)
    assert re.search(r"lanes +north-in: boom up, 粤B12345", text)
    assert re.search(r"lanes +north-in: boom down, nobody", text)
    seconds = [float(found) for found in re.findall(r"^ *\d+ +([\d.]+) s  ", text, re.M)]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 60


def test_a_whole_story_leaves_nothing_out_that_a_short_one_tells() -> None:
    short, whole = (replay("till in parts, returned", CALM, 1, (400,), whole=one) for one in (False, True))
    assert set(short) - {line for line in short if line.endswith("...")} <= set(whole)
    assert len(whole) > len(short)


def test_a_run_that_does_not_reach_its_death_any_more_is_no_proof_of_anything() -> None:
    said: list[str] = []
    assert run(Wish(("till by cash",), ("calm",), again="1:999999"), said.append) == 1
    assert any("steps move when code changes, so explore again" in line for line in said)
    assert "0 violations" not in said
    said.clear()
    assert run(Wish(("till by cash",), ("calm",), again="1:"), said.append) == 0
    assert said[0].endswith("without a crash")


@pytest.mark.parametrize("conditions", CLOCKS, ids=lambda one: one.name)
def test_what_is_not_meant_for_a_wrong_clock_is_said_to_be_left_out(conditions: Conditions) -> None:
    said: list[str] = []
    assert run(Wish(("bill compared",), (conditions.name,)), said.append) == 0
    assert said[0] == "left out where clocks are wrong: bill compared"


def test_violations_of_a_kind_are_told_once_with_how_many_more_there_are() -> None:
    said: list[str] = []
    telling = Telling(said.append)
    for step in (3, 14, 15):
        where = f"scenario 'a', world 'calm', seed 1, crash at step {step} (store.write after)"
        telling.tell(
            f"{where}: P1: order ~{step} was charged {step} times; see it again: x --replay 1:{step}"
        )
    telling.tell("scenario 'a', world 'slow', seed 1, without a crash: P1: order ~3 was charged 2 times")
    telling.sum_up()
    assert [line.startswith("VIOLATION") for line in said] == [True, True, False]
    assert "crash at step 3 " in said[0]
    assert said[2] == "2 more like this: scenario 'a', world 'calm': P1: order # was charged # times"
