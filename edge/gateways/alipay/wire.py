"""One signed exchange with Alipay: how a call is signed, how far its answer is to be believed.

Always POST, with everything but the character set in the body, so that no payment code can end in an access
log. Answers are verified on the text as it came, before anything in it is read. Logs carry the method, our
order number and Alipay's trace id; never a body, a key or a parameter.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit

import httpx

from edge.clock import Instant
from edge.gateways.alipay import answers, signing
from edge.gateways.alipay.answers import Json, Verdict
from edge.gateways.alipay.settings import AlipaySettings
from edge.gateways.line import Answer, Call, Line, Unreadable
from edge.services.ports import Clock

_log = logging.getLogger(__name__)
_DOMAINS = (".alipay.com", ".alipayobjects.com")
_TRACE = re.compile(r"[!-~]{1,120}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. unverified: why its signature does not hold, "" when it does.

    content: the answer's own object, without signature. verdict: its result codes.
    """

    content: Json
    verdict: Verdict
    unverified: str
    took_ms: int


class Wire:
    """The connection to the gateway; safe for use by several threads."""

    def __init__(
        self, settings: AlipaySettings, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`transport` replaces the network, for tests; proxies from the environment are not used."""
        self._settings = settings
        self._clock = clock
        self._transport = transport
        base = settings.gateway_url
        self._line = Line((base,), clock, settings.connect_s, settings.max_answer_bytes, transport)

    def deadline_ns(self, seconds: float) -> int:
        """Return the boot-time nanosecond that is `seconds` from now."""
        return self._line.deadline_ns(seconds)

    def exchange(self, method: str, subject: str, content: str, read_s: float, deadline_ns: int) -> Reply:
        """Send one call and return its answer, verified or not.

        method: e.g. "alipay.trade.pay". subject: our number, for logs. content: biz_content. Raises NotSent
        or NoAnswer (see edge.gateways.line), or Unreadable for an answer that is not Alipay's at all.
        """
        form = urlencode(self._signed(method, content)).encode("ascii")
        call = Call(method, subject, "POST", "?charset=utf-8", form, read_s, repeatable=False)
        answer = self._line.exchange(call, deadline_ns, _headers)
        reply = self._reply(method, answer)
        trace = answer.headers.get("trace_id", "")
        _log.info(
            "alipay %s %s: %s, trace %s, %d ms%s",
            *(method, subject, reply.verdict, trace if _TRACE.fullmatch(trace) else "-", reply.took_ms),
            f", NOT VERIFIED: {reply.unverified}" if reply.unverified else "",
        )
        return reply

    def download(self, url: str, subject: str, into: BinaryIO, most_bytes: int) -> None:
        """Save what an address of Alipay's gives; nothing of ours but the address is sent.

        Raises Unreadable for an address that is not Alipay's or gives nothing, NotSent or NoAnswer.
        """
        parts = urlsplit(url)
        own = urlsplit(self._settings.gateway_url)
        theirs = parts.scheme == "https" and (parts.hostname or "").endswith(_DOMAINS)
        if not theirs and (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise Unreadable("the bill's address is not one of Alipay")
        read_s = self._settings.download_s
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        call = Call("alipay bill file", subject, "GET", target, b"", read_s, repeatable=False)
        bases = (f"{parts.scheme}://{parts.netloc}",)
        line = Line(bases, self._clock, self._settings.connect_s, 1 << 16, self._transport)
        try:
            answer = line.download(call, line.deadline_ns(read_s), _no_headers, into, most_bytes)
        finally:
            line.close()
        if answer.status != 200:
            raise Unreadable(f"status {answer.status}")

    def close(self) -> None:
        """Close all connections."""
        self._line.close()

    def _signed(self, method: str, content: str) -> Mapping[str, str]:
        settings = self._settings
        parameters = {
            "app_id": settings.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": signing.SCHEME,
            "timestamp": answers.timestamp(self._clock.now().wall_at),
            "version": "1.0",
            "app_cert_sn": settings.app_cert_sn,
            "alipay_root_cert_sn": settings.root_cert_sn,
            "app_auth_token": settings.app_auth_token,
            "biz_content": content,
        }
        present = {name: value for name, value in parameters.items() if value}
        return present | {"sign": signing.sign(settings.private_key, present)}

    def _reply(self, method: str, answer: Answer) -> Reply:
        if answer.status != 200:
            raise Unreadable(f"status {answer.status}")
        try:
            envelope = signing.open_envelope(answer.body, method.replace(".", "_") + "_response")
        except ValueError as error:
            raise Unreadable(str(error)) from None
        unverified = ""
        try:
            signing.verify(envelope, self._settings.verifiers)
        except signing.Unverified as error:
            unverified = str(error)
        content = answers.parse_content(envelope.content)
        return Reply(content, answers.read_verdict(content), unverified, answer.took_ms)


def _headers(call: Call, target: str, now: Instant) -> Mapping[str, str]:
    return {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": "mall-edge",
        "Content-Type": "application/x-www-form-urlencoded;charset=utf-8",
    }


def _no_headers(call: Call, target: str, now: Instant) -> Mapping[str, str]:
    return {"User-Agent": "mall-edge", "Accept-Encoding": "identity"}
