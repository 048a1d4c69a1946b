"""The page after payment: what a tenant shows a shopper who has just paid.

Pure values; the tenant edits them, the kiosk, the receipt's page, the mini-program and the slip draw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block of a landing page shows or invites to."""

    TITLE = "title"
    TEXT = "text"
    PICTURE = "picture"
    COUPON = "coupon"
    OFFER = "offer"
    JOIN = "join"
    FOLLOW = "follow"
    PARKING = "parking"
    GUIDE = "guide"
    NEXT_STORE = "next_store"


@dataclass(frozen=True, slots=True)
class LandingBlock:
    """One block, in Chinese and English. url: where its button leads, or empty.

    picture: a file served by the box. code: of a coupon, as the shopper shows it.
    """

    kind: BlockKind
    title: str
    title_en: str = ""
    body: str = ""
    body_en: str = ""
    url: str = ""
    picture: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class LandingPage:
    """A tenant's page after payment. tenant_id "" is the mall's own. picture: a file served by the box."""

    landing_id: str
    tenant_id: str
    title: str
    title_en: str = ""
    picture: str = ""
    blocks: tuple[LandingBlock, ...] = ()


def choose_landing(pages: Sequence[LandingPage], spent_fen: dict[str, int]) -> LandingPage | None:
    """Return the page of the tenant with the largest share of the order that has one, else the mall's.

    spent_fen: what the order spent per tenant. Ties go to the smaller tenant id, so that the answer
    does not depend on order.
    """
    by_tenant = {page.tenant_id: page for page in pages}
    for tenant in tenants_by_share(spent_fen):
        if tenant in by_tenant:
            return by_tenant[tenant]
    return None


def tenants_by_share(spent_fen: dict[str, int]) -> tuple[str, ...]:
    """Return the tenants of an order, the one that earned most first, and "" for the mall's own last."""
    first = sorted((one for one in spent_fen if one), key=lambda tenant: (-spent_fen[tenant], tenant))
    return (*first, "")
