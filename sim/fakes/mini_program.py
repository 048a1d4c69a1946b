"""WeChat's side of a mini-program in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.errors import Declined, EdgeError, Invalid, Unavailable
from edge.services.phone_ports import LoginRefused, NoticeRefused, ShopperLogin

_MAX_CODE = 512


@dataclass(frozen=True, slots=True)
class HandOver:
    """One hand-over that was told."""

    transaction_id: str
    openid: str
    description: str
    at: int
    carried: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was sent."""

    openid: str
    template_id: str
    page: str
    fields: Mapping[str, str]


@dataclass
class FakeMiniProgram:
    """Implements MiniProgram. paid: the transactions that may be told of, None lets all be told of.

    hand_overs_lost: so many of the next hand-overs do not arrive.
    """

    name: str = "weixin"
    paid: set[tuple[str, str]] | None = None
    hand_overs_lost: int = 0
    hand_overs: dict[str, HandOver] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    _logins: dict[str, ShopperLogin] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)
    _accepted: set[tuple[str, str]] = field(default_factory=set)
    _faults: deque[EdgeError] = field(default_factory=deque)

    def gives_code(self, code: str, openid: str, unionid: str = "") -> str:
        """Have wx.login give a phone this code; return it."""
        self._logins[code] = ShopperLogin(openid, unionid)
        return code

    def gives_number(self, code: str, number: str) -> str:
        """Have the button for the phone number give this code; return it."""
        self._numbers[code] = number
        return code

    def accepts(self, openid: str, template_id: str) -> None:
        """Have a shopper take one message."""
        self._accepted.add((openid, template_id))

    def fail_next(self, error: EdgeError) -> None:
        """Have the next call raise; several wait in line."""
        self._faults.append(error)

    def log_in(self, code: str) -> ShopperLogin:
        """Return who a code of wx.login stands for, once."""
        self._fail()
        _check(code)
        if code not in self._logins:
            raise LoginRefused(f"code {code[:8]} was used or is none; log in again")
        return self._logins.pop(code)

    def phone_number(self, code: str) -> str:
        """Return the number behind a code of the button, once."""
        self._fail()
        _check(code)
        if code not in self._numbers:
            raise Declined(f"code {code[:8]} was used or is none; press the button again")
        return self._numbers.pop(code)

    def tell_hand_over(
        self, transaction_id: str, openid: str, description: str, at: int, *, carried: bool = True
    ) -> None:
        """Tell that what a payment bought was handed over."""
        self._fail()
        if self.hand_overs_lost:
            self.hand_overs_lost -= 1
            raise Unavailable(f"no answer about {transaction_id}; tell it again")
        if self.paid is not None and (transaction_id, openid) not in self.paid:
            raise NoticeRefused(f"{transaction_id} is not that shopper's", detail="10060031")
        self.hand_overs.setdefault(transaction_id, HandOver(transaction_id, openid, description, at, carried))

    def send_message(self, openid: str, template_id: str, page: str, fields: Mapping[str, str]) -> None:
        """Send a subscribe message to a shopper who has accepted one."""
        self._fail()
        if (openid, template_id) not in self._accepted:
            raise NoticeRefused("the shopper has not accepted a message", detail="43101")
        self._accepted.discard((openid, template_id))
        self.messages.append(Message(openid, template_id, page, dict(fields)))

    def close(self) -> None:
        """Nothing is open."""

    def _fail(self) -> None:
        if self._faults:
            raise self._faults.popleft()


def _check(code: str) -> None:
    if not 0 < len(code) <= _MAX_CODE or not code.isascii() or not code.isprintable():
        raise Invalid("this is not a code of the mini-program; have the phone ask for a new one")
