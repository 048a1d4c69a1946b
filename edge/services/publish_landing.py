"""Publish pages after payment: a new version each time, a return to an old one, what a form says of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.errors import Declined, Invalid
from edge.members.bandit import BanditRule
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import (
    LandingSlot,
    LandingVariant,
    LandingVersion,
    Occasion,
    check_version,
)
from edge.services.box import Box
from edge.services.records import Unit

#: Entries of a list in a form that are looked at; what has more is refused by check_version.
_MAX_ENTRIES = 32
_MAX_LETTERS = 4_000
_BLOCK_TEXTS = ("title", "title_en", "body", "body_en", "url", "picture", "code")


@dataclass(frozen=True, slots=True)
class LandingDraft:
    """What somebody wants to publish. based_on: the highest number that they had seen, 0 for none.

    valid_from: Unix milliseconds, in the past for at once. valid_to: its end, None for never.
    """

    slot: LandingSlot
    based_on: int
    variants: tuple[LandingVariant, ...]
    valid_from: int = 0
    valid_to: int | None = None
    rule: BanditRule = field(default_factory=BanditRule)


def publish_landing(box: Box, draft: LandingDraft, by: str) -> LandingVersion:
    """Publish a new version and return it.

    Raises Invalid for what may not be shown, Declined when somebody else has published since.
    """
    now = box.clock.now().wall_at
    if not draft.variants:
        raise Invalid("a page needs one variant at least; to show none, withdraw it")
    if draft.valid_to is not None and draft.valid_to <= now:
        raise Invalid("the page would have ended already; give a later end, or none")

    def work(unit: Unit) -> LandingVersion:
        newest = _newest(unit, draft.slot)
        if newest != draft.based_on:
            raise Declined(
                f"version {newest} was published meanwhile; open the page again and look at it first"
            )
        begin = max(draft.valid_from, now)
        made = LandingVersion(
            draft.slot, newest + 1, draft.variants, begin, draft.valid_to, draft.rule, by, now
        )
        unit.landings.publish(check_version(made))
        return made

    return box.store.write(work)


def return_landing(box: Box, slot: LandingSlot, number: int, by: str) -> LandingVersion:
    """Publish an old version's content again, from now on without end; raise Invalid for an unknown one."""
    now = box.clock.now().wall_at

    def work(unit: Unit) -> LandingVersion:
        old = unit.landings.version(slot, number)
        if old is None:
            raise Invalid(f"{slot.landing_id} has no version {number}")
        made = replace(
            old,
            number=_newest(unit, slot) + 1,
            valid_from=now,
            valid_to=None,
            made_by=by,
            made_at=now,
            returned_to=number,
        )
        unit.landings.publish(made)
        return made

    return box.store.write(work)


def withdraw_landing(box: Box, slot: LandingSlot, by: str) -> LandingVersion:
    """Show the page of the configuration or of HQ again; what was published stays in the list."""
    now = box.clock.now().wall_at

    def work(unit: Unit) -> LandingVersion:
        newest = _newest(unit, slot)
        if newest == 0:
            raise Invalid(f"{slot.landing_id} has no version that could be withdrawn")
        made = LandingVersion(slot, newest + 1, (), now, made_by=by, made_at=now)
        unit.landings.publish(made)
        return made

    return box.store.write(work)


def read_slot(said: Mapping[str, object]) -> LandingSlot:
    """Return the slot that a form or address names; raise Invalid for an unknown occasion."""
    occasion = _text(said, "occasion", "the page") or Occasion.ANY.value
    if occasion not in set(Occasion):
        raise Invalid(f"occasion {occasion!r:.20} is not one of {', '.join(Occasion)}")
    return LandingSlot(
        _text(said, "tenant", "the page")[:64], Occasion(occasion), _text(said, "campaign", "the page")
    )


def read_variants(value: object, slot: LandingSlot) -> tuple[LandingVariant, ...]:
    """Return the variants of an editor's JSON; raise Invalid naming the variant and block at fault."""
    return tuple(
        _variant(_object(one, f"variant {number}"), slot, f"variant {number}")
        for number, one in enumerate(_list(value, "variants"), 1)
    )


def read_rule(said: Mapping[str, object]) -> BanditRule:
    """Return how traffic is shared out, from {"learning", "floor", "trial"}; floor is in hundredths."""
    floor, trial = _number(said, "floor", 10), _number(said, "trial", 30)
    return BanditRule(said.get("learning", True) is True, floor * 10, trial)


def write_variants(version: LandingVersion) -> Sequence[Mapping[str, object]]:
    """Return what read_variants reads."""
    return [
        {
            "name": one.name,
            "weight": one.weight,
            "title": one.page.title,
            "title_en": one.page.title_en,
            "picture": one.page.picture,
            "blocks": [
                {"kind": block.kind.value, **{name: getattr(block, name) for name in _BLOCK_TEXTS}}
                for block in one.page.blocks
            ],
        }
        for one in version.variants
    ]


def _newest(unit: Unit, slot: LandingSlot) -> int:
    found = unit.landings.versions(slot, 1)
    return found[0].number if found else 0


def _variant(said: Mapping[str, object], slot: LandingSlot, where: str) -> LandingVariant:
    blocks = tuple(
        _block(_object(one, f"{where}, block {number}"), f"{where}, block {number}")
        for number, one in enumerate(_list(said.get("blocks", []), f"{where}: blocks"), 1)
    )
    title, title_en, picture = (_text(said, name, where) for name in ("title", "title_en", "picture"))
    page = LandingPage(slot.landing_id, slot.tenant_id, title, title_en, picture, blocks)
    return LandingVariant(_text(said, "name", where), page, _number(said, "weight", 100))


def _block(said: Mapping[str, object], where: str) -> LandingBlock:
    kind = said.get("kind")
    if not isinstance(kind, str) or kind not in set(BlockKind):
        raise Invalid(f"{where}: kind {kind!r:.20} is not one of {', '.join(BlockKind)}")
    return LandingBlock(BlockKind(kind), **{name: _text(said, name, where) for name in _BLOCK_TEXTS})


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be an object")
    return value


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise Invalid(f"{where} must be a list of {_MAX_ENTRIES} at most")
    return value


def _text(said: Mapping[str, object], name: str, where: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > _MAX_LETTERS:
        raise Invalid(f"{where}: {name} must be a text of {_MAX_LETTERS} letters at most")
    return value.strip()


def _number(said: Mapping[str, object], name: str, default: int) -> int:
    value = said.get(name, default)
    if type(value) is not int or not 0 <= value <= 1_000_000:
        raise Invalid(f"{name} must be a whole number")
    return value
