"""What loops, limit switches, the gate's board and time say of a passage. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge.parking.decision import Verdict, Why, ask
from edge.parking.facility import LaneWay
from edge.parking.gate_command import GateCommandState
from edge.parking.observation import BoomChange, BoomPlace, LoopChange
from edge.parking.passage import Passage, PassageEnd, PassageRules, PassageState
from edge.parking.passage_step import (
    DECIDE,
    Effect,
    EffectKind,
    Step,
    clear_for,
    end,
    is_clear,
    opened,
    still,
    then,
    through,
    through_and_over,
)

_ASKED = Effect(EffectKind.TELL, word="asked")

#: After a vehicle went through, its boom is taken for closed so much later, whatever its switches say.
_CLOSE_BY_MS = 30_000

#: A loop that is free for longer was left by its vehicle; a detector that flickers is free for less.
_FLICKER_MS = 500


def on_loop(passage: Passage, change: LoopChange, now: int, rules: PassageRules) -> Step:
    """Return the passage after a loop became occupied or free."""
    loops = tuple(passage.loops[: rules.loops]) + (False,) * (rules.loops - len(passage.loops))
    if not 0 <= change.loop < rules.loops or loops[change.loop] is change.occupied:
        return still(passage)
    loops = (*loops[: change.loop], change.occupied, *loops[change.loop + 1 :])
    seen = replace(
        passage,
        loops=loops,
        signs_at=now if change.occupied else passage.signs_at,
        free_at=None if any(loops) else now,
        # First on the far loop: it comes from the other side.
        on_near=passage.on_near or (loops[0] and not passage.on_far),
    )
    if rules.loops == 1:
        return _on_only_loop(seen, change.occupied, now)
    if change.loop == 0 and change.occupied and _went_unseen(passage, now, rules):
        return through_and_over(seen, now)
    if change.loop == 0:
        freed = not change.occupied and seen.on_far
        return still(replace(seen, near_freed=seen.near_freed or freed))
    if change.loop != rules.loops - 1:
        return still(seen)
    return _on_far_loop(seen, change.occupied, now)


def on_boom(passage: Passage, change: BoomChange, now: int, rules: PassageRules) -> Step:
    """Return the passage after its boom reached another place."""
    was, moved = passage.boom, replace(passage, boom=change.place)
    if change.place is BoomPlace.UP:
        return _on_boom_up(moved, now, rules)
    if change.place is BoomPlace.DOWN and was in (BoomPlace.UP, BoomPlace.BETWEEN):
        return _on_boom_down(moved, now, rules)
    return still(moved)


def on_gate(passage: Passage, number: int, state: GateCommandState, now: int, rules: PassageRules) -> Step:
    """Return the passage after its gate's board said what became of an opening."""
    if number != passage.opening:
        return still(passage)
    if state is GateCommandState.DOUBTFUL and passage.state is PassageState.OPENED and not rules.loops:
        # It was taken for opened on the board's word alone; that word is in doubt now.
        asked = ask(Why.GATE_DOUBTFUL, now, passage.session_id)
        unsure = passage.boom is not BoomPlace.UP
        back = replace(passage, state=PassageState.DECIDED, opened_at=None, question=asked)
        return (back, (_ASKED,)) if unsure else still(passage)
    if passage.state not in (PassageState.DECIDED, PassageState.WAITING):
        return still(passage)
    if state in (GateCommandState.FAILED, GateCommandState.WITHDRAWN):
        late = state is GateCommandState.WITHDRAWN
        asked = ask(Why.GATE_LATE if late else Why.GATE_FAILED, now, passage.session_id)
        return replace(passage, state=PassageState.WAITING, question=asked), (_ASKED,)
    if state is not GateCommandState.ECHOED:
        return still(passage)
    echoed = replace(passage, echoed=True)
    return still(echoed) if rules.boom and passage.boom is not BoomPlace.UP else opened(echoed, now)


