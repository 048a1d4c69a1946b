"""What a support bundle holds: how the box is, and nothing that is a secret or a shopper's."""

from __future__ import annotations

import json

from edge.clock import iso
from edge.services.box import Box
from edge.services.obey_command import describe_command
from edge.services.records import ScanRecord
from edge.web.desk import Json

#: Scans of each workstation and commands of HQ in a bundle.
SCANS = 50
COMMANDS = 100

#: What is shown of a code, at its end.
TAIL = 4


def bundle_files(box: Box, status: Json, config_text: str) -> dict[str, bytes]:
    """Return the files of a bundle by name. config_text: the configuration in force, secrets hidden."""
    scans = {name: _scans(box, name) for name in box.workstations}
    commands = box.store.read(lambda unit: unit.commands.recent(COMMANDS))
    return {
        "status.json": _json(status),
        "configuration.txt": config_text.encode(),
        "scans.json": _json(scans),
        "commands.txt": "\n".join(describe_command(one) for one in commands).encode(),
    }


def _scans(box: Box, workstation: str) -> list[Json]:
    return [masked_scan(one) for one in box.store.read(lambda unit: unit.scans.recent(workstation, SCANS))]


def masked_scan(record: ScanRecord) -> Json:
    """Return a scan with only the end of its code: members' and tickets' codes are their holders'."""
    tail = record.text[-TAIL:] if len(record.text) > 2 * TAIL else ""
    return {
        "time": iso(record.scanned_at),
        "scanner": record.device,
        "aim": record.aim,
        "class": record.kind,
        "text": f"..{tail}",
        "length": len(record.text),
        "outcome": record.outcome,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
