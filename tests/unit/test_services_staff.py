"""PINs: who has it, what locks, what opens again."""

from __future__ import annotations

import pytest

from edge.errors import Invalid
from edge.services.staff import LOCK_MS, WRONG_BEFORE_LOCK, StaffBook, StaffMember, hash_pin
from sim.fakes.clock import FakeClock

WANG = StaffMember("王", "cashier", hash_pin("1234", b"salt-1"))
LI = StaffMember("李", "supervisor", hash_pin("98765", b"salt-2"))


def test_a_pin_opens_its_owner_only() -> None:
    book = StaffBook([WANG, LI], FakeClock())
    assert book.check("98765") == LI
    assert book.check("1234") == WANG
    assert book.check("4321") is None
    assert book.check("") is None


def test_wrong_pins_in_a_row_lock_all_for_a_minute_whatever_the_wall_clock_does() -> None:
    clock = FakeClock()
    book = StaffBook([WANG, LI], clock)
    for _ in range(WRONG_BEFORE_LOCK):
        assert book.check("0000") is None
    assert book.check("1234") is None
    clock.set_wall(86_400_000)
    clock.advance(LOCK_MS - 1)
    assert book.check("1234") is None
    clock.advance(1)
    assert book.check("1234") == WANG


def test_a_right_pin_in_between_starts_the_count_anew() -> None:
    book = StaffBook([WANG], FakeClock())
    for _ in range(WRONG_BEFORE_LOCK - 1):
        book.check("0000")
    assert book.check("1234") == WANG
    for _ in range(WRONG_BEFORE_LOCK - 1):
        book.check("0000")
    assert book.check("1234") == WANG


@pytest.mark.parametrize("pin", ["123", "1234567890123", "12a4", "١٢٣٤", ""])
def test_a_pin_that_is_too_weak_is_refused(pin: str) -> None:
    with pytest.raises(Invalid, match="4 to 12 digits"):
        hash_pin(pin, b"salt")


def test_the_same_pin_with_another_salt_has_another_hash() -> None:
    one, other = hash_pin("1234", b"a"), hash_pin("1234", b"b")
    assert one != other


@pytest.mark.parametrize("stored", ["1234", "$", "zz$00", hash_pin("1234", b"a")[:-1]])
def test_a_hash_that_is_none_is_refused_at_start_by_name(stored: str) -> None:
    with pytest.raises(Invalid, match="pin_hash of 王"):
        StaffBook([StaffMember("王", "cashier", stored)], FakeClock())
