"""Profit sharing at the simulated gateway: frozen money goes on, goes free or comes back, and adds up."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.gateway import Credentials, make_credentials
from sim.gateway.ledger import WORLD, Why
from sim.gateway.merchants import Merchant
from sim.gateway.messages import Refusal
from sim.gateway.office import Office, make_office
from sim.gateway.orders import Charge, Order
from sim.gateway.profit_sharing_books import ShareBooks
from sim.gateway.profit_sharing_records import SCHEMA, Returned, Wish
from sim.gateway.refund_books import Asked
from sim.gateway.store import Store
from sim.gateway.wallets import Habit
from tests.integration.sim_gateway_rig import NOTIFY_URL, Answer, Clock, Rig, digits, open_receiver, open_rig

BASE = "/v3/profitsharing"
TENANT, NAME = "1900000301", "一楼茶店 Tea"
OAEP = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        rig.switch("/sim/merchants", {"mchid": TENANT, "name": NAME})
        yield rig


def hidden(rig: Rig, text: str) -> str:
    key = rig.platform_key(rig.who.public_key_id)
    return base64.b64encode(key.encrypt(text.encode(), OAEP)).decode()


def add(rig: Rig, account: str = TENANT, kind: str = "MERCHANT_ID", **changed: object) -> Answer:
    name = {"name": hidden(rig, NAME)} if kind == "MERCHANT_ID" else {}
    body = {
        "appid": rig.who.appid,
        "type": kind,
        "account": account,
        "relation_type": "STORE",
        **name,
    } | changed
    wanted = {key: value for key, value in body.items() if value is not None}
    return rig.post(BASE + "/receivers/add", wanted, Wechatpay_Serial=rig.who.public_key_id)


def paid(rig: Rig, order_no: str = "T-000001", total: int = 10_000, frozen: bool = True) -> str:
    wallet = rig.wallet()
    body = rig.order(order_no, wallet["openid"], total, settle_info={"profit_sharing": frozen})
    prepay = rig.post("/v3/pay/transactions/jsapi", body).json()["prepay_id"]
    assert rig.pay_by_phone(wallet, prepay)["state"] == "paid"
    return str(rig.query(order_no).json()["transaction_id"])


def share(
    rig: Rig, transaction: str, number: str = "S1", *parts: int, rest: bool = False, **changed: object
) -> Answer:
    receivers = [
        {"type": "MERCHANT_ID", "account": TENANT, "amount": fen, "description": "佣金"} for fen in parts
    ]
    body = {
        "appid": rig.who.appid,
        "transaction_id": transaction,
        "out_order_no": number,
        "unfreeze_unsplit": rest,
        **({"receivers": receivers} if receivers else {}),
    } | changed
    return rig.post(BASE + "/orders", body)


def ask(rig: Rig, transaction: str, number: str = "S1") -> Any:
    return rig.get(f"{BASE}/orders/{number}?transaction_id={transaction}").json()


def left(rig: Rig, transaction: str) -> int:
    return int(rig.get(f"{BASE}/transactions/{transaction}/amounts").json()["unsplit_amount"])


def test_a_share_waits_then_arrives_and_the_rest_stays_frozen(rig: Rig) -> None:
    added = add(rig).json()
    assert (added["account"], added["relation_type"]) == (TENANT, "STORE")
    assert rig.key.decrypt(base64.b64decode(added["name"]), OAEP).decode() == NAME
    transaction = paid(rig)
    mall = rig.who.mchid
    assert (rig.balance(f"frozen:{mall}"), rig.balance(f"merchant:{mall}")) == (10_000, 0)
    rig.clock.at += 60_000
    told = share(rig, transaction, "S1", 3_000).json()
    assert (told["state"], told["receivers"][0]["result"]) == ("PROCESSING", "PENDING")
    assert left(rig, transaction) == 7_000
    rig.clock.at += 1_000
    told = ask(rig, transaction)
    part = told["receivers"][0]
    assert (told["state"], part["result"], part["amount"]) == ("FINISHED", "SUCCESS", 3_000)
    assert "finish_time" in part
    assert rig.balance(f"merchant:{TENANT}") == 3_000
    assert (rig.balance(f"frozen:{mall}"), rig.balance(f"sharing:{mall}")) == (7_000, 0)


def test_the_rest_goes_free_with_a_share_by_a_call_or_after_thirty_days(rig: Rig) -> None:
    add(rig)
    one, two, three = (paid(rig, f"T-00000{number}") for number in (1, 2, 3))
    rig.clock.at += 60_000
    share(rig, one, "S1", 1_000, rest=True)
    body = {"transaction_id": two, "out_order_no": "S2", "description": "解冻"}
    assert rig.post(BASE + "/orders/unfreeze", body).json()["state"] == "PROCESSING"
    rig.clock.at += 1_000
    parts = ask(rig, one)["receivers"]
    assert [(part["account"], part["amount"]) for part in parts] == [(TENANT, 1_000), (rig.who.mchid, 9_000)]
    assert ask(rig, two, "S2")["receivers"][0]["amount"] == 10_000
    assert (left(rig, one), left(rig, two), left(rig, three)) == (0, 0, 10_000)
    again = {**body, "out_order_no": "S3"}
    assert rig.post(BASE + "/orders/unfreeze", again).error == (403, "NOT_ENOUGH", "0")
    rig.clock.at += 30 * 86_400_000
    rig.server.tick()
    assert left(rig, three) == 0
    assert rig.balance(f"merchant:{rig.who.mchid}") == 29_000
    assert "期限" in share(rig, three, "S4", 1).json()["message"]


def test_the_same_number_again_shares_once_and_with_other_figures_not_at_all(rig: Rig) -> None:
    add(rig)
    transaction = paid(rig)
    rig.clock.at += 60_000
    first = share(rig, transaction, "S1", 1_000).json()
    assert share(rig, transaction, "S1", 1_000).json()["order_id"] == first["order_id"]
    assert share(rig, transaction, "S1", 1_001).error == (400, "INVALID_REQUEST", "268498688")
    assert left(rig, transaction) == 9_000


def test_limits_of_time_ratio_money_receivers_and_count(rig: Rig) -> None:
    transaction = paid(rig)
    rig.clock.at += 59_999
    assert "稍后" in share(rig, transaction, "S1", 1).json()["message"]
    rig.clock.at += 1
    assert "关系不存在" in share(rig, transaction, "S1", 1).json()["message"]
    add(rig)
    assert share(rig, transaction, "S1", 3_001).error == (403, "RULE_LIMIT", "0")
    assert share(rig, transaction, "S1", 2_000, 8_001).error == (403, "NOT_ENOUGH", "0")
    assert share(rig, transaction, "S1", *[1] * 51).error == (400, "PARAM_ERROR", "268435464")
    assert share(rig, transaction, "S1", 2_000).status == 200
    assert share(rig, transaction, "S2", 1_001).error == (403, "RULE_LIMIT", "0")
    for number in range(2, 51):
        assert share(rig, transaction, f"S{number}", 1).status == 200
    assert "50次" in share(rig, transaction, "S51", 1).json()["message"]
    assert "非分账" in share(rig, paid(rig, "T-000002", frozen=False), "S1x", 1).json()["message"]


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"name": None}, "268435461"),
        ({"name": "not sealed"}, "268435464"),
        ({"relation_type": "FRIEND"}, "268435464"),
        ({"custom_relation": "x"}, "268435461"),
        ({"relation_type": "CUSTOM"}, "268435461"),
        ({"type": "PERSONAL_OPENID", "account": "oNobody"}, "268435461"),
        ({"type": "PERSONAL_SUB_OPENID"}, "268435461"),
        ({"mchid": "1900000109"}, "270924358"),
        ({"appid": "wxother"}, "268445527"),
    ],
)
def test_receivers_are_checked(rig: Rig, changed: dict[str, object], number: str) -> None:
    answer = add(rig, **changed)
    assert (answer.status, answer.number) == (400, number)


def test_a_merchant_by_another_name_is_no_receiver(rig: Rig) -> None:
    assert "不匹配" in add(rig, name=hidden(rig, "二楼茶店")).json()["message"]
    assert "不存在" in add(rig, "1900000999").json()["message"]


def test_a_person_gets_a_share_by_openid_and_a_removed_one_does_not(rig: Rig) -> None:
    guide = rig.wallet(0)
    add(rig, guide["openid"], "PERSONAL_OPENID", relation_type="CUSTOM", custom_relation="导购")
    transaction = paid(rig)
    rig.clock.at += 60_000
    part = {"type": "PERSONAL_OPENID", "account": guide["openid"], "amount": 200, "description": "提成"}
    share(rig, transaction, "S1", receivers=[part])
    rig.clock.at += 1_000
    assert ask(rig, transaction)["receivers"][0]["result"] == "SUCCESS"
    share(rig, transaction, "S2", receivers=[part])
    gone = {"appid": rig.who.appid, "type": "PERSONAL_OPENID", "account": guide["openid"]}
    assert rig.post(BASE + "/receivers/delete", gone).json() == {
        "type": "PERSONAL_OPENID",
        "account": guide["openid"],
    }
    rig.clock.at += 1_000
    closed = ask(rig, transaction, "S2")
    assert (closed["state"], closed["receivers"][0]["fail_reason"]) == ("FINISHED", "NO_RELATION")
    assert rig.balance(f"wallet:{guide['wallet_id']}") == 200
    assert rig.balance(f"merchant:{rig.who.mchid}") == 200
    assert left(rig, transaction) == 9_600


def test_a_share_is_given_back_once_never_more_and_only_if_the_money_is_there(rig: Rig) -> None:
    add(rig)
    transaction = paid(rig)
    rig.clock.at += 60_000
    share(rig, transaction, "S1", 1_000)
    back = {
        "out_order_no": "S1",
        "out_return_no": "B1",
        "return_mchid": TENANT,
        "amount": 400,
        "description": "退款",
    }
    assert rig.post(BASE + "/return-orders", back).error == (400, "INVALID_REQUEST", "0")
    rig.clock.at += 1_000
    told = rig.post(BASE + "/return-orders", back).json()
    assert (told["result"], told["amount"]) == ("PROCESSING", 400)
    rig.clock.at += 1_000
    assert rig.post(BASE + "/return-orders", back).json()["result"] == "SUCCESS"
    found = rig.get(f"{BASE}/return-orders/B1?out_order_no=S1").json()
    assert (found["result"], found["return_id"]) == ("SUCCESS", told["return_id"])
    assert (rig.balance(f"merchant:{TENANT}"), rig.balance(f"merchant:{rig.who.mchid}")) == (600, 400)
    other = back | {"out_return_no": "B2", "amount": 601}
    assert rig.post(BASE + "/return-orders", other).error == (403, "NOT_ENOUGH", "0")
    assert rig.post(BASE + "/return-orders", back | {"amount": 1}).number == "268498688"
    rig.server.office.ledger.move(f"merchant:{TENANT}", WORLD, 600, Why("withdraw", TENANT))
    rig.post(BASE + "/return-orders", other | {"amount": 600})
    rig.clock.at += 1_000
    failed = rig.get(f"{BASE}/return-orders/B2?out_order_no=S1").json()
    assert (failed["result"], failed["fail_reason"]) == ("FAILED", "BALANCE_NOT_ENOUGH")
    assert rig.get(f"{BASE}/return-orders/B9?out_order_no=S1").status == 404


@pytest.mark.parametrize(
    ("events", "names"),
    [
        ("plain", ["PROFITSHARING", "PROFITSHARING_RETURN"]),
        ("dotted", ["PROFITSHARING.SUCCESS", "PROFITSHARING.RETURN"]),
    ],
)
def test_whom_money_came_to_is_told(rig: Rig, events: str, names: list[str]) -> None:
    with open_receiver(rig) as receiver:
        rig.switch("/sim/profit-sharing", {"notify_url": NOTIFY_URL, "events": events, "delay_ms": 0})
        add(rig)
        transaction = paid(rig)
        rig.clock.at += 60_000
        share(rig, transaction, "S1", 1_000)
        back = {"out_order_no": "S1", "out_return_no": "B1", "return_mchid": TENANT, "amount": 400}
        assert rig.post(BASE + "/return-orders", back | {"description": "退"}).json()["result"] == "SUCCESS"
        told = [receiver.told(index) for index in range(len(receiver.wait(3)))]
    shares = {event: plain for event, plain in told if event.startswith("PROFITSHARING")}
    assert set(shares) == set(names)
    assert shares[names[0]]["receiver"]["account"] == TENANT
    assert (shares[names[1]]["receiver"]["account"], shares[names[1]]["out_order_no"]) == (
        rig.who.mchid,
        "B1",
    )


def test_what_fails_by_the_testers_wish_goes_free_and_is_told(rig: Rig) -> None:
    rig.switch("/sim/profit-sharing/failing", {"account": TENANT, "reason": "ACCOUNT_ABNORMAL"})
    add(rig)
    transaction = paid(rig)
    rig.clock.at += 60_000
    share(rig, transaction, "S1", 1_000)
    rig.clock.at += 1_000
    part = ask(rig, transaction)["receivers"][0]
    assert (part["result"], part["fail_reason"]) == ("CLOSED", "ACCOUNT_ABNORMAL")
    assert rig.balance(f"merchant:{rig.who.mchid}") == 1_000


def test_a_refund_of_one_order_takes_no_other_orders_frozen_money(rig: Rig) -> None:
    one, two = paid(rig, "T-000001"), paid(rig, "T-000002")
    rig.clock.at += 60_000
    body = {"transaction_id": one, "out_order_no": "S1", "description": "解冻"}
    rig.post(BASE + "/orders/unfreeze", body)
    rig.clock.at += 1_000
    assert ask(rig, one)["state"] == "FINISHED"
    refund = {
        "transaction_id": one,
        "out_refund_no": "R1",
        "amount": {"refund": 10_000, "total": 10_000, "currency": "CNY"},
    }
    assert rig.post("/v3/refund/domestic/refunds", refund).json()["funds_account"] == "AVAILABLE"
    assert (left(rig, one), left(rig, two)) == (0, 10_000)
    assert rig.balance(f"frozen:{rig.who.mchid}") == 10_000


def test_a_reversal_takes_no_other_orders_frozen_money(rig: Rig) -> None:
    wallet, frozen = rig.wallet(), {"settle_info": {"profit_sharing": True}}
    one, two = (rig.codepay(f"T-00000{n}", rig.code(wallet), **frozen).json() for n in (1, 2))
    rig.clock.at += 60_000
    body = {"transaction_id": one["transaction_id"], "out_order_no": "S1", "description": "解冻"}
    rig.post(BASE + "/orders/unfreeze", body)
    rig.clock.at += 1_000
    assert ask(rig, one["transaction_id"])["state"] == "FINISHED"
    for order in (one, two):
        path = f"/v3/pay/transactions/out-trade-no/{order['out_trade_no']}/reverse"
        assert rig.post(path, {"appid": rig.who.appid, "mchid": rig.who.mchid}).status == 200
        assert left(rig, two["transaction_id"]) == (1250 if order is one else 0)
    assert (rig.balance(f"frozen:{rig.who.mchid}"), rig.balance(f"merchant:{rig.who.mchid}")) == (0, 0)


def test_a_gateway_that_starts_again_goes_on_with_what_was_shared(
    credentials: Credentials, tmp_path: Path
) -> None:
    store, clock = tmp_path / "gateway.db", Clock()
    with open_rig(credentials, store, clock) as rig:
        rig.switch("/sim/merchants", {"mchid": TENANT, "name": NAME})
        rig.switch("/sim/profit-sharing", {"max_ratio": 5_000})
        add(rig)
        transaction = paid(rig)
        clock.at += 60_000
        assert share(rig, transaction, "S1", 5_000).json()["state"] == "PROCESSING"
    clock.at += 1_000
    with open_rig(credentials, store, clock) as rig:
        rig.nonces = 1_000
        rig.server.tick()
        assert rig.balance(f"merchant:{TENANT}") == 5_000
        assert ask(rig, transaction)["state"] == "FINISHED"
        assert share(rig, transaction, "S2", 1).error == (403, "RULE_LIMIT", "0")


#: What may be done to an order, as a word and an amount.
STEPS = st.lists(
    st.tuples(st.sampled_from(["share", "free", "return", "refund", "wait"]), st.integers(1, 4_000)),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=60)
def test_whatever_is_shared_freed_returned_and_refunded_adds_up(
    credentials: Credentials, steps: list[tuple[str, int]]
) -> None:
    clock = Clock()
    office = make_office(credentials, clock, digits, Store())
    office.store.add_schema(SCHEMA)
    books = ShareBooks(office)
    office.merchants.add(Merchant(TENANT, NAME))
    books.add_receiver(credentials.mchid, "MERCHANT_ID", TENANT, "STORE")
    charge = Charge("T-000001", 10_000, "x", credentials.mchid, credentials.appid, "JSAPI", freeze=True)
    wallet = office.wallets.add("小林", 10_000, 1_000_000, Habit.TYPES, 0)
    office.orders.when_paid(books.freeze)
    order = office.orders.pay(office.orders.open(charge, "NOTPAY"), wallet)
    clock.at += 60_000
    for index, (step, fen) in enumerate(steps):
        with suppress(Refusal):
            do(office, books, order, step, fen, index)
        clock.at += 1_000 if step == "wait" else 0
        assert books.frozen_fen(order) >= 0
        assert office.ledger.differences() == ()
    clock.at += 31 * 86_400_000
    books.tick()
    office.refunds.tick()
    back = office.ledger.balance(f"wallet:{wallet.wallet_id}")
    kept = [office.ledger.balance(f"merchant:{mchid}") for mchid in (credentials.mchid, TENANT)]
    assert (back + sum(kept), office.ledger.balance(f"sharing:{credentials.mchid}")) == (10_000, 0)
    assert kept[1] <= 3_000


def do(office: Office, books: ShareBooks, order: Order, step: str, fen: int, index: int) -> None:
    """Do one step; raise Refusal."""
    mchid, number = order.charge.mchid, f"N{index}"
    if step == "share":
        books.share(order, mchid, number, [Wish("MERCHANT_ID", TENANT, fen, "x")], bool(fen % 2), "f")
    if step == "free":
        books.share(order, mchid, number, [], True, "f")
    if step == "refund":
        office.refunds.ask(Asked(number, fen, 10_000, mchid), office.orders.by_id(order.order_id))
    sharing = next((one for one in (books.known(mchid, f"N{at}") for at in range(index)) if one), None)
    if step == "return" and sharing is not None:
        asked = Returned("", mchid, number, sharing.request_id, TENANT, fen, "x", "f", "PROCESSING", "", 0, 0)
        books.give_back(sharing, asked)


def test_nobody_sees_or_shares_what_is_not_his(rig: Rig) -> None:
    add(rig)
    transaction = paid(rig)
    rig.clock.at += 60_000
    assert share(rig, transaction, "S1", 1, sub_mchid=TENANT).error == (403, "NO_AUTH", "268443704")
    assert share(rig, "4" * 28, "S1", 1).status == 404
    assert rig.get(f"{BASE}/orders/S1?transaction_id={transaction}").error == (
        404,
        "RESOURCE_NOT_EXISTS",
        "0",
    )
    assert rig.get(f"{BASE}/orders/S1").error == (400, "PARAM_ERROR", "268435461")
    assert share(rig, transaction, "S1", 1, notify_url=NOTIFY_URL).number == "270924358"
