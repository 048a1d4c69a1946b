"""What HQ says of a snapshot before it sends it: version, moment, size, and the hash of every part. Pure.

The content is compressed by gzip as one stream and that stream is cut into chunks. Each chunk is checked
by its own hash when it comes and the whole by its hash before it is applied. docs/protocols/snapshots.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from edge.errors import Invalid

#: The largest manifest, chunk and number of chunks, and the largest content of any kind, unpacked.
MAX_MANIFEST_BYTES = 128 * 1024
MAX_CHUNK_BYTES = 128 * 1024
MAX_CHUNKS = 1_000
MAX_CONTENT_BYTES = 256 * 1024 * 1024

#: The largest version, and the latest moment (Unix milliseconds) that is believed: the year 5138.
MAX_VERSION = 10**15
MAX_AT = 10**14

#: What a name may be; it stands in topics.
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a snapshot. valid_from: Unix milliseconds, 0 for at once. sha256, size: of the content.

    chunk_bytes: size of each chunk but the last, which may be smaller. chunks: SHA-256 of each, in order.
    """

    name: str
    version: int
    valid_from: int
    sha256: str
    size: int
    chunk_bytes: int
    chunks: tuple[str, ...]

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
    for field, only in (("form", "full"), ("encoding", "gzip")):
        if said.get(field) != only:
            raise Invalid(f"the manifest's {field} is {said.get(field)!r:.40}; this box takes {only} alone")
    chunks = said.get("chunks")
    if not isinstance(chunks, list) or not 1 <= len(chunks) <= MAX_CHUNKS:
        raise Invalid(f"the manifest's chunks must be a list of 1 to {MAX_CHUNKS} hashes")
    return Manifest(
        name,
        _number(said, "version", 1, MAX_VERSION),
        _number(said, "valid_from", 0, MAX_AT),
        _hash(said.get("sha256"), "sha256"),
        _number(said, "size", 1, MAX_CONTENT_BYTES),
        _number(said, "chunk_bytes", 1, MAX_CHUNK_BYTES),
        tuple(_hash(one, "one of chunks") for one in chunks),
    )


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as HQ would say it; `decode_manifest` reads it back."""
    said = {"form": "full", "encoding": "gzip", **asdict(manifest)}
    return json.dumps(said, separators=(",", ":")).encode()


def unpack(manifest: Manifest, chunks: Sequence[bytes]) -> bytes:
    """Return the content; raise Invalid unless it is what the manifest says. Needs `size` bytes, not more."""
    unpacker = zlib.decompressobj(_GZIP)
    content = bytearray()
    try:
        for chunk in chunks:
            # One byte more than there may be is enough to see a content that is too long.
            content += unpacker.decompress(chunk, manifest.size - len(content) + 1)
            if len(content) > manifest.size or unpacker.unconsumed_tail:
                raise Invalid(f"the content is longer than the {manifest.size} bytes that the manifest says")
    except zlib.error as error:
        raise Invalid(f"the chunks are no gzip stream: {error}") from error
    if not unpacker.eof or len(content) != manifest.size:
        raise Invalid(f"the content has {len(content)} bytes, the manifest says {manifest.size}")
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise Invalid("the content's SHA-256 is not the one that the manifest says")
    return bytes(content)


def _number(said: dict[str, object], field: str, least: int, most: int) -> int:
    value = said.get(field)
    if type(value) is not int or not least <= value <= most:
        raise Invalid(f"the manifest's {field} must be a whole number {least} to {most}, got {value!r:.40}")
    return value


def _hash(value: object, field: str) -> str:
    if not isinstance(value, str) or _SHA256.fullmatch(value) is None:
        raise Invalid(f"the manifest's {field} must be a SHA-256 of 64 hex digits, got {value!r:.80}")
    return value
