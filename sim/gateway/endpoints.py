"""The registry: what calls there are. A room is one subject's calls, tables and clockwork in one module.

A new subject is a module with `ROOM = Room(...)` and its name in `sim.gateway.rooms.ROOMS`; nothing else
has to change. Its handlers get a checked `Call` and return a `Reply`, or raise `Refusal`; signatures, faults,
unknown fields and Request-IDs are the business of `sim.gateway.api`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sim.gateway.faults import Fault
from sim.gateway.messages import Json, Reply, Request
from sim.gateway.shapes import Shape

if TYPE_CHECKING:
    from sim.gateway.office import Office


class Auth(StrEnum):
    """Who may call, and who vouches for the answer.

    MERCHANT: signed by a merchant, answered with the gateway's signature (everything under /v3). OWN: the
    handler looks after both (Alipay, api.weixin.qq.com, the download of a bill). TESTER: the switches under
    /sim, which exist at no real gateway; refusals come as {"error": sentence}.
    """

    MERCHANT = "merchant"
    OWN = "own"
    TESTER = "tester"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that fits an endpoint. path: its names in the template. mchid: who signed, "" for nobody.

    body: checked against the endpoint's shape; empty for an endpoint without one (use request.body then).
    """

    request: Request
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    mchid: str = ""


Handler = Callable[[Call], Reply]

#: Makes a fault's answer, for endpoints that sign in their own way: the fault (None for none), the request,
#: and the answer, or None before the call had any effect.
Spoil = Callable[[Fault | None, Request, Reply | None], Reply]


@dataclass(frozen=True)
class Endpoint:
    """One call: the name that faults are planned by, method, path as `/v3/x/{name}/y`, and what it takes.

    body: None for a call without a checked body; a MERCHANT call must then have none. query: the names it
    takes; None leaves the query alone (OWN calls that parse it themselves).
    named: the name that faults of one request are planned by, where an address has several calls; also: all
    such names. spoil: how this endpoint's answers are spoilt, None for the usual way.
    """

    name: str
    method: str
    path: str
    handler: Handler
    body: Shape | None = None
    query: Mapping[str, Shape] | None = field(default_factory=dict)
    auth: Auth = Auth.MERCHANT
    named: Callable[[Request], str] | None = None
    also: Sequence[str] = ()
    spoil: Spoil | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern with a group for each name; a name stands for one segment."""
        parts = re.split(r"\{([a-z_]+)\}", self.path)
        fixed = (re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+)" for at, part in enumerate(parts))
        return re.compile("".join(fixed))

    def called(self, request: Request) -> str:
        """Return the name that a request's faults are planned by."""
        return (self.named(request) if self.named else "") or self.name

    def match(self, method: str, target: str) -> Mapping[str, str] | None:
        """Return the decoded names in the path when this endpoint is meant, else None."""
        found = self.pattern.fullmatch(target.partition("?")[0]) if method == self.method else None
        return None if found is None else {name: unquote(part) for name, part in found.groupdict().items()}


def _no_endpoints(office: Office) -> Sequence[Endpoint]:
    return ()


def _no_clockwork(office: Office) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Room:
    """One subject. schema: its tables, CREATE TABLE IF NOT EXISTS. endpoints: its calls and its switches.

    tick: called every 50 ms while the gateway runs, for what happens by itself; must be quick.
    """

    name: str
    schema: str = ""
    endpoints: Callable[[Office], Sequence[Endpoint]] = _no_endpoints
    tick: Callable[[Office], None] = _no_clockwork
