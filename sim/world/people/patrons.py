"""Members who buy, spend points and give goods back, and what must hold of their points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.members.identity import Identity, IdentityKind
from edge.members.points import PointsKind, PointsLease, PointsPlan, PointsRule, due_back, earned
from edge.parking.validation import Holder
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.own_membership import JoinForm, join_own, link_code
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.spend_points import SpendAsk, end_leases, spend_points
from edge.services.validation_records import Claim
from sim.world.people.buyers import Returner
from sim.world.people.person import Place
from sim.world.promised import promised

if TYPE_CHECKING:
    from sim.world.world import World

LEASE = "lease-1"
LEASED, SPENT = 50, 20
BROWSER, PROVED = "00000000-0000-7000-8000-00000000b0b0", "00000000-0000-7000-8000-00000000b0b1"
OPENID = Identity(IdentityKind.OPENID, "openid-patron")

#: Three points a yuan, at the fruit shop seven.
MEMBERS = MemberRules(points=PointsPlan((PointsRule("", 3, 100), PointsRule("t-fruit", 7, 100))))

Event = dict[str, Any]

#: An order and one of its tenants.
Share = tuple[str, str]


@dataclass(slots=True)
class Patron(Returner):
    """A Returner who becomes a member at the checkout, says so, and spends points on the order.

    member_id: as the box knows them; asked for anew after every restart. lease_ms: how long points are set
    aside for them here.
    """

    member_id: str = ""
    spends: bool = True
    lease_ms: int = 86_400_000

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        if not self.went and screen["screen"] == "checkout" and not self._is_known(place, screen):
            self._show_card(place, screen)
        else:
            Returner.act(self, place)

    def _is_known(self, place: Place, screen: Mapping[str, Any]) -> bool:
        order_id = screen["order"]["id"]

        def query(unit: Unit) -> bool:
            order = unit.orders.get(order_id)
            claim = unit.validations.claim(order.basket_id) if order else None
            spent = any(one.kind is PointsKind.SPEND for one in unit.points.of_source(order_id))
            return claim is not None and (spent or not self.spends)

        return place.box.store.read(query)

    def _be_known(self, place: Place, order_id: str, identity: Identity) -> None:
        """Join (again: find) the member, and note it with the basket: two units of work."""
        box = place.box
        self.member_id = join(box, JoinAsk((identity,), self.workstation, "1", order_id=order_id)).member_id
        now = box.clock.now()

        def claim(unit: Unit) -> None:
            order = unit.orders.get(order_id)
            if order is not None:
                holder = Holder(member_id=self.member_id)
                unit.validations.put_claim(Claim(order.basket_id, holder, now.wall_at))

        box.store.write(claim)

    def _show_card(self, place: Place, screen: Mapping[str, Any]) -> None:
        """Be known at the basket, and spend points: another unit of work."""
        box, order_id, now = place.box, screen["order"]["id"], place.box.clock.now()
        self._be_known(place, order_id, OPENID)
        if self.spends:
            lease = PointsLease(LEASE, self.member_id, LEASED, now.wall_at, now.wall_at + self.lease_ms)

            def take_in(unit: Unit) -> None:
                if unit.points.lease(LEASE) is None:
                    unit.points.put_lease(lease)

            box.store.write(take_in)
            ask = SpendAsk(self.member_id, SPENT, order_id, screen["order"]["total_fen"])
            # The button is tapped twice.
            for _ in range(2):
                box.store.write(lambda unit: spend_points(unit, box, ask, now))


@dataclass(slots=True)
class SlowPatron(Patron):
    """A Patron who brings goods back after the lease's time is over, before the box has looked at leases.

    looked: the box has looked, as the duty of members does, once all was given back.
    """

    looked: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        box = place.box
        lease = box.store.read(lambda unit: unit.points.lease(LEASE))
        if self.went and not self.done and lease is not None and box.clock.now().wall_at < lease.expires_at:
            return
        Patron.act(self, place)
        if self.done and not self.looked:
            self.done = False
            end_leases(box)
            self.looked = self.done = True


@dataclass(slots=True)
class LatePatron(Patron):
    """A Patron who joins on the receipt's page after paying: in a browser, and then by the mini-program.

    What the browser has is taken over by the member whom the mini-program proves.
    """

    taken_over: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if not self.went:
            Returner.act(self, place)
        elif not self.taken_over:
            self._join(place)
        else:
            Returner.act(self, place)

    def _join(self, place: Place) -> None:
        """Join (again: find) in the browser, and have the mini-program take it over: several units."""
        box, order_id = place.box, self.order_id
        at = box.clock.now().wall_at
        browser = PhoneSession(BROWSER, "b" * 64, "zh", at, at)
        proved = replace(browser, session_id=PROVED, token_hash="p" * 64, openid=OPENID.value)

        def receipt(unit: Unit) -> str:
            for one in (browser, proved):
                if unit.phones.get(one.session_id) is None:
                    unit.phones.put(one)
            found = unit.receipts.of_order(order_id)
            return found.token if found else ""

        form = JoinForm("1", receipt=box.store.write(receipt))
        known = box.store.read(lambda unit: unit.people.by_identity(OPENID))
        if not known:
            join_own(box, browser, form)
        # Once it is taken over there is nobody in the browser any more.
        if box.store.read(lambda unit: unit.people.by_identity(Identity(IdentityKind.BROWSER, BROWSER))):
            link = link_code(box, browser, box.clock.now())
            join_own(box, proved, JoinForm("1", link=link))
        self.member_id = box.store.read(lambda unit: unit.people.by_identity(OPENID))
        self.taken_over = True


def points_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Points are earned exactly once, if and only if the order is paid, and go back with the money.

    Each line has the number of the promise that it breaks.
    """
    patrons = [person for person in world.people if isinstance(person, Patron)]
    told = _told(events)
    if not patrons:
        if told:
            yield f"P34: nobody is a member, and points were told: {told}"
        return
    paid = {one["data"]["order_id"]: one["data"] for one in events if one["type"] == "cn.mall.order.paid.v1"}
    if len(patrons) < len(world.people):
        # Others buy as well, and are no members.
        mine = {one.order_id for one in patrons}
        paid = {order_id: data for order_id, data in paid.items() if order_id in mine}
    back = _given_back(events)
    for order_id in {*paid, *(source for source, _ in told)}:
        wanted = _wanted(order_id, paid.get(order_id), back)
        for kind, number in (("earn", "P34"), ("reverse_earn", "P38")):
            got = told[order_id, kind]
            if got != wanted[kind]:
                yield f"{number}: order {order_id}: points told are {got} by {kind}, wanted {wanted[kind]}"
        yield from promised("P38", _spent(world, order_id, paid.get(order_id), back))
    yield from promised("P35", _lease(world, events))
    yield from promised("P34", _kept(world, told))
    late = any(isinstance(one, LatePatron) for one in patrons)
    yield from promised("P34", _members(events, late))


