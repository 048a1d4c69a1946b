"""People of the mall at their pages: they read the forms of a page and send them, as a browser does."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from sim.crowd.calls import CallError, Calls


@dataclass(slots=True)
class Form:
    """One form. fields: what it would send untouched; boxes: what ticking each of its boxes adds."""

    action: str
    method: str
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "form":
            self._form = Form(
                given.get("action", ""), given.get("method", "get").lower(), given.get("data-form", "")
            )
            self.forms.append(self._form)
        elif self._form is not None:
            self._inside(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._option and self._form is not None:
            self._form.fields[self._select] = data.strip()
        self._option = False

    def _inside(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = value
            # Without a value an option is worth its words.
            self._option = "value" not in given
        elif tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "input" and given.get("type") == "checkbox" and "checked" not in given:
            form.boxes[name] = value or "on"
        elif tag == "input" and name and _counts(given):
            form.fields[name] = value


def _counts(given: Mapping[str, str]) -> bool:
    chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
    return chosen and "disabled" not in given


class Desk:
    """One person's browser on the mall's own network, signed in by PIN."""

    def __init__(self, calls: Calls, pin: str) -> None:
        self._calls, self._pin = calls, pin

    def forms(self, name: str, path: str) -> list[Form]:
        """Return the forms of a page, signing in when it asks for the PIN; raises CallError."""
        reader = self.read(name, path)
        return reader.forms

    def read(self, name: str, path: str) -> _Forms:
        """Return the forms and links of a page."""
        answer = self._follow(name, self._calls.page(name, path))
        if "/staff/login" in str(answer.url) or 'action="/staff/login' in answer.text:
            self._calls.form("staff login", "/staff/login", {"pin": self._pin})
            answer = self._follow(name, self._calls.page(name, path))
        if answer.status_code >= 400:
            raise CallError(name, answer.status_code, "", _words(answer.text))
        reader = _Forms()
        reader.feed(answer.text)
        return reader

    def send(self, name: str, form: Form, path: str, **values: str) -> str:
        """Fill a form in and send it; return the address of the page that it leads to."""
        fields = form.fields | values
        target = urllib.parse.urljoin(self._calls.base + path, form.action or path)[len(self._calls.base) :]
        if form.method == "get":
            return f"{target.split('?')[0]}?{urllib.parse.urlencode(fields)}"
        answer = self._calls.form(name, target, fields)
        if answer.status_code >= 400:
            raise CallError(name, answer.status_code, "", _words(answer.text))
        return str(answer.headers.get("Location", target))

    def _follow(self, name: str, answer: httpx.Response) -> httpx.Response:
        for _ in range(3):
            if not answer.is_redirect:
                break
            place = urllib.parse.urljoin(str(answer.url), answer.headers["Location"])
            answer = self._calls.page(name, place.removeprefix(self._calls.base))
        return answer


def pass_exit(desk: Desk, place: str, code: str) -> None:
    """Have the guard scan an exit code, and find in the bag, when it is looked into, all that was paid."""
    path = f"/staff/exit/{place}"
    check = next(one for one in desk.forms("exit page", path) if one.action.endswith("/check"))
    desk.send("exit check", check, path, code=code)
    look = next((one for one in desk.forms("exit page", path) if one.action.endswith("/outcome")), None)
    if look is not None:
        desk.send("exit look", look, path, **look.boxes)


def _words(html: str) -> str:
    """Return what a page says to a person, from where its content begins."""
    content = html.partition("<main")[2] or html
    return " ".join(re.sub(r"<[^>]*>", " ", content).split())[:300]


def refund_all(desk: Desk, order_id: str, pin: str) -> None:
    """Give a whole order back at the staff's page; raises CallError."""
    path = f"/staff/refunds/orders/{order_id}"
    choose = next(one for one in desk.forms("refund page", path) if one.name == "choose")
    worked_out = desk.send("refund page", choose, path, mode="all")
    give = next((one for one in desk.forms("refund page", worked_out) if one.name == "give"), None)
    if give is None:
        raise CallError("refund", 0, "not offered", f"order {order_id} cannot be given back")
    desk.send("refund", give, worked_out, reason="unwanted", pin=pin)
