"""Requests and replies as the simulated gateway sees them, free of any HTTP server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. target: path and query exactly as sent. headers: names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query, percent-decoded."""
        return unquote(self.target.partition("?")[0])


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. cut: send only half of the body and close the connection."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


class Dropped(Exception):
    """The connection is to be closed without any answer."""


class Refusal(Exception):
    """A request is refused. number: the reason at the end of the Request-ID. detail: as in the documents."""

    def __init__(
        self, status: int, code: str, message: str, number: str = "0", detail: Json | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.number = number
        self.detail = detail


def parameter_error(name: str, issue: str, value: object = "", number: str = "268435461") -> Refusal:
    """Return 400 PARAM_ERROR that names the field and repeats its value, as the real gateway does."""
    detail: Json = {"field": name, "value": value, "issue": issue, "location": "body"}
    return Refusal(400, "PARAM_ERROR", f"参数错误: {name} {issue}", number, detail)


def json_reply(status: int, value: object) -> Reply:
    """Return a reply with compact JSON."""
    return Reply(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
