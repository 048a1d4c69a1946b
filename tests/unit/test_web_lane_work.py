"""What waits at lanes stands with the car park, not with payments, and whoever closes it comes back there."""

from __future__ import annotations

from edge.services.work_items import raise_work
from edge.services.work_records import WorkKind
from tests.unit.lane_rig import IN, LaneRig
from tests.unit.staff_client import OURS, staff_client


def test_tailgating_waits_at_the_car_park_and_not_among_payments() -> None:
    box = LaneRig().box
    facts = {"number": "京A12345", "workstation": IN}
    now = box.clock.now()
    item = box.store.write(lambda unit: raise_work(unit, box, now, WorkKind.TAILGATED, "passage-1", facts))
    client = staff_client(box)
    asked = {path: client.get(path).get_data(as_text=True) for path in ("/staff/parking", "/staff/payments")}
    assert 'data-work="tailgated"' in asked["/staff/parking"]
    assert " (1)</a>" in asked["/staff/parking"]
    assert 'data-work="tailgated"' not in asked["/staff/payments"]
    assert " (1)</a>" not in asked["/staff/payments"]
    form = {"reason": "same driver, counted", "back": "parking", "day": ""}
    closed = client.post(f"/staff/items/{item.item_id}/close", data=form, headers=OURS)
    assert (closed.status_code, closed.headers["Location"]) == (303, "/staff/parking")
    after = client.get("/staff/parking").get_data(as_text=True)
    assert 'data-work="tailgated"' not in after
    assert "same driver, counted" in after
    assert "same driver" not in client.get("/staff/payments").get_data(as_text=True)
