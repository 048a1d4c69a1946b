"""The content of a snapshot as the store has it: read in pieces, made whole from a delta and its base.

However large it is, a few hundred kilobytes of it are in memory at a time, and each write is one short unit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from edge.errors import Invalid
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.snapshot_delta import patched, read_steps
from edge.services.snapshot_manifest import Form, Manifest, checked, decode_manifest, unpacked
from edge.services.snapshot_records import REBUILT_FROM, SnapshotRow

#: Size of a rebuilt chunk, and how many are written in one unit.
CHUNK_BYTES = 64 * 1024
PUT_CHUNKS = 4

#: Quick rather than small: it is packed on the box and stays there.
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS


class Content(Protocol):
    """The whole content of one version."""

    @property
    def token(self) -> str:
        """What tells this content from every other: the SHA-256."""

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in pieces; raise Invalid when it is not what the manifest says."""

    def whole(self) -> bytes:
        """Return all of it; for kinds whose limit is small."""


class StoredContent:
    """Implements Content over the chunks in the store."""

    def __init__(self, store: Store, row: SnapshotRow) -> None:
        self._store = store
        self._row = row
        self.manifest: Manifest = decode_manifest(row.name, row.manifest)

    @property
    def token(self) -> str:
        """What tells this content from every other."""
        return self.manifest.sha256

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in pieces; raise Invalid when it is not what the manifest says."""
        if self.manifest.form is Form.DELTA and not self._row.rebuilt:
            raise Invalid(f"version {self._row.version} is a delta whose content was never rebuilt")
        return checked(self.manifest, unpacked(self._chunks(REBUILT_FROM if self._row.rebuilt else 0)))

    def whole(self) -> bytes:
        """Return all of it."""
        return b"".join(self.blocks())

    def check(self) -> None:
        """Read it once; raise Invalid when it is not what the manifest says."""
        for _ in self.blocks():
            pass

    def delta(self) -> Iterator[bytes]:
        """Yield the delta as it came, in pieces."""
        return unpacked(self._chunks(0))

    def _chunks(self, first: int) -> Iterator[bytes]:
        number = first
        while (data := self._chunk(number)) is not None:
            yield data
            number += 1

    def _chunk(self, number: int) -> bytes | None:
        name, version = self._row.name, self._row.version
        return self._store.read(lambda unit: unit.snapshots.chunk(name, version, number))


def rebuild(store: Store, row: SnapshotRow, base: SnapshotRow) -> None:
    """Make the whole content of a delta and keep it beside the delta; what a cut left of this is redone.

    Raises Invalid when base and delta do not give the content whose hash the manifest says.
    """
    while store.write(lambda unit: unit.snapshots.discard_rebuilt(row.name, row.version, PUT_CHUNKS)):
        pass
    content = StoredContent(store, row)
    blocks = patched(StoredContent(store, base).blocks(), read_steps(content.delta()))
    number, waiting = REBUILT_FROM, {}
    for data in _packed(checked(content.manifest, blocks)):
        waiting[number] = data
        number += 1
        if len(waiting) == PUT_CHUNKS:
            _put(store, row, waiting)
            waiting = {}
    _put(store, row, waiting, last=True)


def _put(store: Store, row: SnapshotRow, chunks: dict[int, bytes], last: bool = False) -> None:
    def work(unit: Unit) -> None:
        unit.snapshots.put_chunks(row.name, row.version, chunks)
        if last:
            unit.snapshots.mark_rebuilt(row.name, row.version)

    store.write(work)


def _packed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield chunks of one gzip stream."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    rest = b""
    for block in blocks:
        rest += packer.compress(block)
        while len(rest) >= CHUNK_BYTES:
            yield rest[:CHUNK_BYTES]
            rest = rest[CHUNK_BYTES:]
    rest += packer.flush()
    for at in range(0, len(rest), CHUNK_BYTES):
        yield rest[at : at + CHUNK_BYTES]
