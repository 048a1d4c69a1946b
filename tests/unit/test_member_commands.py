"""HQ answers who a provisional member is and sets points aside: each once, refused where it cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.members.identity import Identity, IdentityKind
from edge.services.command_records import CommandState
from edge.services.identify_member import known_member
from edge.services.join_member import JoinAsk, join
from edge.services.obey_command import Command, Means, Obeyed, obey_command
from edge.services.spend_points import spendable
from tests.unit.shop import Shop

MEANS = Means(lambda command_id: {})
OPENID = Identity(IdentityKind.OPENID, "o-abcdef")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def obey(shop: Shop, kind: str, number: int = 1, **arguments: Any) -> Obeyed:
    at = shop.box.clock.now().wall_at
    command = Command(f"cmd-{number}", kind, "Ms Li", at, at + 30_000, arguments)
    return obey_command(shop.box, MEANS, command)


def test_hqs_answer_makes_the_provisional_member_its_own_once(shop: Shop) -> None:
    here = join(shop.box, JoinAsk((OPENID,), "kiosk-1", "1")).member_id
    done = obey(shop, "member_merged", absorbed_id=here, member_id="m-9")
    assert done.record.state is CommandState.DONE
    assert json.loads(done.record.result) == {"member_id": "m-9"}
    assert obey(shop, "member_merged", absorbed_id=here, member_id="m-9").repeated
    found = shop.box.store.read(lambda unit: known_member(unit, here))
    assert found is not None
    assert (found.member_id, found.provisional) == ("m-9", False)
    assert shop.event_data("member.merged")["by"] == "HQ: Ms Li"


def test_points_are_set_aside_once(shop: Shop) -> None:
    here = join(shop.box, JoinAsk((OPENID,), "kiosk-1", "1")).member_id
    now = shop.box.clock.now()
    lease = {"lease_id": "l-1", "member_id": here, "points": "40", "expires_at": str(now.wall_at + 60_000)}
    for number in (1, 2):
        assert obey(shop, "points_lease", number, **lease).record.state is CommandState.DONE
    assert shop.box.store.read(lambda unit: spendable(unit, shop.box, here, now)) == 40
    assert shop.events().count("points.lease") == 1


def test_what_cannot_be_is_refused_and_changes_nothing(shop: Shop) -> None:
    assert obey(shop, "member_merged", absorbed_id="nobody", member_id="m-9").record.reason == "no_member"
    ends = str(shop.box.clock.now().wall_at + 60_000)
    lease = {"lease_id": "l-1", "member_id": "nobody", "points": "4", "expires_at": ends}
    assert obey(shop, "points_lease", 2, **lease).record.reason == "no_member"
    assert obey(shop, "points_lease", 3, lease_id="l-1").record.reason == "bad_arguments"
    assert shop.events() == ["command.refused"] * 3