def _members(events: list[Event], late: bool) -> Iterator[str]:
    """One person is one member; who joined in a browser first became one with the proved member, once."""
    joined = {one["data"]["member_id"] for one in events if one["type"] == "cn.mall.member.joined.v1"}
    merged = [one for one in events if one["type"] == "cn.mall.member.merged.v1"]
    gone = {one["data"]["absorbed_id"] for one in merged}
    if len(gone) != len(merged) or len(joined - gone) != 1 or len(merged) > int(late):
        yield f"one person became {len(joined)} members, {len(merged)} mergers"


def _spent(world: World, order_id: str, paid: Event | None, back: Counter[Share]) -> Iterator[str]:
    lines = world.store.read(lambda unit: unit.points.of_source(order_id))
    spent = -sum(one.points for one in lines if one.kind is PointsKind.SPEND)
    returned = sum(one.points for one in lines if one.kind is PointsKind.REVERSE_SPEND)
    wanted = spent
    if paid is not None:
        left_fen = sum(fen - back[order_id, tenant] for tenant, fen in _by_tenant(paid).items())
        wanted = due_back(spent, paid["total_fen"], left_fen, 0)
    if spent not in (0, SPENT) or returned != wanted:
        yield f"order {order_id}: {spent} points were spent and {returned} came back, not {wanted}"


def _lease(world: World, events: list[Event]) -> Iterator[str]:
    """What a lease has spent is what the ledger says of all orders, and the rest of it goes back once."""
    lease = world.store.read(lambda unit: unit.points.lease(LEASE))
    if lease is not None:
        lines = world.store.read(lambda unit: unit.points.entries(lease.member_id))
        spent = -sum(one.points for one in lines if one.lease_id == LEASE)
        if not 0 <= spent == lease.spent:
            yield f"the lease has {lease.spent} spent, the ledger {spent}"
        told = [one["data"] for one in events if one["type"] == "cn.mall.points.lease.v1"]
        back = [one["returned"] for one in told if one["closed_at"] is not None]
        if back != ([] if lease.closed_at is None else [LEASED - spent]):
            yield f"of the lease {LEASED - spent} points are left, HQ was told that {back} came back"


def _kept(world: World, told: Counter[tuple[str, str]]) -> Iterator[str]:
    """The one member has what HQ was told of, under whichever number; leased points are HQ's."""
    member_id = world.store.read(lambda unit: unit.people.by_identity(OPENID))
    kept, owed = world.store.read(lambda unit: unit.points.balance(member_id)) if member_id else (0, 0)
    lease = world.store.read(lambda unit: unit.points.lease(LEASE))
    wanted = sum(told.values()) + (lease.spent if lease is not None else 0)
    if kept - owed != wanted:
        yield f"the member has {kept} points and owes {owed}, HQ was told of {wanted}"


def _wanted(order_id: str, paid: Event | None, back: Counter[Share]) -> dict[str, int]:
    if paid is None:
        return {"earn": 0, "reverse_earn": 0}
    spent = _by_tenant(paid)
    given = {tenant: earned(MEMBERS.points, tenant, fen, "") for tenant, fen in spent.items()}
    taken = sum(due_back(given[one], fen, fen - back[order_id, one], 0) for one, fen in spent.items())
    return {"earn": sum(given.values()), "reverse_earn": -taken}


def _by_tenant(paid: Event) -> Counter[str]:
    spent: Counter[str] = Counter()
    for line in paid["lines"]:
        spent[line["tenant_id"]] += line["amount_fen"]
    return spent


def _given_back(events: list[Event]) -> Counter[Share]:
    back: Counter[Share] = Counter()
    for one in events:
        if one["type"] == "cn.mall.refund.approved.v1":
            for part in one["data"]["tenants"]:
                back[one["data"]["order_id"], part["tenant_id"]] += part["amount_fen"]
    return back


def _told(events: list[Event]) -> Counter[tuple[str, str]]:
    told: Counter[tuple[str, str]] = Counter()
    for one in events:
        if one["type"] == "cn.mall.points.changed.v1":
            for entry in one["data"]["entries"]:
                told[one["data"]["source"], entry["kind"]] += entry["points"] - max(0, entry["owed"])
    return told
