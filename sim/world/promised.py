"""Which promise of docs/promises.md a violation breaks: its number stands before the words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROMISES = Path(__file__).parents[2] / "docs/promises.md"
_ROW = re.compile(r"^\| (P\d+) \| (.*?) \|", re.M)
_NUMBER = re.compile(r"\b(P\d+): ")


def promised(number: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield each violation of a check with the promise that the check holds."""
    return (f"{number}: {line}" for line in lines)


def promises(path: Path = _PROMISES) -> dict[str, str]:
    """Return the promises' sentences by number; {} where the document is not at hand."""
    return dict(_ROW.findall(path.read_text())) if path.is_file() else {}


def broken(lines: Iterable[str], known: dict[str, str]) -> tuple[str, ...]:
    """Return each promise that these violations break, once, in words."""
    numbers = dict.fromkeys(found.group(1) for line in lines if (found := _NUMBER.search(line)))
    return tuple(f"{one}: {known.get(one, 'see docs/promises.md')}" for one in numbers)
