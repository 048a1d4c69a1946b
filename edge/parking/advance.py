"""Moves a passage on by what was seen, decided and answered. Pure; nothing here reads a clock.

Whatever comes again, late or in another order: a decision opens once, an old read opens nothing, a passage
that is over stays so, and every passage ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.parking.decision import Answer, Decision, Verdict, Why, ask
from edge.parking.facility import LaneWay
from edge.parking.gate_command import GateCommandState
from edge.parking.lane_sensors import on_boom, on_gate, on_loop, on_tick
from edge.parking.observation import BoomChange, BoomPlace, LoopChange, PlateRead, Trigger
from edge.parking.passage import THROUGH, Behind, Passage, PassageEnd, PassageRules, PassageState
from edge.parking.passage_step import (
    DECIDE,
    Effect,
    EffectKind,
    Step,
    end,
    front_is_gone,
    let_go,
    opened,
    still,
    then,
    through_and_over,
)

#: How long after a passage without loops the camera's word that the vehicle turned back is believed.
AMEND_MS = 120_000


@dataclass(frozen=True, slots=True)
class Settled:
    """Money was confirmed for a stay."""

    session_id: str


@dataclass(frozen=True, slots=True)
class GuardAnswer:
    """What a person answered, or did unasked. plate: for CORRECT; session_id: for CHOOSE; due_fen: for
    LET_OUT."""

    answer: Answer
    by: str
    note: str = ""
    plate: str = ""
    session_id: str = ""
    due_fen: int = 0
    why: Why = Why.BY_HAND


@dataclass(frozen=True, slots=True)
class GateNews:
    """How the opening `number` goes: ECHOED, FAILED, DOUBTFUL, or WITHDRAWN as it had become too old."""

    number: int
    state: GateCommandState


@dataclass(frozen=True, slots=True)
class Blind:
    """For a while nobody looked at the loops and the boom: the service was down, or the board was silent."""


@dataclass(frozen=True, slots=True)
class LoopStuck:
    """The loops that were occupied are not believed any more: they report a vehicle and nobody is there."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


Seen = (
    PlateRead
    | LoopChange
    | BoomChange
    | Decision
    | Settled
    | GuardAnswer
    | GateNews
    | Blind
    | LoopStuck
    | Tick
)


def begin(
    passage_id: str,
    lane: str,
    way: LaneWay,
    at: int,
    boot: str = "",
    boot_ns: int = 0,
    loops: tuple[bool, ...] = (),
    boom: BoomPlace | None = None,
) -> Passage:
    """Return the passage of a vehicle that has come. loops, boom: as they are now."""
    near = bool(loops) and loops[0]
    return Passage(
        passage_id, lane, way, at, boot, boot_ns, loops=loops, boom=boom, on_near=near, signs_at=at
    )


def advance(passage: Passage, seen: Seen, now: int, rules: PassageRules) -> Step:
    """Return the passage after what was seen, and what is to be done. now: on the passage's own clock."""
    if isinstance(seen, PlateRead):
        return _on_read(passage, seen, now, rules)
    if passage.is_over:
        return still(passage)
    if isinstance(seen, LoopChange):
        return on_loop(passage, seen, now, rules)
    if isinstance(seen, BoomChange):
        return on_boom(passage, seen, now, rules)
    if isinstance(seen, GateNews):
        return on_gate(passage, seen.number, seen.state, now, rules)
    if isinstance(seen, Tick):
        return on_tick(passage, now, rules)
    if isinstance(seen, Blind | LoopStuck):
        return _on_unseen(passage, seen, now)
    return _on_word(passage, seen, now, rules)


def is_echo(last: Passage, plate: str, seen_at: int, rules: PassageRules) -> bool:
    """Whether a read is of the vehicle of the lane's last passage, and says nothing new. seen_at: on its
    clock."""
    if last.ended_at is None or not plate or plate != last.plate:
        return False
    return seen_at <= last.ended_at + (rules.repeat if last.end in THROUGH else 0)


