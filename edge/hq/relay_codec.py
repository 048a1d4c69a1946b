"""An HTTP request and its answer as JSON on the wire to HQ; docs/protocols/relay.md. Pure.

Source: RFC 9110 (fields, hop-by-hop), PEP 3333 (WSGI), MQTT 5.0 §4.10 (request and response).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from edge.errors import Invalid

#: The largest body of a request, the largest of an answer, and the largest request on the wire.
MAX_REQUEST_BODY = 64 * 1024
MAX_ANSWER_BODY = 384 * 1024
MAX_REQUEST_BYTES = 128 * 1024

MAX_HEADERS = 64
MAX_HEADER_BYTES = 16 * 1024
MAX_TARGET = 2_048

METHODS = frozenset({"GET", "HEAD", "POST"})

#: What is served to the world: pages of receipts, callbacks of wallets, and what the pages are made of.
_PUBLIC = re.compile(r"/(phone|notify)/.+|/static/[a-z_-]+\.(css|js|svg)")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){0,4}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")
_CALLER = re.compile(r"([A-Za-z0-9_-]{8,64})?", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

#: Headers that belong to one connection, or by which a caller could claim to be somebody else.
_DROPPED = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_DROPPED_BEGINNINGS = ("proxy-", "x-forwarded-", "sec-websocket-")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RelayedRequest:
    """One HTTP request as a phone made it.

    target: path and query as sent, beginning with /. prefix: what HQ's public address has before the
    path. host, secure: that address, for links and the check of origins. caller: by what HQ tells phones
    apart, "" where it does not; good for counting how often one asks, and for nothing else.
    """

    method: str
    target: str
    host: str
    headers: Headers = ()
    body: bytes = b""
    prefix: str = ""
    secure: bool = False
    caller: str = ""

    @property
    def path(self) -> bytes:
        """The path with its escapes resolved."""
        return unquote_to_bytes(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        """What follows the question mark, as sent."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class RelayedAnswer:
    """One HTTP answer."""

    status: int
    headers: Headers
    body: bytes


def decode_request(payload: bytes) -> RelayedRequest:
    """Return the request in `payload`; raise Invalid naming what is wrong. Unknown fields are ignored."""
    if len(payload) > MAX_REQUEST_BYTES:
        raise Invalid(f"request has {len(payload)} bytes, {MAX_REQUEST_BYTES} at most")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"request is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise Invalid(f"request must be an object, got {type(message).__name__}")
    method = _text(message, "method", 10)
    if method not in METHODS:
        raise Invalid(f"method must be one of {', '.join(sorted(METHODS))}, got {method!r}")
    target = _text(message, "target", MAX_TARGET)
    if not re.fullmatch(r"/[\x21-\x7e]*", target):
        raise Invalid("target must be a path that begins with /, escaped, in ASCII")
    host = _text(message, "host", 260)
    if not _HOST.fullmatch(host):
        raise Invalid(f"host {host!r:.60} is no host name")
    prefix, caller = _maybe(message, "prefix", 300, _PREFIX), _maybe(message, "caller", 64, _CALLER)
    secure = message.get("secure") is True
    return RelayedRequest(method, target, host, _headers(message), _body(message), prefix, secure, caller)


def encode_request(request: RelayedRequest) -> bytes:
    """Return what HQ publishes for a request."""
    return json.dumps(
        {
            "method": request.method,
            "target": request.target,
            "host": request.host,
            "prefix": request.prefix,
            "secure": request.secure,
            "caller": request.caller,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
        },
        separators=(",", ":"),
    ).encode()


def encode_answer(answer: RelayedAnswer) -> bytes:
    """Return what the box publishes for an answer, without headers of one connection."""
    headers = [(name, value) for name, value in answer.headers if not _dropped(name)]
    return json.dumps(
        {"status": answer.status, "headers": headers, "body": base64.b64encode(answer.body).decode()},
        separators=(",", ":"),
    ).encode()


def decode_answer(payload: bytes) -> RelayedAnswer:
    """Return the answer in `payload`; raise Invalid naming what is wrong."""
    try:
        message = json.loads(payload)
        status = message["status"]
        answer = RelayedAnswer(status, _headers(message), _body(message, MAX_ANSWER_BODY))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(f"not an answer: {error!r:.80}") from error
    if type(status) is not int or not 200 <= status <= 599:
        raise Invalid(f"status must be 200 to 599, got {status!r:.20}")
    return answer


def is_public(request: RelayedRequest) -> bool:
    """Whether this path is served to the world; nothing that climbs out of it is."""
    path = request.path.decode("latin-1")
    if ".." in path.split("/") or "\\" in path or "\0" in path:
        return False
    found = _PUBLIC.fullmatch(path)
    return found is not None and (request.method != "POST" or not path.startswith("/static/"))


def _text(message: dict[str, object], name: str, most: int) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not len(value) <= most:
        raise Invalid(f"{name} must be a text of {most} characters at most, got {value!r:.40}")
    return value


def _maybe(message: dict[str, object], name: str, most: int, form: re.Pattern[str]) -> str:
    value = _text(message, name, most) if name in message else ""
    if not form.fullmatch(value):
        raise Invalid(f"{name} {value!r:.60} must have the form {form.pattern}, or be empty")
    return value


def _headers(message: dict[str, object]) -> Headers:
    given = message.get("headers", [])
    if not isinstance(given, list) or len(given) > MAX_HEADERS:
        raise Invalid(f"headers must be a list of {MAX_HEADERS} at most")
    pairs = tuple(_header(one) for one in given)
    if sum(len(name) + len(value) for name, value in pairs) > MAX_HEADER_BYTES:
        raise Invalid(f"headers have more than {MAX_HEADER_BYTES} bytes")
    return tuple(pair for pair in pairs if not _dropped(pair[0]))


def _header(given: object) -> tuple[str, str]:
    if (
        not isinstance(given, Sequence)
        or len(given) != 2
        or not all(isinstance(one, str) for one in given)
        or not _TOKEN.fullmatch(given[0])
        or not _VALUE.fullmatch(given[1])
    ):
        raise Invalid(f"a header must be a name and a value, got {given!r:.60}")
    return given[0], given[1]


def _dropped(name: str) -> bool:
    lower = name.lower()
    # WSGI cannot tell an underscore from a dash: x_forwarded_for would come in through the back door.
    return lower in _DROPPED or lower.startswith(_DROPPED_BEGINNINGS) or "_" in lower


def _body(message: dict[str, object], most: int = MAX_REQUEST_BODY) -> bytes:
    given = message.get("body", "")
    if not isinstance(given, str):
        raise Invalid("body must be base64 in a text")
    try:
        body = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"body is not base64: {error}") from error
    if len(body) > most:
        raise Invalid(f"body has {len(body)} bytes, {most} at most")
    return body
