"""HQ's commands: once in effect, refused with a reason, never repeated after a cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from edge.clock import Instant
from edge.errors import Unavailable
from edge.parking.right import RightKind
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.command_records import CommandState
from edge.services.events import Data
from edge.services.find_right import find_right
from edge.services.obey_command import (
    AHEAD_MS,
    MAX_LIFE_MS,
    RELOAD_EVERY_MS,
    Command,
    CommandKind,
    Means,
    Obeyed,
    describe_command,
    end_orphans,
    obey_command,
)
from edge.services.outbox_records import OutboxMessage
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.clock import START_AT
from sim.fakes.gate import FakeGate


class Untrusted:
    """A clock that no time source has set."""

    def __init__(self, ports: FakePorts) -> None:
        self._clock = ports.clock

    def now(self) -> Instant:
        return replace(self._clock.now(), trusted=False)


class Commanded:
    """A box with a gate, and HQ that commands it."""

    def __init__(self) -> None:
        self.ports = FakePorts()
        self.box = fake_box(self.ports, lambda workstation: None)
        self.gate = FakeGate("exit-1")
        self.bundles: list[str] = []
        self.means = Means(self._bundle, {"exit-1": self.gate})

    def obey(
        self,
        kind: str,
        arguments: Mapping[str, str | int | bool] | None = None,
        command_id: str = "cmd-1",
        issued_at: int = START_AT,
        life_ms: int = 30_000,
        problem: str = "",
    ) -> Obeyed:
        command = Command(command_id, kind, "Ms Li", issued_at, issued_at + life_ms, arguments or {}, problem)
        return obey_command(self.box, self.means, command)

    def told(self) -> tuple[OutboxMessage, ...]:
        return self.box.store.read(lambda unit: unit.outbox.window(0, 99))

    def frozen(self) -> bool:
        return self.box.store.read(lambda unit: unit.commands.freeze()) is not None

    def _bundle(self, command_id: str) -> Data:
        self.bundles.append(command_id)
        return {"file": f"bundle-{command_id}.zip"}


@pytest.fixture
def hq() -> Commanded:
    return Commanded()


def test_sales_freeze_and_thaw_and_hq_is_told_in_the_urgent_lane(hq: Commanded) -> None:
    assert hq.obey("freeze_sales", {"note": "stocktaking"}).record.state is CommandState.DONE
    freeze = hq.box.store.read(lambda unit: unit.commands.freeze())
    assert freeze is not None
    assert (freeze.note, freeze.command_id) == ("stocktaking", "cmd-1")
    assert hq.obey("thaw_sales", command_id="cmd-2").record.state is CommandState.DONE
    assert not hq.frozen()
    assert [(one.kind, one.urgent) for one in hq.told()] == [("command.done", True)] * 2
    data = json.loads(hq.told()[0].body)["data"]
    assert (data["command_id"], data["command"], data["issued_by"]) == ("cmd-1", "freeze_sales", "Ms Li")


def test_a_repeat_has_no_effect_and_is_answered_with_what_became_of_the_first(hq: Commanded) -> None:
    first = hq.obey("freeze_sales")
    hq.obey("thaw_sales", command_id="cmd-2")
    again = hq.obey("freeze_sales")
    assert again == Obeyed(first.record, repeated=True)
    assert not hq.frozen()
    assert len(hq.told()) == 2


def test_a_refusal_is_repeated_as_well(hq: Commanded) -> None:
    assert hq.obey("open_gate", {"gate": "exit-9"}).record.reason == "no_such_gate"
    again = hq.obey("open_gate", {"gate": "exit-1"})
    assert (again.repeated, again.record.reason, hq.gate.pulses) == (True, "no_such_gate", 0)


def test_a_gate_opens_once_however_often_the_command_comes(hq: Commanded) -> None:
    results = [hq.obey("open_gate", {"gate": "exit-1"}).record for _ in range(3)]
    assert [one.result for one in results] == ['{"gate": "exit-1"}'] * 3
    assert hq.gate.pulses == 1
    assert [one.kind for one in hq.told()] == ["command.done"]


def test_an_absent_gate_is_a_refusal_and_a_silent_one_is_unknown(hq: Commanded) -> None:
    hq.gate.absent = True
    assert hq.obey("open_gate", {"gate": "exit-1"}).record.state is CommandState.REFUSED
    hq.gate.absent, hq.gate.echo_lost = False, True
    silent = hq.obey("open_gate", {"gate": "exit-1"}, "cmd-2").record
    assert (silent.state, silent.reason) == (CommandState.UNKNOWN, "gate_silent")
    assert hq.obey("open_gate", {"gate": "exit-1"}, "cmd-2").repeated
    assert hq.gate.pulses == 1
    assert [one.kind for one in hq.told()] == ["command.refused", "command.unknown"]


@pytest.mark.parametrize("kind", ["open_gate", "freeze_sales", "reload", "send_bundle"])
def test_what_has_expired_has_no_effect(hq: Commanded, kind: str) -> None:
    arguments = {"gate": "exit-1"} if kind == "open_gate" else {}
    record = hq.obey(kind, arguments, issued_at=START_AT - 30_000).record
    assert (record.state, record.reason) == (CommandState.REFUSED, "expired")
    assert (hq.gate.pulses, hq.bundles, hq.frozen()) == (0, [], False)


def test_a_gate_command_that_expires_while_it_is_written_down_does_not_open(hq: Commanded) -> None:
    class Slow:
        """A store that takes a minute to commit."""

        read = hq.ports.store.read

        def write(self, work):  # type: ignore[no-untyped-def]  # the port's own signature
            result = hq.ports.store.write(work)
            hq.ports.clock.advance(60_000)
            return result

    hq.box = replace(hq.box, store=Slow())
    assert hq.obey("open_gate", {"gate": "exit-1"}).record.reason == "expired"
    assert hq.gate.pulses == 0


def test_a_command_from_the_future_is_refused_beyond_the_difference_of_clocks(hq: Commanded) -> None:
    assert hq.obey("thaw_sales", issued_at=START_AT + AHEAD_MS).record.state is CommandState.DONE
    late = hq.obey("thaw_sales", command_id="cmd-2", issued_at=START_AT + AHEAD_MS + 1).record
    assert late.reason == "not_yet_issued"


def test_a_life_of_more_than_a_day_is_malformed(hq: Commanded) -> None:
    assert hq.obey("thaw_sales", life_ms=MAX_LIFE_MS).record.state is CommandState.DONE
    assert hq.obey("thaw_sales", command_id="cmd-2", life_ms=MAX_LIFE_MS + 1).record.reason == "malformed"


def test_an_untrusted_clock_opens_no_gate_and_is_named_in_a_refusal(hq: Commanded) -> None:
    hq.box = replace(hq.box, clock=Untrusted(hq.ports))
    assert hq.obey("open_gate", {"gate": "exit-1"}).record.reason == "clock_untrusted"
    assert hq.gate.pulses == 0
    old = hq.obey("thaw_sales", command_id="cmd-2", issued_at=START_AT - 60_000).record
    assert old.reason == "expired"
    assert "not synchronised" in old.detail
    assert hq.obey("freeze_sales", command_id="cmd-3").record.state is CommandState.DONE


@pytest.mark.parametrize(
    ("kind", "arguments", "word"),
    [
        ("open_gate", {}, "argument gate is missing"),
        ("open_gate", {"gate": 1}, "argument gate must be a text"),
        ("open_gate", {"gate": "exit-1", "seconds": 9}, "argument seconds is not known"),
        ("reload", {"hard": True}, "argument hard is not known"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    hq: Commanded, kind: str, arguments: dict[str, str | int | bool], word: str
) -> None:
    record = hq.obey(kind, arguments).record
    assert record.reason == "bad_arguments"
    assert word in record.detail
    assert hq.gate.pulses == 0


def test_a_plate_is_blocked_until_its_hours_are_over(hq: Commanded) -> None:
    record = hq.obey("block_plate", {"plate": "粤b·12345", "hours": "2", "note": "stolen"}).record
    until_at = START_AT + 2 * 3_600_000
    assert record.state is CommandState.DONE
    assert json.loads(record.result) == {"plate": "粤B12345", "until_at": until_at, "inside": 0}
    assert hq.told()[0].kind == "command.done"
    for at, kind in ((START_AT, RightKind.BLACK), (until_at, RightKind.VISITOR)):
        right = hq.box.store.read(
            lambda unit, at=at: find_right(  # type: ignore[misc]
                unit, hq.box, "粤B12345", PlateColour.BLUE, VehicleClass.SMALL, "p1", at
            )
        )
        assert right.kind is kind
        assert bool(right.refused) is (kind is RightKind.BLACK)


@pytest.mark.parametrize(
    "arguments", [{"plate": "1"}, {"plate": "粤B12345", "hours": "0"}, {"plate": "粤B12345", "hours": "x"}]
)
def test_a_plate_that_is_none_or_odd_hours_block_nothing(
    hq: Commanded, arguments: dict[str, str | int | bool]
) -> None:
    record = hq.obey("block_plate", arguments).record
    assert (record.state, record.reason) == (CommandState.REFUSED, "bad_arguments")
    assert hq.box.store.read(lambda unit: unit.plates.blocks(9)) == ()


def test_an_unknown_kind_and_a_malformed_command_are_refused_with_the_reason(hq: Commanded) -> None:
    unknown = hq.obey("sing").record
    assert unknown.reason == "unknown_kind"
    assert "freeze_sales" in unknown.detail
    malformed = hq.obey("", command_id="cmd-2", problem="kind must be a word").record
    assert (malformed.reason, malformed.detail) == ("malformed", "kind must be a word")


def test_a_box_is_not_started_anew_twice_in_a_short_time(hq: Commanded) -> None:
    assert hq.obey("reload").record.state is CommandState.DONE
    assert hq.obey("reload", command_id="cmd-2").record.reason == "too_soon"
    hq.ports.clock.advance(RELOAD_EVERY_MS)
    later = hq.obey("reload", command_id="cmd-3", issued_at=START_AT + RELOAD_EVERY_MS).record
    assert later.state is CommandState.DONE


def test_a_bundle_that_cannot_be_made_is_refused(hq: Commanded) -> None:
    def full(command_id: str) -> Data:
        raise Unavailable("the disk has no room for one")

    hq.means = Means(full)
    record = hq.obey("send_bundle").record
    assert (record.state, record.reason) == (CommandState.REFUSED, "no_bundle")
    assert "no room" in record.detail


def test_what_was_cut_off_is_told_as_unknown_once_and_never_repeated(hq: Commanded) -> None:
    class PowerCut(Exception):
        """The box stops after the gate has moved."""

    class Cut(FakeGate):
        def pulse(self) -> None:
            super().pulse()
            raise PowerCut

    gate = Cut("exit-1")
    hq.means = Means(hq.means.bundle, {"exit-1": gate})
    with pytest.raises(PowerCut):
        hq.obey("open_gate", {"gate": "exit-1"})
    assert hq.told() == ()
    assert end_orphans(hq.box) == 1
    assert end_orphans(hq.box) == 0
    again = hq.obey("open_gate", {"gate": "exit-1"})
    assert (again.repeated, again.record.state) == (True, CommandState.UNKNOWN)
    assert gate.pulses == 1
    assert [one.kind for one in hq.told()] == ["command.unknown"]


def test_a_line_for_people_names_who_what_and_why(hq: Commanded) -> None:
    line = describe_command(hq.obey("open_gate", {"gate": "exit-9"}).record)
    for word in ("refused", "open_gate", "exit-9", "Ms Li", "no_such_gate", "cmd-1"):
        assert word in line


def test_every_kind_and_reason_is_in_the_document() -> None:
    import re
    from pathlib import Path

    root = Path(__file__).parents[2]
    text = (root / "docs/protocols/commands.md").read_text(encoding="utf-8")
    code = (root / "edge/services/obey_command.py").read_text(encoding="utf-8")
    reasons = re.findall(r'(?:_refused\(|UNKNOWN, )\s*"([a-z_]+)"', code)
    assert len(reasons) > 10
    assert [one for one in [*reasons, *CommandKind] if f"`{one}`" not in text] == []
