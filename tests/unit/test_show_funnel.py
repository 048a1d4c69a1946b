"""The funnel as people see it, from the configuration to a command's lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge.app.touch import build_touch
from edge.cli import main
from edge.config import parse_config
from edge.errors import Invalid
from edge.members.attribution import AttributionKind
from edge.members.conversion import ConversionStep
from edge.members.touchpoint import TouchpointClass
from edge.services.journey_records import CommissionTotal, FunnelBy, FunnelFilter
from edge.services.show_funnel import (
    MOST_DAYS,
    commission_csv,
    days_before,
    funnel_csv,
    funnel_lines,
    read_funnel,
    values_of,
)
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA
from tests.contract.test_journey_store import DAY, step
from tests.unit.test_services_touch import Touched

BOX = {"site": "demo", "edge": "box-1", "data_dir": "/tmp/x"}


def config(**more: Any) -> Any:
    return parse_config({"box": BOX, **more}, "test")


def test_a_funnel_has_rates_hours_rows_and_csv() -> None:
    shop = Touched()
    shop.sell(COLA, way=shop.scanned("poster"))
    shop.scanned("poster")
    order = shop.sell(BREAD)
    day = order.business_day
    wanted = FunnelFilter(day, day)
    view = shop.box.store.read(lambda unit: read_funnel(unit, wanted, FunnelBy.TOUCHPOINT))
    assert [row.value for row in view.rows] == ["poster", "ws.kiosk-1"]
    poster = view.rows[0]
    assert poster.shoppers(ConversionStep.SCANNED) == 2
    assert (poster.bought_permille, poster.amount_fen) == (500, 350)
    lines = {one.count.step: one.count.shoppers for one in view.steps}
    assert lines[ConversionStep.BOUGHT] == 2
    assert sum(row.shoppers(ConversionStep.SCANNED) for row in view.hours) == 2
    text = funnel_csv(view)
    assert text.splitlines()[0] == (
        "touchpoint,shown,scanned,opened,identified,joined,bought,parked,returned,bought_yuan"
    )
    assert "poster,1,2,0,0,0,1,0,0,3.50" in text
    assert any("scanned" in line for line in funnel_lines(view))
    assert shop.box.store.read(lambda unit: values_of(unit, wanted, FunnelBy.TENANT)) == (
        "t-bakery",
        "t-drinks",
    )
    by_hour = shop.box.store.read(lambda unit: read_funnel(unit, wanted, FunnelBy.HOUR))
    assert by_hour.hours == by_hour.rows


@pytest.mark.parametrize(
    ("first", "last", "hour"),
    [("2026-13-01", DAY, None), (DAY, "2026-11-21", None), ("2026-01-01", DAY, None), (DAY, DAY, 24)],
)
def test_days_and_hours_that_make_no_sense_are_refused(first: str, last: str, hour: int | None) -> None:
    shop = Touched()
    with pytest.raises(Invalid):
        shop.box.store.read(lambda unit: read_funnel(unit, FunnelFilter(first, last, hour), FunnelBy.DAY))
    assert days_before(DAY, MOST_DAYS) == "2026-08-22"


def test_csv_is_safe_to_open_in_a_spreadsheet() -> None:
    text = commission_csv([CommissionTotal("=cmd", DAY, 2, 1_000, -300)])
    assert text.splitlines()[1] == f"{DAY},'=cmd,2,10.00,-3.00,7.00"


def test_touchpoints_guides_and_rules_are_read_from_the_configuration() -> None:
    rules = build_touch(
        config(
            funnel={"attribution": "guide", "window_days": 7, "keep_days": 30},
            touchpoint=[{"id": "poster", "owner": "commercial", "guide": "li", "scene": 1047}],
            guide=[{"id": "li", "name": "李", "commission_permille": 20}],
            workstation=[{"name": "kiosk-1"}],
        )
    )
    assert rules.attribution.kind is AttributionKind.GUIDE
    poster = rules.book.find("poster")
    assert poster is not None
    assert (poster.owner, poster.scene, poster.guide) == (TouchpointClass.COMMERCIAL, 1047, "li")
    assert set(rules.book.touchpoints) == {"poster", "guide.li", "ws.kiosk-1"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"funnel": {"keep_days": 0}}, "keep_days"),
        ({"funnel": {"keep_days": 10, "window_days": 30}}, "window_days"),
        ({"funnel": {"new_per_minute": 0}}, "new_per_minute"),
        ({"funnel": {"window_days": 0}}, "window_days"),
        ({"touchpoint": [{"id": "a b"}]}, "touchpoint"),
        ({"touchpoint": [{"id": "a", "guide": "x"}]}, "no guide"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(more: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        build_touch(config(**more))


def test_the_command_lists_the_funnel_and_writes_csv(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db", 1)
    store.write(lambda unit: unit.journeys.add(step("way-0001", ConversionStep.SCANNED)))
    store.close()
    file = tmp_path / "edge.toml"
    file.write_text(f'[box]\nsite = "demo"\nedge = "box-1"\ndata_dir = "{tmp_path}"\n', encoding="utf-8")
    words = ["funnel", "--config", str(file), "--day", DAY]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert "poster" in shown.output
    as_csv = CliRunner().invoke(main, [*words, "--by", "hour", "--days", "2", "--csv"])
    assert "\n9,0,1,0,0,0,0,0,0,0.00" in as_csv.output.replace("\r", "")
    assert CliRunner().invoke(main, [*words[:-1], "yesterday"]).exit_code == 1
