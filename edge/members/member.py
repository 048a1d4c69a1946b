"""What this box itself knows of a member, beside what HQ's snapshot says of them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid

#: Tags of one member, and plates that one member may bind.
MAX_TAGS = 16
MAX_BOUND = 8

_TAG = re.compile(r"[\w.-]{1,24}")


class ProfileState(StrEnum):
    """PROVISIONAL: joined here, HQ has not answered. KNOWN to HQ. MERGED into another. ERASED on request."""

    PROVISIONAL = "provisional"
    KNOWN = "known"
    MERGED = "merged"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class MemberProfile:
    """A member who joined here or was met here. Instants are Unix milliseconds.

    joined_via: the touchpoint; "" for one whom HQ knew before. seen_at: when they were last met.
    phone_tail: four digits at most. merged_into: whom to ask instead.
    """

    member_id: str
    state: ProfileState
    joined_at: int
    seen_at: int
    joined_via: str = ""
    phone_tail: str = ""
    tags: tuple[str, ...] = ()
    merged_into: str = ""

    @property
    def is_there(self) -> bool:
        """Whether this is a member by itself, neither merged nor erased."""
        return self.state in (ProfileState.PROVISIONAL, ProfileState.KNOWN)

    @property
    def rank(self) -> tuple[bool, str]:
        """By what `elder` decides who keeps the number."""
        return self.state is ProfileState.PROVISIONAL, self.member_id


@dataclass(frozen=True, slots=True)
class MemberMerge:
    """That two members are one, for the audit. why: an identity's kind, or HQ's own reason."""

    absorbed_id: str
    member_id: str
    why: str
    by: str
    merged_at: int


@dataclass(frozen=True, slots=True)
class PlateBinding:
    """A plate that a member bound. plate_hmac: for look-ups; masked: what people see of it.

    The plain plate is not kept: the stay has it while the car is here, and nothing else needs it.
    consent_version: of the text that was agreed to.
    """

    member_id: str
    plate_hmac: str
    masked: str
    consent_version: str
    bound_at: int
    unbound_at: int | None = None


@dataclass(frozen=True, slots=True)
class MemberNote:
    """That a person of the staff did something with a member's data: exported, erased, adjusted."""

    note_id: str
    member_id: str
    action: str
    by: str
    at: int
    detail: str = ""


def absorb(survivor: MemberProfile, gone: MemberProfile) -> tuple[MemberProfile, MemberProfile]:
    """Return the survivor with what the other knew, and the other as merged; raise Invalid if it is gone."""
    if not (survivor.is_there and gone.is_there) or survivor.member_id == gone.member_id:
        raise Invalid(f"members {survivor.member_id} and {gone.member_id} cannot be merged (any more)")
    tags = tuple(sorted({*survivor.tags, *gone.tags}))[:MAX_TAGS]
    one = replace(
        survivor,
        joined_at=min(survivor.joined_at, gone.joined_at),
        seen_at=max(survivor.seen_at, gone.seen_at),
        joined_via=survivor.joined_via or gone.joined_via,
        phone_tail=survivor.phone_tail or gone.phone_tail,
        tags=tags,
    )
    into = survivor.member_id
    return one, replace(erased(gone), state=ProfileState.MERGED, merged_into=into)


def erased(profile: MemberProfile) -> MemberProfile:
    """Return what stays of an erased member: the number by which the books name them, and no more."""
    return replace(profile, state=ProfileState.ERASED, joined_via="", phone_tail="", tags=())


def with_tag(profile: MemberProfile, tag: str) -> MemberProfile:
    """Return the profile with a tag; raise Invalid for a strange one or one too many."""
    if not _TAG.fullmatch(tag):
        raise Invalid("a tag has 1 to 24 letters, digits, '.', '-' or '_'")
    tags = tuple(sorted({*profile.tags, tag}))
    if len(tags) > MAX_TAGS:
        raise Invalid(f"a member has {MAX_TAGS} tags at most")
    return replace(profile, tags=tags)


def mask_phone(tail: str) -> str:
    """Return what a person may see of a phone number, "" without one."""
    return f"•••• {tail}" if tail else ""


def mask_number(text: str) -> str:
    """Return what a person may see of a card's or member's number: its last four characters."""
    return f"•••{text[-4:]}" if len(text) > 4 else text
