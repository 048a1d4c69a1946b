"""What a step of a passage brings with it, and the few ways in which a passage moves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.parking.decision import Decision
from edge.parking.facility import LaneWay
from edge.parking.gate_command import GateCommandState
from edge.parking.observation import BoomPlace
from edge.parking.passage import THROUGH, Behind, Passage, PassageEnd, PassageRules, PassageState


class EffectKind(StrEnum):
    """What is to be done because of a step.

    DECIDE: what becomes of the vehicle. OPEN: write the command of decision `number`. WITHDRAW: what was not
    sent yet is not sent. ENTER: its stay begins; UNDO_ENTRY: it never did. LEAVE: its stay ends; UNDO_LEAVE:
    it goes on. FOLLOWER: an unidentified vehicle went through as well. TAILGATED: this vehicle went through
    without an opening of its own. LEDGER: the opening `number` is as far as `state`. NEXT: the lane is free
    for the vehicle behind. TELL: `word` is worth telling. NAME: the plate became known after the gate was
    opened.
    """

    DECIDE = "decide"
    OPEN = "open"
    WITHDRAW = "withdraw"
    ENTER = "enter"
    UNDO_ENTRY = "undo_entry"
    LEAVE = "leave"
    UNDO_LEAVE = "undo_leave"
    FOLLOWER = "follower"
    TAILGATED = "tailgated"
    LEDGER = "ledger"
    NEXT = "next"
    TELL = "tell"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to be done, in the transaction that writes the passage."""

    kind: EffectKind
    number: int = 0
    state: GateCommandState | None = None
    behind: Behind | None = None
    word: str = ""


Step = tuple[Passage, tuple[Effect, ...]]

DECIDE = Effect(EffectKind.DECIDE)


def still(passage: Passage) -> Step:
    """Return a step that changes nothing else."""
    return passage, ()


def is_clear(passage: Passage) -> bool:
    """Whether no loop is occupied."""
    return not any(passage.loops)


def let_go(passage: Passage, decision: Decision, now: int, *, pulse: bool = True) -> Step:
    """Return the passage whose gate is to open by a decision; without `pulse` it is open already."""
    number = passage.decisions + 1
    opening = replace(
        passage,
        state=PassageState.DECIDED if pulse else PassageState.OPENED,
        decision=replace(decision, number=number),
        decisions=number,
        opening=number,
        question=None,
        session_id=decision.session_id or passage.session_id,
        plate=decision.plate or passage.plate,
        commanded_at=now,
        echoed=False,
        opened_at=None if pulse else now,
        entered=passage.entered or passage.way is LaneWay.ENTRY,
        # It stands there as its gate is to open: what follows is seen again.
        blind=passage.blind and not (passage.loops and passage.loops[0]),
    )
    effects: tuple[Effect, ...] = (Effect(EffectKind.OPEN, number),) if pulse else ()
    if opening.entered and not passage.entered:
        effects = (Effect(EffectKind.ENTER), *effects)
    # Somebody decided anew while an opening before was in doubt: that one is over.
    return opening, (*_withdrawn(passage), *effects)


def opened(passage: Passage, now: int) -> Step:
    """Return the passage whose gate was seen, or is taken, to be open."""
    effects = _ledger(passage, GateCommandState.BOOM_OPEN if passage.boom is BoomPlace.UP else None)
    moved = replace(passage, state=PassageState.OPENED, opened_at=now, question=None)
    return moved, effects


def through(passage: Passage, now: int, *, assumed: bool = False) -> Step:
    """Return the passage whose vehicle is on the other side; one that was there before had a follower."""
    cleared = replace(passage, on_far=False, near_freed=False)
    if passage.state is PassageState.PASSED:
        return replace(cleared, followers=passage.followers + 1), (Effect(EffectKind.FOLLOWER),)
    if not passage.opening and passage.state is PassageState.APPROACHED:
        step = replace(cleared, state=PassageState.PASSED, passed_at=now)
        return step, (Effect(EffectKind.FOLLOWER),)
    moved = replace(
        cleared,
        state=PassageState.PASSED,
        passed_at=now,
        question=None,
        assumed=assumed,
        entered=passage.entered or passage.way is LaneWay.ENTRY,
    )
    return moved, (*_stays(passage), *_ledger(passage, GateCommandState.PASSED))


def end(passage: Passage, how: PassageEnd, now: int) -> Step:
    """Return the passage that is over."""
    if passage.state is PassageState.PASSED:
        how = PassageEnd.PASSED if passage.opening else PassageEnd.TAILGATED
    closed = replace(
        passage, state=PassageState.CLOSED, end=how, ended_at=now, question=None, behind=None, on_far=False
    )
    effects: list[Effect] = []
    effects += _withdrawn(passage)
    if passage.entered and how not in THROUGH:
        effects.append(Effect(EffectKind.UNDO_ENTRY, word=how.value))
    if passage.behind is not None or (passage.loops and passage.loops[0]):
        effects.append(Effect(EffectKind.NEXT, behind=passage.behind))
    return closed, tuple(effects)


def then(step: Step, more: Step) -> Step:
    """Return `more`, which went on from `step`, with the effects of both."""
    return more[0], (*step[1], *more[1])


def through_and_over(passage: Passage, now: int) -> Step:
    """Return the passage whose vehicle is taken to be through, over at once."""
    gone = through(passage, now, assumed=True)
    return then(gone, end(gone[0], PassageEnd.PASSED, now))


def clear_for(passage: Passage, now: int) -> int:
    """Return for how long nothing stood on the loops since the vehicle was last heard of, milliseconds."""
    if not is_clear(passage):
        return 0
    return now - max(passage.free_at or 0, passage.opened_at or 0, passage.signs_at)


def front_is_gone(passage: Passage, seen_at: int, rules: PassageRules) -> bool:
    """Whether a read of another plate means that this vehicle is not there any more, though nothing said so.

    Loops say so themselves, the only one under the boom not of who waits before it. Without them a camera
    reads the next vehicle once the first has moved on; one that waits at an exit may stand there with
    another right behind.
    """
    if rules.sees_waiting or (rules.loops and passage.state is not PassageState.WAITING):
        return False
    if passage.state is PassageState.OPENED:
        return passage.opened_at is not None and seen_at - passage.opened_at >= rules.follow
    if passage.state is PassageState.DECIDED:
        return passage.commanded_at is not None and seen_at - passage.commanded_at >= rules.leave
    waits_in_vain = passage.state is PassageState.WAITING and passage.way is LaneWay.ENTRY
    return waits_in_vain and not passage.opening and seen_at - passage.signs_at >= rules.leave


def _stays(passage: Passage) -> Sequence[Effect]:
    """Return what going through means for the stay."""
    effects: list[Effect] = []
    if not passage.opening:
        effects.append(Effect(EffectKind.TAILGATED))
    if passage.way is LaneWay.EXIT:
        effects.append(Effect(EffectKind.LEAVE))
    elif not passage.entered:
        effects.append(Effect(EffectKind.ENTER))
    return effects


def _withdrawn(passage: Passage) -> tuple[Effect, ...]:
    if not passage.opening:
        return ()
    return (Effect(EffectKind.WITHDRAW, passage.opening), *_ledger(passage, GateCommandState.CLOSED))


def _ledger(passage: Passage, state: GateCommandState | None) -> tuple[Effect, ...]:
    if not passage.opening or state is None:
        return ()
    return (Effect(EffectKind.LEDGER, passage.opening, state),)
