"""The intake folder on disk: files come in by an atomic rename or a copy, and go out with a report.

    incoming/NAME.csv                 a catalogue; begun once it was left alone for a while
    incoming/NAME.csv.options.json    how to import it; written by the command line before the file, which
                                      is then whole and taken at once
    incoming/NAME.price.json          a price to set
    incoming/NAME.letter.json         what to do with an event that HQ rejected
    incoming/NAME.return.json         a snapshot whose previous version is wanted
    incoming/NAME.wish.json           something to be done with the books: {"kind": ..., its arguments}
    incoming/NAME.progress, .tries    ours, while a file is worked on
    incoming/done, incoming/refused   what was taken and what was not, each beside NAME.report.json

A file that was begun three times and never finished (it brings the process down) is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from edge.clock import boottime_ns
from edge.errors import Invalid, Unavailable
from edge.services.dead_letters import LetterAction, LetterRequest
from edge.services.import_catalogue import ImportOptions
from edge.services.take_intake import (
    CatalogueFile,
    IntakeJob,
    IntakeReport,
    PriceRequest,
    RefusedFile,
    ReturnRequest,
    Wish,
)

#: The largest file, how many files a folder keeps, and how many are looked at.
MAX_BYTES = 64 * 1024 * 1024
MAX_KEPT = 20
MAX_LISTED = 1_000

#: A copied file is taken for whole after being left alone for so long, in nanoseconds.
SETTLE_NS = 10_000_000_000

MAX_TRIES = 3
PROGRESS_EVERY_NS = 200_000_000

_CATALOGUES = (".csv", ".tsv", ".txt")
_PRICE, _LETTER, _RETURN, _WISH = ".price.json", ".letter.json", ".return.json", ".wish.json"
_OPTIONS, _REPORT = ".options.json", ".report.json"
_OURS = (_OPTIONS, ".progress", ".tries", ".part", ".filepart", ".tmp", ".swp", "~")


class IntakeFolder:
    """Implements take_intake.Intake on a folder; the other side hands in by `put_...` and looks by `seen`."""

    def __init__(self, folder: Path, now_ns: Callable[[], int] = boottime_ns) -> None:
        """Make nothing yet. now_ns: boot-time nanoseconds."""
        self.folder = folder
        self._now_ns = now_ns
        self._looks: dict[str, tuple[tuple[int, int, int], int]] = {}
        self._told_ns = 0

    def take(self) -> IntakeJob | None:
        """Return the oldest whole file, which stays there, or None. Raises Unavailable."""
        try:
            self._make()
            path = self._oldest_whole()
            return None if path is None else self._begin(path)
        except OSError as error:
            raise Unavailable(f"the intake folder {self.folder} fails: {error.strerror}") from error

    def progress(self, name: str, done: int, total: int) -> None:
        """Tell how far a file is, five times a second at most; never raises."""
        now_ns = self._now_ns()
        if done < total and now_ns - self._told_ns < PROGRESS_EVERY_NS:
            return
        self._told_ns = now_ns
        with suppress(OSError):
            _write(self.folder / f"{name}.progress", json.dumps([done, total]).encode(), sync=False)

    def finish(self, name: str, report: IntakeReport) -> None:
        """Keep the report and move the file away. Raises Unavailable; then the file is taken again."""
        where = self.folder / ("done" if report.taken else "refused")
        text = json.dumps({"taken": report.taken, "lines": report.lines}, ensure_ascii=False, indent=1)
        try:
            _write(where / (name + _REPORT), text.encode() + b"\n")
            (self.folder / name).replace(where / name)
            self._forget(name, _OPTIONS, ".progress", ".tries")
            _keep_newest(where)
        except OSError as error:
            raise Unavailable(f"{self.folder / name} cannot be moved away: {error.strerror}") from error

    def put_back(self, name: str) -> None:
        """Forget that this file was begun, as it was not the file's fault; never raises."""
        with suppress(OSError):
            self._forget(name, ".tries", ".progress")

    def put_catalogue(self, name: str, data: bytes, options: ImportOptions) -> None:
        """Hand in a catalogue; raises Invalid when it is too large or the folder cannot be written."""
        if len(data) > MAX_BYTES:
            raise Invalid(_too_large(name, len(data)))
        self._put(name + _OPTIONS, json.dumps(asdict(options)).encode())
        self._put(name, data)

    def put_price(self, request: PriceRequest) -> None:
        """Hand in a price; `request.name` must end in .price.json. Raises Invalid like `put_catalogue`."""
        wanted = {"sku": request.sku, "yuan": request.yuan, "valid_from": request.valid_from}
        self._put(request.name, json.dumps(wanted).encode())

    def put_letter(self, wish: LetterRequest) -> None:
        """Hand in a wish; `wish.name` must end in .letter.json. Raises Invalid like `put_catalogue`."""
        wanted = {"sequence": str(wish.sequence), "action": wish.action.value}
        self._put(wish.name, json.dumps(wanted | {"data": wish.data, "note": wish.note}).encode())

    def put_return(self, wish: ReturnRequest) -> None:
        """Hand in a wish; `wish.name` must end in .return.json. Raises Invalid like `put_catalogue`."""
        self._put(wish.name, json.dumps({"snapshot": wish.snapshot}).encode())

    def put_wish(self, wish: Wish) -> None:
        """Hand in a wish; `wish.name` must end in .wish.json. Raises Invalid like `put_catalogue`."""
        self._put(wish.name, json.dumps({"kind": wish.kind, **wish.arguments}).encode())

    def seen(self, name: str) -> IntakeReport | tuple[int, int] | None:
        """Return a file's report, or how far it is as (done, total), or None while it was not begun."""
        for where in ("done", "refused"):
            with suppress(FileNotFoundError):
                report = json.loads((self.folder / where / (name + _REPORT)).read_bytes())
                return IntakeReport(report["taken"], tuple(report["lines"]))
        with suppress(FileNotFoundError, ValueError):
            done, total = json.loads((self.folder / f"{name}.progress").read_bytes())
            return done, total
        return None

    def _make(self) -> None:
        for folder in (self.folder, self.folder / "done", self.folder / "refused"):
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)

    def _put(self, name: str, data: bytes) -> None:
        try:
            self._make()
            _write(self.folder / name, data)
        except OSError as error:
            raise Invalid(
                f"{self.folder / name} cannot be written ({error.strerror}); run it with sudo, "
                "or as a member of the group mall-edge"
            ) from error

    def _oldest_whole(self) -> Path | None:
        with os.scandir(self.folder) as entries:
            files = [
                entry
                for entry in islice(entries, MAX_LISTED)
                if not entry.is_dir(follow_symlinks=False) and not _is_ours(entry.name)
            ]
        self._looks = {one.name: self._looks[one.name] for one in files if one.name in self._looks}
        found = [(one.stat(follow_symlinks=False), one) for one in files]
        for stat, entry in sorted(found, key=lambda pair: (pair[0].st_mtime_ns, pair[1].name)):
            if self._is_whole(entry.name, (stat.st_ino, stat.st_size, stat.st_mtime_ns)):
                return Path(entry.path)
        return None

    def _is_whole(self, name: str, look: tuple[int, int, int]) -> bool:
        handed_in = (
            name.endswith((_PRICE, _LETTER, _RETURN, _WISH)) or (self.folder / (name + _OPTIONS)).exists()
        )
        before, since_ns = self._looks.get(name, (None, 0))
        if before != look:
            since_ns = self._now_ns()
            self._looks[name] = (look, since_ns)
        return handed_in or self._now_ns() - since_ns >= SETTLE_NS

    def _begin(self, path: Path) -> IntakeJob:
        name = path.name
        if path.is_symlink() or not path.is_file():
            return RefusedFile(name, f"{name} is not a plain file; copy the file itself")
        size = path.stat().st_size
        if size > MAX_BYTES:
            return RefusedFile(name, _too_large(name, size))
        if not self._count_try(name):
            return RefusedFile(name, f"{name} was begun {MAX_TRIES} times and never finished; see the log")
        try:
            return self._job(name, path.read_bytes())
        except PermissionError:
            return RefusedFile(
                name, f"{name} cannot be read by the service; run: chmod 644, and copy it again"
            )
        except ValueError as error:
            return RefusedFile(name, f"{name}: {error}")

    def _job(self, name: str, data: bytes) -> IntakeJob:
        if name.endswith(_PRICE):
            return PriceRequest(name, **_texts(data, ("sku", "yuan"), ("valid_from",)))
        if name.endswith(_LETTER):
            wish = _texts(data, ("sequence", "action"), ("data", "note"))
            action = LetterAction(wish["action"])
            return LetterRequest(
                name, int(wish["sequence"]), action, wish.get("data", ""), wish.get("note", "")
            )
        if name.endswith(_RETURN):
            return ReturnRequest(name, **_texts(data, ("snapshot",), ()))
        if name.endswith(_WISH):
            return _wish(name, data)
        if not name.lower().endswith(_CATALOGUES):
            return RefusedFile(
                name, f"{name} is no catalogue; save it as .csv (docs/operations/catalogue.md)"
            )
        options = self.folder / (name + _OPTIONS)
        return CatalogueFile(
            name, data, _options(options.read_bytes()) if options.exists() else ImportOptions()
        )

    def _count_try(self, name: str) -> bool:
        """Write down one more try, before it is made; return whether it may be made."""
        path = self.folder / f"{name}.tries"
        tries = len(path.read_bytes()) if path.exists() else 0
        if tries >= MAX_TRIES:
            return False
        _write(path, b"." * (tries + 1))
        return True

    def _forget(self, name: str, *suffixes: str) -> None:
        for suffix in suffixes:
            (self.folder / (name + suffix)).unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    return name.startswith(".") or name.endswith(_OURS)


