"""What HQ says of snapshots waits for the worker: chunks up to a limit, a manifest until it is noted."""

from __future__ import annotations

from edge.hq.connection import Incoming, Saying
from edge.hq.snapshots import MAX_NAMES, MAX_WAITING, SnapshotDesk
from edge.hq.topics import Topics
from edge.services.events import Origin

TOPICS = Topics(Origin("demo-mall", "edge-1"))


def desk() -> SnapshotDesk:
    def say(saying: Saying) -> bool:
        return True

    return SnapshotDesk(TOPICS, say)


def hear(it: SnapshotDesk, name: str, payload: bytes, chunk: str = "") -> None:
    it.hear(Incoming(TOPICS.manifest(name) + chunk, payload))


def test_a_manifest_is_handed_out_until_it_is_noted() -> None:
    it = desk()
    hear(it, "prices", b"1")
    [manifest] = it.take(8)
    assert it.take(8) == [manifest]
    it.noted(manifest)
    assert it.take(8) == []


def test_a_newer_manifest_takes_the_place_of_one_that_is_just_being_noted() -> None:
    it = desk()
    hear(it, "prices", b"1")
    [first] = it.take(8)
    hear(it, "prices", b"2")
    it.noted(first)
    assert [one.payload for one in it.take(8)] == [b"2"]


def test_chunks_that_crowd_the_desk_drop_no_manifest() -> None:
    it = desk()
    for number in range(MAX_WAITING + 3):
        hear(it, "prices", b"x", f"/chunk/1/{number}")
    hear(it, "lists", b"manifest")
    assert it.dropped == 3
    assert it.take(2)[0].payload == b"manifest"


def test_names_without_end_are_dropped_beyond_a_limit() -> None:
    it = desk()
    for number in range(MAX_NAMES + 2):
        hear(it, f"kind-{number}", b"{}")
    hear(it, "kind-0", b"newer")
    assert it.dropped == 2
    assert it.take(1)[0].payload == b"newer"
