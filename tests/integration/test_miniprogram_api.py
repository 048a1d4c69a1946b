"""What the mini-program's tests take for the box's answers, the box answers: the two cannot drift apart."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import zxingcpp

from edge.clock import local
from edge.gateways.wechat_pay.prepay import MiniProgramPayment
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, Occasion
from edge.members.points import PointsPlan, PointsRule
from edge.members.touchpoint import Touchpoint, build_book
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant
from edge.parking.validation_rule import PointsPrice, SpendStep, ValidationPlan, ValidationRule
from edge.services.box import Tenant
from edge.services.hand_over_basket import hand_over_token
from edge.services.issue_ticket import issue_ticket, ticket_token
from edge.services.member_rules import MemberRules
from edge.services.publish_landing import LandingDraft, publish_landing
from edge.services.touch_rules import TouchRules
from edge.services.write_ticket import open_ticket
from edge.web.phone.api import OFFSET_HEADER
from sim.fakes.box import BREAD, COLA, KIOSK, SHELF, stock
from sim.fakes.pictures import FakePictures
from sim.fakes.printer import FakePrinter
from tests.unit.cart_shop import ALL
from tests.unit.counter_shop import CHEN, COUNTER, GUIDES, PLACES, TEA, TEA_SHELF
from tests.unit.garage import PLATE
from tests.unit.phone_shop import PhoneShop

PROGRAM = Path(__file__).parents[2] / "miniprogram"
FIXTURES = PROGRAM / "test" / "fixtures"
BASE = "https://hq.example/b/demo-mall/till-1"
KEY = b"a key of sixteen"
HOUR = Grant(BenefitKind.MINUTES, 60)
JOIN = {"consent_version": "7"}
Json = Any


@dataclass
class Mall(PhoneShop):
    """A shop with everything that a phone can ask for: counter, scan and go, members, parking, a page."""

    def __post_init__(self) -> None:
        PhoneShop.__post_init__(self)
        self.ports.printers[COUNTER] = FakePrinter(COUNTER)
        stock(self.ports.store, (*SHELF, TEA_SHELF))
        validation = ValidationPlan((ValidationRule("hour", (SpendStep(500, HOUR),)),))
        poster = Touchpoint("poster", leads_to="/phone/shop")
        self.box = replace(
            self.box,
            members=MemberRules(KEY, PointsPlan((PointsRule("", 1, 100),)), "7"),
            parking=replace(
                self.box.parking, validation=validation, plate_key=KEY, points=PointsPrice(5, HOUR)
            ),
            touch=TouchRules(build_book([poster], GUIDES, [KIOSK, *PLACES], [])),
            tenants={"t-tea": Tenant("t-tea", "云上茶", "Cloud Tea")},
            workstations={**self.box.workstations, **PLACES},
            scan_and_go=ALL,
            pictures=FakePictures(),
        )
        self.set_phones(replace(self.box.phone, paid_template="tmpl-paid"))
        self.taps = 0

    def key(self) -> str:
        self.taps += 1
        return f"tap-{self.taps:08d}"

    def scanned(self, token: str) -> Json:
        return self.json("POST", "/cart/scan", token, {"code": COLA, "key": self.key()})

    def ticket_code(self) -> str:
        ticket = open_ticket(self.box, COUNTER, CHEN)
        self.scan(TEA, COUNTER)
        self.wait(2_000)
        return ticket_token(self.box, issue_ticket(self.box, COUNTER, ticket.ticket_id))

    def paid(self, token: str, payment: Json, openid: str = "openid-a") -> Json:
        assert self.pays_inside(payment, openid)
        self.resolve(10_000)
        return self.json("GET", f"/orders/{payment['order_id']}", token)

    def kiosk_code(self) -> str:
        self.scan(COLA)
        state = self.box.store.read(lambda unit: unit.workstations.get(KIOSK))
        assert state is not None
        assert state.basket_id is not None
        return hand_over_token(self.box, KIOSK, state.basket_id)


def ticket(mall: Mall) -> Json:
    return mall.json("GET", f"/t/{mall.ticket_code()}", mall.sign_in("openid-a"))


def paid_ticket(mall: Mall) -> Json:
    token, code = mall.sign_in("openid-a"), mall.ticket_code()
    mall.json("GET", f"/t/{code}", token)
    mall.paid(token, mall.json("POST", f"/t/{code}/pay", token))
    return mall.json("GET", f"/t/{code}", token)


def cart_paid(mall: Mall) -> tuple[str, Json]:
    token = mall.sign_in("openid-a")
    mall.scanned(token)
    return token, mall.paid(token, mall.json("POST", "/cart/pay", token))


def native(mall: Mall) -> Json:
    token = mall.open_phone()
    mall.scanned(token)
    return mall.json("POST", "/cart/pay", token)


def jsapi(mall: Mall) -> Json:
    token = mall.sign_in("openid-a")
    mall.scanned(token)
    payment = mall.json("POST", "/cart/pay", token)
    again = mall.json("POST", f"/orders/{payment['order_id']}/pay", token)
    # The fake gateway's parameters are its own; these are the real client's.
    params = MiniProgramPayment("1790000000", "n", "prepay_id=p", "s").as_params()
    return {**again, "pay": {"appId": again["pay"]["appId"], **params}}


def notice(mall: Mall) -> Json:
    token = mall.open_phone()
    mall.scanned(token)
    return mall.json("POST", "/cart/scan", token, {"code": "6900000000000", "key": mall.key()})


def given(mall: Mall) -> Json:
    token = mall.open_phone()
    mall.scanned(token)
    return mall.json("POST", "/cart/give", token)


def way_out(mall: Mall) -> Json:
    token, payment = cart_paid(mall)
    return mall.json("GET", f"/exit/{payment['order_id']}", token)


def kiosk(mall: Mall) -> Json:
    return mall.json("GET", f"/k/{mall.kiosk_code()}", mall.open_phone())


def joined(mall: Mall) -> Json:
    """Join on the receipt of a purchase, with a car inside."""
    mall.come()
    order = mall.order_of(BREAD, COLA)
    mall.pay(mall.code())
    mall.wait(60_000)
    receipt = mall.receipt(order.order_id)
    assert receipt is not None
    token = mall.sign_in("openid-a")
    answer = mall.json("POST", "/me/join", token, {**JOIN, "receipt": receipt.token})
    bound = {"plate": PLATE, **JOIN, "key": mall.key(), "receipt": receipt.token}
    return {**mall.json("POST", "/me/plates", token, bound), "joined": answer["joined"]}


def points(mall: Mall) -> Json:
    joined(mall)
    return mall.json("GET", "/me/points", mall.sign_in("openid-a"))


def parking(mall: Mall) -> Json:
    mall.come()
    return mall.json("GET", f"/parking?plate={PLATE}", mall.open_phone())


def landing(mall: Mall) -> Json:
    mall.come()
    token, payment = cart_paid(mall)
    mall.json("POST", "/me/join", token, {**JOIN, "receipt": payment["receipt"]})
    bound = {"plate": PLATE, **JOIN, "key": mall.key(), "receipt": payment["receipt"]}
    mall.json("POST", "/me/plates", token, bound)
    return mall.json("GET", f"/landing/{payment['receipt']}", token)


#: What the box answers, for each answer that the mini-program's tests take for the box's.
ANSWERS: Mapping[str, Callable[[Mall], Json]] = {
    "login": lambda mall: mall.json(
        "POST", "/login", body={"code": mall.program.gives_code("c", "openid-a")}
    ),
    "session": lambda mall: mall.json("POST", "/session", body={}),
    "ticket_issued": ticket,
    "ticket_paid": paid_ticket,
    "payment_jsapi": jsapi,
    "payment_native": native,
    "payment_paid": lambda mall: cart_paid(mall)[1],
    "cart": lambda mall: mall.scanned(mall.open_phone()),
    "cart_empty": lambda mall: mall.json("GET", "/cart", mall.open_phone()),
    "cart_notice": notice,
    "cart_give": given,
    "exit_unused": way_out,
    "kiosk_basket": kiosk,
    "me_nobody": lambda mall: mall.json("GET", "/me", mall.open_phone()),
    "me_member": joined,
    "me_joined": joined,
    "points": points,
    "parking_stay": parking,
    "landing": landing,
    "touch": lambda mall: mall.json("POST", "/touch", mall.open_phone(), {"touchpoint": "poster"}),
}


def fixtures() -> list[str]:
    return sorted(path.stem for path in FIXTURES.glob("*.json"))


def read(name: str) -> Json:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def misses(wanted: Json, found: Json, where: str = "answer") -> list[str]:
    """Return what a page expects that the box's answer does not have: fields, and values of other kinds."""
    if wanted is None or found is None:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        absent = [f"{where}.{name} is missing" for name in wanted if name not in found]
        inner = [misses(wanted[name], found[name], f"{where}.{name}") for name in wanted if name in found]
        return absent + [one for part in inner for one in part]
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = [(one, other) for one in wanted[:1] for other in found[:1]]
        return [one for pair in pairs for one in misses(*pair, f"{where}[0]")]
    same = type(wanted) is type(found)
    return [] if same else [f"{where} is {type(found).__name__}, not {type(wanted).__name__}"]


