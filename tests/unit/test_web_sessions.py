from __future__ import annotations

from itertools import count

from edge.web.staff.sessions import MAX_SESSIONS, StaffSessions


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sessions(seconds: Seconds) -> StaffSessions:
    numbers = count()
    return StaffSessions(600, seconds, lambda: f"token-{next(numbers)}")


def test_a_session_lives_while_it_is_used_and_ends_when_idle() -> None:
    seconds = Seconds()
    staff = sessions(seconds)
    token = staff.open("Li Min")
    for seconds.now in (500, 1000, 1500):
        assert staff.find(token) == "Li Min"
    seconds.now = 2101
    assert staff.find(token) is None


def test_looking_without_using_keeps_no_session_alive() -> None:
    seconds = Seconds()
    staff = sessions(seconds)
    token = staff.open("Li Min")
    for seconds.now in (300, 600):
        assert staff.find(token, used=False) == "Li Min"
    seconds.now = 601
    assert staff.find(token, used=False) is None


def test_beyond_the_limit_the_session_idle_longest_ends() -> None:
    seconds = Seconds()
    staff = sessions(seconds)
    tokens = [staff.open("Li Min") for _ in range(MAX_SESSIONS)]
    staff.find(tokens[0])
    staff.open("Wang Fang")
    assert staff.find(tokens[0]) == "Li Min"
    assert staff.find(tokens[1]) is None


def test_unknown_tokens_belong_to_nobody() -> None:
    assert sessions(Seconds()).find("") is None
