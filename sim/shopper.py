"""Scripted shoppers: they scan through the simulated scanner, tap the kiosk's screen and pay by phone.

A shopper knows only what a person knows: the screen (over HTTP), the scanner and the wallet.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sim.goods import Good, demo_goods, scale_label

#: Seconds that a shopper waits for a screen before giving up.
PATIENCE_S = 90.0

Json = Mapping[str, object]


class ShopperError(Exception):
    """The shop did not behave as a shopper expects; the message says what was seen."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One visit. codes: what is scanned, in order. habit: how the wallet behaves ("types", "wrong" ...).

    wallet: whose payment code is shown, "wechat" or "alipay". plate: of the car, told at the kiosk.
    """

    title: str
    codes: tuple[str, ...]
    twice: bool = False
    habit: str = "types"
    adult: bool = False
    join: bool = False
    wallet: str = "wechat"
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the shopper is. kiosk: base address of the service; wallet: base address of the gateway."""

    kiosk: str
    workstation: str
    wallets: str
    pin: str
    scan: Callable[[str], bytes]
    stop: threading.Event
    say: Callable[[str], None]
    pace_s: float = 1.0


def trips() -> Iterator[Trip]:
    """Yield visits for ever: breakfast, dinner by weight, wine with an age check, a slow password."""
    goods = {good.sku: good for good in demo_goods()}
    bread = tuple(_code(good) for sku, good in sorted(goods.items()) if sku.startswith("BK"))
    market = tuple(_code(good) for sku, good in sorted(goods.items()) if sku.startswith("MK"))
    fresh = tuple(good for sku, good in sorted(goods.items()) if sku.startswith("FR"))
    wine = tuple(_code(good) for good in goods.values() if good.age_min)
    turn = 0
    while True:
        weighed = scale_label(fresh[turn % len(fresh)].plu, 300 + 137 * (turn % 9))
        yield Trip("breakfast", _take(bread, turn, 2) + _take(market, turn, 1), join=True)
        yield Trip("dinner", (weighed, *_take(market, turn + 3, 3)), twice=True, wallet="alipay")
        slow = ("wechat", "alipay")[turn % 2]
        yield Trip("slow password", _take(market, turn + 7, 2), habit="waits", wallet=slow)
        yield Trip("wine, age checked", _take(wine, turn, 1) + _take(bread, turn + 1, 1), adult=True)
        turn += 1


def visit(shop: Shop, trip: Trip) -> str:
    """Make one visit; return the order's number. Raises ShopperError when the shop does not answer."""
    shop.say(f"shopper: {trip.title}, {len(trip.codes)} articles")
    for code in trip.codes:
        _scan(shop, code)
    if trip.twice:
        _scan(shop, trip.codes[-1])
        _choose(shop, "one_more")
    if trip.adult:
        _act(shop, "approve_age", {"pin": shop.pin})
    if trip.plate:
        _act(shop, "parking_plate", {"plate": trip.plate})
        shop.say(f"shopper: my car is {trip.plate}")
    _pause(shop, 1.0)
    _act(shop, "checkout", {})
    _await(shop, "checkout")
    _pause(shop, 1.0)
    number = _pay(shop, trip)
    _pause(shop, 2.0)
    if trip.join:
        _join(shop)
    _await_paper(shop)
    _pause(shop, 3.0)
    _act(shop, "done", {})
    return number


def _code(good: Good) -> str:
    return good.barcodes[0]


def _take(codes: tuple[str, ...], first: int, count: int) -> tuple[str, ...]:
    return tuple(codes[(first + each) % len(codes)] for each in range(count))


def _scan(shop: Shop, code: str) -> None:
    _pause(shop, 1.2)
    if not shop.scan(code):
        raise ShopperError("nobody listens to the scanner; is the service running?")


def _choose(shop: Shop, choice: str) -> None:
    """Answer the banner on the screen."""
    notice = _wait(shop, lambda view: _notice_with(view, choice), f"a banner with {choice}")
    _pause(shop, 1.0)
    _act(shop, choice, {"notice_id": str(notice["id"])})


def _notice_with(view: Json, choice: str) -> Json | None:
    notice = view.get("notice")
    if isinstance(notice, dict) and choice in notice["choices"]:
        return notice
    return None