def alike(one: str, other: str) -> bool:
    """Whether two plates differ by one character that was misread, dropped or added."""
    if min(len(one), len(other)) < 6 or abs(len(one) - len(other)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if same is None:
        return True
    short, long = sorted((one, other), key=len)
    return short[same:] == long[same + 1 :] or one[same + 1 :] == other[same + 1 :]


def _on_read(passage: Passage, read: PlateRead, now: int, rules: PassageRules) -> Step:
    seen_at = now - read.age_ms
    if read.backfill:
        return still(passage)
    if read.trigger is Trigger.TURNED_BACK:
        return _turned_back(passage, read, seen_at, now)
    if passage.is_over:
        return still(passage)
    if read.trigger is Trigger.STAYING and not passage.stayed:
        told = replace(passage, stayed=True), (Effect(EffectKind.TELL, word="stayed"),)
        return then(told, _on_read(told[0], read, now, rules))
    if _fits(passage, read, seen_at, rules):
        return _same_vehicle(passage, read, seen_at, rules)
    return _other_vehicle(passage, read, seen_at, now, rules)


def _fits(passage: Passage, read: PlateRead, seen_at: int, rules: PassageRules) -> bool:
    """Whether a read may be of the vehicle that the passage is of."""
    if not read.plate or read.plate == passage.plate or read.trigger is Trigger.STAYING:
        return True
    soon = abs(seen_at - passage.signs_at) <= rules.second_look
    if not passage.plate:
        # Made after the vehicle had left the lane, it is of the next one.
        soon = soon and not (rules.loops and passage.passed_at is not None and seen_at > passage.passed_at)
        # Before its gate is open nobody else stands on its loop.
        waits = passage.state is PassageState.DECIDED and any(passage.loops) and not passage.blind
        return soon or waits or (not passage.opening and passage.state is not PassageState.PASSED)
    # As long as it stands on its first loop, the camera has nobody else before it, however late it tells.
    stands = passage.loops[:1] == (True,) and not passage.blind
    return (soon or stands) and not passage.near_freed and alike(read.plate, passage.plate)


def _same_vehicle(passage: Passage, read: PlateRead, seen_at: int, rules: PassageRules) -> Step:
    fresh = read.age_ms <= rules.stale
    seen = replace(passage, signs_at=max(passage.signs_at, seen_at))
    if _teaches(passage, read, fresh):
        known = replace(
            seen,
            state=PassageState.IDENTIFIED,
            plate=read.plate,
            read_id=read.read_id,
            read_at=seen_at,
            fresh=fresh,
            question=None,
        )
        return known, (DECIDE,)
    if read.plate and not seen.plate:
        named = replace(seen, plate=read.plate, read_id=read.read_id, read_at=seen_at)
        return named, (Effect(EffectKind.NAME),)
    return still(seen)


def _teaches(passage: Passage, read: PlateRead, fresh: bool) -> bool:
    """Whether a read of the vehicle brings what a decision lacked."""
    if passage.state is PassageState.APPROACHED:
        return True
    if passage.opening or passage.state not in (PassageState.IDENTIFIED, PassageState.WAITING):
        return False
    if not passage.plate:
        return bool(read.plate)
    if not fresh or not read.plate:
        return False
    unsure = passage.question is not None and passage.question.why in (Why.NO_SESSION, Why.UNSURE_SESSION)
    return not passage.fresh or (unsure and read.plate != passage.plate)


def _other_vehicle(passage: Passage, read: PlateRead, seen_at: int, now: int, rules: PassageRules) -> Step:
    if seen_at < (passage.begun_at if passage.read_at is None else passage.read_at):
        return passage, (Effect(EffectKind.TELL, word="late"),)
    if passage.behind is None or seen_at >= passage.behind.seen_at:
        passage = replace(passage, behind=Behind(read.read_id, read.plate, seen_at))
    if passage.state is PassageState.PASSED:
        return end(passage, PassageEnd.PASSED, now)
    if not front_is_gone(passage, seen_at, rules):
        return still(passage)
    if passage.state in (PassageState.OPENED, PassageState.DECIDED):
        return through_and_over(passage, now)
    return end(passage, PassageEnd.LOST, now)


def _turned_back(passage: Passage, read: PlateRead, seen_at: int, now: int) -> Step:
    if read.plate and passage.behind is not None and read.plate == passage.behind.plate:
        return still(replace(passage, behind=None))
    if (read.plate and passage.plate and read.plate != passage.plate) or seen_at < passage.begun_at:
        return still(passage)
    if not passage.is_through:
        return still(passage) if passage.is_over else end(passage, PassageEnd.TURNED_BACK, now)
    since = seen_at - (passage.passed_at or 0)
    if not passage.assumed or since > AMEND_MS:
        return still(passage)
    undone = Effect(EffectKind.UNDO_ENTRY if passage.way is LaneWay.ENTRY else EffectKind.UNDO_LEAVE)
    amended = replace(passage, state=PassageState.OPENED, assumed=False, entered=False)
    over = end(amended, PassageEnd.TURNED_BACK, now)
    if passage.is_over:
        return replace(over[0], ended_at=passage.ended_at), (undone,)
    return then((amended, (undone,)), over)


def _on_word(passage: Passage, word: Decision | Settled | GuardAnswer, now: int, rules: PassageRules) -> Step:
    if isinstance(word, Decision):
        return _on_decision(passage, word, now)
    if isinstance(word, GuardAnswer):
        return _on_answer(passage, word, now, rules)
    waits = passage.state is PassageState.WAITING and not passage.opening
    if not waits or word.session_id != passage.session_id or passage.way is not LaneWay.EXIT:
        return still(passage)
    return replace(passage, state=PassageState.IDENTIFIED, question=None), (DECIDE,)


def _on_decision(passage: Passage, decision: Decision, now: int) -> Step:
    """Take what the box decided. It decides by a fresh read alone, and never while the gate is to open."""
    if passage.state not in (PassageState.IDENTIFIED, PassageState.WAITING) or passage.opening:
        return still(passage)
    if decision.verdict is Verdict.OPEN and not passage.fresh:
        decision = replace(decision, verdict=Verdict.ASK, why=Why.STALE)
    if decision.verdict is Verdict.OPEN:
        return let_go(passage, decision, now, pulse=decision.why is not Why.HELD_OPEN)
    asks = decision.verdict in (Verdict.ASK, Verdict.REFUSE)
    question = ask(decision.why, now, decision.session_id, decision.candidates) if asks else None
    waiting = replace(
        passage,
        state=PassageState.WAITING,
        decision=decision,
        question=question,
        session_id=decision.session_id or passage.session_id,
        asked_again_at=now,
    )
    return waiting, ((Effect(EffectKind.TELL, word="asked"),) if asks else ())


def _on_answer(passage: Passage, said: GuardAnswer, now: int, rules: PassageRules) -> Step:
    if passage.state is PassageState.PASSED:
        return still(passage)
    if said.answer is Answer.GONE:
        return _gone(passage, now)
    if said.answer is Answer.REFUSE:
        return _refused(passage, said)
    if said.answer in (Answer.CORRECT, Answer.CHOOSE):
        return through_and_over(passage, now) if _is_another(passage, said) else _corrected(passage, said)
    if _opens_already(passage, now, rules):
        return still(passage)
    why = Why.DEBT if said.answer is Answer.LET_OUT else said.why
    decision = Decision(
        Verdict.OPEN,
        why,
        session_id=said.session_id or passage.session_id,
        due_fen=said.due_fen,
        by=said.by,
        note=said.note,
    )
    lifted = said.answer is Answer.LIFTED
    step = let_go(replace(passage, fresh=True), decision, now, pulse=not lifted)
    return then(step, opened(step[0], now)) if lifted else step


def _on_unseen(passage: Passage, seen: Blind | LoopStuck, now: int) -> Step:
    if isinstance(seen, Blind):
        return still(passage if _backed_out(passage) else replace(passage, blind=True))
    nobody = _crossed(passage) or not (passage.plate or passage.opening)
    return _gone(passage, now) if nobody else still(passage)


def _backed_out(passage: Passage) -> bool:
    """Whether it was seen to leave the first loop backwards and the boom to close: nothing went unseen."""
    closed = passage.state is PassageState.OPENED and passage.boom is BoomPlace.DOWN
    return closed and passage.on_near and not any(passage.loops) and not passage.crossed


def _gone(passage: Passage, now: int) -> Step:
    """End a passage of which nobody is there: who crossed the lane under an opening of its own is through."""
    return through_and_over(passage, now) if _crossed(passage) else end(passage, PassageEnd.GONE, now)


def _crossed(passage: Passage) -> bool:
    """Whether all but one loop say that the vehicle went through under its opening, or nobody looked."""
    return bool(passage.opening) and (passage.crossed or passage.near_freed or passage.blind)


def _opens_already(passage: Passage, now: int, rules: PassageRules) -> bool:
    """Whether saying "open" again is no second opening: the gate is opening, or its boom is seen up."""
    if not passage.opening or passage.question is not None or passage.state is PassageState.WAITING:
        return False
    opens = now - (passage.commanded_at or 0) < rules.open
    return opens or (rules.boom and passage.boom is BoomPlace.UP)


def _refused(passage: Passage, said: GuardAnswer) -> Step:
    if passage.opening:
        return still(passage)
    decision = Decision(Verdict.REFUSE, Why.BY_HAND, by=said.by, note=said.note)
    return still(replace(passage, state=PassageState.WAITING, question=None, decision=decision))


def _is_another(passage: Passage, said: GuardAnswer) -> bool:
    """Whether a person names another vehicle than the one whose gate was to open while nobody looked.

    That one went through meanwhile, and the next stands where it stood.
    """
    if not (passage.opening and passage.blind and passage.loops and passage.loops[0]):
        return False
    if said.answer is Answer.CHOOSE:
        return bool(passage.session_id) and said.session_id != passage.session_id
    unlike = said.plate != passage.plate and not alike(said.plate, passage.plate)
    return bool(said.plate and passage.plate) and unlike


def _corrected(passage: Passage, said: GuardAnswer) -> Step:
    if passage.opening:
        return still(passage)
    # A person who looks at the vehicle vouches for it being there now; a read of it is not of one behind it.
    plate = said.plate or passage.plate
    behind = passage.behind
    known = replace(
        passage,
        state=PassageState.IDENTIFIED,
        plate=plate,
        behind=None if behind is not None and alike(behind.plate, plate) else behind,
        session_id=said.session_id if said.answer is Answer.CHOOSE else "",
        fresh=True,
        question=None,
    )
    return known, (DECIDE,)