def on_tick(passage: Passage, now: int, rules: PassageRules) -> Step:
    """Return the passage after time went by: what ends by itself ends, and who waits too long is told of."""
    lost = now - max(passage.signs_at, passage.opened_at or 0, passage.passed_at or 0) >= rules.lost
    # Who drove on while nobody looked is through, after a long power cut as after a short one.
    if lost and not (_was_to_open_unseen(passage) and rules.loops and is_clear(passage)):
        return end(passage, _lost(passage), now)
    step = _TICKS[passage.state](passage, now, rules)
    after = step[0]
    if after.stayed or after.is_over or is_clear(after) or now - after.begun_at < rules.stay:
        return step
    return then(step, (replace(after, stayed=True), (Effect(EffectKind.TELL, word="stayed"),)))


def _on_only_loop(passage: Passage, occupied: bool, now: int) -> Step:
    """One loop, under the boom: a vehicle that leaves it while the gate is open is through."""
    if occupied:
        return still(replace(passage, on_far=passage.state is PassageState.PASSED))
    opening = passage.state is PassageState.OPENED or (
        passage.state is PassageState.DECIDED and passage.commanded_at is not None
    )
    if opening or (passage.state is PassageState.PASSED and passage.on_far):
        return through(passage, now)
    return still(passage)


def _went_unseen(passage: Passage, now: int, rules: PassageRules) -> bool:
    """Whether its gate was to open while nobody looked, and it is gone and the boom is down since.

    Whoever comes onto the first loop now is the next vehicle, however soon it comes.
    """
    closed = rules.boom and passage.boom is BoomPlace.DOWN and is_clear(passage)
    if not (_was_to_open_unseen(passage) and closed and passage.on_near) or passage.free_at is None:
        return False
    # Another plate was read there, or the loop was free for longer than one that flickers.
    return passage.behind is not None or now - passage.free_at >= _FLICKER_MS


def _on_far_loop(passage: Passage, occupied: bool, now: int) -> Step:
    if occupied:
        return still(replace(passage, on_far=True, near_freed=not passage.loops[0]))
    if not passage.on_far:
        return still(passage)
    if passage.loops[0] and not passage.near_freed:
        # It rolled back off the far loop and still stands on the near one.
        return still(replace(passage, on_far=False, crossed=True))
    if not passage.on_near and not passage.opening:
        return end(passage, PassageEnd.REVERSED, now)
    return through(passage, now)


def _on_boom_up(passage: Passage, now: int, rules: PassageRules) -> Step:
    waits_for_gate = passage.state is PassageState.WAITING and passage.opening
    if passage.state is PassageState.DECIDED or waits_for_gate:
        return opened(passage, now)
    if passage.state in (PassageState.OPENED, PassageState.PASSED):
        return still(passage)
    return passage, (Effect(EffectKind.TELL, word="opened_elsewhere"),)


def _on_boom_down(passage: Passage, now: int, rules: PassageRules) -> Step:
    if passage.state is PassageState.PASSED:
        return end(passage, PassageEnd.PASSED, now)
    if not rules.loops and passage.state in (PassageState.OPENED, PassageState.WAITING):
        return through_and_over(passage, now)
    if passage.state is not PassageState.OPENED or is_clear(passage):
        return still(passage)
    asked = ask(Why.CLOSED_TOO_SOON, now, passage.session_id)
    ledger = Effect(EffectKind.LEDGER, passage.opening, GateCommandState.CLOSED)
    return replace(passage, state=PassageState.WAITING, question=asked), (ledger, _ASKED)


def _lost(passage: Passage) -> PassageEnd:
    if passage.state is PassageState.PASSED:
        return PassageEnd.PASSED
    opening = passage.state is PassageState.OPENED and passage.way is LaneWay.ENTRY
    return PassageEnd.NEVER_ENTERED if opening else PassageEnd.LOST


def _tick_approached(passage: Passage, now: int, rules: PassageRules) -> Step:
    if is_clear(passage):
        gone = clear_for(passage, now) >= rules.leave
        return end(passage, PassageEnd.TURNED_BACK, now) if gone else still(passage)
    if now - passage.begun_at < rules.approach:
        return still(passage)
    return replace(passage, state=PassageState.IDENTIFIED, fresh=True, read_at=now), (DECIDE,)


