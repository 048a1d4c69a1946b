"""A robot guard: it looks at the staff page of the lanes and presses the button that the page recommends.

It knows what a person sees: the page's HTML with its forms. A question is left alone for a while first, so
that somebody who watches the demonstration can answer it.
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException
from http.cookiejar import CookieJar

#: Between two looks at the page, and the longest page that is read.
LOOK_S = 0.5
MAX_PAGE_BYTES = 2 * 1024 * 1024

_PAGE = "/staff/lanes?language=en"
_VOID = frozenset({"input", "img", "meta", "link", "br", "hr"})


@dataclass(slots=True)
class Form:
    """One way to answer. best: the page recommends it."""

    action: str
    best: bool
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Question:
    """What one lane asks, with the forms that answer it."""

    lane: str
    text: str = ""
    forms: list[Form] = field(default_factory=list)

    @property
    def recommended(self) -> Form | None:
        """The form that the page recommends, None when it leaves it to the guard."""
        return next((form for form in self.forms if form.best), None)

    @property
    def passage(self) -> str:
        """Whose question it is, "" while it has no form."""
        return self.forms[0].fields.get("passage", "") if self.forms else ""


def questions_of(html: str) -> list[Question]:
    """Return what the page /staff/lanes asks, lane by lane."""
    reader = _Reader()
    reader.feed(html)
    return reader.questions


class RobotGuard:
    """Answers what nobody answered within `patience_s`; `watch` runs until `stop` is set.

    url: of the service. plate_at: the plate of the car that stands at a lane, as the guard sees it.
    """

    def __init__(
        self,
        url: str,
        pin: str,
        plate_at: Callable[[str], str],
        say: Callable[[str], None],
        patience_s: float = 15.0,
    ) -> None:
        self.answered = 0
        self._url, self._pin, self._plate_at, self._say = url, pin, plate_at, say
        self._patience_s = patience_s
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open
        self._waited: dict[str, float] = {}

    def watch(self, stop: threading.Event) -> None:
        """Look again and again; a service that is away is looked for again."""
        while not stop.wait(LOOK_S):
            try:
                self.look(LOOK_S)
            except (OSError, HTTPException):
                self._waited.clear()

    def look(self, passed_s: float) -> None:
        """Look once, `passed_s` after the last time; raises OSError when the page cannot be had."""
        asked = {one.passage: one for one in questions_of(self._page()) if one.passage}
        self._waited = {key: waited for key, waited in self._waited.items() if key in asked}
        for key, question in asked.items():
            if key not in self._waited:
                self._say(
                    f"guard: {question.lane} asks: {question.text}; answer at {self._url}/staff/lanes, "
                    f"or the robot guard does in {self._patience_s:.0f} s"
                )
            self._waited[key] = self._waited.get(key, 0.0) + passed_s
            if self._waited[key] >= self._patience_s:
                self._answer(question)
                self._waited[key] = 0.0

    def _answer(self, question: Question) -> None:
        form = question.recommended
        if form is None:
            return
        fields = dict(form.fields)
        if fields.get("answer") == "correct":
            fields["plate"] = self._plate_at(question.lane) or fields.get("plate", "")
        try:
            self._post(form.action, fields)
        except urllib.error.HTTPError as error:
            error.close()
            self._say(f"guard: the answer for {question.lane} was refused with {error.code}")
            return
        self.answered += 1
        self._say(f"guard: answered {question.lane} with {fields.get('answer')!r}")

    def _page(self) -> str:
        html = self._get(_PAGE)
        if 'name="pin"' in html:
            self._post("/staff/login", {"pin": self._pin})
            html = self._get(_PAGE)
        return html

    def _get(self, path: str) -> str:
        with self._open(self._url + path, timeout=10) as answer:
            return str(answer.read(MAX_PAGE_BYTES).decode("utf-8", "replace"))

    def _post(self, path: str, fields: dict[str, str]) -> None:
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self._url + path, body, {"Origin": self._url})
        self._open(request, timeout=10).close()


class _Reader(HTMLParser):
    """Collects the questions: in the section of a lane the div of the question, its heading and its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[Question] = []
        self._lane = ""
        self._depth = 0
        self._heading = False
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag == "section":
            self._lane = given.get("data-lane", "")
        if self._depth:
            self._depth += tag not in _VOID
            self._inside(tag, given, classes)
        elif tag == "div" and "question" in classes and self._lane:
            self._depth = 1
            self.questions.append(Question(self._lane))

    def handle_endtag(self, tag: str) -> None:
        if self._depth:
            self._depth -= 1
            self._heading = self._heading and tag != "h3"
            if tag == "form":
                self._form = None

    def handle_data(self, data: str) -> None:
        if self._heading and self._depth:
            self.questions[-1].text = " ".join((self.questions[-1].text + data).split())

    def _inside(self, tag: str, given: dict[str, str], classes: list[str]) -> None:
        if tag == "h3":
            self._heading = True
        elif tag == "form":
            best = "best" in classes or "recommended" in classes
            self._form = Form(given.get("action", ""), best)
            self.questions[-1].forms.append(self._form)
        elif tag == "input" and self._form is not None and given.get("name"):
            self._form.fields[given["name"]] = given.get("value", "")
