"""What doctor says of WeChat Pay's keys, and how the service fetches them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.duties.renewing_keys import RenewingKeys
from edge.errors import Invalid, Unavailable
from edge.gateways.wechat_pay.settings import load_api_v3_key


class Gateway:
    """Gives out one new key, after a first failure."""

    name = "wechat_pay"

    def __init__(self) -> None:
        self.asked = 0
        self.answered = threading.Event()

    def refresh_certificates(self) -> tuple[str, ...]:
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("no answer")
        self.answered.set()
        return ("AA01",)


def test_keys_are_fetched_at_start_and_again_soon_after_a_failure() -> None:
    gateway = Gateway()
    (worker,) = RenewingKeys([gateway]).workers()
    worker.start()
    try:
        assert gateway.answered.wait(10)
    finally:
        worker.stop()
        assert worker.join(10)
    assert gateway.asked == 2


def test_without_a_gateway_that_gives_keys_out_there_is_nothing_to_do() -> None:
    assert RenewingKeys([]).workers() == []


def test_the_apiv3_key_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "apiv3_key.txt"
    path.write_bytes(b"0" * 32 + b"\n")
    path.chmod(0o600)
    assert load_api_v3_key(path) == b"0" * 32
    path.write_bytes(b"0" * 31)
    with pytest.raises(Invalid, match=r"apiv3_key\.txt does not hold an APIv3 key of 32 characters"):
        load_api_v3_key(path)