def _tick_identified(passage: Passage, now: int, rules: PassageRules) -> Step:
    return passage, (DECIDE,)


def _tick_waiting(passage: Passage, now: int, rules: PassageRules) -> Step:
    if _has_left(passage, now, rules):
        if passage.blind and rules.loops and _closed_on(passage):
            # Its gate closed before it and was to open again, nobody looked, and it is gone: it went through.
            return through_and_over(passage, now)
        return end(passage, PassageEnd.TURNED_BACK if rules.loops else PassageEnd.LOST, now)
    queues = passage.decision is not None and passage.decision.verdict is Verdict.QUEUE
    if queues and now - passage.asked_again_at >= rules.again:
        return replace(passage, asked_again_at=now), (DECIDE,)
    return still(passage)


def _tick_decided(passage: Passage, now: int, rules: PassageRules) -> Step:
    since = now - (passage.commanded_at or 0)
    if passage.question is None and since >= rules.open:
        why = Why.GATE_STUCK if passage.echoed else Why.GATE_DOUBTFUL
        return replace(passage, question=ask(why, now, passage.session_id)), (_ASKED,)
    if since >= rules.open and _has_left(passage, now, rules):
        if passage.blind and rules.loops:
            # Its gate was to open while nobody looked, and it is gone: it went through.
            return through_and_over(passage, now)
        return end(passage, PassageEnd.TURNED_BACK if rules.loops else PassageEnd.LOST, now)
    return still(passage)


def _tick_opened(passage: Passage, now: int, rules: PassageRules) -> Step:
    since = now - (passage.opened_at or 0)
    if not rules.loops:
        return through(passage, now, assumed=True) if since >= rules.pass_ else still(passage)
    closed = rules.boom and passage.boom is BoomPlace.DOWN
    if clear_for(passage, now) < (rules.leave if closed or passage.blind else rules.ghost):
        return still(passage)
    if passage.blind:
        # The gate was open, the vehicle is gone and nobody looked: it went through.
        return through_and_over(passage, now)
    entry = passage.way is LaneWay.ENTRY
    return end(passage, PassageEnd.NEVER_ENTERED if entry else PassageEnd.TURNED_BACK, now)


def _tick_passed(passage: Passage, now: int, rules: PassageRules) -> Step:
    since = now - (passage.passed_at or 0)
    wait = _CLOSE_BY_MS if rules.boom and passage.boom is not BoomPlace.DOWN else rules.settle
    return end(passage, PassageEnd.PASSED, now) if since >= wait else still(passage)


def _tick_closed(passage: Passage, now: int, rules: PassageRules) -> Step:
    return still(passage)


def _closed_on(passage: Passage) -> bool:
    """Whether its gate was open for it and closed before it went through."""
    was_open = bool(passage.opening) and passage.opened_at is not None
    return was_open and passage.state is PassageState.WAITING


def _was_to_open_unseen(passage: Passage) -> bool:
    """Whether its gate was open, or was to open, while nobody looked."""
    opening = passage.state in (PassageState.DECIDED, PassageState.OPENED) or _closed_on(passage)
    return passage.blind and opening


def _has_left(passage: Passage, now: int, rules: PassageRules) -> bool:
    """Whether a vehicle that did not go through is not there any more."""
    if not rules.loops:
        return now - passage.signs_at >= rules.unseen
    if passage.on_near or passage.free_at is not None:
        return clear_for(passage, now) >= rules.leave
    return clear_for(passage, now) >= (rules.ghost * 2 if rules.sees_waiting else rules.unseen)


_TICKS = {
    PassageState.APPROACHED: _tick_approached,
    PassageState.IDENTIFIED: _tick_identified,
    PassageState.WAITING: _tick_waiting,
    PassageState.DECIDED: _tick_decided,
    PassageState.OPENED: _tick_opened,
    PassageState.PASSED: _tick_passed,
    PassageState.CLOSED: _tick_closed,
}
