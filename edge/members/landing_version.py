"""Versions of the page after payment: for a tenant, an occasion and a campaign, in force from an instant on.

A version is never changed once it is published; a change is a new one, and a return is a new one that is
like an old one. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.errors import Invalid
from edge.members.bandit import BanditRule
from edge.members.landing import BlockKind, LandingBlock, LandingPage, tenants_by_share

#: Variants of a version, blocks of a page, letters of a text, of a campaign's and of a picture's name.
MAX_VARIANTS = 6
MAX_BLOCKS = 20
MAX_TITLE = 80
MAX_TEXT = 2_000
MAX_CAMPAIGN = 32

_CAMPAIGN = re.compile(rf"[A-Za-z0-9._-]{{0,{MAX_CAMPAIGN}}}", re.ASCII)
_VARIANT = re.compile(r"[A-Z0-9]{1,8}", re.ASCII)
_PICTURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}\.(?:png|jpe?g|webp)", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_SCHEMES = ("https://", "weixin://", "/phone/")


class Occasion(StrEnum):
    """After what a page is shown; ANY is the one for every occasion that has no page of its own."""

    ANY = "any"
    KIOSK = "kiosk"
    COUNTER = "counter"
    PHONE = "phone"
    PARKING = "parking"
    JOIN = "join"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class LandingSlot:
    """Where a page belongs. tenant_id "": the mall's own. campaign "": without one."""

    tenant_id: str
    occasion: Occasion = Occasion.ANY
    campaign: str = ""

    def __post_init__(self) -> None:
        """Refuse a campaign that could not stand in a URL."""
        if _CAMPAIGN.fullmatch(self.campaign) is None:
            raise Invalid(
                f"campaign {self.campaign!r:.40} must be letters, digits, dot, dash and underscore,"
                f" {MAX_CAMPAIGN} at most"
            )

    @property
    def landing_id(self) -> str:
        """What events and touchpoints call it, 64 characters at most."""
        parts = [self.tenant_id or "mall"]
        if self.occasion is not Occasion.ANY or self.campaign:
            parts += [self.occasion.value, self.campaign]
        text = ".".join(part for part in parts if part)
        return text if len(text) <= 64 else f"{text[:47]}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class LandingVariant:
    """One of several pages that are tried against each other. weight: its part of the trial, 1 to 1000."""

    name: str
    page: LandingPage
    weight: int = 100


@dataclass(frozen=True, slots=True)
class LandingVersion:
    """One published version. valid_from, valid_to: Unix milliseconds, the end open or None for never.

    Without variants it withdraws what was published before, so that the page of the configuration or of
    HQ is in force again. returned_to: the number of the version that it repeats, 0 for a new one.
    """

    slot: LandingSlot
    number: int
    variants: tuple[LandingVariant, ...]
    valid_from: int = 0
    valid_to: int | None = None
    rule: BanditRule = field(default_factory=BanditRule)
    made_by: str = ""
    made_at: int = 0
    returned_to: int = 0

    def page_of(self, variant: str) -> LandingPage:
        """Return a variant's page; raise Invalid for an unknown one."""
        for one in self.variants:
            if one.name == variant:
                return one.page
        raise Invalid(f"version {self.number} of {self.slot.landing_id} has no variant {variant!r}")


def given_version(page: LandingPage) -> LandingVersion:
    """Return the page of the configuration or of HQ as version 0 of its slot, with one variant."""
    return LandingVersion(LandingSlot(page.tenant_id), 0, (LandingVariant("A", page),))


def in_force(versions: Sequence[LandingVersion], at: int) -> LandingVersion | None:
    """Return the version of one slot that holds at an instant.

    Of those that have begun and not ended it is the one that began last, so that a page for a week gives
    way to the usual one afterwards; of two that began at once, the one published later.
    """
    holding = [
        one for one in versions if one.valid_from <= at and (one.valid_to is None or at < one.valid_to)
    ]
    return max(holding, key=lambda one: (one.valid_from, one.number), default=None)


