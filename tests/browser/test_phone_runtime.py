"""The simulated phone by itself: it runs a mini-program as WeChat does, and is loud about what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, expect

from sim.gateway import make_credentials
from sim.phone import PhoneServer, PhoneSettings
from tests.browser.phone_hand import Hand
from tests.browser.phone_program import Echo, echo, write_program
from tests.integration.sim_gateway_rig import Rig, digits, open_rig

Hold = Callable[..., Hand]

PAGE = "pages/one/one"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with open_rig(make_credentials(tmp_path_factory.mktemp("keys"), digits)) as rig:
        yield rig


@pytest.fixture(scope="module")
def box() -> Iterator[Echo]:
    with echo() as box:
        yield box


@pytest.fixture
def hold(browser: Browser, rig: Rig, box: Echo, tmp_path: Path) -> Iterator[Hold]:
    """Hold a phone whose mini-program is the small one with some files changed."""
    with ExitStack() as held:

        def take(changes: dict[str, str], **how: str) -> Hand:
            folder = write_program(tmp_path, changes)
            settings = PhoneSettings(box.url, rig.server.url, box.url, rig.who.appid, program=folder)
            server = held.enter_context(PhoneServer(settings))
            hand = Hand(browser, server.url, **how)
            held.callback(hand.close)
            return hand

        yield take


def one(wxml: str, js: str = "Page({});") -> dict[str, str]:
    return {f"{PAGE}.wxml": wxml, f"{PAGE}.js": js}


def test_lists_conditions_and_forms_follow_the_data_and_keep_what_is_typed(hold: Hold) -> None:
    wxml = """
<input class="word" value="{{word}}" bindinput="onWord"/>
<view wx:if="{{names.length > 2}}" class="many">many</view>
<view wx:else class="few">{{names.length}} few</view>
<view wx:for="{{names}}" wx:key="id" wx:for-item="who" bindtap="onWho"
  class="who {{index === 0 ? 'first' : ''}}" data-who-id="{{who.id}}">
  <text>{{index + 1}}. {{who.name}}</text></view>
<checkbox-group bindchange="onBoxes">
  <label><checkbox value="a"/>A</label><label><checkbox value="b" checked/>B</label>
</checkbox-group>
<text class="said">{{said}}</text><view class="box" style="height: 100rpx">x</view>"""
    js = """
Page({
  data: { names: [{ id: 1, name: "Li" }, { id: 2, name: "Wu" }], word: "", said: "" },
  onWord(event) {
    const names = [{ id: 3, name: event.detail.value }, ...this.data.names.filter((one) => one.id !== 3)];
    this.setData({ names, word: event.detail.value });
  },
  onWho(event) { this.setData({ said: `tap ${event.currentTarget.dataset.whoId}` }); },
  onBoxes(event) { this.setData({ said: event.detail.value.join("+") }); },
});"""
    hand = hold(one(wxml, js))
    hand.page.click("#recent")
    expect(hand.see(".few")).to_have_text("2 few")
    hand.see(".word").press_sequentially("Zhao")
    expect(hand.see(".word")).to_be_focused()
    expect(hand.see(".who")).to_have_text(["1. Zhao", "2. Li", "3. Wu"])
    expect(hand.see(".many")).to_be_visible()
    expect(hand.see(".first")).to_have_count(1)
    hand.see(".who").nth(2).click()
    expect(hand.see(".said")).to_have_text("tap 2")
    hand.see("label").nth(0).click()
    expect(hand.see(".said")).to_have_text("a+b")
    width = hand.see(".box").evaluate("box => [box.clientWidth, box.clientHeight]")
    assert width == [195, 52]
    hand.expect_calm()


def test_a_component_gets_properties_keeps_its_style_and_tells_its_page(hold: Hold) -> None:
    wxml = """<view class="big">page</view>
<one-card class="card" title="Total" count="{{count}}" bind:more="onMore">
  <view class="slotted">{{count}}</view>