def test_every_answer_that_the_tests_know_is_compared() -> None:
    assert fixtures() == sorted(ANSWERS)


@pytest.mark.parametrize("name", fixtures())
def test_the_box_answers_as_the_tests_of_the_mini_program_take_for_granted(name: str) -> None:
    mall = Mall()
    assert misses(read(name)["answer"], ANSWERS[name](mall)) == []


@pytest.mark.parametrize(("zone", "minutes"), [("Asia/Shanghai", "480"), ("America/St_Johns", "-210")])
def test_every_answer_says_how_the_malls_clocks_stand(zone: str, minutes: str) -> None:
    mall = Mall()
    mall.box = replace(mall.box, rules=replace(mall.box.rules, zone=ZoneInfo(zone)))
    mall.set_phones(mall.box.phone)
    answers = [mall.call("POST", "/session", body={}), mall.call("GET", "/cart")]
    assert [one.status_code for one in answers] == [200, 401]
    assert [one.headers[OFFSET_HEADER] for one in answers] == [minutes] * 2
    now = mall.box.clock.now().wall_at
    script = f"""
        const times = require('./lib/times');
        times.heed({json.dumps(answers[0].headers[OFFSET_HEADER])});
        console.log(JSON.stringify(times.dayTime({now})));
    """
    assert run_node(script) == f"{local(now, ZoneInfo(zone)):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("wanted", "found", "said"),
    [
        ({"a": 1}, {}, ["answer.a is missing"]),
        ({"a": 1}, {"a": "1"}, ["answer.a is str, not int"]),
        ([{"a": 1}], [{"b": 1}], ["answer[0].a is missing"]),
        ({"a": None, "b": 1}, {"a": "x", "b": None}, []),
        ({"a": True}, {"a": 1}, ["answer.a is int, not bool"]),
    ],
)
def test_a_difference_is_seen(wanted: Json, found: Json, said: list[str]) -> None:
    assert misses(wanted, found) == said


