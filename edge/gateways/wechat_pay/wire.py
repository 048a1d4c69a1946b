"""One signed exchange with WeChat Pay over HTTP: what surely was not sent is told from what may have been.

Answers are verified on their raw bytes, before anything parses them. Logs carry the call's name, our
order number, the status, the Request-ID and the time taken; never a body, a key or a header of ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from edge.clock import Instant
from edge.errors import EdgeError
from edge.gateways.wechat_pay import signing
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.services.ports import Clock, IdSource

_log = logging.getLogger(__name__)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_MAX_CONNECTIONS = 8
_IDLE_CONNECTION_S = 20.0
_REQUEST_ID = re.compile(r"[!-~]{1,120}", re.ASCII)


class NotSent(EdgeError):
    """No byte of the request reached the gateway."""


class NoAnswer(EdgeError):
    """The request may have been processed; no complete answer came."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request before it is signed.

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
class Reply:
    """A complete answer. unverified: why its signature does not hold, "" when it does.

    gateway_time_s: the gateway's clock, Unix seconds. took_ms: from sending to the last byte.
    """

    status: int
    body: bytes
    request_id: str
    unverified: str
    gateway_time_s: int | None
    serial: str
    took_ms: int


class Wire:
    """The connection to the gateway and its backup; safe for use by several threads."""

    def __init__(
        self,
        settings: WeChatPaySettings,
        clock: Clock,
        ids: IdSource,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`transport` replaces the network, for tests; proxies from the environment are not used."""
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._bases = tuple(url.rstrip("/") for url in (settings.base_url, settings.backup_url) if url)
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

    def exchange(self, call: Call, deadline_ns: int) -> Reply:
        """Send `call`, once to each domain at most, and return the first answer that is of use.

        The backup is tried when nothing was sent and, for a repeatable call, also after a lost answer or
        a server error. Raises NotSent or NoAnswer; starts nothing after `deadline_ns`.
        """
        for base in self._bases[:-1]:
            try:
                reply = self._attempt(base, call, deadline_ns)
            except NotSent:
                continue
            except NoAnswer:
                if call.repeatable:
                    continue
                raise
            if reply.status < 500 or not call.repeatable:
                return reply
        return self._attempt(self._bases[-1], call, deadline_ns)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _attempt(self, base: str, call: Call, deadline_ns: int) -> Reply:
        started = self._clock.now()
        left_s = (deadline_ns - started.boottime_ns) / 1e9
        if left_s <= 0:
            raise NotSent(f"no time left for {call.name} {call.subject}")
        request = self._signed(base, call, started, left_s)
        failure: EdgeError
        try:
            reply = self._receive(request, started, deadline_ns)
        except _NOT_SENT as error:
            failure = NotSent(f"{type(error).__name__} at {base}")
        except (httpx.HTTPError, httpx.StreamError) as error:
            failure = NoAnswer(f"{type(error).__name__} at {base}")
        else:
            _log.info(
                "wechat pay %s %s: %d, request id %s, %d ms%s",
                *(call.name, call.subject, reply.status, reply.request_id, reply.took_ms),
                f", NOT VERIFIED: {reply.unverified}" if reply.unverified else "",
            )
            return reply
        _log.warning("wechat pay %s %s: %s", call.name, call.subject, failure)
        # Raised here, so that no traceback links to the httpx error and its signed request.
        raise failure

    def _signed(self, base: str, call: Call, now: Instant, left_s: float) -> httpx.Request:
        settings = self._settings
        url = httpx.URL(base + call.target)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "mall-edge",
            "Authorization": signing.authorization(
                settings.private_key,
                mchid=settings.mchid,
                serial=settings.merchant_serial,
                method=call.method,
                target=url.raw_path.decode("ascii"),
                body=call.body,
                timestamp_s=now.wall_at // 1000,
                nonce=self._ids.new_id().replace("-", ""),
            ),
        }
        if call.body:
            headers["Content-Type"] = "application/json"
        if settings.platform_serial:
            headers["Wechatpay-Serial"] = settings.platform_serial
        wait = httpx.Timeout(min(settings.connect_s, left_s), read=min(call.read_s, left_s))
        return self._client.build_request(call.method, url, content=call.body, headers=headers, timeout=wait)

    def _receive(self, request: httpx.Request, started: Instant, deadline_ns: int) -> Reply:
        response = self._client.send(request, stream=True)
        try:
            body = self._read_body(response, lambda: self._clock.now().boottime_ns > deadline_ns)
        finally:
            response.close()
        now = self._clock.now()
        request_id = response.headers.get("Request-ID", "")
        return Reply(
            status=response.status_code,
            body=body,
            request_id=request_id if _REQUEST_ID.fullmatch(request_id) else "-",
            unverified=self._verdict(response, body, now),
            gateway_time_s=signing.answer_time_s(response.headers),
            serial=response.headers.get("Wechatpay-Serial", ""),
            took_ms=now.since_ms(started),
        )

    def _read_body(self, response: httpx.Response, late: Callable[[], bool]) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self._settings.max_answer_bytes:
                raise httpx.ReadError(f"answer larger than {self._settings.max_answer_bytes} bytes")
            if late():
                raise httpx.ReadTimeout("answer still incomplete at the deadline")
        return bytes(body)

    def _verdict(self, response: httpx.Response, body: bytes, now: Instant) -> str:
        try:
            signing.verify(response.headers, body, self._settings.verifiers, now.wall_at // 1000)
        except signing.Unverified as error:
            return str(error)
        return ""