</one-card>"""
    js = """Page({ data: { count: 2 },
  onMore(event) { this.setData({ count: this.data.count + event.detail.by }); } });"""
    hand = hold(one(wxml, js))
    hand.page.click("#recent")
    expect(hand.see(".inner")).to_have_text("Total:4")
    hand.see(".more").click()
    expect(hand.see(".inner")).to_have_text("Total:8")
    expect(hand.see(".slotted")).to_have_text("4")
    expect(hand.see(".inner")).to_have_css("color", "rgb(200, 0, 0)")
    # app.wxss is not for components, unless they ask for it by addGlobalClass.
    expect(hand.see(".inner")).to_have_css("font-size", "16px")
    expect(hand.see(".big").first).to_have_css("font-size", "30px")
    hand.expect_calm()


def test_pages_lie_on_one_another_and_go_back_in_order(hold: Hold) -> None:
    js = """
const app = getApp();
Page({ data: { log: "" }, onLoad() { app.log.push("one.load"); },
  onShow() { app.log.push("one.show"); this.setData({ log: app.log.join(" ") }); },
  onHide() { app.log.push("one.hide"); },
  go() { wx.navigateTo({ url: "/pages/two/two?name=" + encodeURIComponent("a&b"), fail() {} }); } });"""
    hand = hold(one('<view class="go" bindtap="go">go</view><text class="log">{{log}}</text>', js))
    hand.page.click("#recent")
    expect(hand.page.locator("#title")).to_have_text("One")
    hand.see(".go").click()
    expect(hand.see(".two")).to_have_text("a&b")
    expect(hand.page.locator("#title")).to_have_text("Two")
    hand.page.click("#back")
    expect(hand.see(".log")).to_have_text("one.load one.show one.hide two.load two.unload one.show")
    expect(hand.page.locator("#back")).to_be_hidden()
    hand.page.click("#close")
    hand.page.click("#recent")
    expect(hand.see(".log")).to_contain_text("one.show one.hide one.show")


def test_a_page_that_is_not_in_the_subset_is_an_error_on_the_screen(hold: Hold, tmp_path: Path) -> None:
    wrongs = {
        "<video src='a'/>": "one.wxml:1: <video> is not in the subset",
        "\n<view hover-class='a'>x</view>": "one.wxml:2: <view hover-class> is not in the subset",
        "<view bindlongpress='a'>x</view>": "<view> has no event longpress",
        "<template name='a'/>": "<template> is not in the subset",
        "<view>{{shown(a)}}</view>": "calls something",
        "<view>": "<view> is never closed",
        "<view wx:for='{{[1]}}'>x</view>": "wx:for has no wx:key",
        "<one-card titel='a'/>": "has no property titel",
    }
    hand = hold({})
    for wxml, told in wrongs.items():
        write_program(tmp_path, one(wxml))
        hand.restart()
        hand.page.click("#recent")
        hand.expect_loud(told)


def test_a_program_that_is_not_in_the_subset_is_an_error_on_the_screen(hold: Hold, tmp_path: Path) -> None:
    wrongs = {
        "wx.openLocation({});": "wx.openLocation is not in the subset",
        "wx.showToast({ tittle: 'a' });": "wx.showToast({tittle})",
        "document.title = 'a';": "Cannot set properties of undefined",
        "new URL('a');": "URL is not a constructor",
        "require('../none');": 'require("../none") finds nothing',
        "require('one.js');": 'require("one.js") finds nothing',
        "this.setData({ 'a.b': 1 });": "paths are not in the subset",
        "return Promise.reject(new Error('lost'));": "lost",
        "wx.request({ url: 'https://elsewhere.example/a', fail() {} });": "the allowed domain is",
        "wx.navigateTo({ url: '/pages/three/three', fail() {} });": 'page "pages/three/three" is not found',
    }
    hand = hold({})
    for code, told in wrongs.items():
        js = f"Page({{ onLoad() {{ {code} }}, onShareAppMessage() {{}} }});"
        write_program(tmp_path, one("<view>x</view>", js))
        hand.restart()
        hand.page.click("#recent")
        hand.expect_loud("onShareAppMessage is not in the subset")
        hand.expect_loud(told)


def test_a_button_whose_method_is_missing_is_an_error_on_the_screen(hold: Hold) -> None:
    hand = hold(one("<button bindtap='gone'>x</button>"))
    hand.page.click("#recent")
    hand.see("button").click()
    hand.expect_loud("one.js has no method gone")


def test_requests_go_to_the_box_as_wechat_sends_them(hold: Hold, box: Echo) -> None:
    js = """
