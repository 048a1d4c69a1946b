"""The gateway's callbacks: encrypted, signed, sent again by the documents' table until they are taken.

A callback is written with what it tells of and survives a restart. Any room may send one with `Notices.tell`.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import sqlite3
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sim.gateway.faults import NOTIFY, Fault, FaultPlan
from sim.gateway.messages import Json
from sim.gateway.signatures import Signatures
from sim.gateway.store import Store
from sim.gateway.times import rfc3339

_log = logging.getLogger(__name__)

#: Seconds between the tries. payment: 15 s, 15 s, 30 s, 3 m, 10 m, 20 m, 3 x 30 m, 60 m, 3 x 3 h, 2 x 6 h.
SCHEDULES: Mapping[str, tuple[int, ...]] = {
    "payment": (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600),
    "authorization": (1, 10, 10, 10, 10, 10, 60, 60, 60, 60),
}
TIME_OUT_S = 5.0
_MAX_WAITING = 100_000
_SENDERS = 8
_MAX_ANSWER_BYTES = 64 * 1024
_HELD_BACK_MS = 60_000
_PROBE = "WECHATPAY/SIGNTEST/"

SCHEMA = """
CREATE TABLE IF NOT EXISTS notice (
    notice_id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    resource TEXT NOT NULL,
    original_type TEXT NOT NULL,
    summary TEXT NOT NULL,
    url TEXT NOT NULL,
    order_no TEXT NOT NULL,
    schedule TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    next_at INTEGER,
    held INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting'
) STRICT;
CREATE INDEX IF NOT EXISTS notice_due ON notice (next_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS notice_try (
    try_id INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id INTEGER NOT NULL REFERENCES notice,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    status INTEGER NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notice_try_of ON notice_try (notice_id);
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a callback tells. resource: the plaintext. order_no: what faults of one order go by."""

    event_type: str
    resource: Json
    url: str
    summary: str
    original_type: str = "transaction"
    order_no: str = ""
    schedule: str = "payment"


@dataclass
class Wire:
    """How callbacks travel. scale: of all waits, 0.001 makes 24 h 86 s. routes: of addresses."""

    scale: float = 1.0
    routes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Try:
    what: str
    fault: Fault | None = None


class Notices:
    """All callbacks, sent by a few threads of its own; `stop` ends them."""

    def __init__(
        self,
        store: Store,
        signatures: Signatures,
        faults: FaultPlan,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
    ) -> None:
        self.wire = Wire()
        self._store = store
        self._signatures = signatures
        self._faults = faults
        self._now_ms = now_ms
        self._digits = digits
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None
        store.add_schema(SCHEMA)

    def tell(self, notice: Notice) -> str:
        """Have a callback sent, at once and again until it is taken; return its event id.

        Call it inside the unit of work of what it tells. Without an address nothing is sent.
        """
        event_id = f"EV-{self._digits(19)}"
        if not notice.url:
            return event_id
        if self._store.number("SELECT count(*) FROM notice WHERE state = 'waiting'") >= _MAX_WAITING:
            _log.warning("simulated gateway: %s callbacks wait, %s is dropped", _MAX_WAITING, event_id)
            return event_id
        self._insert(notice, event_id)
        return event_id

    def tick(self) -> None:
        """Send what is due; returns before it is sent."""
        for row in self._store.rows(
            "SELECT * FROM notice WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at LIMIT 50",
            self._now_ms(),
        ):
            with self._lock:
                if row["notice_id"] in self._busy or len(self._busy) >= 4 * _SENDERS:
                    continue
                self._busy.add(row["notice_id"])
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(_SENDERS, "sim-gateway-notify")
                self._pool.submit(self._send, row)

    def stop(self) -> None:
        """Wait for what is being sent, at most its time-out; the rest waits in the store."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
            self._busy.clear()

    def repeat(self, notice_id: int) -> None:
        """Send a callback once more, taken or not; raise KeyError."""
        changed = self._store.row("SELECT 1 FROM notice WHERE notice_id = ?", notice_id)
        if changed is None:
            raise KeyError(notice_id)
        self._store.run(
            "UPDATE notice SET state = 'waiting', next_at = ? WHERE notice_id = ?", self._now_ms(), notice_id
        )

    def newest(self, limit: int = 200) -> list[Json]:
        """Return the newest callbacks with their tries, newest first."""
        rows = self._store.rows("SELECT * FROM notice ORDER BY notice_id DESC LIMIT ?", limit)
        return [self._shown(row) for row in rows]

    def _shown(self, row: sqlite3.Row) -> Json:
        tries = self._store.rows(
            "SELECT * FROM notice_try WHERE notice_id = ? ORDER BY try_id", row["notice_id"]
        )
        names = ("notice_id", "event_id", "event_type", "url", "order_no", "made_at", "next_at", "state")
        shown: Json = {name: row[name] for name in names}
        return shown | {
            "resource": json.loads(row["resource"]),
            "tries": [{name: one[name] for name in ("at", "what", "status", "said")} for one in tries],
        }

    def _insert(self, notice: Notice, event_id: str) -> None:
        planned = self._faults.take(NOTIFY, notice.order_no)
        fault = planned.fault if planned else None
        now = self._now_ms()
        delay = {Fault.LATE: planned.delay_ms if planned else 0, Fault.OUT_OF_ORDER: _HELD_BACK_MS}
        first_at = None if fault is Fault.NEVER else now + delay.get(fault or Fault.CUT, 0)
        notice_id = self._store.run(
            "INSERT INTO notice (event_id, event_type, resource, original_type, summary, url, order_no,"
            " schedule, made_at, next_at, held, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event_id, notice.event_type, json.dumps(notice.resource, ensure_ascii=False),
            notice.original_type, notice.summary, notice.url, notice.order_no, notice.schedule, now, first_at,
            int(fault is Fault.OUT_OF_ORDER), "never" if fault is Fault.NEVER else "waiting",
        )  # fmt: skip
        if fault is not None:
            self._note(notice_id, _Try(f"planned:{fault}"), 0, "")

    def _send(self, row: sqlite3.Row) -> None:
        notice_id = row["notice_id"]
        try:
            taken = False
            for one in self._tries(notice_id, row["tries"]):
                status, said = self._post(row, one.fault)
                self._note(notice_id, one, status, said)
                taken = taken or (one.fault in (None, Fault.DUPLICATE) and status in (200, 204))
            self._after(row, taken)
        except Exception:
            # A supervisor: the callback stays due and is tried again.
            _log.exception("simulated gateway: callback %s could not be sent", row["event_id"])
        finally:
            with self._lock:
                self._busy.discard(notice_id)

    def _tries(self, notice_id: int, before: int) -> Sequence[_Try]:
        """Return what to send now: mostly once, genuine; the planned fault concerns the first time alone."""
        planned = self._store.row(
            "SELECT what FROM notice_try WHERE notice_id = ? AND what LIKE 'planned:%'", notice_id
        )
        fault = Fault(planned["what"].removeprefix("planned:")) if planned and not before else None
        if fault in (None, Fault.LATE, Fault.NEVER, Fault.OUT_OF_ORDER):
            return [_Try("genuine")]
        if fault is Fault.DUPLICATE:
            return [_Try("genuine"), _Try("genuine", Fault.DUPLICATE)]
        return [_Try(str(fault), fault), *([_Try("genuine")] if fault is Fault.PROBE else [])]

    def _post(self, row: sqlite3.Row, fault: Fault | None) -> tuple[int, str]:
        body = self._body(row, fault)
        headers = self._spoilt(self._signatures.headers(body, "0"), fault)
        url = row["url"]
        for prefix, other in self.wire.routes.items():
            if url.startswith(prefix):
                url = other + url.removeprefix(prefix)
        begun = self._now_ms()
        status, said = post(url, body, headers)
        if status and self._now_ms() - begun > TIME_OUT_S * 1000:
            return 0, f"answered {status} after more than {TIME_OUT_S:.0f} s"
        return status, said

    def _body(self, row: sqlite3.Row, fault: Fault | None) -> bytes:
        key = b"0" * 32 if fault is Fault.WRONG_KEY else self._signatures.apiv3_key
        nonce = self._digits(12)
        sealed = AESGCM(key).encrypt(nonce.encode(), row["resource"].encode(), row["original_type"].encode())
        value: Json = {
            "id": row["event_id"],
            "create_time": rfc3339(row["made_at"]),
            "resource_type": "encrypt-resource",
            "event_type": row["event_type"],
            "summary": row["summary"],
            "resource": {
                "original_type": row["original_type"],
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(sealed).decode(),
                "associated_data": row["original_type"],
                "nonce": nonce,
            },
        }
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def _spoilt(self, headers: dict[str, str], fault: Fault | None) -> dict[str, str]:
        if fault is Fault.PROBE:
            return headers | {"Wechatpay-Signature": _PROBE + headers["Wechatpay-Signature"][19:]}
        return self._signatures.spoil(headers, fault)

    def _note(self, notice_id: int, one: _Try, status: int, said: str) -> None:
        self._store.run(
            "INSERT INTO notice_try (notice_id, at, what, status, said) VALUES (?, ?, ?, ?, ?)",
            notice_id, self._now_ms(), one.what, status, said[:200],
        )  # fmt: skip

    def _after(self, row: sqlite3.Row, taken: bool) -> None:
        waits = SCHEDULES[row["schedule"]]
        tries = row["tries"] + 1
        over = tries > len(waits)
        wait_ms = 0 if taken or over else int(waits[tries - 1] * 1000 * self.wire.scale)
        state = "taken" if taken else "given_up" if over else "waiting"
        with self._store.work():
            self._store.run(
                "UPDATE notice SET tries = ?, state = ?, next_at = ? WHERE notice_id = ?",
                tries, state, self._now_ms() + wait_ms if state == "waiting" else None, row["notice_id"],
            )  # fmt: skip
            self._store.run(
                "UPDATE notice SET held = 0, next_at = ? WHERE held = 1 AND notice_id < ?",
                self._now_ms(), row["notice_id"],
            )  # fmt: skip


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Post JSON; return status and the beginning of the answer, or 0 and what went wrong."""
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    except ValueError as error:
        return 0, str(error)
    try:
        connection.request("POST", parts.path or "/", body, {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(_MAX_ANSWER_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{type(error).__name__}: {error}"
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=TIME_OUT_S, context=ssl.create_default_context()
        )
    if scheme != "http" or not host:
        raise ValueError(f"cannot post to {scheme}://{host}")
    return http.client.HTTPConnection(host, port, timeout=TIME_OUT_S)
