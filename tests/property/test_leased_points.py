"""Several tills that are offline can never together spend more points than HQ has of a member."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Declined
from edge.members.identity import Identity, IdentityKind
from edge.members.points import PointsPlan
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Holder
from edge.parking.validation_rule import PointsPrice
from edge.services.grant_validation import revoke_validation, validate_by_points
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.parking_rules import ParkingRules
from edge.services.spend_points import SpendAsk, end_leases, grant_lease, spend_points
from tests.unit.shop import Shop

POOL = 300
PRICE = 40
MINUTE_MS = 60_000
ME = Identity(IdentityKind.OPENID, "o-abcdef")

#: box, what, how much
DEED = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["lease", "spend", "park", "revoke", "later", "tell"]),
    st.integers(1, 120),
)


@dataclass
class Hq:
    """What HQ does with one member's points: it sets them aside and takes back what a box says is left.

    set_aside: by lease, of those that no box has closed as far as HQ was told. heard: by box, events read.
    """

    free: int = POOL
    set_aside: dict[str, int] = field(default_factory=dict)
    heard: dict[int, int] = field(default_factory=dict)
    gone: int = 0
    leases: int = 0

    def grant(self, box: int, points: int) -> str:
        if points > self.free:
            return ""
        self.free -= points
        self.leases += 1
        lease_id = f"lease-{box}-{self.leases}"
        self.set_aside[lease_id] = points
        return lease_id

    def hear(self, box: int, shop: Shop) -> None:
        for row in shop.box.store.read(lambda unit: unit.outbox.window(self.heard.get(box, 0), 1_000)):
            self.heard[box] = row.sequence
            data = json.loads(row.body)["data"]
            if row.kind == "points.lease" and data["closed_at"] is not None:
                points = self.set_aside.pop(data["lease_id"], None)
                if points is not None:
                    self.free += data["returned"]
                    self.gone += points - data["returned"]
            if row.kind == "points.changed":
                self._back(data)

    def _back(self, data: dict[str, object]) -> None:
        """What comes back to a lease that has ended comes back to the member."""
        for one in data["entries"]:  # type: ignore[attr-defined]  # a list of entries
            if one["kind"] == "reverse_spend" and one["lease_id"] not in self.set_aside:
                self.free += one["points"]
                self.gone -= one["points"]


def till() -> Shop:
    shop = Shop()
    price = PointsPrice(PRICE, Grant(BenefitKind.MINUTES, 60))
    shop.box = replace(
        shop.box,
        members=MemberRules(points=PointsPlan(keeper_here=False)),
        parking=replace(ParkingRules(), points=price),
    )
    return shop


@settings(max_examples=60, deadline=None)
@given(st.lists(DEED, max_size=40))
def test_tills_that_are_offline_never_spend_more_than_hq_has(deeds: list[tuple[int, str, int]]) -> None:
    hq, tills = Hq(), [till() for _ in range(3)]
    members = [join(one.box, JoinAsk((ME,), "t", "1")).member_id for one in tills]
    parked: list[list[str]] = [[], [], []]
    for number, (at, what, much) in enumerate(deeds):
        shop, member = tills[at], members[at]
        do(hq, at, shop, member, what, much, number, parked[at])
        spent = sum(spent_at(one, who) for one, who in zip(tills, members, strict=True))
        assert 0 <= spent <= POOL
        assert hq.free >= 0
    for at, shop in enumerate(tills):
        shop.wait(60 * MINUTE_MS)
        end_leases(shop.box)
        hq.hear(at, shop)
    spent = sum(spent_at(one, who) for one, who in zip(tills, members, strict=True))
    # Everybody was heard: nothing is lost and nothing was made.
    assert hq.set_aside == {}
    assert (hq.gone, hq.free) == (spent, POOL - spent)


def do(
    hq: Hq, at: int, shop: Shop, member: str, what: str, much: int, number: int, parked: list[str]
) -> None:
    now = shop.box.clock.now()
    if what == "lease":
        lease_id = hq.grant(at, much)
        given = {"lease_id": lease_id, "member_id": member, "points": str(much),
                 "expires_at": str(now.wall_at + 30 * MINUTE_MS)}  # fmt: skip
        if lease_id:
            shop.box.store.write(lambda unit: grant_lease(unit, shop.box, given, now))
    elif what == "spend":
        ask = SpendAsk(member, much, f"order-{number}", 1_000)
        tried(lambda: shop.box.store.write(lambda unit: spend_points(unit, shop.box, ask, now)))
    elif what == "park":
        one = tried(lambda: validate_by_points(shop.box, f"form-{number}", member, Holder(plate="粤B12345")))
        parked += [one.validation_id] if one else []  # type: ignore[attr-defined]
    elif what == "revoke" and parked:
        revoke_validation(shop.box, parked.pop(), "李", "by mistake")
    elif what == "later":
        shop.wait(much * MINUTE_MS)
        end_leases(shop.box)
    elif what == "tell":
        hq.hear(at, shop)


def tried(deed):  # type: ignore[no-untyped-def]
    try:
        return deed()
    except Declined:
        return None


def spent_at(shop: Shop, member: str) -> int:
    lines = shop.box.store.read(lambda unit: unit.points.entries(member))
    return -sum(one.points for one in lines if one.kind.value in ("spend", "reverse_spend"))
