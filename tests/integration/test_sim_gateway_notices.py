"""Callbacks of the simulated gateway: signed, encrypted, sent again by the real table, faulty on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import (
    NOTIFY_URL,
    Clock,
    Receiver,
    Rig,
    digits,
    open_receiver,
    open_rig,
)

#: Seconds between the tries, from the documents.
TABLE = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        yield rig


@pytest.fixture
def receiver(rig: Rig) -> Iterator[Receiver]:
    with open_receiver(rig) as receiver:
        yield receiver


def notices(rig: Rig) -> list[dict[str, Any]]:
    return list(rig.switch("/sim/notices")["notices"])


def state_of(rig: Rig, wanted: str) -> dict[str, Any]:
    """Wait until the newest callback is in that state; return it."""
    pause = threading.Event()
    for _ in range(300):
        newest = notices(rig)[0]
        if newest["state"] == wanted:
            return newest
        pause.wait(0.05)
    raise AssertionError(f"not {wanted}: {notices(rig)[0]}")


def plan(rig: Rig, fault: str, **more: object) -> None:
    answer = rig.switch("/sim/faults", {"call": "notify", "fault": fault} | more)
    assert answer["waiting"], answer


def test_a_payment_is_told_signed_and_encrypted_as_a_query_tells_it(rig: Rig, receiver: Receiver) -> None:
    rig.paid_order("T-000001")
    headers, body = receiver.wait(1)[0]
    assert receiver.told(0) == ("TRANSACTION.SUCCESS", rig.query("T-000001").json())
    value = json.loads(body)
    assert value["resource_type"] == "encrypt-resource"
    assert (value["resource"]["algorithm"], value["summary"]) == ("AEAD_AES_256_GCM", "支付成功")
    assert headers["wechatpay-signature-type"] == "WECHATPAY2-SHA256-RSA2048"
    assert state_of(rig, "taken")["event_type"] == "TRANSACTION.SUCCESS"


def test_a_payment_by_code_has_no_callback(rig: Rig, receiver: Receiver) -> None:
    rig.codepay("T-000001", rig.code(rig.wallet()))
    assert notices(rig) == []
    assert receiver.got == []


def test_what_is_not_taken_comes_again_by_the_table_sixteen_times_in_all(
    rig: Rig, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 99
    rig.paid_order("T-000001")
    for count, wait_s in enumerate(TABLE, 1):
        receiver.wait(count)
        due = wait_for_tries(rig, count)["next_at"]
        assert due == rig.clock.at + wait_s * 1000
        rig.clock.at = due
    receiver.wait(16)
    assert state_of(rig, "given_up")["next_at"] is None
    assert sum(TABLE) == 24 * 3600 + 4 * 60
    ids = {json.loads(body)["id"] for _, body in receiver.got}
    assert len(ids) == 1


def wait_for_tries(rig: Rig, count: int) -> dict[str, Any]:
    pause = threading.Event()
    for _ in range(300):
        newest = notices(rig)[0]
        # A try is written down when it goes out, its next time when its answer is in.
        if len(newest["tries"]) == count and newest["next_at"] > rig.clock.at:
            return newest
        pause.wait(0.02)
    raise AssertionError(f"no {count} tries: {notices(rig)[0]}")


def test_waits_can_be_shortened(rig: Rig, receiver: Receiver) -> None:
    assert rig.switch("/sim/notices", {"scale_ppm": 1000})["scale"] == 0.001
    receiver.statuses = [500]
    rig.paid_order("T-000001")
    receiver.wait(1)
    assert wait_for_tries(rig, 1)["next_at"] == rig.clock.at + 15


def test_an_answer_after_five_seconds_is_no_answer(rig: Rig, receiver: Receiver) -> None:
    receiver.holding = True
    rig.paid_order("T-000001")
    tries = wait_for_tries(rig, 1)["tries"]
    assert (tries[0]["status"], "timed out" in tries[0]["said"]) == (0, True)


def test_a_duplicate_comes_twice_under_one_id(rig: Rig, receiver: Receiver) -> None:
    plan(rig, "duplicate")
    rig.paid_order("T-000001")
    (_, first), (_, second) = receiver.wait(2)
    assert json.loads(first)["id"] == json.loads(second)["id"]


def test_a_late_one_waits(rig: Rig, receiver: Receiver) -> None:
    plan(rig, "late", delay_ms=90_000)
    rig.paid_order("T-000001")
    assert notices(rig)[0]["next_at"] == rig.clock.at + 90_000
    assert receiver.got == []
    rig.clock.at += 90_000
    receiver.wait(1)


def test_one_that_never_comes_is_known_to_the_tester_alone(rig: Rig, receiver: Receiver) -> None:
    plan(rig, "never")
    rig.paid_order("T-000001")
    assert state_of(rig, "never")["next_at"] is None
    repeated = rig.switch(f"/sim/notices/{notices(rig)[0]['notice_id']}", {})
    assert "error" not in repeated
    receiver.wait(1)


def test_out_of_order_means_after_the_next(rig: Rig, receiver: Receiver) -> None:
    plan(rig, "out_of_order", order_no="T-000001")
    rig.paid_order("T-000001")
    rig.paid_order("T-000002")
    receiver.wait(2)
    assert [receiver.told(each)[1]["out_trade_no"] for each in (0, 1)] == ["T-000002", "T-000001"]


def test_a_probe_comes_first_with_a_signature_that_is_wrong_on_purpose(rig: Rig, receiver: Receiver) -> None:
    plan(rig, "probe")
    receiver.statuses = [401, 204]
    rig.paid_order("T-000001")
    (probe, _), _ = receiver.wait(2)
    assert probe["wechatpay-signature"].startswith("WECHATPAY/SIGNTEST/")
    assert receiver.told(1)[0] == "TRANSACTION.SUCCESS"
    newest = state_of(rig, "taken")
    assert [(one["what"], one["status"]) for one in newest["tries"]][1:] == [
        ("probe", 401),
        ("genuine", 204),
    ]


@pytest.mark.parametrize(
    "fault", ["bad_signature", "stale_signature", "wrong_key", "unknown_serial", "no_signature"]
)
def test_a_forged_one_is_followed_by_a_genuine_one(rig: Rig, receiver: Receiver, fault: str) -> None:
    plan(rig, fault)
    receiver.statuses = [401]
    rig.paid_order("T-000001")
    headers, _ = receiver.wait(1)[0]
    if fault == "no_signature":
        assert "wechatpay-signature" not in headers
    elif fault == "unknown_serial":
        assert headers["wechatpay-serial"] not in (rig.who.public_key_id, rig.who.platform_serial)
    elif fault == "stale_signature":
        assert int(headers["wechatpay-timestamp"]) == rig.clock.at // 1000 - 301
    else:
        with pytest.raises((InvalidSignature, InvalidTag)):
            receiver.told(0)
    wait_for_tries(rig, 2)
    rig.clock.at += 15_000
    receiver.wait(2)
    assert receiver.told(1)[0] == "TRANSACTION.SUCCESS"


def test_with_both_modes_callbacks_take_turns_between_the_keys(rig: Rig, receiver: Receiver) -> None:
    rig.switch("/sim/settings", {"sign_with": "both"})
    for number in (1, 2):
        rig.paid_order(f"T-00000{number}")
        receiver.wait(number)
    serials = {headers["wechatpay-serial"] for headers, _ in receiver.got}
    assert serials == {rig.who.public_key_id, rig.who.platform_serial}


def test_what_was_not_taken_is_sent_after_a_restart(credentials: Credentials, tmp_path: Path) -> None:
    store, clock = tmp_path / "gateway.db", Clock()
    with open_rig(credentials, store, clock) as rig:
        rig.paid_order("T-000001")
        wait_for_tries(rig, 1)
        assert notices(rig)[0]["url"] == NOTIFY_URL
    with open_rig(credentials, store, clock) as rig, open_receiver(rig) as receiver:
        clock.at += 15_000
        receiver.wait(1)
        assert receiver.told(0)[1]["out_trade_no"] == "T-000001"