def choose_version(
    held: Sequence[LandingVersion], spent_fen: dict[str, int], occasion: Occasion, campaign: str = ""
) -> LandingVersion | None:
    """Return the version for an order: of its tenant with the largest share that has one, else the mall's.

    held: what is in force, one for each slot. A campaign's page goes before one without, and within that
    an occasion's own before the one for any. A version without variants counts as none.
    """
    of: dict[str, list[LandingVersion]] = {}
    for one in held:
        fits = one.slot.occasion in (occasion, Occasion.ANY) and one.slot.campaign in (campaign, "")
        if fits and one.variants:
            of.setdefault(one.slot.tenant_id, []).append(one)
    for tenant in tenants_by_share(spent_fen):
        if tenant in of:
            return max(of[tenant], key=_fitness)
    return None


def check_version(version: LandingVersion) -> LandingVersion:
    """Return a version that may be published; raise Invalid naming the variant and block that may not."""
    if len(version.variants) > MAX_VARIANTS:
        raise Invalid(f"a page has {MAX_VARIANTS} variants at most, not {len(version.variants)}")
    names = [one.name for one in version.variants]
    if len(set(names)) != len(names):
        raise Invalid("two variants have the same name; give each its own")
    if version.valid_to is not None and version.valid_to <= version.valid_from:
        raise Invalid("the page would end before it begins; correct one of the two times")
    for one in version.variants:
        _check_variant(one)
    return version


def check_picture(name: str) -> str:
    """Return the name of a picture in the box's folder; raise Invalid for what cannot be one."""
    if _PICTURE.fullmatch(name) is None or ".." in name:
        raise Invalid(f"picture {name!r:.60} is no name of an uploaded picture")
    return name


def _fitness(version: LandingVersion) -> tuple[bool, bool]:
    return bool(version.slot.campaign), version.slot.occasion is not Occasion.ANY


def _check_variant(variant: LandingVariant) -> None:
    where, page = f"variant {variant.name!r:.12}", variant.page
    if _VARIANT.fullmatch(variant.name) is None:
        raise Invalid(f"{where}: a name is 1 to 8 capital letters and digits")
    if not 1 <= variant.weight <= 1_000:
        raise Invalid(f"{where}: weight {variant.weight} must be 1 to 1000")
    if not page.title or max(len(page.title), len(page.title_en)) > MAX_TITLE:
        raise Invalid(f"{where}: the page needs a title of {MAX_TITLE} letters at most")
    if page.picture:
        check_picture(page.picture)
    if len(page.blocks) > MAX_BLOCKS:
        raise Invalid(f"{where}: a page has {MAX_BLOCKS} blocks at most")
    for number, block in enumerate(page.blocks, 1):
        _check_block(block, f"{where}, block {number}")


def _check_block(block: LandingBlock, where: str) -> None:
    if max(len(block.title), len(block.title_en)) > MAX_TITLE:
        raise Invalid(f"{where}: a title has {MAX_TITLE} letters at most")
    if max(len(block.body), len(block.body_en)) > MAX_TEXT:
        raise Invalid(f"{where}: a text has {MAX_TEXT} letters at most")
    if block.url and (not block.url.startswith(_SCHEMES) or len(block.url) > MAX_TEXT):
        raise Invalid(f"{where}: address {block.url!r:.60} must begin with https://, weixin:// or /phone/")
    if block.picture:
        check_picture(block.picture)
    if block.code and _CODE.fullmatch(block.code) is None:
        raise Invalid(f"{where}: a coupon's code is 1 to 40 letters, digits and dashes")
    if block.kind is BlockKind.PICTURE and not block.picture:
        raise Invalid(f"{where}: choose a picture for it")
    if block.kind is not BlockKind.PICTURE and not block.title:
        raise Invalid(f"{where}: it needs a title in Chinese")
