"""What HQ is told of members and points. No name, number or plate is told: HQ knows the keyed hashes."""

from __future__ import annotations

from collections.abc import Sequence

from edge.clock import Instant
from edge.members.consent import Consent
from edge.members.identity import Identity, digest
from edge.members.member import MemberMerge, MemberProfile, PlateBinding
from edge.members.points import PointsEntry, PointsLease
from edge.services.box import Box
from edge.services.events import Data, EventKind, record_event
from edge.services.records import Unit


def tell(
    unit: Unit, box: Box, kind: EventKind, member_id: str, data: Data, now: Instant, tie: str = ""
) -> None:
    """Record one event about a member; tie: what it belongs to, such as an order."""
    record_event(unit, box.ids, now, box.origin, kind, member_id, data, tie)


def joined(profile: MemberProfile, identities: Sequence[Identity], version: str, key: bytes) -> Data:
    """Return the data of "member.joined": who, where, with which identities, to which text."""
    known = [{"kind": one.kind.value, "hmac": digest(one, key)} for one in identities]
    return {
        "member_id": profile.member_id,
        "provisional": True,
        "joined_at": profile.joined_at,
        "touchpoint": profile.joined_via,
        "consent_version": version,
        "phone_tail": profile.phone_tail,
        "identities": known,
    }


def merged(merge: MemberMerge) -> Data:
    """Return the data of "member.merged": who became whom, why, by whose word."""
    return {
        "member_id": merge.member_id,
        "absorbed_id": merge.absorbed_id,
        "why": merge.why,
        "by": merge.by,
        "merged_at": merge.merged_at,
    }


def erased(member_id: str, by: str, why: str, at: int) -> Data:
    """Return the data of "member.erased": whose data is gone from this box, on whose word."""
    return {"member_id": member_id, "by": by, "why": why, "erased_at": at}


def consented(consent: Consent) -> Data:
    """Return the data of "member.consent": what was agreed to or withdrawn."""
    return {
        "member_id": consent.member_id,
        "consent_id": consent.consent_id,
        "purpose": consent.purpose.value,
        "version": consent.version,
        "channel": consent.channel,
        "given_at": consent.given_at,
        "withdrawn_at": consent.withdrawn_at,
    }


def plate_changed(binding: PlateBinding) -> Data:
    """Return the data of "member.plate": a plate that was bound or unbound."""
    return {
        "member_id": binding.member_id,
        "plate_hmac": binding.plate_hmac,
        "consent_version": binding.consent_version,
        "bound_at": binding.bound_at,
        "unbound_at": binding.unbound_at,
    }


def points_changed(entries: Sequence[PointsEntry]) -> Data:
    """Return the data of "points.changed": lines of the ledger that were written together, of one member."""
    first = entries[0]
    return {
        "member_id": first.member_id,
        "source": first.source,
        "at": first.at,
        "by": first.by,
        "reason": first.reason,
        "entries": [_entry(one) for one in entries],
    }


def lease_changed(lease: PointsLease) -> Data:
    """Return the data of "points.lease": what was set aside, spent, and given back once it is closed."""
    return {
        "lease_id": lease.lease_id,
        "member_id": lease.member_id,
        "points": lease.points,
        "spent": lease.spent,
        "returned": 0 if lease.closed_at is None else lease.left,
        "granted_at": lease.granted_at,
        "expires_at": lease.expires_at,
        "closed_at": lease.closed_at,
    }


def _entry(one: PointsEntry) -> Data:
    return {
        "entry_id": one.entry_id,
        "kind": one.kind.value,
        "points": one.points,
        "owed": one.owed,
        "tenant_id": one.tenant_id,
        "basis_fen": one.basis_fen,
        "expires_at": one.expires_at,
        "lease_id": one.lease_id,
    }
