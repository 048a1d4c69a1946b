"""The words of scan and go for a phone, in its language."""

from __future__ import annotations

from collections.abc import Mapping

from edge.services.box import Box
from edge.services.cart_notices import CartWord
from edge.services.records import Unit
from edge.services.show_cart import Json, show_cart, word_of_cart
from edge.web.texts import load_texts


def say(word: CartWord | None, language: str) -> Mapping[str, str] | None:
    """Return a notice as a phone shows it."""
    if word is None:
        return None
    params = dict(word.params)
    if language == "en" and params.get("name_en"):
        params["name"] = params["name_en"]
    texts = load_texts(language)
    key = f"cart_{word.code.value}"
    named = f"{key}_named"
    text = texts[named if "name" in params and named in texts else key]
    return {"code": word.code.value, "text": text.format_map(params)}


def cart_shown(box: Box, session_id: str, language: str, word: CartWord | None = None) -> Json:
    """Return a phone's cart with its notice."""
    now = box.clock.now()

    def query(unit: Unit) -> Json:
        cart = show_cart(unit, box, session_id, language, now)
        told = word if word is not None else word_of_cart(unit, box, session_id, now)
        return {**cart, "notice": say(told, language)}

    return box.store.read(query)
