"""What a member has agreed to, to which version of the text, and whether they took it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid

_VERSION = re.compile(r"[0-9A-Za-z._-]{1,24}", re.ASCII)


class ConsentPurpose(StrEnum):
    """For what: membership itself, messages, a plate that is recognised, points that WeChat is told of."""

    MEMBERSHIP = "membership"
    MESSAGES = "messages"
    PLATE = "plate"
    POINTS_SYNC = "points_sync"


@dataclass(frozen=True, slots=True)
class Consent:
    """One agreement. version: of the text that was shown; channel: where. It can only be withdrawn."""

    consent_id: str
    member_id: str
    purpose: ConsentPurpose
    version: str
    channel: str
    given_at: int
    withdrawn_at: int | None = None


def check_version(version: str) -> str:
    """Return the version of a text; raise Invalid for none."""
    if not _VERSION.fullmatch(version):
        raise Invalid("say which version of the text was agreed to: 1 to 24 of 0-9 A-Z a-z . _ -")
    return version


def standing(consents: Sequence[Consent], purpose: ConsentPurpose) -> Consent | None:
    """Return the newest consent for a purpose that was not withdrawn."""
    held = [one for one in consents if one.purpose is purpose and one.withdrawn_at is None]
    return max(held, key=lambda one: (one.given_at, one.consent_id), default=None)


def withdraw(consents: Sequence[Consent], purpose: ConsentPurpose, at: int) -> tuple[Consent, ...]:
    """Return those that end when a purpose is withdrawn: every one that still holds, also of old versions."""
    held = (one for one in consents if one.purpose is purpose and one.withdrawn_at is None)
    return tuple(replace(one, withdrawn_at=max(at, one.given_at)) for one in held)
