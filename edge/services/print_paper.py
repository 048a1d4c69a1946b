"""Put papers that are no receipts on paper, each once: mark, commit, print, write the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devices.types import Drawer, PrintBlock, PrintJob
from edge.clock import Instant
from edge.errors import Corrupt
from edge.retail.receipt import PrintState
from edge.services.box import Box
from edge.services.paper_blocks import decode_blocks, encode_blocks
from edge.services.paper_records import Paper, PaperKind
from edge.services.print_receipt import STATES
from edge.services.records import Unit

#: A drawer opens within so long of being asked to, or not at all: later nobody stands there to guard it.
DRAWER_MS = 15_000


def queue_paper(
    unit: Unit,
    box: Box,
    workstation: str,
    kind: PaperKind,
    reference: str,
    blocks: Sequence[PrintBlock],
    now: Instant,
) -> None:
    """Queue a paper with its content as of now; a workstation without a printer gets none."""
    if workstation not in box.printers:
        return
    opens = any(isinstance(block, Drawer) for block in blocks)
    until = now.wall_at + DRAWER_MS if opens else None
    text = encode_blocks(blocks)
    unit.papers.put(Paper(box.ids.new_id(), workstation, kind, reference, text, now.wall_at, until))


def queue_drawer(unit: Unit, box: Box, workstation: str, reference: str, now: Instant) -> None:
    """Open the cash drawer of a workstation that has one."""
    place = box.workstations.get(workstation)
    if place is not None and place.cash:
        queue_paper(unit, box, workstation, PaperKind.DRAWER, reference, (Drawer(),), now)


def print_next_paper(box: Box, workstation: str) -> PrintState | None:
    """Print the workstation's next paper; return where it stands, None without one.

    What broke off is left to a person, who asks for another copy. One caller for each workstation, the one
    that prints its receipts.
    """
    if workstation not in box.printers:
        return None
    paper = box.store.read(lambda unit: unit.papers.next(workstation))
    if paper is None:
        return None
    if paper.print_state is PrintState.PRINTING:
        return _note(box, paper, PrintState.UNCERTAIN, "its printing broke off; look at the paper")
    blocks = _blocks(paper, box.clock.now())
    if not blocks:
        return _note(box, paper, PrintState.UNCERTAIN, "the printer was away; the drawer was not opened")
    if paper.print_problem:
        status = box.printers[workstation].printer_status()
        if not status.ready:
            return _note(box, paper, PrintState.QUEUED, status.detail)
    _note(box, paper, PrintState.PRINTING, paper.print_problem)
    result = box.printers[workstation].print_job(PrintJob(paper.paper_id, blocks))
    return _note(box, paper, STATES[result.outcome], result.reason)


def _blocks(paper: Paper, now: Instant) -> tuple[PrintBlock, ...]:
    """Return what is printed now: without the drawer once its time is over."""
    blocks = decode_blocks(paper.blocks)
    if paper.drawer_until is not None and now.wall_at > paper.drawer_until:
        return tuple(block for block in blocks if not isinstance(block, Drawer))
    return blocks


def _note(box: Box, paper: Paper, state: PrintState, problem: str) -> PrintState:
    def work(unit: Unit) -> None:
        present = unit.papers.get(paper.paper_id)
        if present is None:
            raise Corrupt(f"paper {paper.paper_id} vanished while it was printed")
        if (present.print_state, present.print_problem) != (state, problem):
            unit.papers.put(replace(present, print_state=state, print_problem=problem))

    box.store.write(work)
    return state