def payment_code(wallets: str, kind: str = "wechat", habit: str = "types") -> str:
    """Return the payment code that a new visitor's phone shows; wallets: address of the gateway."""
    wallet = _json(wallets, "POST", "/sim/wallets", {
        "name": "访客 Visitor", "balance_fen": 500_000, "habit": habit,
        "password_above_fen": 0 if habit == "waits" else 100_000, "delay_ms": 3_000,
    })  # fmt: skip
    folder = {"wechat": "wallets", "alipay": "alipay"}[kind]
    code = _json(wallets, "POST", f"/sim/{folder}/{wallet['wallet_id']}/code", {"renew": True})
    return str(code["code"])


def _pay(shop: Shop, trip: Trip) -> str:
    if not shop.scan(payment_code(shop.wallets, trip.wallet, trip.habit)):
        raise ShopperError("nobody listens to the scanner; is the service running?")
    if trip.habit == "waits":
        _await(shop, "waiting")
        _pause(shop, 3.0)
        _type_password(shop)
    view = _await(shop, "paid")
    order = view["order"]
    assert isinstance(order, dict)
    shop.say(f"shopper: paid {order['total_fen'] / 100:.2f} yuan by {trip.wallet}, order {order['number']}")
    return str(order["number"])


def _type_password(shop: Shop) -> None:
    orders = _json_list(shop.wallets, "/sim/orders")
    waiting = [order for order in orders if order["state"] == "USERPAYING"]
    for order in waiting:
        _json(shop.wallets, "POST", f"/sim/orders/{order['order_no']}/password", {"action": "types"})


def _join(shop: Shop) -> None:
    """Open the receipt's page as a phone would, and join."""
    receipt = _view(shop)["receipt"]
    if isinstance(receipt, dict):
        for touchpoint in ("opened", "join"):
            _json(shop.kiosk, "POST", f"/phone/r/{receipt['token']}/touch", {"touchpoint": touchpoint})


def _await(shop: Shop, screen: str) -> Json:
    return _wait(shop, lambda view: view if view["screen"] == screen else None, f"screen {screen}")


def _await_paper(shop: Shop) -> None:
    def printed(view: Json) -> Json | None:
        receipt = view.get("receipt")
        done = isinstance(receipt, dict) and receipt["printing"] in {"printed", "none", "uncertain"}
        return view if done or view["screen"] != "paid" else None

    _wait(shop, printed, "the receipt")


def _wait(shop: Shop, found: Callable[[Json], Json | None], what: str) -> Json:
    view: Json = {}
    for _ in range(int(PATIENCE_S / 0.2)):
        view = _view(shop)
        answer = found(view)
        if answer is not None:
            return answer
        if shop.stop.wait(0.2):
            raise ShopperError("the demonstration is being stopped")
    raise ShopperError(f"waited {PATIENCE_S:.0f} s for {what}; the screen shows {view.get('screen')}")


def _view(shop: Shop) -> Json:
    return _json(shop.kiosk, "GET", f"/api/kiosk/{shop.workstation}/view", None)


def _act(shop: Shop, action: str, arguments: Json) -> None:
    _json(shop.kiosk, "POST", f"/api/kiosk/{shop.workstation}/{action}", arguments)


def _pause(shop: Shop, seconds: float) -> None:
    if shop.stop.wait(seconds * shop.pace_s):
        raise ShopperError("the demonstration is being stopped")


def _json(base: str, method: str, path: str, body: Json | None) -> Json:
    answer = _request(base, method, path, body)
    if not isinstance(answer, dict):
        raise ShopperError(f"{method} {path} answered {answer!r}")
    return answer


def _json_list(base: str, path: str) -> list[Json]:
    answer = _request(base, "GET", path, None)
    if not isinstance(answer, list):
        raise ShopperError(f"GET {path} answered {answer!r}")
    return answer


def _request(base: str, method: str, path: str, body: Json | None) -> object:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Origin": base}
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            raw = answer.read()
            return json.loads(raw) if raw else {}
    except urllib.error.HTTPError as error:
        said = error.read(300).decode(errors="replace")
        raise ShopperError(f"{method} {path} was refused with {error.code}: {said}") from error
    except OSError as error:
        raise ShopperError(f"{method} {base}{path} failed: {error}") from error
