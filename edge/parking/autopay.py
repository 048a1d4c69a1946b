"""Whether the owner of a vehicle inside may be charged after it has left (无感支付). Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Autopay:
    """What a gateway said of one stay. usable: its owner agreed and nothing stands against it.

    parking_id: the gateway's own. reason: why not, the gateway's own word. told_at: when it was asked last.
    """

    session_id: str
    gateway: str
    told_at: int
    parking_id: str = ""
    usable: bool = False
    reason: str = ""
