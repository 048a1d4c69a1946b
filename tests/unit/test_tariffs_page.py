"""The staff page of tariffs: versions, a stay explained, the price over time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.parking.calendar import CalendarDay, NamedDay
from edge.parking.tariff_document import read_tariffs
from edge.parking.tariff_table import EXAMPLE
from tests.unit.garage import Garage
from tests.unit.staff_client import staff_client


@pytest.fixture
def garage() -> Garage:
    made = Garage()
    tariffs = read_tariffs(EXAMPLE.encode().splitlines(), UTC)
    later = read_tariffs(EXAMPLE.replace("2026-01-01", "2098-01-01").encode().splitlines(), UTC)
    made.box.store.write(lambda unit: unit.tariffs.replace((*tariffs, *later)))
    return made


@pytest.fixture
def client(garage: Garage) -> FlaskClient:
    return staff_client(garage.box)


STAY = "/staff/tariffs?tariff=standard&from=2026-11-20T09:00&to=2026-11-20T11:30"


def test_versions_are_listed_with_what_is_in_force(client: FlaskClient) -> None:
    text = client.get("/staff/tariffs").get_data(as_text=True)
    assert text.count('data-tariff="standard"') == 2
    assert "In force<" in text
    assert "To come<" in text


def test_a_stay_is_explained_with_its_price_over_time(client: FlaskClient) -> None:
    text = client.get(STAY).get_data(as_text=True)
    assert "parked 2 h 30 min, to pay 20.00; 25.00 after 12:00" in text
    assert "<li>09:00-10:00 10.00 per hour × 1 = 10.00</li>" in text
    assert 'class="depth" d="M0 220 H' in text


def test_a_large_vehicle_pays_its_own_rate(client: FlaskClient) -> None:
    text = client.get(f"{STAY}&class=large").get_data(as_text=True)
    assert "to pay 45.00" in text


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("from=2026-11-20T09:00&to=2026-11-20T08:00", 200, "The exit is before the entry."),
        ("from=2026-01-20T09:00&to=2026-11-20T08:00", 200, "60 days at most can be explained."),
        ("from=soon", 400, "no time"),
        ("class=tank", 400, "no such class"),
    ],
)
def test_a_stay_that_cannot_be_is_told(client: FlaskClient, query: str, status: int, told: str) -> None:
    answer = client.get(f"/staff/tariffs?{query}")
    assert answer.status_code == status
    assert told in answer.get_data(as_text=True)


def test_named_days_to_come_are_listed(garage: Garage, client: FlaskClient) -> None:
    today = datetime.fromtimestamp(garage.box.clock.now().wall_at // 1000, UTC).date()
    named = (CalendarDay(date(2020, 1, 1), NamedDay.HOLIDAY), CalendarDay(today, NamedDay.WORKDAY, "调休"))
    garage.box.store.write(lambda unit: unit.calendar_days.replace(named))
    text = client.get("/staff/tariffs").get_data(as_text=True)
    assert f"{today} · Worked weekend · 调休" in text
    assert "2020-01-01" not in text


def test_without_tariffs_the_page_says_what_to_do(garage: Garage, client: FlaskClient) -> None:
    garage.box.store.write(lambda unit: unit.tariffs.replace(()))
    assert "mall-edge tariff import" in client.get("/staff/tariffs").get_data(as_text=True)


def test_both_languages_have_the_same_words() -> None:
    texts = Path(__file__).parents[2] / "edge/web/texts"
    zh, en = (json.loads((texts / f"{one}_tariffs.json").read_text("utf-8")) for one in ("zh", "en"))
    assert zh.keys() == en.keys()
