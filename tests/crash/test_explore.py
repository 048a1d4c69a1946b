"""Exploring: what is chosen is crashed and counted; what broke is told with the command that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
import structlog
from click.testing import CliRunner

from edge.errors import Invalid
from edge.services.payment_ports import CodePayment
from sim.cli import main
from sim.fakes.box import KIOSK
from sim.fakes.gateway import Shopper
from sim.world import explore as exploring
from sim.world.command import INTERRUPTED
from sim.world.conditions import CALM, CLOCKS, LOSSY, MIXED, SLOW, WORLDS
from sim.world.explore import EVERY, Plan, chosen, explore, replay, table
from sim.world.people.person import Person, Place
from sim.world.promised import broken, promises
from sim.world.scenario import Scenario
from sim.world.scenarios import KIOSK_BY_CODE
from sim.world.world import World

FOUR = (
    "kiosk by code",
    "shift with a sale and refunds",
    "car: paid at the exit",
    "car: misread at the entry",
)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Exploring silences the service's log; the next test wants it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_scenarios_worlds_and_boundaries_are_as_many_as_were_asked_for() -> None:
    assert len(EVERY) >= 12
    assert len(WORLDS) >= 8
    boundaries = sum(World(EVERY[name]).run().steps.count for name in FOUR)
    assert boundaries >= 400


@pytest.mark.timeout(120)
def test_a_part_of_the_exploration_breaks_nothing() -> None:
    rows = explore(Plan(FOUR, (LOSSY, SLOW), stride=20))
    assert [line for row in rows for line in row.problems] == []
    assert len(rows) == 8
    assert all(row.singles >= 2 and row.boundaries > row.singles for row in rows)
    lines = table(rows)
    print("\n" + "\n".join(lines))
    assert all(
        any(line.startswith(name) for line in lines) for name in (*FOUR, "lossy", "slow", "4 scenarios")
    )


@pytest.mark.timeout(120)
def test_pairs_are_crashed_beside_the_single_ones() -> None:
    told: list[tuple[int, int]] = []
    plan = Plan(("kiosk by code",), (CALM,), seed=0, stride=30, pairs=True)
    (row,) = explore(plan, lambda done, of: told.append((done, of)))
    assert row.problems == []
    assert row.doubles > row.singles > 0
    assert told[-1][0] == told[-1][1] > 1


def test_two_processes_come_to_the_same_as_one() -> None:
    plan = Plan(("till by cash", "paid in part, given up"), (CALM,), seed=0, stride=10)
    assert explore(replace(plan, workers=2)) == explore(plan)


def test_names_that_fit_nothing_are_refused() -> None:
    assert chosen((), ()) == (tuple(EVERY), WORLDS)
    assert chosen(("by code", "car: pass"), ("lossy",))[1] == (LOSSY,)
    with pytest.raises(Invalid, match="no scenario has 'nothing' in its name"):
        chosen(("by code", "nothing"), ())
    with pytest.raises(Invalid, match="no world 'sunny'; there are calm, mixed"):
        chosen((), ("sunny",))


# A run that breaks something is found, and its command shows it again.


@dataclass(slots=True)
class Thief(Person):
    """Takes money at the gateway that no box asked for, once a service has died before."""

    world: World

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if self.world.crashes and not self.done:
            self.world.gateway.show_code("139999999999999999", Shopper("openid-x", 10_000))
            payment = CodePayment("nobodys", 990, "x", "139999999999999999", KIOSK)
            self.world.gateway.pay_by_code(payment)
        self.done = True

    def __repr__(self) -> str:
        return "a thief"


def _robbed(world: World) -> Sequence[Person]:
    return [*KIOSK_BY_CODE.prepare(world), Thief(world)]


@pytest.fixture
def robbed() -> Iterator[str]:
    """Have one more scenario, in which a crash is followed by a theft."""
    scenario = Scenario("robbed after a crash", _robbed)
    exploring.EVERY[scenario.name] = scenario
    yield scenario.name
    del exploring.EVERY[scenario.name]


def test_a_violation_is_told_with_its_command_and_the_command_shows_it_again(robbed: str) -> None:
    runner = CliRunner()
    asked = ["explore", "--scenario", robbed, "--world", "calm", "--stride", "40", "--workers", "0"]
    found = runner.invoke(main, asked)
    assert found.exit_code == 1
    line = next(one for one in found.output.splitlines() if one.startswith("VIOLATION"))
    assert "990 fen were taken and nobody was told" in line
    assert f"--scenario '{robbed}' --world calm --replay 1:" in line
    points = line.rpartition("--replay ")[2]
    shown = runner.invoke(main, ["explore", "--scenario", robbed, "--world", "calm", "--replay", points])
    assert shown.exit_code == 1
    assert "VIOLATION P2: nobodys: 990 fen were taken and nobody was told" in shown.output
    assert f" DIED AT {points.partition(':')[2]:>6}  " in shown.output


def _interrupted(world: World) -> Sequence[Person]:
    raise KeyboardInterrupt


def test_who_interrupts_has_the_table_until_then_and_a_status_that_is_no_success() -> None:
    scenario = Scenario("till by cash, interrupted", _interrupted)
    exploring.EVERY[scenario.name] = scenario
    asked = ["--scenario", "till by cash", "--world", "calm", "--stride", "40", "--workers", "0"]
    try:
        found = CliRunner().invoke(main, ["explore", *asked])
    finally:
        del exploring.EVERY[scenario.name]
    assert found.exit_code == INTERRUPTED == 130
    assert "BROKEN OFF" in found.output
    done = next(one for one in found.output.splitlines() if re.match(r"till by cash  ", one))
    assert int(done.split()[3]) > 0


def test_a_replay_is_the_same_run_and_tells_where_it_died_and_what_came_of_it() -> None:
    first, second = (replay("car: paid at the exit", LOSSY, 3, (200, 900)) for _ in range(2))
    assert first == second
    text = "\n".join(first)
    assert text.count("DIED AT") == 2
    assert "parking.left" in text
    assert text.endswith("0 violations")
    assert any("was not reached" in line for line in replay("till by cash", CALM, 0, (99_999,)))


def test_a_replay_tells_what_was_committed_lost_done_outside_and_seen() -> None:
    cut = World(EVERY["kiosk by code"], 1).run().steps.names.index("unit.ledger.post") + 1
    text = "\n".join(replay("kiosk by code", MIXED, 1, (cut,)))
    before, _, after = text.partition("  DIED ")
    assert "outside    gateway.pay_by_code(CodePayment(" in before
    assert re.search(r"committed  attempts\.put PaymentAttempt\(~\w+: state=submitted", before)
    assert re.search(r"screen     kiosk-1: checkout, order kiosk-1-0001, paid 0 fen", before)
    lost = before.partition("lost       the transaction under way:")[2]
    assert re.search(r"attempts\.put PaymentAttempt\(~\w+: state=approved", lost)
    assert "ledger.post Posting(" in lost
    assert re.search(r"orders\.put Order\(~\w+: state=paid", after)


def test_a_violation_names_its_promise_and_a_replay_has_its_words() -> None:
    known = promises()
    assert known["P1"] == "No order is charged twice."
    assert broken(["world, crash at step 3: P1: order 7 was charged 2 times"], known) == (
        "P1: No order is charged twice.",
    )
    assert broken(["P1: once", "P1: again", "P99: what"], known)[1:] == ("P99: see docs/promises.md",)
    assert broken(["nothing"], known) == ()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--replay", "1:12"], "a replay needs one --scenario and one --world"),
        (["--scenario", "till by cash", "--world", "calm", "--replay", "12"], ""),
        (["--scenario", "till by cash", "--world", "calm", "--replay", "x:12"], "SEED:STEPS"),
        (["--scenario", "till by cash", "--world", "calm", "--replay", "1:x"], "SEED:STEPS"),
        (["--world", "sunny"], "there is no world 'sunny'"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_the_remedy(options: list[str], why: str) -> None:
    said = CliRunner().invoke(main, ["explore", *options])
    assert (said.exit_code != 0) is bool(why)
    assert why in said.output


def test_all_names_are_listed() -> None:
    said = CliRunner().invoke(main, ["explore", "--list"])
    assert said.output.splitlines() == [*EVERY, *(f"world {one.name}" for one in (*WORLDS, *CLOCKS))]
