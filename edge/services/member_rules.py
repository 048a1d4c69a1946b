"""The settings that use cases about members decide by."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.members.points import PointsPlan


@dataclass(frozen=True, slots=True)
class MemberRules:
    """key: under which HQ and its boxes hash phones and plates, b"" without. points: what spending earns.

    consent_version: of the texts that are shown now. keep_days: a member who was not met for so long is
    forgotten here (HQ keeps its own), 0 keeps all. late_days: how long after a purchase its shopper may still
    join and get its points. circle_gateway: the gateway whose payments WeChat's
    business circle is told of, "" for none.
    """

    key: bytes = field(default=b"", repr=False)
    points: PointsPlan = field(default_factory=PointsPlan)
    consent_version: str = "1"
    keep_days: int = 730
    circle_gateway: str = ""
    late_days: int = 7
