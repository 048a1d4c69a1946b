"""One opening of one gate, from the decision to the closed boom: what was meant, sent and seen. Pure.

A command is written before its pulse is sent. What surely was not sent may be tried again a few times; what
may have been sent is never sent again by itself: either the boom or a vehicle shows that it opened, or a
person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid

#: How often a pulse that surely was not sent is tried in all.
MAX_TRIES = 3


class GateCommandState(StrEnum):
    """How far an opening is.

    DECIDED: nothing was sent. COMMANDED: the pulse is being sent, or was. ECHOED: the board took it.
    BOOM_OPEN: seen up. PASSED: a vehicle went through. CLOSED: the boom is down again, it is over.
    DOUBTFUL: sent, and nobody saw it open. FAILED: surely never sent. WITHDRAWN: not wanted any more before
    it was sent.
    """

    DECIDED = "decided"
    COMMANDED = "commanded"
    ECHOED = "echoed"
    BOOM_OPEN = "boom_open"
    PASSED = "passed"
    CLOSED = "closed"
    DOUBTFUL = "doubtful"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


#: Further than what came before it; a report that comes late changes nothing that is further.
_ORDER = (
    GateCommandState.DECIDED,
    GateCommandState.COMMANDED,
    GateCommandState.DOUBTFUL,
    GateCommandState.ECHOED,
    GateCommandState.BOOM_OPEN,
    GateCommandState.PASSED,
    GateCommandState.CLOSED,
)
_ENDED = frozenset({GateCommandState.CLOSED, GateCommandState.FAILED, GateCommandState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class GateCommand:
    """One opening. command_id: of the decision behind it, so that a decision never has two.

    passage_id: "" when it belongs to no vehicle (a gate that is held open, or opened from afar). gate: ""
    when the lane's camera opens by its answer. why, by: the word of the decision, and who made it ("" the
    box). decided_boot, decided_ns: the boot and boot-time nanoseconds of the decision. tries: pulses that
    were begun. detail: what a device said. The moments are None until then.
    """

    command_id: str
    lane: str
    gate: str
    passage_id: str
    why: str
    by: str
    decided_at: int
    decided_boot: str
    decided_ns: int
    state: GateCommandState = GateCommandState.DECIDED
    tries: int = 0
    commanded_at: int | None = None
    echoed_at: int | None = None
    boom_open_at: int | None = None
    passed_at: int | None = None
    closed_at: int | None = None
    detail: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be written to it."""
        return self.state in _ENDED

    @property
    def may_have_opened(self) -> bool:
        """Whether a pulse was or may have been sent."""
        return self.state not in (
            GateCommandState.DECIDED,
            GateCommandState.FAILED,
            GateCommandState.WITHDRAWN,
        )


def commanded(command: GateCommand, at: int) -> GateCommand:
    """Return the command whose pulse is sent as soon as this is on disk; raise Invalid unless it is only
    decided."""
    if command.state is not GateCommandState.DECIDED:
        raise Invalid(f"gate command {command.command_id} is {command.state}; it is sent once, from decided")
    return replace(
        command, state=GateCommandState.COMMANDED, tries=command.tries + 1, commanded_at=at, detail=""
    )


def not_sent(command: GateCommand, detail: str) -> GateCommand:
    """Return it after a pulse that surely was not sent: decided again, or failed after `MAX_TRIES`."""
    if command.state is not GateCommandState.COMMANDED:
        return command
    state = GateCommandState.FAILED if command.tries >= MAX_TRIES else GateCommandState.DECIDED
    return replace(command, state=state, commanded_at=None, detail=detail)


def advanced(command: GateCommand, state: GateCommandState, at: int, detail: str = "") -> GateCommand:
    """Return it as far as `state`; what is further already, or over, stays as it is.

    Raises Invalid for a state that only `commanded` and `not_sent` may bring, and for anything but WITHDRAWN
    before a pulse was sent.
    """
    if state is GateCommandState.WITHDRAWN:
        untouched = command.state is GateCommandState.DECIDED
        return replace(command, state=state, closed_at=at, detail=detail) if untouched else command
    if state in (GateCommandState.DECIDED, GateCommandState.COMMANDED, GateCommandState.FAILED):
        raise Invalid(f"a gate command is not advanced to {state}")
    if command.is_over or _ORDER.index(state) <= _ORDER.index(command.state):
        return command
    if command.state is GateCommandState.DECIDED:
        raise Invalid(f"gate command {command.command_id} was not sent, so it is not {state}")
    return replace(_stamped(command, state, at), state=state, detail=detail or command.detail)


def _stamped(command: GateCommand, state: GateCommandState, at: int) -> GateCommand:
    if state is GateCommandState.ECHOED:
        return replace(command, echoed_at=at)
    if state is GateCommandState.BOOM_OPEN:
        return replace(command, boom_open_at=at)
    if state is GateCommandState.PASSED:
        return replace(command, passed_at=at)
    if state is GateCommandState.CLOSED:
        return replace(command, closed_at=at)
    return command
