"""What a lane's display shows and says, in Chinese and English. Pure.

The board shows GBK; every text here can be written in it. Amounts are fen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.parking.decision import Decision, Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.passage import Passage, PassageState

_WELCOME = ("欢迎光临", "Welcome")
_GOODBYE = ("一路顺风", "Have a good trip")
_WAIT = ("请稍候", "Please wait")
_FULL = ("车位已满", "Car park full")
_QUEUE = ("车位已满,请等候", "Full, please wait")
_ASK_GUARD = ("请联系管理员", "Please ask the guard")
_SCAN = ("无牌车请扫码", "No plate: scan the code")
_PAY = ("请缴费{amount}元", "Please pay {amount} yuan")
_HELD = ("通道常开", "Lane open")
_NO_ENTRY = ("禁止入场,请联系管理员", "No entry, ask the guard")
_OWES = ("有欠费,请联系管理员", "Fees owed, ask the guard")
_SPACES = ("空余车位{free}", "{free} spaces")
_SLOW = ("一车一杆,请减速", "One car at a time")

_OPEN_IN = {
    Why.PASS: ("月租车,欢迎光临", "Pass, welcome"),
    Why.LISTED: ("专用车,欢迎光临", "Listed, welcome"),
    Why.RESERVED: ("预约车,欢迎光临", "Reserved, welcome"),
}
_ASKED = {Why.NO_PLATE: _SCAN, Why.FULL: _FULL, Why.BLACK_LISTED: _NO_ENTRY, Why.OWES: _OWES}


class Paying(StrEnum):
    """How a payment at a lane goes: it is RUNNING, was DECLINED, or a phone's order makes way (CLOSING)."""

    RUNNING = "running"
    DECLINED = "declined"
    CLOSING = "closing"


_PAYING = {
    Paying.RUNNING: ("正在付款,请稍候", "Paying, please wait"),
    Paying.DECLINED: ("付款未成功,请换码再试或按铃", "Not paid: show another code or ring"),
    Paying.CLOSING: ("请稍候再扫付款码", "Wait, then show the code again"),
}


@dataclass(frozen=True, slots=True)
class LaneTexts:
    """lines: of the display, the plate first when there is one. voice: spoken once, "" for silence."""

    lines: tuple[str, ...]
    voice: str = ""


def lane_texts(
    passage: Passage | None,
    way: LaneWay,
    language: str,
    free: int | None,
    held: bool,
    paying: Paying | None = None,
) -> LaneTexts:
    """Return what a lane says now. language: "zh", "en" or "both". free: spaces left, None when not counted.

    paying: how the payment of the fee on its screen goes.
    """
    if passage is None or passage.state in (PassageState.CLOSED, PassageState.APPROACHED):
        return LaneTexts(_idle(way, language, free, held))
    zh, en = _PAYING[paying] if paying and _asks_for_money(passage) else _message(passage, way, held)
    text = _in(language, zh, en)
    lines = (passage.plate, text) if passage.plate else (text,)
    spoken = zh if language != "en" else en
    return LaneTexts(lines, f"{passage.plate},{spoken}" if passage.plate else spoken)


def yuan(fen: int) -> str:
    """Return an amount for people who stand at a lane: 500 is "5", 550 is "5.50"."""
    return str(fen // 100) if fen % 100 == 0 else f"{fen // 100}.{fen % 100:02d}"


def _idle(way: LaneWay, language: str, free: int | None, held: bool) -> tuple[str, ...]:
    if held:
        return (_in(language, *_HELD),)
    if way is LaneWay.EXIT:
        return (_in(language, *_SLOW),)
    if free is None:
        return (_in(language, *_WELCOME),)
    spaces = _SPACES if free else _FULL
    counted = _in(language, *(one.format(free=free) for one in spaces))
    return (_in(language, *_WELCOME), counted)


def _message(passage: Passage, way: LaneWay, held: bool) -> tuple[str, str]:
    decision = passage.decision
    if passage.question is not None and passage.question.why is not Why.NO_PLATE and passage.opening:
        return _WAIT
    if passage.opening or passage.state is PassageState.PASSED:
        why = Why.VISITOR if decision is None else decision.why
        return _OPEN_IN.get(why, _WELCOME) if way is LaneWay.ENTRY else _GOODBYE
    return _WAIT if decision is None else _waiting(decision)


def _asks_for_money(passage: Passage) -> bool:
    waits = passage.state is PassageState.WAITING and not passage.opening and passage.question is None
    return waits and passage.decision is not None and passage.decision.verdict is Verdict.PAY


def _waiting(decision: Decision) -> tuple[str, str]:
    if decision.verdict is Verdict.PAY:
        zh, en = _PAY
        amount = yuan(decision.due_fen)
        return zh.format(amount=amount), en.format(amount=amount)
    if decision.verdict is Verdict.QUEUE:
        return _QUEUE
    if decision.verdict is Verdict.REFUSE:
        return _ASKED.get(decision.why, _ASK_GUARD)
    return _ASKED.get(decision.why, _WAIT)


def _in(language: str, zh: str, en: str) -> str:
    if language == "both":
        return f"{zh} {en}"
    return en if language == "en" else zh
