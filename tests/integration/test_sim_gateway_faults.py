"""Faults of the simulated gateway: per call, per order, before or after the effect; none that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import pytest
from cryptography.exceptions import InvalidSignature

from sim.gateway import Credentials, make_credentials
from sim.gateway.faults import CALL_FAULTS, Fault, FaultPlan, Rate
from tests.integration.sim_gateway_rig import Rig, digits, open_rig

NATIVE, REFUNDS = "/v3/pay/transactions/native", "/v3/refund/domestic/refunds"
AMOUNT = {"refund": 250, "total": 1250, "currency": "CNY"}
ASK = {"out_trade_no": "T-000001", "out_refund_no": "R1", "amount": AMOUNT}


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        rig.paid_order("T-000001")
        yield rig


def plan(rig: Rig, call: str, fault: str, **more: object) -> dict[str, object]:
    return dict(rig.switch("/sim/faults", {"call": call, "fault": fault} | more))


def refunding(rig: Rig) -> int:
    return rig.balance(f"refunds:{rig.who.mchid}")


@pytest.mark.parametrize(
    ("fault", "error", "moved"),
    [
        ("system_error_before", (500, "SYSTEM_ERROR", "0"), 0),
        ("system_error_after", (500, "SYSTEM_ERROR", "0"), 250),
        ("rate_limit", (429, "FREQUENCY_LIMITED", "268447840"), 0),
        ("duplicate", (200, "", "0"), 250),
        ("delay_before", (200, "", "0"), 250),
    ],
)
def test_an_answer_that_lies_about_the_effect(
    rig: Rig, fault: str, error: tuple[int, str, str], moved: int
) -> None:
    plan(rig, "refund", fault, delay_ms=10)
    assert rig.post(REFUNDS, ASK).error == error
    assert refunding(rig) == moved
    assert rig.post(REFUNDS, ASK).json()["status"] == "PROCESSING"
    assert refunding(rig) == 250


@pytest.mark.parametrize(
    ("fault", "seen", "moved"),
    [
        ("drop_before", RemoteDisconnected, 0),
        ("drop_after", RemoteDisconnected, 250),
        ("cut", IncompleteRead, 250),
        ("bad_signature", InvalidSignature, 250),
        ("stale_signature", InvalidSignature, 250),
        ("no_signature", AssertionError, 250),
    ],
)
def test_an_answer_that_cannot_be_used(rig: Rig, fault: str, seen: type[BaseException], moved: int) -> None:
    plan(rig, "refund", fault)
    with pytest.raises(seen):
        rig.post(REFUNDS, ASK)
    assert refunding(rig) == moved


def test_a_fault_of_one_order_lets_the_others_pass(rig: Rig) -> None:
    plan(rig, "native", "system_error_before", order_no="T-000003")
    assert rig.post(NATIVE, rig.order("T-000002")).status == 200
    assert rig.post(NATIVE, rig.order("T-000003")).status == 500
    assert rig.post(NATIVE, rig.order("T-000003")).status == 200
    plan(rig, "query", "system_error_before", order_no="T-000003")
    assert (rig.query("T-000002").status, rig.query("T-000003").status) == (200, 500)
    plan(rig, "refund", "rate_limit", order_no="T-000001")
    assert rig.post(REFUNDS, ASK).status == 429


def test_a_wrong_amount_and_a_wrong_order_are_signed_rightly(rig: Rig) -> None:
    plan(rig, "query", "wrong_amount")
    assert rig.query("T-000001").json()["amount"]["total"] == 1251
    plan(rig, "query", "wrong_order")
    assert rig.query("T-000001").json()["out_trade_no"] == "another-order"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"call": "refund", "fault": "late"}, "late cannot happen to refund"),
        ({"call": "notify", "fault": "cut"}, "cut cannot happen to notify"),
        ({"call": "nothing", "fault": "cut"}, "call must be one of"),
        ({"call": "refund", "fault": "cut", "order_no": 7}, "order_no must be a text"),
    ],
)
def test_what_cannot_happen_is_refused(rig: Rig, body: dict[str, object], says: str) -> None:
    assert says in rig.switch("/sim/faults", body)["error"]
    assert rig.switch("/sim/faults")["waiting"] == []


def test_a_rate_is_about_what_it_says_and_has_every_kind_in_it() -> None:
    plan = FaultPlan()
    plan.set_rates(Rate(seed=1, per_mille=50))
    drawn = [plan.take("codepay") for _ in range(20_000)]
    happened = [one for one in drawn if one is not None]
    assert 900 <= len(happened) <= 1100
    assert {one.fault for one in happened} == set(CALL_FAULTS)
    assert sum(plan.done().values()) == len(happened)
    assert plan.take("notify") is None, "callbacks only when they are named"


def test_a_seed_draws_the_same_however_calls_are_mixed() -> None:
    alone, mixed = FaultPlan(), FaultPlan()
    for each in (alone, mixed):
        each.set_rates(Rate(seed=3, per_mille=500), Rate(3, 500, ("notify",), (Fault.LATE, Fault.NEVER)))
    first = [alone.take("query") for _ in range(50)]
    second = []
    for _ in range(50):
        mixed.take("refund")
        second.append(mixed.take("query"))
        told = mixed.take("notify")
        assert told is None or told.fault in (Fault.LATE, Fault.NEVER)
    assert first == second


@pytest.mark.parametrize(
    "body", [{"per_mille": 1001}, {"per_mille": 5, "faults": ["x"]}, {}, {"per_mille": 1, "x": 1}]
)
def test_a_rate_that_cannot_be_is_refused(rig: Rig, body: dict[str, object]) -> None:
    assert "error" in rig.switch("/sim/fault-rates", body)
    assert rig.server.faults.rates() == ()


def test_clearing_ends_faults_and_rates(rig: Rig) -> None:
    plan(rig, "refund", "drop_before")
    rig.switch("/sim/fault-rates", {"per_mille": 1000, "faults": ["drop_before"]})
    with pytest.raises((HTTPException, OSError)):
        rig.query("T-000001")
    rig.raw("DELETE", "/sim/faults", b"", {})
    assert rig.post(REFUNDS, ASK).status == 200


@pytest.mark.parametrize("fault", [fault for fault in CALL_FAULTS if not fault.startswith("drop")])
def test_every_fault_has_an_answer_for_every_kind_of_answer(rig: Rig, fault: Fault) -> None:
    rig.post(NATIVE, rig.order("T-000002"))
    close = "/v3/pay/transactions/out-trade-no/T-000002/close"
    body = b'{"mchid":"' + rig.who.mchid.encode() + b'"}'
    for token in (rig.token("POST", close, body), "nothing"):
        plan(rig, "close", fault, delay_ms=1)
        try:
            status = rig.raw("POST", close, body, {"Authorization": token}).status
        except (InvalidSignature, IncompleteRead):
            continue
        assert status in (200, 204, 400, 401, 429, 500)
    assert rig.switch("/sim/faults")["waiting"] == []
