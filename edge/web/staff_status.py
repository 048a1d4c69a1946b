"""What the staff pages and the metrics tell of the running service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from devices.types import DeviceStatus, Health
from edge.clock import boottime_ns, iso
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket
from edge.services.alarm_records import Alarm
from edge.services.box import Box
from edge.services.change_basket import HELD_SHOWN
from edge.services.dead_letters import LETTERS_SHOWN, describe_letter
from edge.services.outbox_figures import OutboxFigures, outbox_figures
from edge.services.outbox_records import DeadLetter
from edge.services.records import ScanRecord, Unit
from edge.services.take_snapshot import describe_snapshots
from edge.services.watch_disk import DiskLevel
from edge.web.depth_history import DepthHistory
from edge.web.desk import Json

#: Open payments that the status lists.
ATTEMPTS_SHOWN = 100

#: Dead letters that somebody has dealt with, as many as the status lists.
CLOSED_SHOWN = 10

#: HQ is silent when the oldest event and its last word are both older than this, in seconds. A box that is
#: connected again sends at once, and HQ's slowest ack comes within seconds.
SILENT_S = 20


@dataclass(frozen=True, slots=True)
class DiskWord:
    """How full the disk is. level: as in watch_disk, in small letters. sentence: the same for people.

    free_bytes, spare_bytes: what is left, and what is left until sales are refused; None while unknown.
    """

    level: str = "ample"
    sentence: str = ""
    free_bytes: int | None = None
    spare_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Insight:
    """What the desk is told by the composition root. devices: (workstation or "", role, status).

    store: "ok", or what a person must do about it. disk: how full it is. figures: of the link and the
    relay, by the name that they have in the metrics after mall_edge_; a name in _total only counts up.
    """

    devices: Callable[[], Sequence[tuple[str, str, DeviceStatus]]]
    workers: Callable[[], Sequence[Json]]
    stuck: Callable[[], Sequence[str]]
    version: str
    store: Callable[[], str] = lambda: "ok"
    disk: Callable[[], DiskWord] = DiskWord
    figures: Callable[[], Mapping[str, float]] = dict


def service_status(box: Box, insight: Insight, depths: DepthHistory) -> Json:
    """Return devices, outbox, payments, baskets put aside, workers and version."""
    now = box.clock.now()
    now_at, disk = now.wall_at, insight.disk()
    figures, letters = box.store.read(lambda unit: _waiting(unit, disk, now_at))
    closed = box.store.read(lambda unit: unit.outbox.closed_letters(CLOSED_SHOWN))
    attempts, held = box.store.read(lambda unit: _stored(unit, box, now_at))
    link = box.link.status()
    return {
        "version": insight.version,
        "clock_trusted": now.trusted,
        "public_url": box.rules.public_url,
        "devices": [_device(workstation, status) for workstation, _, status in insight.devices()],
        "outbox": {
            **_outbox(figures),
            "letters": [letter_row(one) for one in letters],
            "closed": [letter_row(one) for one in closed],
            "connected": link.connected,
            "detail": link.detail,
            "word": hq_word(figures),
            "history": depths.points(boottime_ns() / 1e9),
        },
        "payments": {
            "open": len(attempts),
            "oldest_age_s": max((cast("int", one["age_s"]) for one in attempts), default=None),
            "list": attempts,
        },
        "held": held,
        "snapshots": list(box.store.read(describe_snapshots)),
        "workers": list(insight.workers()),
        "stuck": list(insight.stuck()),
        "disk": {"level": disk.level, "sentence": disk.sentence, "free_bytes": disk.free_bytes},
    }


def hq_word(figures: OutboxFigures) -> str:
    """Return how HQ's word is: "idle" with nothing to acknowledge, "good", or "none" while it is silent.

    This is apart from the broker, which may be connected while HQ is away.
    """
    if not figures.depth.count:
        return "idle"
    ages = (figures.oldest_age_s, figures.last_ack_age_s)
    return "none" if all(age is None or age > SILENT_S for age in ages) else "good"


def letter_row(letter: DeadLetter) -> Json:
    """Return a dead letter without its body."""
    message = letter.message
    return {
        "sequence": message.sequence,
        "id": message.event_id,
        "kind": message.kind,
        "created_at": message.created_at,
        "reason": letter.reason,
        "rejected_at": letter.rejected_at,
        "state": letter.state.value,
        "note": letter.note,
        "by": letter.closed_by,
        "closed_at": letter.closed_at,
        "resent_as": letter.resent_as,
        "line": describe_letter(letter),
    }


def alarm_row(alarm: Alarm) -> Json:
    """Return an open alarm. kind: the word before the colon of its name; about: what stands behind it."""
    kind, _, about = alarm.name.partition(":")
    return {
        "kind": kind,
        "about": about,
        "level": alarm.level,
        "detail": alarm.detail,
        "raised_at": alarm.raised_at,
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
    disk = insight.disk()
    figures, _ = box.store.read(lambda unit: _waiting(unit, disk, now_at))
    outbox = _outbox(figures)
    attempts = box.store.read(lambda unit: unit.attempts.open(ATTEMPTS_SHOWN))
    lines = [
        "# TYPE mall_edge_outbox_events gauge",
        f"mall_edge_outbox_events {outbox['depth']}",
        "# TYPE mall_edge_outbox_oldest_age_seconds gauge",
        f"mall_edge_outbox_oldest_age_seconds {outbox['oldest_age_s'] or 0}",
        "# TYPE mall_edge_outbox_sequence_total counter",
        f"mall_edge_outbox_sequence_total {outbox['last_sequence']}",
        *_backlog_metrics(figures, disk),
        "# TYPE mall_edge_hq_connected gauge",
        f"mall_edge_hq_connected {int(box.link.status().connected)}",
        "# TYPE mall_edge_payments_open gauge",
        f"mall_edge_payments_open {len(attempts)}",
        *_share_metrics(box),
        *_phone_metrics(box),
        "# TYPE mall_edge_device_connected gauge",
    ]
    for _, _, status in insight.devices():
        connected = int(status.health is Health.CONNECTED)
        lines.append(f'mall_edge_device_connected{{name="{status.name}",kind="{status.kind}"}} {connected}')
    for name, value in insight.figures().items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE mall_edge_{name} {kind}", f"mall_edge_{name} {value:.10g}"]
    return "\n".join(lines) + "\n"


def _share_metrics(box: Box) -> list[str]:
    """Return how many payments wait to be shared and how many shares are on their way back, up to a limit."""
    if not box.splitters:
        return []
    splits, returns = box.store.read(
        lambda unit: (
            len(unit.splits.moving(ATTEMPTS_SHOWN)),
            len(unit.splits.moving_returns(ATTEMPTS_SHOWN)),
        )
    )
    return [
        "# TYPE mall_edge_splits_waiting gauge",
        f"mall_edge_splits_waiting {splits}",
        "# TYPE mall_edge_share_returns_waiting gauge",
        f"mall_edge_share_returns_waiting {returns}",
    ]


def _phone_metrics(box: Box) -> list[str]:
    """Return the metrics of phones and of what WeChat is to be told."""
    shown = box.store.read(lambda unit: (*unit.phones.count(), *unit.phone_notices.waiting()))
    names = ("phones", "phones_signed_in", "phone_notices_waiting", "phone_notices_refused")
    return [
        line
        for name, value in zip(names, shown, strict=True)
        for line in (f"# TYPE mall_edge_{name} gauge", f"mall_edge_{name} {value}")
    ]


def _backlog_metrics(figures: OutboxFigures, disk: DiskWord) -> list[str]:
    """Return the metrics of outbox and disk; what is not known yet has none."""
    values = {
        "outbox_bytes": figures.depth.waiting_bytes,
        "outbox_last_ack_age_seconds": figures.last_ack_age_s,
        "outbox_rejected_events": figures.depth.dead,
        "outbox_events_per_day": figures.events_per_day,
        "disk_days_left": figures.days_left,
        "disk_free_bytes": disk.free_bytes,
        "disk_level": DiskLevel[disk.level.upper()].value,
    }
    return [
        line
        for name, value in values.items()
        if value is not None
        for line in (f"# TYPE mall_edge_{name} gauge", f"mall_edge_{name} {value:.10g}")
    ]


def _waiting(unit: Unit, disk: DiskWord, now_at: int) -> tuple[OutboxFigures, tuple[DeadLetter, ...]]:
    depth = unit.outbox.depth()
    letters = unit.outbox.dead_letters(LETTERS_SHOWN) if depth.dead else ()
    return outbox_figures(depth, unit.outbox.pace(), disk.spare_bytes, now_at), letters


def _stored(unit: Unit, box: Box, now_at: int) -> tuple[list[Json], list[Json]]:
    attempts = [_attempt(unit, attempt, now_at) for attempt in unit.attempts.open(ATTEMPTS_SHOWN)]
    held = [
        _held(basket, now_at) for name in box.workstations for basket in unit.baskets.held(name, HELD_SHOWN)
    ]
    return attempts, held


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


def _outbox(figures: OutboxFigures) -> Json:
    depth = figures.depth
    return {
        "depth": depth.count,
        "bytes": depth.waiting_bytes,
        "oldest_age_s": figures.oldest_age_s,
        "last_ack_age_s": figures.last_ack_age_s,
        "acked_through": depth.acked_through,
        "last_sequence": depth.last_sequence,
        "events_per_day": figures.events_per_day,
        "days_left": figures.days_left,
        "dead": depth.dead,
    }
