"""What is decided about a vehicle at a lane, what a person is asked, and what a person may answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of the vehicle at the lane: the gate opens; it waits for money, for a person or for a free
    space; or it may not pass, and turns back unless a person decides otherwise."""

    OPEN = "open"
    PAY = "pay"
    ASK = "ask"
    QUEUE = "queue"
    REFUSE = "refuse"


class Why(StrEnum):
    """The reason of a decision, as a word that screens turn into a sentence.

    VISITOR, PASS, LISTED, RESERVED, TICKET: let in as such. AGAIN: the same visit goes on. FREE, PAID,
    NO_FEE: nothing is due. DEBT: let out, the fee is written down. AUTOPAY: its owner is charged after it has
    left. HELD_OPEN: the gate is open for all. BY_HAND, FROM_HQ, FROM_PHONE: a person opened. DUE: a fee is.
    UNCONFIRMED: nobody can say whether it is paid. OWES: the plate owes more than this car park lets in. The
    others ask or refuse.
    """

    VISITOR = "visitor"
    PASS = "pass"
    LISTED = "listed"
    RESERVED = "reserved"
    TICKET = "ticket"
    AGAIN = "again"
    FREE = "free"
    PAID = "paid"
    NO_FEE = "no_fee"
    DEBT = "debt"
    AUTOPAY = "autopay"
    HELD_OPEN = "held_open"
    BY_HAND = "by_hand"
    FROM_HQ = "from_hq"
    FROM_PHONE = "from_phone"
    DUE = "due"
    UNCONFIRMED = "unconfirmed"
    STALE = "stale"
    NO_PLATE = "no_plate"
    BLACK_LISTED = "black_listed"
    OWES = "owes"
    ALREADY_INSIDE = "already_inside"
    FULL = "full"
    NO_SESSION = "no_session"
    UNSURE_SESSION = "unsure_session"
    NO_PRICE = "no_price"
    CLOCK = "clock"
    GATE_FAILED = "gate_failed"
    GATE_LATE = "gate_late"
    GATE_DOUBTFUL = "gate_doubtful"
    GATE_STUCK = "gate_stuck"
    CLOSED_TOO_SOON = "closed_too_soon"


class Answer(StrEnum):
    """What a person answers: open; open and write the fee down; it is another plate; it is that stay; it must
    turn back; the boom was lifted by hand; nobody is there any more."""

    OPEN = "open"
    LET_OUT = "let_out"
    CORRECT = "correct"
    CHOOSE = "choose"
    REFUSE = "refuse"
    LIFTED = "lifted"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by the box or a person (`by`).

    number: from 1 within the passage; an OPEN with it opens the gate once. session_id: the stay it is about.
    due_fen: what is to be paid (PAY) or written down as a debt. plate: as known by then. note: a person's
    words. candidates: stays that a person may choose among, the likeliest first.
    """

    verdict: Verdict
    why: Why
    number: int = 0
    session_id: str = ""
    due_fen: int = 0
    plate: str = ""
    by: str = ""
    note: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about the vehicle at a lane, with one recommended answer."""

    why: Why
    recommended: Answer
    asked_at: int
    session_id: str = ""
    candidates: tuple[str, ...] = ()


#: What the box would answer if it might: a vehicle that stands there is let go rather than trapped.
_RECOMMENDED = {
    Why.BLACK_LISTED: Answer.REFUSE,
    Why.OWES: Answer.OPEN,
    Why.FULL: Answer.REFUSE,
    Why.ALREADY_INSIDE: Answer.OPEN,
    Why.UNSURE_SESSION: Answer.CHOOSE,
    Why.NO_SESSION: Answer.CORRECT,
    Why.NO_PRICE: Answer.LET_OUT,
    Why.CLOCK: Answer.LET_OUT,
    Why.DUE: Answer.LET_OUT,
    Why.UNCONFIRMED: Answer.LET_OUT,
    Why.NO_PLATE: Answer.CORRECT,
    Why.GATE_FAILED: Answer.LIFTED,
}


def ask(why: Why, at: int, session_id: str = "", candidates: tuple[str, ...] = ()) -> Question:
    """Return the question that a reason leads to, with the answer that is right most often."""
    return Question(why, _RECOMMENDED.get(why, Answer.OPEN), at, session_id, candidates)


def decision_id(passage_id: str, number: int) -> str:
    """Return the id of a decision, by which its one gate command is known."""
    return f"{passage_id}#{number}"
