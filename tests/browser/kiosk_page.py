"""The kiosk's and till's page as a person uses it, for tests in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
CHROMIUM = shutil.which("chromium")
LANDSCAPE = (1280, 800)
PHONE = (390, 844)

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


# Not wait_for_function: it polls with eval in the page, which the page's policy forbids.
_PAINTED = """version => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error(`version ${version} was not painted in 5 s`)), 5000);
  const look = () => {
    if (!(window.__painted?.version >= version)) return requestAnimationFrame(look);
    clearTimeout(late);
    resolve(window.__painted.at);
  };
  look();
})"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium without a window and without its own network traffic."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """What a page did that it should not have done. elsewhere: requests that left the origin."""

    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def watch(page: Page, origin: str) -> Watched:
    """Collect console errors, uncaught exceptions and requests to other origins from now on."""
    seen = Watched()
    host = urlsplit(origin).netloc
    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on(
        "request",
        lambda request: seen.elsewhere.append(request.url) if urlsplit(request.url).netloc != host else None,
    )
    return seen


class KioskPage:
    """One screen; every method waits for what it expects, at most five seconds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(5000)

    def open(self, origin: str, workstation: str, kind: str = "kiosk") -> None:
        """Open the page and wait for its first view."""
        self.page.goto(f"{origin}/{kind}/{workstation}")
        expect(self.page.locator("body")).not_to_have_attribute("data-screen", "starting")

    def expect_screen(self, screen: str) -> None:
        """Wait until this screen is shown."""
        expect(self.page.locator("body")).to_have_attribute("data-screen", screen)

    def expect_link(self, state: str, timeout_ms: int = 5000) -> None:
        """Wait until the link to the box is "live", "polling" or "lost"."""
        expect(self.page.locator("body")).to_have_attribute("data-link", state, timeout=timeout_ms)

    def expect_painted(self, version: int) -> float:
        """Wait until this version has been painted; return when, in Unix milliseconds."""
        return float(self.page.evaluate(_PAINTED, version))

    def line(self, name: str) -> Locator:
        """Return the basket's line of this name."""
        return self.page.locator(".line", has_text=name)

    def expect_lines(self, names: Sequence[str]) -> None:
        """Wait until the basket shows exactly these names in this order."""
        expect(self.page.locator(".line .name strong")).to_have_text(list(names))

    def expect_total(self, text: str) -> None:
        """Wait until the basket's total reads so, e.g. "¥12.50"."""
        expect(self.page.locator("[data-total]")).to_have_text(text)

    def expect_notice(self, code: str) -> None:
        """Wait until the banner with this code is shown."""
        expect(self.page.locator("#notice")).to_be_visible()
        expect(self.page.locator("#notice")).to_have_attribute("data-code", code)

    def choose(self, choice: str) -> None:
        """Touch a choice of the banner, e.g. "one_more"."""
        self.page.locator(f"#notice [data-act={choice}]").click()

    def touch(self, action: str) -> None:
        """Touch the visible button of an action, e.g. "checkout"."""
        self.page.locator(f"button[data-act={action}]:visible").first.click()

    def open_sheet(self, name: str) -> None:
        """Touch the visible button that opens a sheet, e.g. "code"."""
        self.page.locator(f"button[data-open={name}]:visible").first.click()
        expect(self.sheet(name)).to_be_visible()

    def sheet(self, name: str) -> Locator:
        """Return a sheet: age, help, pin, code, cancel, held."""
        return self.page.locator(f"[data-overlay={name}]")

    def type_pin(self, sheet: str, pin: str) -> None:
        """Type a staff PIN on a sheet's pad and confirm."""
        for key in (*pin, "ok"):
            self.sheet(sheet).locator(f"[data-key='{key}']").click()

    def type_keys(self, pad: str, keys: str) -> None:
        """Type on the pad "code" or "cash"."""
        for key in keys:
            self.page.locator(f"[data-pad={pad}] [data-key='{key}']").click()

    def speak(self, language: str) -> None:
        """Switch the language and wait for it."""
        self.page.locator(f"button[data-language={language}]").click()
        expect(self.page.locator("html")).to_have_attribute("data-language", language)

    def shoot(self, name: str) -> Path:
        """Keep a screenshot as a build artefact, with entry animations at their end."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path
