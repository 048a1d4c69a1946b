"""A browser of a person who is signed in to the staff pages of a box over fakes."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from edge.services.box import Box
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.staff.pages import box_pages
from tests.browser.desk_fake import PIN, DeskFake

#: What a browser sends with a form of one of our own pages.
OURS = {"Sec-Fetch-Site": "same-origin"}

#: Who DeskFake signs in.
PERSON = "李敏"


def staff_client(box: Box, return_snapshot: Callable[[str], str] | None = None) -> FlaskClient:
    """Return a signed-in client that reads English."""
    settings = WebSettings()
    pages = box_pages(box, settings, return_snapshot)
    client = create_web(DeskFake(), settings, pages).test_client()
    client.set_cookie("language", "en", path="/staff")
    assert client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303
    return client
