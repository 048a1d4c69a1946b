"""What pages in a phone's browser have in common: the language, the session by cookie, the frame."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, abort, g, render_template, request
from werkzeug.exceptions import TooManyRequests

from edge.services.box import Box
from edge.services.phone_records import PhoneSession
from edge.web.desk import LANGUAGES, WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, keep_token, maybe_session
from edge.web.phone.api.session import Doorkeeper
from edge.web.texts import load_texts

#: How often a page that waits for money loads itself again, in seconds.
REFRESH_S = 3

_MAX_WORD = 64


class PhonePages:
    """Makes pages in the frame of phone_base.html, and knows the phone that asks for them."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._settings = settings
        self._door = Doorkeeper(box)

    def session(self) -> PhoneSession | None:
        """Return the session of this browser, None for one that has none (any more)."""
        try:
            return maybe_session(self._box)
        except PhoneProblem:
            abort(403, "The request did not come from one of our own pages.")

    def open(self) -> PhoneSession:
        """Return the session of this browser, begun where there is none; `show` and `keep` keep it."""
        found = self.session()
        if found is not None:
            return found
        try:
            token, begun = self._door.open(asked_language(), asked_way())
        except PhoneProblem as problem:
            words = load_texts(asked_language())["phone_too_often"]
            raise TooManyRequests(words, retry_after=problem.retry_s) from None
        g.phone_session, g.phone_token = begun, token
        return begun

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page; values: what its template needs besides texts, language, other and settings."""
        language = asked_language()
        html = render_template(
            template,
            texts=load_texts(language),
            language=language,
            other=other_language(),
            settings=self._settings,
            **values,
        )
        return self.keep(Response(html, status=status))

    def keep(self, answer: Response) -> Response:
        """Return an answer with the cookie of a session that this request has begun."""
        token = g.get("phone_token")
        return keep_token(answer, token, self._box.phone.session_days) if token else answer


def asked_way() -> str:
    """Return the correlation id that a page was opened with, "" without one."""
    return request.args.get("c", "")[:_MAX_WORD]


def way_on(**more: str) -> str:
    """Return the query with which a page leads on: the language and the shopper's way, with `more`."""
    way = asked_way()
    return "?" + urlencode({"language": asked_language(), **({"c": way} if way else {}), **more})


def other_language() -> str:
    """Return this page's own address in the other language."""
    other = next(one for one in LANGUAGES if one != asked_language())
    asked = {name: value for name, value in request.args.items() if name != "language"}
    return f"{request.script_root}{request.path}?{urlencode({**asked, 'language': other})}"
