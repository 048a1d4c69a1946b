"""HQ's commands and snapshots on the staff pages, with the one step back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient

from edge.errors import Invalid
from edge.services.command_records import CommandRecord, CommandState, SalesFreeze
from edge.services.outbox_figures import OutboxFigures
from edge.services.outbox_records import OutboxDepth
from edge.services.records import Unit
from edge.services.snapshot_records import SnapshotRefusal, SnapshotRow, SnapshotState
from edge.web.staff.plot import short, trend_of
from edge.web.staff_status import SILENT_S, hq_word
from sim.snapshots import Content
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS, staff_client

AT = 1_795_300_000_000


@dataclass
class Returns:
    """Takes the wish to return a snapshot."""

    names: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> str:
        if name != "catalogue":
            raise Invalid(f"snapshot {name!r} has no previous version")
        self.names.append(name)
        return "catalogue is back at version 6"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def returns() -> Returns:
    return Returns()


@pytest.fixture
def client(shop: Shop, returns: Returns) -> FlaskClient:
    return staff_client(shop.box, returns)


def command(number: int, state: CommandState, **values: object) -> CommandRecord:
    told = (f"cmd-{number}", "open_gate", "Ms Li", AT, AT + 1, '{"gate":"exit-1"}', AT + number, True, state)
    return CommandRecord(*told, finished_at=AT, **values)  # type: ignore[arg-type]


def test_commands_are_listed_newest_first_with_who_result_and_reason(client: FlaskClient, shop: Shop) -> None:
    assert "HQ has not told this box to do anything yet" in client.get("/staff/hq").text
    refused = command(2, CommandState.REFUSED, reason="no_such_gate", detail="there is no gate <x>")
    for one in (command(1, CommandState.DONE), refused):
        shop.box.store.write(lambda unit, it=one: unit.commands.add(it))  # type: ignore[misc]
    page = client.get("/staff/hq").text
    assert page.index('data-command="cmd-2"') < page.index('data-command="cmd-1"')
    for text in (
        "Ms Li",
        "open gate",
        "refused",
        "no_such_gate",
        "there is no gate &lt;x&gt;",
        "gate: exit-1",
    ):
        assert text in page


def test_a_freeze_of_sales_is_told_with_hqs_words(client: FlaskClient, shop: Shop) -> None:
    shop.box.store.write(lambda unit: unit.commands.set_freeze(SalesFreeze("cmd-1", "stocktaking", AT)))
    assert "stocktaking" in client.get("/staff/hq").text


def put_snapshots(unit: Unit) -> None:
    for version in (6, 7):
        manifest = Content("catalogue", version, b"x" * 3000).manifest()
        unit.snapshots.begin(SnapshotRow("catalogue", version, SnapshotState.COMING, manifest, AT))
        unit.snapshots.activate("catalogue", AT)
    unit.snapshots.refuse(SnapshotRefusal("catalogue", "d", 8, "content", "line 4: no price", AT))


def test_a_snapshot_shows_its_version_its_refusal_and_the_way_back(
    client: FlaskClient, shop: Shop, returns: Returns
) -> None:
    shop.box.store.write(put_snapshots)
    page = client.get("/staff/hq").text
    for text in ("version 7", "Return to version 6", "content: line 4: no price"):
        assert text in page
    answer = client.post("/staff/hq/snapshots/catalogue/return", headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/hq?returned=catalogue")
    assert returns.names == ["catalogue"]


def test_a_return_that_cannot_be_done_says_why(client: FlaskClient, returns: Returns) -> None:
    answer = client.post("/staff/hq/snapshots/landing-pages/return", headers=OURS)
    assert (answer.status_code, "has no previous version" in answer.text) == (409, True)
    assert returns.names == []


def test_a_return_from_elsewhere_is_refused(client: FlaskClient, returns: Returns) -> None:
    assert client.post("/staff/hq/snapshots/catalogue/return").status_code == 403
    assert returns.names == []


def test_without_a_way_back_no_button_is_shown(shop: Shop) -> None:
    shop.box.store.write(put_snapshots)
    client = staff_client(shop.box)
    assert "Return to version 6" not in client.get("/staff/hq").text
    assert client.post("/staff/hq/snapshots/catalogue/return", headers=OURS).status_code == 404


def figures(count: int, oldest_age_s: int | None, last_ack_age_s: int | None) -> OutboxFigures:
    return OutboxFigures(OutboxDepth(count, None, 9, 1, None), oldest_age_s, last_ack_age_s, None, None)


@pytest.mark.parametrize(
    ("count", "oldest_age_s", "last_ack_age_s", "word"),
    [
        (0, None, 99_999, "idle"),
        (5, 2, 99_999, "good"),
        (5, 99_999, 2, "good"),
        (5, SILENT_S + 1, SILENT_S + 1, "none"),
        (5, SILENT_S + 1, None, "none"),
    ],
)
def test_hqs_word_is_apart_from_the_broker(
    count: int, oldest_age_s: int | None, last_ack_age_s: int | None, word: str
) -> None:
    assert hq_word(figures(count, oldest_age_s, last_ack_age_s)) == word


def test_the_trend_is_that_of_whole_steps() -> None:
    assert trend_of([(45, 9_000), (30, 6_000), (15, 3_000), (0, 2_900)]) == -200.0
    assert trend_of([(30, 10), (0, 10)]) is None
    assert trend_of([(3_000, 10), (30, 500), (0, 10)]) is None


@pytest.mark.parametrize(
    ("count", "text"),
    [(950, "950"), (9_999, "9999"), (20_000, "20k"), (200_000, "200k"), (1_500_000, "1.5M")],
)
def test_axis_figures_stay_short(count: int, text: str) -> None:
    assert short(count) == text
