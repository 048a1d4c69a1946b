"""Take one file of the intake folder: a catalogue, a price or a wish that came in while the service runs.

Only one process may write the database, so that the command line and people hand files over instead. A
file leaves the folder only after it was taken or refused: whatever stops the service in between, the same
file is taken again, which changes nothing if it was taken before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from types import MappingProxyType
from typing import Protocol

from edge.errors import Invalid, Unavailable
from edge.retail.catalogue_csv import Progress
from edge.services.change_price import change_price, describe_change, parse_valid_from
from edge.services.dead_letters import LetterRequest, settle_letter
from edge.services.import_catalogue import ImportOptions, ImportReport, import_catalogue
from edge.services.ports import Clock, Store
from edge.services.take_snapshot import Shelf, return_snapshot


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A catalogue to import. name: of the file, unique in the folder."""

    name: str
    data: bytes
    options: ImportOptions = field(default_factory=ImportOptions)


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """A price to set; the texts are as a person wrote them."""

    name: str
    sku: str
    yuan: str
    valid_from: str = ""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that cannot even be read; problem: why, and what to do."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """A wish to have the previous version of a snapshot in force again."""

    name: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to be done with the books, as told by `kind`. arguments: the texts it needs, by name."""

    name: str
    kind: str
    arguments: Mapping[str, str]


IntakeJob = CatalogueFile | PriceRequest | LetterRequest | ReturnRequest | Wish | RefusedFile


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of a file. taken: as it asked for. lines: for people."""

    taken: bool
    lines: tuple[str, ...]


#: Does what a wish asks for; raises Invalid for arguments that are missing or wrong.
WishHandler = Callable[[Mapping[str, str], Progress], "IntakeReport"]


class Intake(Protocol):
    """The folder where files come in; one caller takes them."""

    def take(self) -> IntakeJob | None:
        """Return the oldest whole file, which stays there, or None. Raises Unavailable."""

    def progress(self, name: str, done: int, total: int) -> None:
        """Tell how far a file is; never raises."""

    def finish(self, name: str, report: IntakeReport) -> None:
        """Keep the report and move the file away. Raises Unavailable; then the file is taken again."""

    def put_back(self, name: str) -> None:
        """Forget that this file was begun, as it was not the file's fault; never raises."""


#: Why a catalogue is refused while the disk is nearly full.
_NO_ROOM = "the disk is nearly full, nothing was imported; make room, then hand the file in again"


def take_intake(
    store: Store,
    clock: Clock,
    zone: tzinfo,
    intake: Intake,
    room: bool = True,
    shelf: Shelf | None = None,
    wishes: Mapping[str, WishHandler] = MappingProxyType({}),
) -> tuple[str, IntakeReport] | None:
    """Take the next file; return its name and report, None when there is none.

    zone: of times without an offset. room: whether the disk has room for a catalogue. shelf: of the
    snapshots. wishes: by kind, what is done for one. Raises Unavailable when store or folder fail: the
    file stays.
    """
    job = intake.take()
    if job is None:
        return None
    try:
        full = isinstance(job, CatalogueFile | ReturnRequest) and not room
        if full:
            report = IntakeReport(False, (_NO_ROOM,))
        elif isinstance(job, ReturnRequest):
            report = return_now(shelf, job)
        elif isinstance(job, Wish):
            report = _grant(wishes, job, intake)
        else:
            report = _work(store, clock, zone, intake, job)
    except Invalid as error:
        report = IntakeReport(False, (str(error),))
    except Unavailable:
        intake.put_back(job.name)
        raise
    intake.finish(job.name, report)
    return job.name, report


def wished(arguments: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Return a wish's arguments in this order; raise Invalid when one is missing or there are others."""
    if set(arguments) != set(names):
        raise Invalid(f"this wish needs {', '.join(names)}; it has {', '.join(sorted(arguments)) or 'none'}")
    return tuple(arguments[name] for name in names)


def report_lines(report: ImportReport, dry_run: bool = False) -> tuple[str, ...]:
    """Return an import's report as lines for people: bad lines first, then what was or would be done."""
    lines = [f"line {bad.line}, {bad.column}: {bad.problem}; {bad.remedy}" for bad in report.bad]
    if report.problem_count > len(report.bad):
        lines.append(f"... and {report.problem_count - len(report.bad)} problems more")
    if dry_run:
        lines.append(
            f"checked only, nothing was imported: {report.bad_lines} of {report.lines} lines are bad"
        )
    elif not report.applied:
        lines.append(f"nothing was imported: {report.bad_lines} of {report.lines} lines are bad")
    lines.append(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.withdrawn} withdrawn in {report.took_ms / 1000:.1f} s"
    )
    return tuple(lines)


def import_now(
    store: Store, clock: Clock, zone: tzinfo, job: CatalogueFile, progress: Progress
) -> IntakeReport:
    """Import one file and report as for people; `progress` is called with (done, total)."""
    report = import_catalogue(store, clock, job.data, zone, job.options, progress)
    dry_run = job.options.dry_run
    return IntakeReport(report.applied or (dry_run and not report.bad_lines), report_lines(report, dry_run))


def price_now(store: Store, clock: Clock, zone: tzinfo, job: PriceRequest) -> IntakeReport:
    """Set one price and report in one line; raises Invalid for what cannot be set."""
    change = change_price(store, clock, job.sku, job.yuan, parse_valid_from(job.valid_from, zone))
    return IntakeReport(True, (describe_change(change),))


def return_now(shelf: Shelf | None, job: ReturnRequest) -> IntakeReport:
    """Put a snapshot's previous version in force and report in one line; raises Invalid without one."""
    if shelf is None:
        raise Invalid("this service takes no snapshots")
    return IntakeReport(True, (return_snapshot(shelf, job.snapshot),))


def _grant(wishes: Mapping[str, WishHandler], wish: Wish, intake: Intake) -> IntakeReport:
    handler = wishes.get(wish.kind)
    if handler is None:
        known = ", ".join(sorted(wishes)) or "none"
        raise Invalid(f"{wish.kind!r} is no wish that this service grants; it grants {known}")
    return handler(wish.arguments, partial(intake.progress, wish.name))


def _work(
    store: Store,
    clock: Clock,
    zone: tzinfo,
    intake: Intake,
    job: CatalogueFile | PriceRequest | LetterRequest | RefusedFile,
) -> IntakeReport:
    if isinstance(job, RefusedFile):
        return IntakeReport(False, (job.problem,))
    if isinstance(job, PriceRequest):
        return price_now(store, clock, zone, job)
    if isinstance(job, LetterRequest):
        return IntakeReport(True, (settle_letter(store, clock, job),))
    return import_now(store, clock, zone, job, partial(intake.progress, job.name))
