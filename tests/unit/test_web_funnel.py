"""The staff pages of the funnel, the codes and the guides: what they show, do and refuse."""

from __future__ import annotations

import pytest

from edge.members.attribution import DAY_MS
from edge.services.guide_tasks import plan_tasks
from sim.fakes.box import BREAD, COLA
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS, PERSON, staff_client
from tests.unit.test_services_touch import Touched


def sold(shop: Touched) -> str:
    """Have one shopper come by the guide's code and buy; return the business day."""
    way = shop.scanned("poster")
    shop.scanned("guide.li", way)
    return shop.sell(BREAD, COLA, way=way, member="m-1").business_day


def test_the_funnel_shows_steps_hours_and_touchpoints() -> None:
    shop = Touched()
    sold(shop)
    page = staff_client(shop.box).get("/staff/funnel").get_data(as_text=True)
    assert 'data-value="poster"' in page
    assert 'data-plot="hours"' in page
    assert page.count("data-step=") == 8
    assert "¥11.50" in page


def test_the_funnel_is_filtered_and_comes_as_csv() -> None:
    shop = Touched()
    day = sold(shop)
    shop.sell(COLA)
    client = staff_client(shop.box)
    by_guide = client.get("/staff/funnel?by=guide&guide=li").get_data(as_text=True)
    assert 'data-value="li"' in by_guide
    assert 'data-value=""' not in by_guide
    answer = client.get(f"/staff/funnel.csv?first_day={day}&last_day={day}&by=touchpoint&touchpoint=poster")
    assert answer.mimetype == "text/csv"
    assert answer.get_data(as_text=True).splitlines()[1].startswith("poster,1,1,")
    assert "data-empty" in client.get("/staff/funnel?hour=3").get_data(as_text=True)


@pytest.mark.parametrize("query", ["by=colour", "hour=25", "hour=x", "last_day=soon", "first_day=2026-12-31"])
def test_what_makes_no_sense_is_refused(query: str) -> None:
    client = staff_client(Touched().box)
    assert client.get(f"/staff/funnel?{query}").status_code == 400
    assert client.get(f"/staff/funnel.csv?{query}").status_code == 400


def test_the_codes_are_there_to_print() -> None:
    page = staff_client(Touched().box).get("/staff/funnel/codes").get_data(as_text=True)
    for name in ("poster", "guide.li", "ws.kiosk-1"):
        assert f'data-touchpoint="{name}"' in page
    assert "/phone/go/poster/code.svg" in page


def test_guides_see_tasks_commission_and_why() -> None:
    shop = Touched()
    sold(shop)
    shop.wait(DAY_MS)
    plan_tasks(shop.box)
    client = staff_client(shop.box)
    page = client.get("/staff/guides").get_data(as_text=True)
    assert 'data-task="first_visit"' in page
    assert "The guide who served last within 30 days has 60%" in page
    assert 'data-guide="li"' in page
    csv = client.get("/staff/guides/commission.csv").get_data(as_text=True)
    assert ",li,1," in csv


def test_a_task_is_put_off_and_done_by_who_is_signed_in() -> None:
    shop = Touched()
    sold(shop)
    shop.wait(DAY_MS)
    plan_tasks(shop.box)
    (task,) = shop.box.store.read(lambda unit: unit.guide_tasks.waiting(9))
    client, base = staff_client(shop.box), f"/staff/guides/tasks/{task.task_id}"
    assert client.post(f"{base}/snooze", data={"days": "soon"}, headers=OURS).status_code == 400
    assert client.post(f"{base}/snooze", data={"days": "2"}, headers=OURS).status_code == 303
    assert "put off until" in client.get("/staff/guides").get_data(as_text=True)
    assert client.post(f"{base}/done", data={"note": "called"}, headers=OURS).status_code == 303
    done = shop.box.store.read(lambda unit: unit.guide_tasks.get(task.task_id))
    assert done is not None
    assert (done.closed_by, done.note) == (PERSON, "called")
    again = client.post(f"{base}/done", headers=OURS)
    assert again.status_code == 400
    assert "already" in again.get_data(as_text=True)
    assert "called" in client.get("/staff/guides").get_data(as_text=True)


def test_a_box_without_touch_rules_has_no_such_pages() -> None:
    client = staff_client(Shop().box)
    for path in ("funnel", "funnel.csv", "funnel/codes", "guides", "guides/commission.csv"):
        assert client.get(f"/staff/{path}").status_code == 404
    assert 'href="/staff/funnel"' not in client.get("/staff/devices").get_data(as_text=True)


def test_guides_of_days_that_make_no_sense_are_refused() -> None:
    assert staff_client(Touched().box).get("/staff/guides?last_day=x").status_code == 400
