"""One shopper followed at HQ, event by event, in the whole mall: and what a refund takes back of another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sim.clocks import unix_ms
from sim.crowd.calls import Calls, Meter
from sim.crowd.counter import GuideAtCounter
from sim.crowd.desk import Desk, refund_all
from sim.digits import random_digits
from sim.hq.trace import ask, lines
from sim.mall import Mall, read_health
from sim.mall_config import DEMO_PIN
from sim.mall_drivers import some_plate
from sim.mall_lanes import THRESHOLD_FEN, Left
from sim.shopper import payment_code
from tests.system.mall_process import GOODS, eventually, open_mall

JOIN = {"consent_version": "1"}


@dataclass
class Shopper:
    """Somebody with WeChat, who reaches the box through HQ alone."""

    mall: Mall
    wallet: str
    phone: Calls

    @classmethod
    def comes(cls, mall: Mall, kept: ExitStack) -> Shopper:
        wallet = mall.gateway.books.add_wallet("访客", 500_000, 500_000).wallet_id
        calls = Calls(f"{mall.public_url}/phone/api/v1", Meter(), threading.Event())
        return cls(mall, wallet, kept.enter_context(calls))

    def scans_the_poster(self) -> str:
        """Follow the code at the door; return the way that begins there."""
        answer = httpx.get(f"{self.mall.public_url}/phone/go/poster-door", trust_env=False)
        assert answer.status_code == 303
        return parse_qs(urlsplit(answer.headers["Location"]).query)["c"][0]

    def signs_in(self, way: str) -> None:
        code = httpx.post(f"{self.mall.gateway.url}/sim/wallets/{self.wallet}/login-code", trust_env=False)
        asked = {"code": code.json()["code"], "c": way}
        self.phone.token = str(self.phone.post("login", "/login", asked)["token"])

    def pays(self, ticket: str) -> dict[str, Any]:
        """Pay a ticket; return its payment once the box knows of it."""
        payment: Any = self.phone.post("pay", f"/t/{ticket}/pay")
        address = f"{self.mall.gateway.url}/sim/wallets/{self.wallet}/request-payment"
        answer = httpx.post(address, json={**payment["pay"], "action": "types"}, trust_env=False)
        assert answer.json()["state"] == "paid"

        def paid() -> Any:
            seen = self.phone.get("order", f"/orders/{payment['order_id']}")
            return seen if seen["state"] == "paid" else None

        return dict(eventually(paid, "the box to know of the payment"))


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Mall, ExitStack]]:
    with open_mall(folder) as mall, ExitStack() as kept:
        yield mall, kept


def at_the_bakery(mall: Mall, kept: ExitStack) -> GuideAtCounter:
    calls = kept.enter_context(Calls(mall.url, Meter(), threading.Event()))
    return GuideAtCounter(calls, "C01", "chen", DEMO_PIN, "bakery", threading.Event())


def ticket_of(guide: GuideAtCounter) -> str:
    """Have the guide write a ticket that pays for parking; return its token."""
    mine = [one for one in GOODS.values() if one.tenant.tenant_id == "bakery" and one.sold_by == "piece"]
    dear = max(mine, key=lambda one: float(one.price))
    count = -(-THRESHOLD_FEN // round(float(dear.price) * 100))
    link = guide.write([dear.barcodes[0]] * count)
    return link.rsplit("/", 1)[-1].split("?")[0]


def told(mall: Mall, word: str) -> Any:
    eventually(lambda: read_health(mall.url).get("outbox_depth") == 0 or None, "HQ's acknowledgement")
    return ask(mall.hq_url, word)


def test_a_shopper_who_pays_at_a_counter_joins_and_drives_out_free_is_followed_at_hq(tmp_path: Path) -> None:
    with opened(tmp_path) as (mall, kept):
        plate = some_plate(random_digits)
        assert mall.lanes.enter(mall.lanes.car(plate))
        shopper = Shopper.comes(mall, kept)
        way = shopper.scans_the_poster()
        shopper.signs_in(way)
        guide = at_the_bakery(mall, kept)
        ticket = ticket_of(guide)
        payment = shopper.pays(ticket)
        seen = shopper.phone.get("ticket", f"/t/{ticket}")
        guide.hand_over(str(seen["number"]), str(seen["release_code"]))
        receipt = payment["receipt"]
        me: Any = shopper.phone.post("join", "/me/join", {**JOIN, "receipt": receipt})
        assert me["joined"]["points"] > 0
        bind = {"plate": plate, "consent_version": "1", "key": f"tap-{unix_ms()}", "receipt": receipt}
        shopper.phone.post("plate", "/me/plates", bind)
        left = mall.lanes.leave(mall.lanes.car(plate), lambda: payment_code(mall.gateway.url))
        assert left is Left.FREE
        found = told(mall, payment["number"])
        print("\n".join(lines(found)))
        kinds = [one["kind"] for one in found["events"]]
        steps = [one["data"] for one in found["events"] if one["kind"] == "conversion.step"]
        first = steps[0]
        assert (first["step"], first["touchpoint"], first["correlation"]) == ("scanned", "poster-door", way)
        assert {one["correlation"] for one in steps} == {way}
        assert {"scanned", "bought", "joined", "identified", "parked"} <= {one["step"] for one in steps}
        assert all(found["chain"].values()), found["chain"]
        order = ["touched", "bought", "joined", "parked", "left"]
        assert [found["chain"][name] for name in order] == sorted(found["chain"][name] for name in order)
        (sale,) = [one["data"] for one in found["events"] if one["kind"] == "sale.attributed"]
        assert [one["guide"] for one in sale["commission"]] == ["chen"]
        assert {"ticket.issued", "receipt.issued", "landing.shown", "validation.used"} <= set(kinds)
        # Nobody else's: the same story from the member's side and from the way's.
        member = next(one["data"]["member_id"] for one in found["events"] if one["kind"] == "member.joined")
        assert {one["kind"] for one in told(mall, way)["events"]} == set(kinds)
        assert "order.paid" in {one["kind"] for one in told(mall, member)["events"]}
        page = httpx.get(f"{mall.hq_url}/trace", params={"of": payment["order_id"]}, trust_env=False)
        assert page.text.count("<tr data-kind") == len(kinds)


def test_a_refund_takes_back_points_commission_and_parking_and_hq_hears_of_each(tmp_path: Path) -> None:
    with opened(tmp_path) as (mall, kept):
        plate = some_plate(random_digits)
        assert mall.lanes.enter(mall.lanes.car(plate))
        shopper = Shopper.comes(mall, kept)
        shopper.signs_in(shopper.scans_the_poster())
        payment = shopper.pays(ticket_of(at_the_bakery(mall, kept)))
        shopper.phone.post("join", "/me/join", {**JOIN, "receipt": payment["receipt"]})
        bind = {
            "plate": plate,
            "consent_version": "1",
            "key": f"tap-{unix_ms()}",
            "receipt": payment["receipt"],
        }
        me: Any = shopper.phone.post("plate", "/me/plates", bind)
        earned = me["member"]["points"]
        assert earned > 0
        assert [one["what"] for one in me["coupons"]] == ["parking"]
        office = kept.enter_context(Calls(mall.url, Meter(), threading.Event()))
        refund_all(Desk(office, DEMO_PIN), payment["order_id"], DEMO_PIN)
        after: Any = shopper.phone.get("me", "/me")
        assert after["member"]["points"] == 0
        assert after["coupons"] == []
        found = told(mall, payment["order_id"])
        print("\n".join(lines(found)))
        told_of = {kind: [one["data"] for one in found["events"] if one["kind"] == kind] for kind in KINDS}
        assert sum(one["points"] for data in told_of["points.changed"] for one in data["entries"]) == 0
        (reversed_sale,) = told_of["sale.reversed"]
        (sale,) = told_of["sale.attributed"]
        paid = sum(one["amount_fen"] for one in sale["commission"])
        assert paid > 0
        assert sum(one["amount_fen"] for one in reversed_sale["commission"]) == -paid
        assert reversed_sale["left_fen"] == 0
        (granted,) = told_of["validation.granted"]
        (revoked,) = told_of["validation.revoked"]
        assert granted["validation_id"] == revoked["validation_id"]
        assert told_of["refund.approved"]


KINDS = ("points.changed", "sale.attributed", "sale.reversed", "validation.granted", "validation.revoked",
         "refund.approved")  # fmt: skip
