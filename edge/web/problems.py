"""How errors reach a browser: JSON for the API, a page in both languages for people."""

from __future__ import annotations

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from edge.errors import Corrupt, Declined, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.web.texts import load_texts

#: HTTP status and the word in the JSON for each kind of error.
_KINDS: dict[type[EdgeError], tuple[int, str]] = {
    Invalid: (400, "invalid"),
    Declined: (409, "declined"),
    Unavailable: (503, "unavailable"),
    OutcomeUnknown: (503, "outcome_unknown"),
    Corrupt: (500, "corrupt"),
}
_WORDS = {400: "invalid", 401: "pin_needed", 403: "forbidden", 404: "not_found", 413: "too_large"}


def install_problems(app: Flask) -> None:
    """Answer every error with its status, {"error": word, "message": text} or a page."""

    @app.errorhandler(EdgeError)
    def edge_error(error: EdgeError) -> Response:
        status, word = _kind(error)
        if status >= 500:
            app.logger.warning("%s %s: %s: %s", request.method, request.path, word, error)
        return _answer(status, word, str(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        answer = _answer(status, _WORDS.get(status, f"http_{status}"), error.description or error.name)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                answer.headers[name] = value
        return answer


def _kind(error: EdgeError) -> tuple[int, str]:
    return next((answer for kind, answer in _KINDS.items() if isinstance(error, kind)), (500, "error"))


def _answer(status: int, word: str, message: str) -> Response:
    if request.path.startswith(("/api/", "/phone/api/")) or request.is_json:
        return make_response(jsonify(error=word, message=message), status)
    page = render_template(
        "problem.html",
        status=status,
        word=word,
        message=message,
        zh=_title("zh", status),
        en=_title("en", status),
    )
    return make_response(page, status)


def _title(language: str, status: int) -> str:
    texts = load_texts(language)
    return texts.get(f"problem_{status}", texts["problem_other"])