def _too_large(name: str, size: int) -> str:
    return f"{name} has {size >> 20} MiB, at most {MAX_BYTES >> 20} can be taken; split it"


def _texts(data: bytes, needed: tuple[str, ...], more: tuple[str, ...]) -> dict[str, str]:
    wanted = _object(data)
    for key in (*needed, *wanted):
        if key not in (*needed, *more) or not isinstance(wanted.get(key), str):
            raise ValueError(
                f"must hold the texts {', '.join(needed)} and nothing but {', '.join(more)} beside"
            )
    return {key: str(value) for key, value in wanted.items()}


def _wish(name: str, data: bytes) -> Wish:
    wanted = _object(data)
    if not isinstance(wanted.get("kind"), str) or not all(isinstance(one, str) for one in wanted.values()):
        raise ValueError("must hold the text kind, and texts beside it")
    texts = {key: str(value) for key, value in wanted.items()}
    return Wish(name, texts.pop("kind"), texts)


def _options(data: bytes) -> ImportOptions:
    wanted = _object(data)
    tenant = wanted.pop("only_tenant", None)
    known = asdict(ImportOptions()).keys()
    if not all(key in known and isinstance(value, bool) for key, value in wanted.items()):
        raise ValueError(f"its options must be among {', '.join(known)}")
    if not isinstance(tenant, str | None):
        raise ValueError("its option only_tenant must be a text")
    return ImportOptions(**{key: bool(value) for key, value in wanted.items()}, only_tenant=tenant)


def _object(data: bytes) -> dict[str, object]:
    wanted = json.loads(data)
    if not isinstance(wanted, Mapping):
        raise ValueError("must be a JSON object")
    return dict(wanted)


def _write(path: Path, data: bytes, sync: bool = True) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    part.replace(path)


def _keep_newest(folder: Path) -> None:
    """Delete all but the newest files with their reports."""
    reports = sorted(folder.glob("*" + _REPORT), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for report in reports[MAX_KEPT:]:
        report.with_name(report.name.removesuffix(_REPORT)).unlink(missing_ok=True)
        report.unlink()