def test_every_call_of_the_mini_program_is_one_that_the_box_answers() -> None:
    rules = Mall().app.url_map.bind("box")
    calls = []
    for path in sorted([*PROGRAM.glob("pages/*/*.js"), *PROGRAM.glob("lib/*.js")]):
        for method, target in re.findall(r"api\.(get|post)\([`']([^`']+)[`']", path.read_text()):
            calls.append((method.upper(), re.sub(r"\$\{[^}]*\}", "x", target)))
    assert len(calls) > 20
    for method, target in calls:
        assert rules.test(f"/phone/api/v1{target}", method), f"{method} {target} is no call of the box"


def run_node(script: str) -> Json:
    """Run a script in the mini-program's folder and return what it prints as JSON."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed; systemd/prepare tests installs it")
    done = subprocess.run(
        ["node", "-e", script], cwd=PROGRAM, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_addresses_in_the_boxs_codes_open_the_pages_that_they_are_for() -> None:
    mall = Mall()
    token, hand = mall.ticket_code(), mall.kiosk_code()
    wanted = {
        f"{BASE}/phone/t/{token}?c=way-1": ["ticket", {"ticket": token}],
        f"{BASE}/phone/k/{hand}?c=way-1": ["kiosk", {"code": hand}],
        f"{BASE}/phone/go/poster": ["home", {"touchpoint": "poster"}],
        f"{BASE}/phone/parking/lane/out-1": ["parking", {"lane": "out-1"}],
        f"{BASE}/phone/r/abc": ["paid", {"receipt": "abc"}],
    }
    script = f"""
        const {{ routeOfUrl, routeOfScene }} = require('./lib/routes');
        const found = {{}};
        for (const url of {json.dumps(list(wanted))}) {{
          const {{ page, params }} = routeOfUrl(url);
          found[url] = [page, params];
        }}
        const scenes = {json.dumps([token, hand])}.map((one) => routeOfScene(one).page);
        console.log(JSON.stringify([found, scenes]));
    """
    assert run_node(script) == [wanted, ["ticket", "kiosk"]]


def pictures(answer: Json) -> list[tuple[str | None, str | None]]:
    """Return each code to be shown of an answer with what stands beside it as its picture."""
    if isinstance(answer, list):
        return [pair for one in answer for pair in pictures(one)]
    if not isinstance(answer, dict):
        return []
    own = [(answer.get("code", answer.get("code_url")), answer["qr"])] if "qr" in answer else []
    return own + [pair for one in answer.values() for pair in pictures(one)]


def read_picture(url: str) -> list[str]:
    """Return what a scanner reads off a data URL of a PNG."""
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    return [one.text for one in zxingcpp.read_barcodes(picture)]


def coupon_mall() -> Mall:
    """Return the mall with a coupon on the pages after a purchase and after joining."""
    mall = Mall()
    for occasion in (Occasion.ANY, Occasion.JOIN):
        page = LandingPage(
            "x", "t-drinks", "谢谢", blocks=(LandingBlock(BlockKind.COUPON, "券", code="CP-9"),)
        )
        draft = LandingDraft(LandingSlot("t-drinks", occasion), 0, (LandingVariant("A", page),))
        publish_landing(mall.box, draft, "王")
    return mall


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("exit_unused", "x"),
        ("cart_give", "b"),
        ("payment_native", "weixin:"),
        ("landing", "CP-9"),
        ("me_member", "CP-9"),
        ("me_joined", "CP-9"),
    ],
)
@pytest.mark.parametrize("source", ["box", "fixture"])
def test_scanners_read_the_picture_beside_each_code(name: str, begins: str, source: str) -> None:
    answer = read(name)["answer"] if source == "fixture" else ANSWERS[name](coupon_mall())
    shown = [(code, qr) for code, qr in pictures(answer) if code]
    assert shown
    if source == "box":
        assert [code for code, _ in shown if code and code.startswith(begins)]
    for code, qr in shown:
        assert qr is not None
        assert len(qr) < 2_000
        assert read_picture(qr) == [code]


@pytest.mark.parametrize("name", ["payment_jsapi", "payment_paid"])
def test_where_there_is_no_code_there_is_no_picture(name: str) -> None:
    assert pictures(ANSWERS[name](Mall())) == [(None, None)]
