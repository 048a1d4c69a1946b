"""Members that turn out to be one: the merger, in any order, over any pairs, keeps one and loses nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.members.identity import Identity, IdentityKind
from edge.members.member import ProfileState
from edge.members.points import PointsEntry, PointsKind
from edge.services.identify_member import identify, standing_for
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.merge_members import merge_members
from edge.services.records import Unit
from tests.unit.shop import Shop

PEOPLE = 6

#: Those whom HQ knows, and who keep their number before those who joined here alone.
KNOWN = (1, 3)

Pairs = list[tuple[int, int]]
person = st.integers(0, PEOPLE - 1)


@st.composite
def twice_told(draw: st.DrawFn) -> tuple[Pairs, Pairs]:
    """Return pairs who are the same person, and the same pairs in another order, each either way round."""
    pairs = draw(st.lists(st.tuples(person, person), min_size=1, max_size=6))
    return pairs, [draw(st.sampled_from([(a, b), (b, a)])) for a, b in draw(st.permutations(pairs))]


class Met:
    """Six who joined, each with ten to the power of their place in points, and who of them became one."""

    def __init__(self, pairs: Pairs) -> None:
        self._shop = Shop()
        self._shop.box = replace(self._shop.box, members=MemberRules(key=b"a key of sixteen"))
        self.identities = [Identity(IdentityKind.OPENID, f"o-person-{one}") for one in range(PEOPLE)]
        self.ids = [self._joined(place) for place in range(PEOPLE)]
        for first, second in pairs:
            self._merge(first, second)

    def stands_for(self) -> list[int]:
        """Return for each by whose number they are found, their old number and their openid alike."""

        def work(unit: Unit) -> list[int]:
            now = self._shop.box.clock.now()
            found = [identify(unit, self._shop.box, one, now) for one in self.identities]
            ids = [standing_for(unit, one) for one in self.ids]
            assert [one.member_id for one in found if one] == ids
            return [self.ids.index(one) for one in ids]

        return self._shop.box.store.write(work)

    def points(self) -> list[int]:
        """Return what each number holds."""
        return self._shop.box.store.read(lambda unit: [unit.points.balance(one)[0] for one in self.ids])

    def _joined(self, place: int) -> str:
        box = self._shop.box
        member_id = join(box, JoinAsk((self.identities[place],), "kiosk-1", "2026-1", "")).member_id

        def work(unit: Unit) -> None:
            profile = unit.people.profile(member_id)
            assert profile is not None
            if place in KNOWN:
                unit.people.put_profile(replace(profile, state=ProfileState.KNOWN))
            at = box.clock.now().wall_at
            unit.points.post(
                PointsEntry(box.ids.new_id(), member_id, PointsKind.EARN, 10**place, at, f"o-{place}")
            )

        box.store.write(work)
        return member_id

    def _merge(self, first: int, second: int) -> None:
        box, (one, other) = self._shop.box, (self.ids[first], self.ids[second])
        now = box.clock.now()
        box.store.write(lambda unit: merge_members(unit, box, one, other, "phone", "service", now))


def same(pairs: Pairs) -> list[set[int]]:
    """Return for each who of the six are the same person."""
    groups = [{one} for one in range(PEOPLE)]
    for pair in pairs:
        whole = groups[pair[0]] | groups[pair[1]]
        for one in whole:
            groups[one] = whole
    return groups


@given(twice_told())
@settings(max_examples=60)
def test_mergers_in_any_order_give_one_and_the_same_member_with_all_the_points(
    told: tuple[Pairs, Pairs],
) -> None:
    met, again = (Met(pairs) for pairs in told)
    stands = met.stands_for()
    assert stands == again.stands_for()
    groups = same(told[0])
    assert stands == [min(group, key=lambda one: (one not in KNOWN, met.ids[one])) for group in groups]
    holds = [
        sum(10**one for one in groups[place]) if stands[place] == place else 0 for place in range(PEOPLE)
    ]
    assert met.points() == again.points() == holds
