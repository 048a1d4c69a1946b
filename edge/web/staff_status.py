"""What the staff pages and the metrics tell of the running service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from devices.types import DeviceStatus, Health
from edge.clock import boottime_ns, iso
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket
from edge.services.box import Box
from edge.services.change_basket import HELD_SHOWN
from edge.services.records import OutboxDepth, ScanRecord, Unit
from edge.web.depth_history import DepthHistory
from edge.web.desk import Json

#: Open payments that the status lists.
ATTEMPTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Insight:
    """What the desk is told by the composition root. devices: (workstation or "", role, status).

    store: "ok", or what a person must do about it.
    """

    devices: Callable[[], Sequence[tuple[str, str, DeviceStatus]]]
    workers: Callable[[], Sequence[Json]]
    stuck: Callable[[], Sequence[str]]
    version: str
    store: Callable[[], str] = lambda: "ok"


def service_status(box: Box, insight: Insight, depths: DepthHistory) -> Json:
    """Return devices, outbox, payments, baskets put aside, workers and version."""
    now_at = box.clock.now().wall_at
    depth, attempts, held = box.store.read(lambda unit: _stored(unit, box, now_at))
    link = box.link.status()
    return {
        "version": insight.version,
        "public_url": box.rules.public_url,
        "devices": [_device(workstation, status) for workstation, _, status in insight.devices()],
        "outbox": {
            **_outbox(depth, now_at),
            "connected": link.connected,
            "detail": link.detail,
            "history": depths.points(boottime_ns() / 1e9),
        },
        "payments": {
            "open": len(attempts),
            "oldest_age_s": max((cast("int", one["age_s"]) for one in attempts), default=None),
            "list": attempts,
        },
        "held": held,
        "workers": list(insight.workers()),
        "stuck": list(insight.stuck()),
    }


def scan_row(record: ScanRecord) -> Json:
    """Return a scan; `raw` is null where the bytes are a secret of which only the tail was kept."""
    masked = record.text.startswith("..") and record.raw == record.text.encode()
    return {
        "id": record.scan_id,
        "at": record.scanned_at,
        "time": iso(record.scanned_at),
        "scanner": record.device,
        "aim": record.aim,
        "class": record.kind,
        "text": record.text,
        "raw": None if masked else record.raw.hex(" "),
        "outcome": record.outcome,
    }


def metrics_text(box: Box, insight: Insight) -> str:
    """Return the metrics in Prometheus' text format 0.0.4."""
    now_at = box.clock.now().wall_at
    outbox = _outbox(box.store.read(lambda unit: unit.outbox.depth()), now_at)
    attempts = box.store.read(lambda unit: unit.attempts.open(ATTEMPTS_SHOWN))
    lines = [
        "# TYPE mall_edge_outbox_events gauge",
        f"mall_edge_outbox_events {outbox['depth']}",
        "# TYPE mall_edge_outbox_oldest_age_seconds gauge",
        f"mall_edge_outbox_oldest_age_seconds {outbox['oldest_age_s'] or 0}",
        "# TYPE mall_edge_outbox_sequence_total counter",
        f"mall_edge_outbox_sequence_total {outbox['last_sequence']}",
        "# TYPE mall_edge_hq_connected gauge",
        f"mall_edge_hq_connected {int(box.link.status().connected)}",
        "# TYPE mall_edge_payments_open gauge",
        f"mall_edge_payments_open {len(attempts)}",
        "# TYPE mall_edge_device_connected gauge",
    ]
    for _, _, status in insight.devices():
        connected = int(status.health is Health.CONNECTED)
        lines.append(f'mall_edge_device_connected{{name="{status.name}",kind="{status.kind}"}} {connected}')
    return "\n".join(lines) + "\n"


def _stored(unit: Unit, box: Box, now_at: int) -> tuple[OutboxDepth, list[Json], list[Json]]:
    attempts = [_attempt(unit, attempt, now_at) for attempt in unit.attempts.open(ATTEMPTS_SHOWN)]
    held = [
        _held(basket, now_at) for name in box.workstations for basket in unit.baskets.held(name, HELD_SHOWN)
    ]
    return unit.outbox.depth(), attempts, held


def _attempt(unit: Unit, attempt: PaymentAttempt, now_at: int) -> Json:
    order = unit.orders.get(attempt.order_id)
    return {
        "id": attempt.attempt_id,
        "workstation": attempt.workstation,
        "order": order.number if order else "",
        "gateway": attempt.gateway,
        "merchant_order_no": attempt.merchant_order_no,
        "amount_fen": attempt.amount_fen,
        "state": attempt.state.value,
        "code_tail": attempt.code_tail,
        "age_s": max(0, now_at - attempt.created_at) // 1000,
        "polls": attempt.polls,
        "trail": attempt.trail,
    }


def _held(basket: Basket, now_at: int) -> Json:
    return {
        "id": basket.basket_id,
        "workstation": basket.workstation,
        "count": basket.count,
        "total_fen": basket.total_fen,
        "age_s": max(0, now_at - basket.changed_at) // 1000,
    }


def _device(workstation: str, status: DeviceStatus) -> Json:
    now_ns = boottime_ns()
    heard_ns = status.last_heard_ns
    return {
        "workstation": workstation,
        "name": status.name,
        "kind": status.kind,
        "health": status.health.value,
        "port": status.port,
        "detail": status.detail,
        "since_s": (now_ns - status.since_ns) // 1_000_000_000,
        "last_heard_s": None if heard_ns is None else (now_ns - heard_ns) // 1_000_000_000,
        "reopened": status.reopened,
    }


def _outbox(depth: OutboxDepth, now_at: int) -> Json:
    oldest, acked = depth.oldest_created_at, depth.last_ack_at
    return {
        "depth": depth.count,
        "oldest_age_s": None if oldest is None else max(0, now_at - oldest) // 1000,
        "last_ack_age_s": None if acked is None else max(0, now_at - acked) // 1000,
        "acked_through": depth.acked_through,
        "last_sequence": depth.last_sequence,
    }
