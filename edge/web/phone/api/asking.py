"""What every call of a phone needs: who asks, what is in the body, and what went wrong in words.

A token in the header is the phone's own doing; a cookie is sent by the browser whoever made the page, so that
a POST by cookie must come from one of our own pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Response, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException

from edge.errors import Declined, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.parking.validation import tidy_plate
from edge.services.box import Box
from edge.services.phone_ports import LoginRefused
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import session_of, take_way
from edge.web.desk import LANGUAGES
from edge.web.texts import load_texts

#: The cookie of pages in a browser, and the path that it is sent to.
COOKIE, COOKIE_PATH = "phone", "/phone"

#: After how many seconds a phone may ask again for what is not to be had now.
RETRY_S = 2

_SAFE = ("GET", "HEAD")
_STATUS = {
    "invalid": 400,
    "no_session": 401,
    "login_refused": 403,
    "not_yours": 403,
    "not_found": 404,
    "declined": 409,
    "too_often": 429,
    "unavailable": 503,
}
_WORDS = {
    400: "invalid",
    403: "not_yours",
    404: "not_found",
    405: "not_found",
    413: "invalid",
    429: "too_often",
}


class PhoneProblem(Exception):
    """A refusal. word: one of docs/protocols/phone-api.md; text: the name of its text, by default the word's.

    params: what fills the text. retry_s: when to ask again, 0 says nothing.
    """

    def __init__(self, word: str, text: str = "", *, retry_s: int = 0, **params: object) -> None:
        super().__init__(text or word)
        self.word, self.text = word, text or f"phone_{word}"
        self.retry_s, self.params = retry_s, params


def session(box: Box) -> PhoneSession:
    """Return the session of this request; raise PhoneProblem without one, or for another site's post."""
    found = maybe_session(box)
    if found is None:
        raise PhoneProblem("no_session")
    return found


def maybe_session(box: Box) -> PhoneSession | None:
    """Return the session of this request, None without one; raise PhoneProblem for another site's post.

    It goes on with the way that is named in the query.
    """
    if "phone_session" not in g:
        token = asked_token()
        g.phone_session = session_of(box, token) if token else None
        if not bearer() and g.phone_session is not None and request.method not in _SAFE and not _own_page():
            raise PhoneProblem("not_yours", "phone_foreign_page")
        if g.phone_session is not None:
            g.phone_session = take_way(box, g.phone_session, request.args.get("c", ""))
    found: PhoneSession | None = g.phone_session
    return found


def asked_token() -> str:
    """Return the token of this request, "" without one."""
    return bearer() or request.cookies.get(COOKIE, "")


def bearer() -> str:
    """Return the token in the header, "" without one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def keep_token(answer: Response, token: str, days: int) -> Response:
    """Have a browser keep a session's token, where no script can read it."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=days * 86_400,
        path=f"{request.script_root}{COOKIE_PATH}",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return answer


def body() -> Mapping[str, object]:
    """Return the JSON object of this request, {} without a body; raise Invalid for anything else."""
    if not request.get_data(cache=True):
        return {}
    given = request.get_json(force=True, silent=True)
    if not isinstance(given, dict):
        raise Invalid("the body must be a JSON object")
    return given


def check_plate(text: str) -> None:
    """Raise PhoneProblem, in a driver's words, for what cannot be a plate."""
    try:
        tidy_plate(text)
    except Invalid as error:
        raise PhoneProblem("invalid", "parking_no_plate") from error


def text_in(given: Mapping[str, object], name: str, longest: int, default: str | None = None) -> str:
    """Return a text of the body; raise Invalid when it is missing, too long or no text."""
    value = given.get(name, default)
    if not isinstance(value, str) or len(value) > longest or (default is None and not value):
        raise Invalid(f"{name} must be a text of at most {longest} characters")
    return value


def number_in(
    given: Mapping[str, object], name: str, least: int, most: int, default: int | None = None
) -> int:
    """Return a whole number of the body; raise Invalid for anything else."""
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}")
    return value


def asked_language() -> str:
    """Return the language of texts for this request."""
    asked = request.args.get("language", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def answer_problem(problem: PhoneProblem) -> Response:
    """Return a refusal as JSON in the phone's language."""
    template = load_texts(asked_language())[problem.text]
    message = template.format_map(problem.params)
    answer = make_response(jsonify(error=problem.word, message=message), _STATUS[problem.word])
    if problem.retry_s:
        answer.headers["Retry-After"] = str(problem.retry_s)
    return answer


def problem_of(error: EdgeError) -> PhoneProblem:
    """Return how an error of a use case is told to a phone: its own words are for staff and for logs."""
    if isinstance(error, LoginRefused):
        return PhoneProblem("login_refused")
    if isinstance(error, Invalid):
        return PhoneProblem("invalid")
    if isinstance(error, Declined):
        return PhoneProblem("declined")
    if isinstance(error, (Unavailable, OutcomeUnknown)):
        return PhoneProblem("unavailable", retry_s=RETRY_S)
    return PhoneProblem("unavailable", "phone_broken", retry_s=30)


def problem_of_status(error: HTTPException) -> PhoneProblem:
    """Return how a refusal of the web's own is told to a phone."""
    return PhoneProblem(_WORDS.get(error.code or 500, "unavailable"))


def _own_page() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    source = request.headers.get("Origin") or request.headers.get("Referer")
    return source is not None and urlsplit(source).netloc == request.host
