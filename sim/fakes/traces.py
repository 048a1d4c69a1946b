"""Where members are named all over the store, in memory; follows the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from edge.members.member_snapshot import Member
from edge.parking.session import Session, SessionState
from edge.parking.validation import Holder, Validation, ValidationState
from edge.retail.attempt import PaymentAttempt
from edge.retail.ticket import Ticket
from edge.services.trace_records import Erasure, Handing
from sim.fakes.journeys import JourneyRows
from sim.fakes.landings import LandingRows
from sim.fakes.members import MemberRows
from sim.fakes.people import PeopleRows
from sim.fakes.stays import StayRows
from sim.fakes.validations import ValidationRows

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class TracedRows:
    """The rows that name members. ordered: whether a basket became an order."""

    journeys: JourneyRows
    validations: ValidationRows
    landings: LandingRows
    people: PeopleRows
    stays: StayRows
    members: MemberRows
    tickets: dict[str, Ticket]
    attempts: dict[str, PaymentAttempt]
    ordered: Callable[[str], bool]


class FakeTraces:
    """Implements trace_records.Traces."""

    def __init__(self, rows: TracedRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def hand_over(self, handing: Handing) -> None:
        """Make one member's traces another's."""
        self._writing()
        gone, into, seen = handing.gone, handing.into, handing.gone_seen
        self._rename_member(gone, into)
        self._rename_holders(lambda one: replace(one, member_id=into) if one.member_id == gone else one)
        self._join_lives(gone, into)
        shown = self._rows.landings.shown
        _change(shown, lambda one: replace(one, shopper=handing.into_seen) if one.shopper == seen else one)

    def pays(self, identities: tuple[str, ...]) -> bool:
        """Return whether money of one of these payers may still move."""
        wanted = set(identities)
        return any(one.is_open and {one.payer, one.openid} & wanted for one in self._rows.attempts.values())

    def plates_of(self, member_id: str) -> tuple[str, ...]:
        """Return the plates that a member's purchases were counted for."""
        rows = self._rows.validations
        held = [one.holder for one in rows.claims.values()]
        held += [one.holder for one in rows.purchases.values()]
        held += [one.holder for one in rows.validations.values()]
        return tuple(sorted({one.plate for one in held if one.member_id == member_id and one.plate}))

    def past_plates(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the plates of stays that are over and of no car inside."""
        stays = self._rows.stays.sessions.values()
        found = {one.plate for one in stays if one.plate > after} - set(self._inside())
        return tuple(sorted(found)[:limit])

    def erase(self, erasure: Erasure) -> None:
        """Remove names, openids, cards and plates."""
        self._writing()
        one, rows, gone = erasure, self._rows, erasure.member_id
        _change(rows.validations.validations, lambda each: self._settled(each, gone))
        unclaimed = [key for key, each in rows.validations.claims.items() if each.holder.member_id == gone]
        for basket_id in unclaimed:
            if not rows.ordered(basket_id):
                del rows.validations.claims[basket_id]
        alias = {plate: f"{one.alias}{place}" for place, plate in enumerate(self.plates_of(gone))}
        self._rename_holders(lambda each: _hidden(each, gone, alias))
        waiting = [key for key, each in rows.journeys.tasks.items() if each.member_id == gone and each.waits]
        for task_id in waiting:
            del rows.journeys.tasks[task_id]
        self._rename_member(gone, "")
        rows.journeys.lives.pop(gone, None)
        shown = rows.landings.shown
        _change(
            shown, lambda each: replace(each, shopper=each.order_id) if each.shopper in one.seen else each
        )
        past = set(one.plates) - set(self._inside())
        _change(rows.stays.sessions, lambda each: replace(each, plate="") if each.plate in past else each)
        self._forget(set(one.identities))
        told = rows.members.members.get(gone)
        if told is not None:
            rows.members.members[gone] = Member(gone, "", "", told.points, told.points_at)

    def _rename_member(self, gone: str, into: str) -> None:
        rows = self._rows.journeys
        _change(rows.journeys, lambda one: replace(one, member_id=into) if one.member_id == gone else one)
        _change(rows.steps, lambda one: replace(one, member_id=into) if one.member_id == gone else one)
        _change(rows.sales, lambda one: replace(one, member_id=into) if one.member_id == gone else one)
        _change(rows.tasks, lambda one: replace(one, member_id=into) if one.member_id == gone else one)
        tickets = self._rows.tickets
        _change(tickets, lambda one: replace(one, member_id=into) if one.member_id == gone else one)

    def _rename_holders(self, changed: Callable[[Holder], Holder]) -> None:
        rows = self._rows.validations
        _change(rows.claims, lambda one: replace(one, holder=changed(one.holder)))
        _change(rows.purchases, lambda one: replace(one, holder=changed(one.holder)))
        _change(rows.validations, lambda one: _with_holder(one, changed(one.holder)))

    def _join_lives(self, gone: str, into: str) -> None:
        lives = self._rows.journeys.lives
        lost = lives.pop(gone, None)
        if lost is None:
            return
        kept = lives.get(into)
        if kept is None:
            lives[into] = replace(lost, member_id=into)
            return
        later = lost if lost.last_at > kept.last_at else kept
        lives[into] = replace(
            later,
            member_id=into,
            purchases=kept.purchases + lost.purchases,
            first_at=min(kept.first_at, lost.first_at),
        )

    def _inside(self) -> dict[str, Session]:
        inside = [one for one in self._rows.stays.sessions.values() if one.state is SessionState.INSIDE]
        return {one.plate: one for one in sorted(inside, key=lambda one: one.entered_at)}

    def _settled(self, one: Validation, member_id: str) -> Validation:
        held, stay = one.holder, self._inside().get(one.holder.plate)
        waits = one.state is ValidationState.GRANTED and not held.session_id and held.plate
        if held.member_id != member_id or not waits or stay is None:
            return one
        return replace(one, holder=replace(held, session_id=stay.session_id))

    def _forget(self, gone: set[str]) -> None:
        notices, attempts = self._rows.people.notices, self._rows.attempts
        for key in [key for key, one in notices.items() if one.openid in gone]:
            del notices[key]
        _change(attempts, lambda one: replace(one, payer=None) if one.payer in gone else one)
        _change(attempts, lambda one: replace(one, openid="") if one.openid in gone else one)


def _with_holder(one: Validation, holder: Holder) -> Validation:
    shopper = holder.key if one.shopper == one.holder.key else one.shopper
    return replace(one, holder=holder, shopper=shopper)


def _hidden(one: Holder, member_id: str, alias: dict[str, str]) -> Holder:
    if one.member_id != member_id or not one.plate:
        return one
    return replace(one, plate=alias[one.plate], member_id="")


def _change(rows: dict[K, V], changed: Callable[[V], V]) -> None:
    for key, one in list(rows.items()):
        rows[key] = changed(one)
