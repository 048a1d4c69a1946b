"""A hand that holds the simulated phone in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.kiosk_page import SHOTS

PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 10_000
#: How often a part of the page is looked at before a scanner gives up.
READINGS = 20


class Hand:
    """One phone; every method waits for what it expects. errors: what the browser's console complained of."""

    def __init__(self, browser: Browser, url: str, language: str = "zh", opens: str = "program") -> None:
        # The mall's time is shown on phones that are set to any other.
        self.context = browser.new_context(viewport=PHONE, timezone_id="America/New_York")  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.errors: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{url}/?language={language}&in={opens}")
        expect(self.page.locator("#phone[data-ready=yes]")).to_be_visible()

    def restart(self) -> None:
        """Switch it off and on: what ran is gone."""
        self.page.reload()
        expect(self.page.locator("#phone[data-ready=yes]")).to_be_visible()

    def close(self) -> None:
        """Put it away."""
        self.context.close()

    @property
    def web(self) -> Locator:
        """What the built-in browser shows."""
        return self.page.frame_locator("#frame").locator("body")

    def see(self, selector: str) -> Locator:
        """Return what is on the top page of the mini-program."""
        return self.page.locator(f".mp-page:not([hidden]) {selector}")

    def expect_page(self, route: str) -> None:
        """Wait until that page of the mini-program is on top."""
        expect(self.page.locator(f"#phone[data-screen=program][data-route='{route}']")).to_be_visible()

    def home(self) -> None:
        """Leave what is open."""
        self.page.click("#bottom")

    def paste(self, link: str) -> None:
        """Open a link or a code from the phone's first screen."""
        self.page.fill("#link", link)
        self.page.click(".link button:not([type])")

    def scan(self, text: str) -> None:
        """Choose a code that the camera offers."""
        self.page.locator(f"#found button[value='{text}']").click()

    def codes_on(self, selector: str) -> list[str]:
        """Return what a scanner reads off a part of the page as painted; wait until it reads something."""
        place = self.see(selector)
        expect(place).to_be_visible()
        # An image is there before it is painted.
        for _ in range(READINGS):
            found = zxingcpp.read_barcodes(Image.open(io.BytesIO(place.screenshot())))
            if found:
                return [one.text for one in found]
        raise AssertionError(f"no scanner reads a code off {selector}")

    def switch_network(self, state: str) -> None:
        """Switch the phone's network "on" or "off", and go back to what was open."""
        self.home()
        self.page.click(f"#network button[value={state}]")
        self.page.click("#recent")

    def type_code(self, text: str) -> None:
        """Type into the camera's screen."""
        self.page.fill("#typed-code", text)
        self.page.click("#typed button")

    def password(self, digits: str = "123456") -> None:
        """Type a password on the payment sheet."""
        expect(self.page.locator(".pay")).to_be_visible()
        for digit in digits:
            self.page.locator(f".pay .key[value='{digit}']").click()

    def pay(self) -> None:
        """Type the right password and take leave of the wallet."""
        self.password()
        self.page.locator(".paid .done").click()

    def expect_loud(self, text: str) -> None:
        """Wait for an error that names this."""
        expect(self.page.locator("#loud")).to_contain_text(text)

    def expect_calm(self) -> None:
        """Fail when the mini-program did what it may not, or did not fit the phone."""
        expect(self.page.locator("#loud")).to_be_hidden()
        wide = "(() => { const p = [...document.querySelectorAll('.mp-page')].at(-1);"
        wide += " return p ? p.querySelector('.mp-scroll').scrollWidth : 0 })()"
        assert self.page.evaluate(wide) <= PHONE["width"]

    def shoot(self, name: str) -> Path:
        """Take a picture."""
        path = SHOTS / f"phone-{name}.png"
        self.page.screenshot(path=path)
        return path
