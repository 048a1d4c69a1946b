"""A browser and a shop for the tests of the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from tests.browser.desk_fake import DeskFake
from tests.browser.kiosk_page import CHROMIUM, LANDSCAPE, chromium

Serve = Callable[..., WebServer]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="Chromium is not installed: apt install chromium")
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(absent)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_page_is_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test opened: a page that nobody looks at goes on asking its box, and takes its time."""
    if "browser" not in request.fixturenames:
        yield
        return
    running: Browser = request.getfixturevalue("browser")
    before = list(running.contexts)
    yield
    for context in running.contexts:
        if context not in before:
            context.close()


@pytest.fixture
def desk() -> DeskFake:
    return DeskFake()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a desk; several times in one test, also on the same port once the last one is closed."""
    running: list[tuple[DeskFake, WebServer]] = []

    def start(desk: DeskFake, port: int = 0, **settings: object) -> WebServer:
        wanted = WebSettings(port=port, shop_name="云锦里商场", shop_name_en="Yunjinli Mall", **settings)  # type: ignore[arg-type]
        server = WebServer(create_web(desk, wanted), wanted)
        server.start()
        running.append((desk, server))
        return server

    yield start
    for desk, server in running:
        desk.changes.close()
        server.close()


@pytest.fixture
def origin(desk: DeskFake, serve: Serve) -> str:
    return f"http://127.0.0.1:{serve(desk).port}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    width, height = LANDSCAPE
    opened = browser.new_page(viewport={"width": width, "height": height})
    yield opened
    opened.close()
