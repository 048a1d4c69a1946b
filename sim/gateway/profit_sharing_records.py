"""What the gateway keeps of shared payments: requests, their shares, returns, receivers and frozen money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = """
CREATE TABLE IF NOT EXISTS share_receiver (
    payer TEXT NOT NULL,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    relation TEXT NOT NULL,
    PRIMARY KEY (payer, kind, account)
) STRICT;
CREATE TABLE IF NOT EXISTS share_request (
    request_id TEXT PRIMARY KEY,
    mchid TEXT NOT NULL,
    sharing_no TEXT NOT NULL,
    order_id INTEGER NOT NULL REFERENCES pay_order,
    form TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    UNIQUE (mchid, sharing_no)
) STRICT;
CREATE INDEX IF NOT EXISTS share_request_due ON share_request (due_at) WHERE state = 'PROCESSING';
CREATE INDEX IF NOT EXISTS share_request_of ON share_request (order_id);
CREATE TABLE IF NOT EXISTS share_part (
    part_id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES share_request,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    description TEXT NOT NULL,
    result TEXT NOT NULL,
    fail_reason TEXT NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS share_part_of ON share_part (request_id);
CREATE TABLE IF NOT EXISTS share_return (
    return_id TEXT PRIMARY KEY,
    mchid TEXT NOT NULL,
    return_no TEXT NOT NULL,
    request_id TEXT NOT NULL REFERENCES share_request,
    account TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    description TEXT NOT NULL,
    form TEXT NOT NULL,
    result TEXT NOT NULL,
    fail_reason TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    finished_at INTEGER,
    UNIQUE (mchid, return_no)
) STRICT;
CREATE INDEX IF NOT EXISTS share_return_due ON share_return (due_at) WHERE result = 'PROCESSING';
CREATE TABLE IF NOT EXISTS share_frozen (
    order_id INTEGER PRIMARY KEY REFERENCES pay_order,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS share_frozen_end ON share_frozen (ends_at);
CREATE TABLE IF NOT EXISTS share_terms (one INTEGER PRIMARY KEY CHECK (one = 1), terms TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """One share that is asked for. kind: MERCHANT_ID, PERSONAL_OPENID or PERSONAL_SUB_OPENID."""

    kind: str
    account: str
    amount_fen: int
    description: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """One request to share. state: PROCESSING or FINISHED."""

    request_id: str
    mchid: str
    sharing_no: str
    order_id: int
    form: str
    state: str
    made_at: int
    due_at: int


@dataclass(frozen=True, slots=True)
class Part:
    """One share of a request. result: PENDING, SUCCESS or CLOSED."""

    part_id: str
    request_id: str
    kind: str
    account: str
    amount_fen: int
    description: str
    result: str
    fail_reason: str = ""
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """One share that its receiver gives back. result: PROCESSING, SUCCESS or FAILED."""

    return_id: str
    mchid: str
    return_no: str
    request_id: str
    account: str
    amount_fen: int
    description: str
    form: str
    result: str
    fail_reason: str
    made_at: int
    due_at: int
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How sharing goes from now on.

    max_ratio: of an order, in 1/10,000. failing: account to its fail_reason. notify_url: where receivers
    are told, "" for nowhere; events: plain or dotted names.
    """

    delay_ms: int = 1_000
    max_ratio: int = 3_000
    failing: Mapping[str, str] = field(default_factory=dict)
    notify_url: str = ""
    events: str = "plain"
