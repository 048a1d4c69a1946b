"""Members and points as samples."""

from __future__ import annotations

from dataclasses import replace

from edge.members.consent import Consent, ConsentPurpose
from edge.members.identity import Identity, IdentityKind
from edge.members.member import MemberMerge, MemberProfile, PlateBinding, ProfileState
from edge.members.points import PointsEntry, PointsKind, PointsLease, close_lease
from edge.services import member_events
from edge.services.events import Data, EventKind

AT = 1_795_300_000_000
KEY = b"a key of sixteen"
ANNE = MemberProfile("p-1", ProfileState.PROVISIONAL, AT, AT, "kiosk-1", "5678")
OPENID = Identity(IdentityKind.OPENID, "o-abcdef")
EARNED = PointsEntry("e-1", "m-1", PointsKind.EARN, 50, AT, "order-1", "t-tea", 5_000, AT + 1)
LEASE = PointsLease("lease-1", "m-1", 100, AT, AT + 60_000, 40)


def member_data() -> dict[EventKind, Data]:
    """Return the data of each kind of event about members."""
    return {
        EventKind.MEMBER_JOINED: member_events.joined(ANNE, [OPENID], "2026-1", KEY),
        EventKind.MEMBER_MERGED: member_events.merged(MemberMerge("p-1", "m-1", "hq", "HQ: Ms Li", AT)),
        EventKind.MEMBER_ERASED: member_events.erased("m-1", "李", "asked for it", AT),
        EventKind.MEMBER_CONSENT: member_events.consented(
            Consent("c-1", "m-1", ConsentPurpose.PLATE, "2026-1", "phone", AT)
        ),
        EventKind.MEMBER_PLATE: member_events.plate_changed(
            PlateBinding("m-1", "ab" * 16, "粤B·123··", "2026-1", AT)
        ),
        EventKind.POINTS_CHANGED: member_events.points_changed(
            [EARNED, replace(EARNED, entry_id="e-2", kind=PointsKind.OWED, points=-5, owed=-5)]
        ),
        EventKind.POINTS_LEASE: member_events.lease_changed(close_lease(LEASE, AT + 60_000)),
    }