const { base } = require("../../config");
Page({ data: { said: "" }, ask() {
  wx.request({ url: base + "/phone/api/v1/cart", method: "POST",
    data: { code: "1" }, header: { Authorization: "Bearer t" },
    success: (answer) => this.setData({ said: `${answer.statusCode} ${answer.data.body}` }),
    fail: (failed) => this.setData({ said: failed.errMsg }) }); } });"""
    hand = hold(
        one('<button bindtap="ask">ask</button><text class="said">{{said}}</text>', js), language="en"
    )
    hand.page.click("#recent")
    hand.see("button").click()
    expect(hand.see(".said")).to_have_text('200 {"code":"1"}')
    headers = box.asked[-1]["headers"]
    assert isinstance(headers, dict)
    assert (box.asked[-1]["method"], box.asked[-1]["target"]) == ("POST", "/b/mall/box/phone/api/v1/cart")
    assert (headers["authorization"], headers["accept-language"]) == ("Bearer t", "en")
    assert headers["referer"].startswith("https://servicewechat.com/wx")
    assert not {"origin", "cookie"} & set(headers)
    hand.home()
    hand.page.click("#network button[value=off]")
    hand.page.click("#recent")
    hand.see("button").click()
    expect(hand.see(".said")).to_have_text("request:fail net::ERR_INTERNET_DISCONNECTED")


def test_a_native_code_is_paid_with_the_second_password_and_can_be_cancelled(hold: Hold, rig: Rig) -> None:
    hand = hold({})
    url = rig.post("/v3/pay/transactions/native", rig.order("P-000001")).json()["code_url"]
    hand.paste(url)
    hand.page.click(".pay .x")
    expect(hand.page.locator("#phone")).to_have_attribute("data-pay", "requestPayment:fail cancel")
    hand.paste(url)
    hand.password("111111")
    expect(hand.page.locator(".pay .said")).to_contain_text("4")
    hand.shoot("pay-sheet")
    hand.password()
    expect(hand.page.locator(".paid strong")).to_have_text("¥12.50")
    hand.shoot("paid")
    hand.page.click(".paid .done")
    expect(hand.page.locator("#phone")).to_have_attribute("data-pay", "requestPayment:ok")
    assert rig.query("P-000001").json()["trade_state"] == "SUCCESS"
    hand.paste(url)
    expect(hand.page.locator(".dialog")).to_contain_text("该订单已支付")


def test_consents_are_asked_for_and_can_be_refused(hold: Hold) -> None:
    js = """
Page({ data: { said: "" },
  onNumber(event) { this.setData({ said: event.detail.code ? "code" : event.detail.errMsg }); },
  onMessages() { wx.requestSubscribeMessage({ tmplIds: ["t-paid", "t-points"],
    success: (told) => this.setData({ said: told["t-paid"] + " " + told["t-points"] }), fail() {} }); } });"""
    wxml = """<button class="number" open-type="getPhoneNumber" bindgetphonenumber="onNumber">n</button>
