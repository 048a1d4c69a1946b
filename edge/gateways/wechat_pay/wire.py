"""One signed exchange with WeChat Pay: how a call is signed, how far its answer is to be believed.

Answers are verified on their raw bytes, before anything parses them. Logs carry the Request-ID; never a
body, a key or a header of ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from edge.clock import Instant
from edge.gateways.line import Answer, Call, Line, NoAnswer, NotSent
from edge.gateways.wechat_pay import signing
from edge.gateways.wechat_pay.certificates import PlatformKeys
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.services.ports import Clock, IdSource

__all__ = ["Call", "NoAnswer", "NotSent", "Reply", "Wire"]

_log = logging.getLogger(__name__)
KeysIn = Callable[[bytes], Mapping[str, RSAPublicKey]]
_REQUEST_ID = re.compile(r"[!-~]{1,120}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. unverified: why its signature does not hold, "" when it does.

    gateway_time_s: the gateway's clock, Unix seconds. took_ms: from sending to the last byte.
    sent_before: the same call may have been taken in already at the other domain, before this answer.
    """

    status: int
    body: bytes
    request_id: str
    unverified: str
    gateway_time_s: int | None
    serial: str
    took_ms: int
    sent_before: bool = False


class Wire:
    """The connection to the gateway and its backup; safe for use by several threads."""

    def __init__(
        self,
        settings: WeChatPaySettings,
        clock: Clock,
        ids: IdSource,
        transport: httpx.BaseTransport | None = None,
        keys: PlatformKeys | None = None,
    ) -> None:
        """`transport` replaces the network, for tests; proxies from the environment are not used.

        keys: the gateway's; None for those of the settings.
        """
        self._settings = settings
        self.keys = keys or PlatformKeys(settings.verifiers, settings.certificate_dir)
        self._ids = ids
        bases = tuple(url.rstrip("/") for url in (settings.base_url, settings.backup_url) if url)
        self._line = Line(bases, clock, settings.connect_s, settings.max_answer_bytes, transport)

    def deadline_ns(self, seconds: float) -> int:
        """Return the boot-time nanosecond that is `seconds` from now."""
        return self._line.deadline_ns(seconds)

    def now_s(self) -> int:
        """Return our wall clock in Unix seconds."""
        return self._line.now_s()

    def nonce(self) -> str:
        """Return 32 characters that were never used before."""
        return self._ids.new_id().replace("-", "")

    def exchange(self, call: Call, deadline_ns: int, brings: KeysIn | None = None) -> Reply:
        """Send `call`, once to each domain at most, and return the first answer that is of use.

        brings: returns the keys that an answer's body holds under seal; they may have signed it.
        Raises NotSent or NoAnswer; see edge.gateways.line.
        """
        answer = self._line.exchange(call, deadline_ns, self._headers)
        return self._logged(call, self._reply(answer, brings))

    def download(self, call: Call, deadline_ns: int, into: BinaryIO, most_bytes: int) -> Reply:
        """As exchange, but the body of a 200 goes to the file `into`; such an answer carries no signature."""
        return self._reply(self._line.download(call, deadline_ns, self._headers, into, most_bytes))

    def close(self) -> None:
        """Close all connections."""
        self._line.close()

    def _logged(self, call: Call, reply: Reply) -> Reply:
        _log.info(
            "wechat pay %s %s: %d, request id %s, %d ms%s",
            *(call.name, call.subject, reply.status, reply.request_id, reply.took_ms),
            f", NOT VERIFIED: {reply.unverified}" if reply.unverified else "",
        )
        return reply

    def _headers(self, call: Call, target: str, now: Instant) -> Mapping[str, str]:
        settings = self._settings
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "mall-edge",
            "Authorization": signing.authorization(
                settings.private_key,
                mchid=settings.mchid,
                serial=settings.merchant_serial,
                method=call.method,
                target=target,
                body=call.body,
                timestamp_s=now.wall_at // 1000,
                nonce=self.nonce(),
            ),
        }
        if call.body:
            headers["Content-Type"] = "application/json"
        preferred = self.keys.preferred(now.wall_at // 1000)
        if preferred:
            headers["Wechatpay-Serial"] = preferred[0]
        return headers

    def _reply(self, answer: Answer, brings: KeysIn | None = None) -> Reply:
        request_id = answer.headers.get("Request-ID", "")
        return Reply(
            status=answer.status,
            body=answer.body,
            request_id=request_id if _REQUEST_ID.fullmatch(request_id) else "-",
            unverified=self._verdict(answer, brings),
            gateway_time_s=signing.answer_time_s(answer.headers),
            serial=answer.headers.get("Wechatpay-Serial", ""),
            took_ms=answer.took_ms,
            sent_before=answer.sent_before,
        )

    def _verdict(self, answer: Answer, brings: KeysIn | None) -> str:
        now_s = answer.at.wall_at // 1000
        keys = self.keys.at(now_s)
        if brings is not None and answer.headers.get("Wechatpay-Serial") not in keys:
            keys |= brings(answer.body)
        try:
            signing.verify(answer.headers, answer.body, keys, now_s)
        except signing.Unverified as error:
            return str(error)
        return ""
