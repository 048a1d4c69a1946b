"""The page after payment as WeChat Pay's slip."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request

from edge.web.desk import LANGUAGES, Desk
from edge.web.texts import load_texts

#: Where WeChat Pay's script comes from, and whose page frames the slip. Source: 点金计划, 商家小票.
_SCRIPTS, _FRAMER = "https://wx.gtimg.com", "https://payapp.weixin.qq.com"
_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' {_SCRIPTS}",
        "object-src 'none'",
        "base-uri 'none'",
        f"frame-ancestors {_FRAMER}",
        "form-action 'none'",
    )
)


def add(routes: Blueprint, desk: Desk) -> None:
    """Put /phone/gold/slip on the blueprint."""

    @routes.get("/gold/slip")
    def slip() -> Response:
        names = ("sub_mch_id", "out_trade_no", "check_code")
        values = [request.args.get(name, "") for name in names]
        if any(len(value) > 64 for value in values):
            abort(400, "This is no address that WeChat Pay asks for.")
        found = desk.slip(*values)
        state = "unknown" if found is None else "ready" if found["ready"] else "pending"
        language = request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
        page = render_template(
            "gold.html",
            slip=found,
            state=state,
            language=language,
            texts=load_texts(language),
            jumps=lambda url: url.startswith("https://"),
        )
        answer = make_response(page)
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Referrer-Policy"] = "origin"
        return answer
