"""Sessions of phones and what WeChat is to be told are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.services.phone_records import (
    MAX_KEYS,
    MAX_SESSIONS_OF_ONE,
    NoticeKind,
    PhoneNotice,
    PhoneSession,
    hash_token,
)
from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

AT = 1_795_312_800_000


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def phone(name: str, at: int = AT, **words: object) -> PhoneSession:
    made = PhoneSession(name, hash_token(name), "zh", at, at)
    return replace(made, **words)  # type: ignore[arg-type]


def put(store: Store, *sessions: PhoneSession) -> None:
    for one in sessions:
        store.write(lambda unit, one=one: unit.phones.put(one))  # type: ignore[misc]


def notice(name: str, order: str = "o-1", at: int = AT, **words: object) -> PhoneNotice:
    made = PhoneNotice(name, NoticeKind.HAND_OVER, order, f"420-{order}", "openid-a", "鞋 1 双", at, at)
    return replace(made, **words)  # type: ignore[arg-type]


def test_a_session_is_found_by_its_token_and_keeps_when_it_began(store: Store) -> None:
    put(store, phone("s-1"))
    put(store, replace(phone("s-1"), created_at=AT + 9, seen_at=AT + 9, openid="openid-a", scene=1011))
    found = store.read(lambda unit: unit.phones.by_token_hash(hash_token("s-1")))
    assert found == phone("s-1", seen_at=AT + 9, openid="openid-a", scene=1011)
    assert store.read(lambda unit: unit.phones.get("s-1")) == found
    assert store.read(lambda unit: unit.phones.by_token_hash(hash_token("s-2"))) is None


def test_an_order_is_found_at_who_is_busy_with_it_and_then_at_who_had_it_last(store: Store) -> None:
    put(store, phone("s-1", order_id="o-1"), phone("s-2", AT + 1, order_id="o-1"))
    put(store, phone("s-2", AT + 2))
    assert getattr(store.read(lambda unit: unit.phones.by_order("o-1")), "session_id", "") == "s-1"
    put(store, phone("s-1", AT + 3, order_id="o-2"))
    assert getattr(store.read(lambda unit: unit.phones.by_order("o-1")), "session_id", "") == "s-2"
    assert store.read(lambda unit: unit.phones.by_order("o-9")) is None


def test_a_basket_is_found_at_the_phone_that_is_busy_with_it(store: Store) -> None:
    put(store, phone("s-1", basket_id="b-1"))
    assert getattr(store.read(lambda unit: unit.phones.by_basket("b-1")), "session_id", "") == "s-1"
    put(store, phone("s-1"))
    assert store.read(lambda unit: unit.phones.by_basket("b-1")) is None


def test_an_order_is_its_sessions_and_that_of_the_same_shopper_on_another_phone(store: Store) -> None:
    mine = phone("s-1", openid="openid-a", order_id="o-1")
    put(store, mine, phone("s-9", order_id="o-9"))
    strangers = (phone("s-3", openid="openid-b"), phone("s-4"))
    asked = (mine, phone("s-2", openid="openid-a"), *strangers)
    assert [store.read(lambda unit, one=one: unit.phones.has_order(one, "o-1")) for one in asked] == [  # type: ignore[misc]
        True,
        True,
        False,
        False,
    ]
    assert not store.read(lambda unit: unit.phones.has_order(phone("s-4"), "o-9"))
    store.write(lambda unit: unit.phones.end("s-1"))
    assert store.read(lambda unit: unit.phones.has_order(phone("s-2", openid="openid-a"), "o-1"))


def test_the_key_of_a_tap_is_new_once(store: Store) -> None:
    put(store, phone("s-1"), phone("s-2"))
    assert store.write(lambda unit: unit.phones.first_time("s-1", "tap-0001", AT))
    assert not store.write(lambda unit: unit.phones.first_time("s-1", "tap-0001", AT + 5))
    assert store.write(lambda unit: unit.phones.first_time("s-2", "tap-0001", AT))


def test_only_the_latest_keys_of_a_session_are_known(store: Store) -> None:
    put(store, phone("s-1"))
    for number in range(MAX_KEYS + 1):
        store.write(lambda unit, n=number: unit.phones.first_time("s-1", f"tap-{n:04d}", AT + n))  # type: ignore[misc]
    assert not store.write(lambda unit: unit.phones.first_time("s-1", "tap-0001", AT + 900))
    assert store.write(lambda unit: unit.phones.first_time("s-1", "tap-0000", AT + 901))


def test_of_one_shopper_only_so_many_phones_stay_signed_in(store: Store) -> None:
    sessions = [phone(f"s-{n:02d}", AT + n, openid="openid-a") for n in range(MAX_SESSIONS_OF_ONE + 1)]
    put(store, phone("s-other", AT - 9, openid="openid-b"), *sessions)
    there = [store.read(lambda unit, one=one: unit.phones.get(one.session_id)) for one in sessions]  # type: ignore[misc]
    assert there[0] is None
    assert all(there[1:])
    assert store.read(lambda unit: unit.phones.get("s-other"))


def test_sessions_that_nobody_used_for_long_go_and_so_do_the_oldest_of_too_many(store: Store) -> None:
    put(store, *[phone(f"s-{n}", AT + n) for n in range(5)])
    assert store.write(lambda unit: unit.phones.tidy(AT + 1, 2)) == 3
    left = [n for n in range(5) if store.read(lambda unit, n=n: unit.phones.get(f"s-{n}"))]  # type: ignore[misc]
    assert left == [3, 4]
    assert store.write(lambda unit: unit.phones.tidy(AT + 1, 2)) == 0


def test_whose_an_order_was_is_forgotten_once_its_session_is_gone_and_it_is_old(store: Store) -> None:
    put(store, phone("s-1", openid="openid-a", order_id="o-1"), phone("s-2", AT + 9, openid="openid-a"))
    second = phone("s-2", openid="openid-a")
    store.write(lambda unit: unit.phones.tidy(AT + 1, 9))
    assert not store.read(lambda unit: unit.phones.has_order(second, "o-1"))


def test_phones_are_counted(store: Store) -> None:
    put(store, phone("s-1", openid="openid-a"), phone("s-2"))
    assert store.read(lambda unit: unit.phones.count()) == (2, 1)


def test_a_shopper_who_is_erased_leaves_no_openid(store: Store) -> None:
    put(store, phone("s-1", openid="openid-a", order_id="o-1"), phone("s-2", openid="openid-b"))
    store.write(lambda unit: unit.phone_notices.put(notice("n-1")))
    store.write(lambda unit: unit.phones.forget_openid("openid-a"))
    assert store.read(lambda unit: unit.phones.get("s-1")) is None
    assert store.read(lambda unit: unit.phone_notices.get("n-1")) is None
    assert not store.read(lambda unit: unit.phones.has_order(phone("s-3", openid="openid-a"), "o-1"))
    assert store.read(lambda unit: unit.phones.get("s-2"))


def test_a_wish_for_a_message_is_noted_once(store: Store) -> None:
    assert store.write(lambda unit: unit.phones.accept("o-1", "tmpl-b", AT))
    assert not store.write(lambda unit: unit.phones.accept("o-1", "tmpl-b", AT + 1))
    assert store.write(lambda unit: unit.phones.accept("o-1", "tmpl-a", AT))
    assert store.read(lambda unit: unit.phones.accepted("o-1")) == ("tmpl-a", "tmpl-b")


def test_notices_come_up_when_they_are_due_and_go_when_they_were_told(store: Store) -> None:
    for one in (
        notice("n-1", "o-1"),
        notice("n-2", "o-2", next_at=AT - 5),
        notice("n-3", "o-3", next_at=AT + 9),
    ):
        store.write(lambda unit, one=one: unit.phone_notices.put(one))  # type: ignore[misc]
    due = store.read(lambda unit: unit.phone_notices.due(AT, AT + 9, 10))
    assert [one.notice_id for one in due] == ["n-2", "n-1"]
    far = store.read(lambda unit: unit.phone_notices.due(AT, AT + 8, 10))
    assert [one.notice_id for one in far] == ["n-2", "n-1", "n-3"]
    store.write(lambda unit: unit.phone_notices.put(replace(due[0], done_at=AT, tries=1)))
    store.write(lambda unit: unit.phone_notices.put(replace(due[1], refused=True, why="47003")))
    assert store.read(lambda unit: unit.phone_notices.due(AT, AT + 9, 10)) == ()
    assert store.read(lambda unit: unit.phone_notices.waiting()) == (1, 1)
    assert [one.notice_id for one in store.read(lambda unit: unit.phone_notices.undone(9))] == ["n-3", "n-1"]
    assert store.write(lambda unit: unit.phone_notices.tidy(AT + 1)) == 2
    assert store.read(lambda unit: unit.phone_notices.get("n-3")) == notice("n-3", "o-3", next_at=AT + 9)


def test_there_is_one_notice_of_a_kind_for_an_orders_payment(store: Store) -> None:
    store.write(lambda unit: unit.phone_notices.put(notice("n-1")))
    found = store.read(lambda unit: unit.phone_notices.find(NoticeKind.HAND_OVER, "o-1", "420-o-1"))
    assert found == notice("n-1")
    assert store.read(lambda unit: unit.phone_notices.find(NoticeKind.MESSAGE, "o-1", "420-o-1")) is None
    with pytest.raises(Exception, match=r"already|UNIQUE"):
        store.write(lambda unit: unit.phone_notices.put(notice("n-2")))
