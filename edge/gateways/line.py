"""HTTP calls to a payment gateway: what surely was not sent is told from what may have been.

Shared by all gateways: domains and failover, time-outs, deadlines, size limits. How a call is signed and
whether its answer is to be believed is each gateway's own. Logs carry the call's name, our order number, the
status and the time taken; never a body, a key or a header of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import httpx

from edge.clock import Instant
from edge.errors import EdgeError
from edge.services.ports import Clock

_log = logging.getLogger(__name__)
# httpx logs whole addresses, and some carry secrets, tokens and openids in their query.
logging.getLogger("httpx").setLevel(logging.WARNING)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
#: More than all workers of a large box that may talk to a gateway at once.
_MAX_CONNECTIONS = 32
_IDLE_CONNECTION_S = 20.0


class NotSent(EdgeError):
    """No byte of the request reached the gateway."""


class NoAnswer(EdgeError):
    """The request may have been processed; no complete answer came."""


class Unreadable(EdgeError):
    """An answer is not what the interface promises; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one of the gateway's domains.

    name: for logs, e.g. "codepay". subject: our order number. target: path and query, percent-encoded.
    repeatable: the gateway treats a repetition as the same request, so an unsure one may be sent again.
    """

    name: str
    subject: str
    method: str
    target: str
    body: bytes
    read_s: float
    repeatable: bool

    def __repr__(self) -> str:
        """Leave out the body: it may hold a payment code."""
        return f"Call({self.name} {self.subject})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, not yet verified. took_ms: from sending to the last byte. at: when it came.

    sent_before: the same call may have been taken in at another domain before this answer came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int
    at: Instant
    sent_before: bool = False


#: Returns a call's headers: the call, its target as it goes on the wire, the time of sending.
Sign = Callable[[Call, str, Instant], Mapping[str, str]]


class Line:
    """The connection to a gateway and its backup; safe for use by several threads."""

    def __init__(
        self,
        bases: tuple[str, ...],
        clock: Clock,
        connect_s: float,
        max_answer_bytes: int,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """bases: the domains in the order of trying, at least one, without a slash at the end.

        `transport` replaces the network, for tests; proxies from the environment are not used.
        """
        self._bases = bases
        self._clock = clock
        self._connect_s = connect_s
        self._max_answer_bytes = max_answer_bytes
        limits = httpx.Limits(max_connections=_MAX_CONNECTIONS, keepalive_expiry=_IDLE_CONNECTION_S)
        self._client = httpx.Client(
            transport=transport, limits=limits, trust_env=False, follow_redirects=False
        )

    def deadline_ns(self, seconds: float) -> int:
        """Return the boot-time nanosecond that is `seconds` from now."""
        return self._clock.now().boottime_ns + int(seconds * 1e9)

    def now_s(self) -> int:
        """Return our wall clock in Unix seconds."""
        return self._clock.now().wall_at // 1000

    def exchange(self, call: Call, deadline_ns: int, sign: Sign) -> Answer:
        """Send `call`, once to each domain at most, and return the first answer that is of use.

        The backup is tried when nothing was sent and, for a repeatable call, also after a lost answer or
        a server error. Raises NotSent or NoAnswer; starts nothing after `deadline_ns`.
        """
        return self._through_domains(call, lambda base: self._attempt(base, call, deadline_ns, sign))

    def download(self, call: Call, deadline_ns: int, sign: Sign, into: BinaryIO, most_bytes: int) -> Answer:
        """As exchange, but the body of a 200 goes to the file `into`, from its start, and not to the answer.

        most_bytes: of the file; more is NoAnswer.
        """
        save = _Save(into, most_bytes)
        return self._through_domains(call, lambda base: self._attempt(base, call, deadline_ns, sign, save))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _through_domains(self, call: Call, attempt: Callable[[str], Answer]) -> Answer:
        before = ""
        for base in self._bases[:-1]:
            try:
                answer = attempt(base)
            except NotSent:
                continue
            except NoAnswer as error:
                if not call.repeatable:
                    raise
                before = str(error)
                continue
            if answer.status < 500 or not call.repeatable:
                return answer
            before = f"{answer.status} at {base}"
        return self._last_attempt(attempt, before)

    def _last_attempt(self, attempt: Callable[[str], Answer], before: str) -> Answer:
        """`before`: what became of the same call at the other domain, "" when it was not sent there."""
        try:
            answer = attempt(self._bases[-1])
        except NotSent as error:
            if not before:
                raise
            failure = NoAnswer(f"{before}, then {error}")
        else:
            return replace(answer, sent_before=True) if before else answer
        raise failure

    def _attempt(
        self, base: str, call: Call, deadline_ns: int, sign: Sign, save: _Save | None = None
    ) -> Answer:
        started = self._clock.now()
        left_s = (deadline_ns - started.boottime_ns) / 1e9
        if left_s <= 0:
            raise NotSent(f"no time left for {call.name} {call.subject}")
        url = httpx.URL(base + call.target)
        headers = sign(call, url.raw_path.decode("ascii"), started)
        wait = httpx.Timeout(min(self._connect_s, left_s), read=min(call.read_s, left_s))
        request = self._client.build_request(
            call.method, url, content=call.body, headers=headers, timeout=wait
        )
        failure: EdgeError
        try:
            answer = self._receive(request, started, deadline_ns, save)
        except _NOT_SENT as error:
            failure = NotSent(f"{type(error).__name__} at {base}")
        except (httpx.HTTPError, httpx.StreamError) as error:
            failure = NoAnswer(f"{type(error).__name__} at {base}")
        else:
            took = (answer.status, answer.took_ms)
            _log.info("%s %s at %s: %d, %d ms", call.name, call.subject, base, *took)
            return answer
        _log.warning("%s %s: %s", call.name, call.subject, failure)
        # Raised here, so that no traceback links to the httpx error and its signed request.
        raise failure

    def _receive(
        self, request: httpx.Request, started: Instant, deadline_ns: int, save: _Save | None
    ) -> Answer:
        response = self._client.send(request, stream=True)
        late = lambda: self._clock.now().boottime_ns > deadline_ns  # noqa: E731
        try:
            if save is not None and response.status_code == 200:
                _save_body(response, late, save)
                body = b""
            else:
                body = self._read_body(response, late)
        finally:
            response.close()
        now = self._clock.now()
        return Answer(response.status_code, response.headers, body, now.since_ms(started), now)

    def _read_body(self, response: httpx.Response, late: Callable[[], bool]) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise httpx.ReadError(f"answer larger than {self._max_answer_bytes} bytes")
            if late():
                raise httpx.ReadTimeout("answer still incomplete at the deadline")
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Save:
    into: BinaryIO
    most_bytes: int


def _save_body(response: httpx.Response, late: Callable[[], bool], save: _Save) -> None:
    save.into.seek(0)
    save.into.truncate()
    for chunk in response.iter_raw():
        save.into.write(chunk)
        if save.into.tell() > save.most_bytes:
            raise httpx.ReadError(f"file larger than {save.most_bytes} bytes")
        if late():
            raise httpx.ReadTimeout("file still incomplete at the deadline")
    save.into.flush()
