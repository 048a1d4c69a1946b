"""What HQ says of a snapshot before it sends it: version, moment, size, and the hash of every part. Pure.

The content, or in the delta form the steps from its base, are compressed by gzip as one stream and that
stream is cut into chunks. Each chunk is checked by its own hash when it comes and the whole content by its
hash before it is applied, whatever its form. docs/protocols/snapshots.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from edge.errors import Invalid

#: The largest manifest, chunk and number of chunks, and the largest content of any kind, unpacked.
MAX_MANIFEST_BYTES = 128 * 1024
MAX_CHUNK_BYTES = 128 * 1024
MAX_CHUNKS = 1_000
MAX_CONTENT_BYTES = 256 * 1024 * 1024

#: The most that is unpacked at a time.
BLOCK_BYTES = 64 * 1024

#: The largest version, and the latest moment (Unix milliseconds) that is believed: the year 5138.
MAX_VERSION = 10**15
MAX_AT = 10**14

#: What a name may be; it stands in topics.
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS


class Form(StrEnum):
    """What the chunks hold: the whole content, or the steps to it from that of an earlier version."""

    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a snapshot. valid_from: Unix milliseconds, 0 for at once.

    sha256, size: of the whole content, in the delta form too. chunk_bytes: size of each chunk but the last,
    which may be smaller. chunks: SHA-256 of each, in order. base: the version that a delta starts from.
    """

    name: str
    version: int
    valid_from: int
    sha256: str
    size: int
    chunk_bytes: int
    chunks: tuple[str, ...]
    form: Form = Form.FULL
    base: int | None = None

    def fits(self, number: int, data: bytes) -> bool:
        """Return whether `data` is chunk `number`, counted from 0."""
        if not 0 <= number < len(self.chunks) or len(data) > self.chunk_bytes:
            return False
        return hashlib.sha256(data).hexdigest() == self.chunks[number]


def decode_manifest(name: str, payload: bytes) -> Manifest:
    """Return the manifest of snapshot `name`; raise Invalid naming what is wrong.

    Unknown fields are ignored, so that HQ may grow.
    """
    if len(payload) > MAX_MANIFEST_BYTES:
        raise Invalid(f"the manifest has {len(payload)} bytes, {MAX_MANIFEST_BYTES} at most")
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the manifest is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise Invalid(f"the manifest must be an object, got {type(said).__name__}")
    for field, known in (("form", list(Form)), ("encoding", ["gzip"])):
        if said.get(field) not in known:
            words = " or ".join(known)
            raise Invalid(f"the manifest's {field} is {said.get(field)!r:.40}; this box takes {words} alone")
    chunks = said.get("chunks")
    if not isinstance(chunks, list) or not 1 <= len(chunks) <= MAX_CHUNKS:
        raise Invalid(f"the manifest's chunks must be a list of 1 to {MAX_CHUNKS} hashes")
    version, form = _number(said, "version", 1, MAX_VERSION), Form(said["form"])
    return Manifest(
        name,
        version,
        _number(said, "valid_from", 0, MAX_AT),
        _hash(said.get("sha256"), "sha256"),
        _number(said, "size", 1, MAX_CONTENT_BYTES),
        _number(said, "chunk_bytes", 1, MAX_CHUNK_BYTES),
        tuple(_hash(one, "one of chunks") for one in chunks),
        form,
        _number(said, "base", 1, version - 1) if form is Form.DELTA else None,
    )


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as HQ would say it; `decode_manifest` reads it back."""
    said = {"encoding": "gzip", **asdict(manifest)}
    if manifest.base is None:
        del said["base"]
    return json.dumps(said, separators=(",", ":")).encode()


def unpack(manifest: Manifest, chunks: Sequence[bytes]) -> bytes:
    """Return the content; raise Invalid unless it is what the manifest says. Needs `size` bytes, not more."""
    return b"".join(checked(manifest, unpacked(chunks)))


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is in the chunks, `BLOCK_BYTES` at a time; raise Invalid unless it is one gzip stream."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting:
                yield unpacker.decompress(waiting, BLOCK_BYTES)
                waiting = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:
                    raise Invalid("the chunks go on after the end of their gzip stream")
        while not unpacker.eof and (block := unpacker.decompress(b"", BLOCK_BYTES)):
            yield block
    except zlib.error as error:
        raise Invalid(f"the chunks are no gzip stream: {error}") from error
    if not unpacker.eof:
        raise Invalid("the chunks end in the middle of their gzip stream")


def checked(manifest: Manifest, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks; raise Invalid as soon as they are not the whole content that the manifest says."""
    size, digest = 0, hashlib.sha256()
    for block in blocks:
        size += len(block)
        if size > manifest.size:
            raise Invalid(f"the content is longer than the {manifest.size} bytes that the manifest says")
        digest.update(block)
        yield block
    if size != manifest.size:
        raise Invalid(f"the content has {size} bytes, the manifest says {manifest.size}")
    if digest.hexdigest() != manifest.sha256:
        raise Invalid("the content's SHA-256 is not the one that the manifest says")


def _number(said: dict[str, object], field: str, least: int, most: int) -> int:
    value = said.get(field)
    if type(value) is not int or not least <= value <= most:
        raise Invalid(f"the manifest's {field} must be a whole number {least} to {most}, got {value!r:.40}")
    return value


def _hash(value: object, field: str) -> str:
    if not isinstance(value, str) or _SHA256.fullmatch(value) is None:
        raise Invalid(f"the manifest's {field} must be a SHA-256 of 64 hex digits, got {value!r:.80}")
    return value
