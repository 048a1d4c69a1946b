"""Snapshots of the passes that HQ keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from edge.errors import Invalid
from edge.parking.parking_pass import PassEntry, PassEntryKind
from edge.parking.pass_table import PassLine, read_passes
from edge.services.ports import Clock, Store
from edge.services.records import Unit
from edge.services.snapshot_content import Content
from edge.services.snapshot_delta import split_lines
from edge.services.snapshot_kind import MIB, Done

MAX_LINE_BYTES = 4_096

#: How the lines begin that say what HQ has put into a stored pass.
CREDIT = "hq:"


@dataclass(frozen=True, slots=True)
class PassesKind:
    """All passes of HQ: a table of edge/parking/pass_table.py. zone: of times without an offset."""

    zone: tzinfo
    name: str = "passes"
    max_bytes: int = 8 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Put these in place of HQ's passes in one unit; only those that differ are written.

        What HQ has put into a stored pass since the last snapshot is added to its ledger; what stays have
        used is kept. Going back to an older snapshot takes no credit away.
        """
        lines = read_passes(split_lines(content.blocks(), MAX_LINE_BYTES), self.zone)
        at = clock.now().wall_at

        def work(unit: Unit) -> None:
            for line in lines:
                known = unit.passes.get(line.one.pass_id)
                if known is not None and not known.from_hq:
                    raise Invalid(f"pass {line.one.pass_id} was issued on this box; give HQ's another id")
            unit.passes.replace_from_hq([line.one for line in lines])
            for line in lines:
                _credit(unit, line, at)
            done(unit)

        store.write(work)
        return f"{len(lines)} passes"


def _credit(unit: Unit, line: PassLine, at: int) -> None:
    if not (line.one.kind.stored and line.credit):
        return
    pass_id = line.one.pass_id
    more = line.credit - unit.passes.credited(pass_id, CREDIT)
    if more > 0:
        unit.passes.enter(PassEntry(pass_id, f"{CREDIT}{line.credit}", PassEntryKind.TOP_UP, more, at))
