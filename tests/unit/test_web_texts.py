from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from edge.web.desk import LANGUAGES
from edge.web.texts import load_texts

WEB = Path(__file__).parents[2] / "edge" / "web"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_both_languages_have_the_same_keys() -> None:
    assert load_texts("zh").keys() == load_texts("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_in_two_parts(language: str) -> None:
    parts = sorted((WEB / "texts").glob(f"{language}*.json"))
    keys = Counter(key for path in parts for key in json.loads(path.read_text(encoding="utf-8")))
    assert len(parts) > 1
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_placeholder_of_one_language_is_in_the_other() -> None:
    zh, en = load_texts("zh"), load_texts("en")
    uneven = [key for key in zh if set(PLACEHOLDER.findall(zh[key])) != set(PLACEHOLDER.findall(en[key]))]
    assert uneven == []


def test_english_texts_hold_no_chinese_and_chinese_ones_do() -> None:
    assert [key for key, text in load_texts("en").items() if HAN.search(text)] == []
    latin = {key for key, text in load_texts("zh").items() if text and not HAN.search(text)}
    assert latin == {"each", "by_weight"} & latin


@pytest.mark.parametrize("path", sorted((WEB / "static").rglob("*.js")), ids=lambda path: path.name)
def test_scripts_hold_no_words_of_their_own(path: Path) -> None:
    assert HAN.findall(path.read_text(encoding="utf-8")) == []


def test_every_text_that_a_page_names_exists() -> None:
    named: set[str] = set()
    for path in (*WEB.rglob("*.html"), *(WEB / "static").rglob("*.js")):
        content = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'data-t(?:-label)?="(\w+)"', content))
        named |= set(re.findall(r'\bt\("(\w+)"', content))
        named |= set(re.findall(r"\btexts\.(\w+)", content)) - {"get", "js"}
    assert named
    assert named - load_texts(LANGUAGES[0]).keys() == set()


def test_pages_name_no_address_outside_the_box() -> None:
    # WeChat Pay frames the slip and wants its own script in it.
    allowed = {
        "http://www.w3.org/2000/svg",
        "https://payapp.weixin.qq.com",
        "https://wx.gtimg.com/pay_h5/goldplan/js/jgoldplan-1.0.0.js",
    }
    found = set()
    for path in WEB.rglob("*"):
        if path.suffix in {".html", ".js", ".css", ".svg"}:
            found |= set(
                re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"')]*", path.read_text(encoding="utf-8"))
            )
    assert found <= allowed