<button class="messages" bindtap="onMessages">m</button><text class="said">{{said}}</text>"""
    hand = hold(one(wxml, js))
    hand.page.click("#recent")
    hand.see(".number").click()
    hand.page.click(".consent .cancel")
    expect(hand.see(".said")).to_have_text("getPhoneNumber:fail user deny")
    hand.see(".number").click()
    hand.page.click(".consent .confirm")
    expect(hand.see(".said")).to_have_text("code")
    hand.see(".messages").click()
    hand.page.locator(".consent input").nth(1).uncheck()
    hand.shoot("subscribe")
    hand.page.click(".consent .confirm")
    expect(hand.see(".said")).to_have_text("accept reject")


def test_scanning_offers_goods_and_takes_what_is_typed(hold: Hold) -> None:
    js = """Page({ data: { said: "" }, scan() {
  wx.scanCode({ success: (found) => this.setData({ said: `${found.scanType} ${found.result}` }),
    fail: (failed) => this.setData({ said: failed.errMsg }) }); } });"""
    hand = hold(one('<button bindtap="scan">scan</button><text class="said">{{said}}</text>', js))
    hand.page.click("#recent")
    hand.see("button").click()
    hand.page.locator("#found button").first.click()
    expect(hand.see(".said")).to_contain_text("EAN_13 290001")
    hand.see("button").click()
    hand.type_code("H0001")
    expect(hand.see(".said")).to_have_text("CODE_128 H0001")
    hand.see("button").click()
    hand.page.click("#scan-close")
    expect(hand.see(".said")).to_have_text("scanCode:fail cancel")


def test_a_code_on_the_phone_is_held_up_to_a_scanner_in_the_mall(hold: Hold, box: Echo) -> None:
    code = "cAbCdEfGhIjK_-0123456789abcdefgh"
    picture = segno.make(code, micro=False).svg_data_uri(scale=6, border=4)
    wxml = '<image class="code" src="{{src}}" style="width:200px;height:200px"></image>'
    hand = hold(
        {"pages/one/one.wxml": wxml, "pages/one/one.js": f'Page({{ data: {{ src: "{picture}" }} }});'}
    )
    hand.page.click("#recent")
    expect(hand.see(".code")).to_be_visible()
    hand.page.click("#more")
    hand.page.click("button[value=holdUp]")
    hand.page.click("button[value=K02]")
    expect(hand.page.locator("#toast")).to_contain_text("已扫")
    (asked,) = [one for one in box.asked if str(one["target"]).endswith("/api/kiosk/K02/type_code")]
    assert code in str(asked["body"])


def test_the_browser_shows_pages_of_the_box_with_cookies_of_its_own(hold: Hold, box: Echo) -> None:
    hand = hold({}, opens="browser", language="en")
    hand.paste(f"{box.url}/phone/t/abc")
    expect(hand.web).to_contain_text("/b/mall/box/phone/t/abc")
    met = len(box.asked)
    # The address on the page names the box's public host; on the phone it stays in the frame.
    hand.page.frame_locator("#frame").locator("#on").click()
    expect(hand.web).to_contain_text("/b/mall/box/phone/next")
    headers = box.asked[-1]["headers"]
    assert isinstance(headers, dict)
    assert headers["cookie"] == f"met={met}"
    assert headers["accept-language"] == "en"
    assert headers["referer"].startswith(box.url.rsplit("/b/", 1)[0])
    hand.home()
    hand.page.select_option("#wallet", index=1)
    hand.paste(f"{box.url}/phone/t/abc")
    expect(hand.web).to_contain_text("phone/t/abc")
    headers = box.asked[-1]["headers"]
    assert isinstance(headers, dict)
    assert "cookie" not in headers


def test_a_link_opens_the_page_of_the_rule_and_a_round_code_its_own(hold: Hold, box: Echo, rig: Rig) -> None:
    js = """Page({ data: { q: "", scene: 0 }, onLoad(query) {
  const { scene } = wx.getLaunchOptionsSync();
  this.setData({ q: decodeURIComponent(query.q || query.scene || ""), scene }); } });"""
    wxml = '<text class="q">{{q}}</text><text class="scene">{{scene}}</text>'
    page = "pages/home/home"
    hand = hold({f"{page}.wxml": wxml, f"{page}.js": js, "app.json": f'{{"pages": ["{page}"]}}'})
    hand.paste(f"{box.url}/phone/t/abc?c=1")
    expect(hand.see(".q")).to_have_text(f"{box.url}/phone/t/abc?c=1")
    expect(hand.see(".scene")).to_have_text("1011")
    hand.home()
    hand.paste(f"https://wxacode.invalid/{rig.who.appid}/{page}?scene=tabc,1")
    expect(hand.see(".q")).to_have_text("tabc,1")
    expect(hand.see(".scene")).to_have_text("1047")
    hand.home()
    hand.paste("https://elsewhere.example/phone/t/abc")
    expect(hand.page.locator(".dialog")).to_contain_text("elsewhere.example")
