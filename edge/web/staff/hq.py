"""What HQ told this box to do, and what it has sent to be in force here."""

from __future__ import annotations

import json
from collections.abc import Callable

import structlog
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.command_records import CommandRecord, SalesFreeze
from edge.services.records import Unit
from edge.services.snapshot_manifest import decode_manifest
from edge.services.snapshot_records import SnapshotRefusal, SnapshotRow, SnapshotState
from edge.web.desk import Json, WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Commands that the page lists.
COMMANDS_SHOWN = 50

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings, return_snapshot: Callable[[str], str] | None) -> StaffPage:
    """Return the page /staff/hq.

    return_snapshot: puts the previous version of a snapshot in force and says so, raises EdgeError when it
    cannot; None where this service does not offer it.
    """
    local_time = local_times(settings)

    def hq_page(error: str = "") -> str:
        now = box.clock.now()
        commands, freeze, snapshots = box.store.read(lambda unit: _read(unit, now.wall_at))
        return show(
            "hq",
            commands=commands,
            freeze=freeze,
            snapshots=snapshots,
            clock_trusted=now.trusted,
            can_return=return_snapshot is not None,
            local_time=local_time,
            returned=request.args.get("returned", "")[:32],
            error=error,
        )

    def add(routes: Blueprint) -> None:
        @routes.get("/hq")
        def hq() -> str:
            return hq_page()

        if return_snapshot is None:
            return

        @routes.post("/hq/snapshots/<name>/return")
        def give_back(name: str) -> Response | tuple[str, int]:
            try:
                done = return_snapshot(name)
            except EdgeError as error:
                return hq_page(error=str(error)), 409
            _log.warning("snapshot returned", name=name, by=signed_in(), detail=done)
            return redirect(url_for("staff.hq", returned=name), 303)

    return StaffPage(add, lambda: [Link("/staff/hq", "staff_hq")])


def _read(unit: Unit, now_at: int) -> tuple[list[Json], SalesFreeze | None, list[Json]]:
    commands = [_command(record) for record in unit.commands.recent(COMMANDS_SHOWN)]
    return commands, unit.commands.freeze(), _snapshots(unit, now_at)


def _command(record: CommandRecord) -> Json:
    return {
        "id": record.command_id,
        "kind": record.kind,
        "by": record.issued_by,
        "received_at": record.received_at,
        "trusted": record.trusted,
        "state": record.state.value,
        "reason": record.reason,
        "detail": record.detail,
        "arguments": _pairs(record.arguments),
        "result": _pairs(record.result),
    }


def _pairs(text: str) -> str:
    """Return a JSON object as "name: value, name: value"."""
    return ", ".join(f"{name}: {value}" for name, value in json.loads(text).items())


def _snapshots(unit: Unit, now_at: int) -> list[Json]:
    rows: dict[str, dict[SnapshotState, SnapshotRow]] = {}
    for row in unit.snapshots.all():
        rows.setdefault(row.name, {})[row.state] = row
    refusals = {one.name: one for one in unit.snapshots.refusals()}
    return [
        {
            "name": name,
            **{state.value: _version(unit, rows.get(name, {}).get(state), now_at) for state in SnapshotState},
            "refusal": _refusal(refusals.get(name), now_at),
        }
        for name in sorted(rows.keys() | refusals.keys())
    ]


def _version(unit: Unit, row: SnapshotRow | None, now_at: int) -> Json | None:
    if row is None:
        return None
    manifest = decode_manifest(row.name, row.manifest)
    coming = row.state is SnapshotState.COMING
    return {
        "version": row.version,
        "age_s": max(0, now_at - row.changed_at) // 1000,
        "bytes": manifest.size,
        "chunks": len(manifest.chunks),
        "have": len(unit.snapshots.have(row.name, row.version)) if coming else len(manifest.chunks),
    }


def _refusal(refusal: SnapshotRefusal | None, now_at: int) -> Json | None:
    if refusal is None:
        return None
    return {
        "version": refusal.version or "?",
        "age_s": max(0, now_at - refusal.refused_at) // 1000,
        "detail": f"{refusal.reason}: {refusal.detail}",
    }
