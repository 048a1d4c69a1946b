"""What a kind of snapshot is: how its content is checked and put in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.services.ports import Clock, Store
from edge.services.records import Unit
from edge.services.snapshot_content import Content

MIB = 1024 * 1024

Done = Callable[[Unit], None]


class SnapshotKind(Protocol):
    """One kind. name: as in the topics. max_bytes: of the content."""

    @property
    def name(self) -> str: ...
    @property
    def max_bytes(self) -> int: ...

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Put the content in force, all or nothing, and return one line that says what changed.

        done: to be called in the unit that shows the content, or in one right after it: then doing it all
        again changes nothing. returned: a person goes back to it. Raises Invalid for content that is wrong;
        nothing has changed then.
        """
