"""What a process did to the files of one folder, in order: recorded by strace, read as operations.

Only what reaches the kernel counts, so this sees SQLite as it is. What is written to standard output is the
process's own word about what it has acknowledged, at its place among the writes.
Source: strace(1); path_resolution(7).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_CALLS = (
    "openat,close,dup,pwrite64,pwritev,write,writev,ftruncate,fallocate,fsync,fdatasync,unlink,unlinkat,"
    "rename,renameat,renameat2,copy_file_range,sendfile"
)
_LINE = re.compile(r"(\w+)\((.*)\) += +(-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NUMBERS = re.compile(r"(?<=, )\d+(?=$|, )")

#: Longest text that strace is to show whole; a page of SQLite is 4 KiB and writes are of some pages at most.
_LONGEST = 1 << 20

#: Calls that change a file and that nothing here models; a workload that makes one cannot be judged.
_UNMODELLED = frozenset({"pwritev", "writev", "copy_file_range", "sendfile"})


class Did(StrEnum):
    """What was done: to a file's content, to the folder's entries, a sync of either, or a word was SAID."""

    CREATE = "create"
    WRITE = "write"
    RESIZE = "resize"
    SYNC = "sync"
    SYNC_FOLDER = "sync_folder"
    UNLINK = "unlink"
    RENAME = "rename"
    SAID = "said"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing done. file: number of a file, new for each that was created. name, new_name: in the folder.

    offset: of a WRITE, or the new size of a RESIZE. data: of a WRITE or what was SAID.
    """

    did: Did
    file: int = 0
    name: str = ""
    offset: int = 0
    data: bytes = b""
    new_name: str = ""


class Untraceable(Exception):
    """The process could not be traced, or did what this cannot read; says what."""


def can_trace() -> str:
    """Return "" when strace works here, else why not."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:200]}"


def record(command: Sequence[str], folder: Path, out: Path) -> tuple[Operation, ...]:
    """Run `command` under strace and return what it did in `folder`; those there are 1, 2 ... by name.

    out: where strace writes. Raises Untraceable when it cannot, or when the command fails.
    """
    present = {path.name: number for number, path in enumerate(sorted(folder.iterdir()), 1)}
    ended = subprocess.run(
        [
            "strace",
            "-xx",
            "-s",
            str(_LONGEST),
            "-e",
            f"trace={_CALLS}",
            "-e",
            "signal=none",
            "-o",
            str(out),
            *command,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise Untraceable(f"{command[0]} under strace ended with {ended.returncode}: {ended.stderr[-2000:]}")
    with out.open(encoding="ascii") as lines:
        return tuple(_Reading(folder, present).operations(lines))


@dataclass(slots=True)
class _Reading:
    """What is open while a record is read. files: number by name; open: by descriptor, 0 the folder."""

    folder: Path
    files: dict[str, int]
    open: dict[int, int] = field(default_factory=dict)
    newest: int = 0

    def __post_init__(self) -> None:
        self.newest = len(self.files)

    def operations(self, lines: Iterator[str]) -> Iterator[Operation]:
        for line in lines:
            match = _LINE.match(line)
            if match is None:
                continue
            call, inside, result = match[1], match[2], int(match[3])
            if result < 0:
                continue
            yield from self._read(call, inside, result)

    def _read(self, call: str, inside: str, result: int) -> Iterator[Operation]:
        if call == "openat":
            yield from self._opened(inside, result)
        elif call.startswith(("unlink", "rename")):
            yield from self._renamed(
                call, [bytes.fromhex(one.replace("\\x", "")).decode() for one in _TEXT.findall(inside)]
            )
        else:
            yield from self._by_descriptor(call, inside, result)

    def _opened(self, inside: str, descriptor: int) -> Iterator[Operation]:
        path = _first_text(inside).decode()
        self.open.pop(descriptor, None)
        if Path(path) == self.folder:
            self.open[descriptor] = 0
            return
        name = self._name(path)
        if not name:
            return
        if name not in self.files:
            self.newest += 1
            self.files[name] = self.newest
            yield Operation(Did.CREATE, self.newest, name)
        self.open[descriptor] = self.files[name]
        if "O_TRUNC" in inside:
            yield Operation(Did.RESIZE, self.files[name], name)

    def _renamed(self, call: str, paths: list[str]) -> Iterator[Operation]:
        name = self._name(paths[0])
        if not name or name not in self.files:
            return
        number = self.files.pop(name)
        if call.startswith("unlink"):
            yield Operation(Did.UNLINK, number, name)
            return
        new_name = self._name(paths[1])
        if not new_name:
            raise Untraceable(f"{name} was moved out of the folder")
        self.files[new_name] = number
        yield Operation(Did.RENAME, number, name, new_name=new_name)

    def _by_descriptor(self, call: str, inside: str, result: int) -> Iterator[Operation]:
        descriptor = int(inside.split(",", 1)[0])
        if call == "write" and descriptor == 1:
            yield Operation(Did.SAID, data=_first_text(inside))
            return
        number = self.open.get(descriptor)
        if number is None:
            return
        if call == "close":
            del self.open[descriptor]
        elif call == "dup":
            self.open[result] = number
        elif call in ("fsync", "fdatasync"):
            yield Operation(Did.SYNC if number else Did.SYNC_FOLDER, number)
        else:
            yield _changed(call, inside, number, result)

    def _name(self, path: str) -> str:
        """Return a path's name in the folder, "" for elsewhere; the log's index (-shm) is memory only."""
        found = Path(path)
        return found.name if found.parent == self.folder and not found.name.endswith("-shm") else ""


def _changed(call: str, inside: str, number: int, result: int) -> Operation:
    numbers = [int(one) for one in _NUMBERS.findall(inside)]
    if call == "pwrite64":
        return Operation(Did.WRITE, number, offset=numbers[-1], data=_first_text(inside)[:result])
    if call == "ftruncate":
        return Operation(Did.RESIZE, number, offset=numbers[-1])
    if call == "fallocate":
        return Operation(Did.RESIZE, number, offset=numbers[-2] + numbers[-1])
    problem = "nothing models it" if call in _UNMODELLED else "its place in the file is not known"
    raise Untraceable(f"{call} to a file of the folder: {problem}")


def _first_text(inside: str) -> bytes:
    match = _TEXT.search(inside)
    if match is None:
        raise Untraceable(f"a text was cut short: {inside[:80]}")
    return bytes.fromhex(match[1].replace("\\x", ""))
