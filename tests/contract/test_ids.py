"""What every source of ids promises."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable

import pytest

from edge.ids import TimeOrderedIds
from edge.services.ports import IdSource
from sim.fakes.clock import START_AT, FakeClock
from sim.fakes.ids import FakeIds


@pytest.fixture(params=[FakeIds, lambda: TimeOrderedIds(lambda: START_AT)], ids=["fake", "real"])
def ids(request: pytest.FixtureRequest) -> IdSource:
    make: Callable[[], IdSource] = request.param
    return make()


def test_ids_of_one_millisecond_sort_as_they_were_made(ids: IdSource) -> None:
    made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_uuid_of_version_7(ids: IdSource) -> None:
    text = ids.new_id()
    parsed = uuid.UUID(text)
    assert (str(parsed), parsed.version, parsed.variant) == (text, 7, uuid.RFC_4122)


def test_tokens_are_22_url_safe_characters_and_differ(ids: IdSource) -> None:
    made = {ids.new_token() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", token) for token in made)


def test_an_id_without_its_dashes_can_be_a_merchants_order_number(ids: IdSource) -> None:
    assert re.fullmatch(r"[0-9A-Za-z_\-*]{6,32}", ids.new_id().replace("-", ""))


def test_ids_keep_their_order_when_the_clock_is_set_back() -> None:
    clock = FakeClock()
    ids = TimeOrderedIds(lambda: clock.now().wall_at)
    first = ids.new_id()
    clock.set_wall(-3_600_000)
    second = ids.new_id()
    clock.set_wall(3_600_001)
    assert first < second < ids.new_id()


def test_ids_go_on_after_those_of_a_former_process_whose_clock_was_ahead() -> None:
    before = TimeOrderedIds(lambda: START_AT).new_id()
    after = TimeOrderedIds(lambda: START_AT - 3_600_000)
    after.continue_after(before)
    assert after.new_id() > before
    with pytest.raises(ValueError, match="invalid literal"):
        after.continue_after("no id at all")


def test_threads_never_get_the_same_id() -> None:
    ids = TimeOrderedIds(lambda: START_AT)
    made: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(ids.new_id() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for into in made for one in into}) == 8_000
    assert all(into == sorted(into) for into in made)
