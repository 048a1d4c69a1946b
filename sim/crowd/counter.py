"""A guide at a counter's tablet, by the calls that its page makes (docs/operations/counter.md)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from sim.crowd.calls import CallError, Calls, Json

_LOOKS = 100
_LOOK_S = 0.1


class GuideAtCounter:
    """One tablet with one guide signed in; shoppers are served one after another."""

    def __init__(
        self, calls: Calls, counter: str, guide: str, pin: str, tenant: str, stop: threading.Event
    ) -> None:
        """Sign in; raises CallError. tenant: whose counter it is."""
        self.tenant = tenant
        self._calls, self._place, self._stop = calls, f"/api/counter/{counter}", stop
        self._busy = threading.Lock()
        self._guide, self._pin = guide, pin
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in, or again after the service was started anew; raises CallError."""
        self._act("sign-in", guide=self._guide, pin=self._pin)

    def write(self, codes: Sequence[str]) -> str:
        """Write and issue a ticket over goods by their codes; return the address of its QR code."""
        with self._busy:
            self._act("open")
            for code in codes:
                before = self._pieces(self._view())
                self._act("type-code", text=code)
                self._see(partial(self._holds, before + 1), f"goods {code}")
            self._act("issue", ticket=self._ticket()["id"])
            view = self._see(lambda view: view.get("url") is not None, "the ticket's code")
            return str(view["url"])

    def numbers(self) -> list[str]:
        """Return the numbers of the day's tickets, the newest first."""
        return [str(one["number"]) for one in cast(list[Json], self._view()["tickets"])]

    def hand_over(self, number: str, release_code: str) -> None:
        """Give the goods of a paid ticket away for its release code."""
        with self._busy:
            tickets = cast(list[Json], self._view()["tickets"])
            mine = next((one for one in tickets if one["number"] == number), None)
            if mine is None:
                raise CallError("counter", 0, "no ticket", f"the tablet does not show ticket {number}")
            self._act("hand-over", ticket=mine["id"], code=release_code)

    def _holds(self, pieces: int, view: Json) -> bool:
        return self._pieces(view) >= pieces

    def _pieces(self, view: Json) -> int:
        ticket = view.get("ticket")
        lines = ticket["lines"] if isinstance(ticket, dict) else []
        return sum(int(one["quantity"]) for one in lines)

    def _ticket(self) -> Json:
        return cast(Json, self._view()["ticket"])

    def _see(self, true: Callable[[Json], bool], what: str) -> Json:
        for _ in range(_LOOKS):
            view = self._view()
            if true(view):
                return view
            if self._stop.wait(_LOOK_S):
                break
        raise CallError("counter", 0, "late", f"the tablet does not show {what}")

    def _view(self) -> Json:
        return self._calls.get("counter view", f"{self._place}/view")

    def _act(self, action: str, **given: object) -> None:
        self._calls.post(f"counter {action}", f"{self._place}/{action}", given)
