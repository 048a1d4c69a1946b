"""Write docs/protocols/asyncapi.html from asyncapi.yaml and its schemas, without a network.

Run: .venv/bin/python docs/render_asyncapi.py. A test holds the page to the document.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "protocols"
SOURCE = FOLDER / "asyncapi.yaml"
PAGE = FOLDER / "asyncapi.html"


def page() -> str:
    """Return the whole page."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    info = document["info"]
    parts = [f"<h1>{_text(info['title'])}</h1>", _prose(info["description"])]
    parts.append('<nav id="contents">' + _contents(document) + "</nav>")
    parts += [_channel(document, name) for name in document["channels"]]
    title = f"{info['title']} {info['version']} (AsyncAPI {document['asyncapi']})"
    return _FRAME.replace("@title", _text(title)).replace("@body", "\n".join(parts))


def _contents(document: dict[str, Any]) -> str:
    items = []
    for name, channel in document["channels"].items():
        links = " ".join(f'<a href="#{_text(each)}">{_text(each)}</a>' for each in channel["messages"])
        items.append(f'<li><a href="#channel-{name}">{_text(name)}</a>: {links}</li>')
    return f"<ul>{''.join(items)}</ul>"


def _channel(document: dict[str, Any], name: str) -> str:
    channel = document["channels"][name]
    said = [
        _said(each)
        for each in document["operations"].values()
        if each["channel"]["$ref"].endswith(f"/{name}")
    ]
    head = (
        f'<h2 id="channel-{name}">{_text(name)}</h2><p><code>{_text(channel["address"])}</code></p>'
        f"<p>{_text(channel['description'])}</p><ul>{''.join(said)}</ul>"
    )
    return head + "".join(_message(document, each) for each in channel["messages"])


def _said(operation: dict[str, Any]) -> str:
    does = "publishes" if operation["action"] == "send" else "subscribes"
    mqtt = operation["bindings"]["mqtt"]
    kept = ", retained" if mqtt["retain"] else ""
    return f"<li>the box <b>{does}</b>: {_text(operation['summary'])} QoS {mqtt['qos']}{kept}</li>"


def _message(document: dict[str, Any], name: str) -> str:
    message = document["components"]["messages"][name]
    tags = "".join(f" <mark>{_text(tag['name'])}</mark>" for tag in message.get("tags", []))
    parts = [
        f'<section><h3 id="{_text(name)}">{_text(message["title"])}{tags}</h3>',
        f"<p><code>{_text(message['name'])}</code>, {_text(message['contentType'])}</p>",
    ]
    if "headers" in message:
        headers = document["components"]["schemas"][message["headers"]["$ref"].rpartition("/")[2]]
        parts.append(f"<h4>MQTT 5 properties</h4>{_fields(headers)}")
    schema = message["payload"]["schema"]
    for title, file in _payloads(name, schema):
        own = json.loads((FOLDER / file).read_text(encoding="utf-8"))
        link = f'<a href="{_text(file)}">{_text(file)}</a>'
        parts.append(
            f"<details><summary>{title}: {_text(own['title'])}</summary>{link}{_fields(own)}</details>"
        )
    return "".join(parts) + "</section>"


def _payloads(name: str, schema: dict[str, Any]) -> list[tuple[str, str]]:
    if "allOf" not in schema:
        return [("Payload", schema["$ref"])]
    envelope, own = schema["allOf"]
    return [("<code>data</code>", own["properties"]["data"]["$ref"]), ("Envelope", envelope["$ref"])]


def _fields(schema: dict[str, Any], depth: int = 0) -> str:
    """Return an object's fields as a table, and within it those of the objects that it holds."""
    needed = set(schema.get("required", ()))
    rows = []
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field) if isinstance(field.get("items", field), dict) else {}
        nested = _fields(inner, depth + 1) if "properties" in inner and depth < 5 else ""
        star = "" if name in needed else " <small>may be absent</small>"
        told = _text(str(field.get("description", "")))
        rows.append(
            f"<tr><td><code>{_text(name)}</code>{star}</td><td>{_kind(field)}</td><td>{told}{nested}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _kind(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"<code>{_text(json.dumps(field['const'], ensure_ascii=False))}</code>"
    if "enum" in field:
        return ", ".join(f"<code>{_text(json.dumps(each))}</code>" for each in field["enum"])
    kind = field.get("type", "any")
    words = [" or ".join(kind) if isinstance(kind, list) else str(kind)]
    words += [
        f"{name} {field[name]}"
        for name in ("format", "pattern", "minimum", "maximum", "minLength", "maxLength", "maxItems")
        if name in field
    ]
    return _text(", ".join(words))


def _prose(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text.strip()))
    return "".join(f"<p>{each.replace(chr(10), '<br>')}</p>" for each in marked.split("\n\n"))


def _text(value: str) -> str:
    return html.escape(value)


_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@title</title>
<style>
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #16202e;
  font: 16px/1.55 system-ui, sans-serif; }
code { background: #eef1f6; padding: 0 .25em; border-radius: 4px; overflow-wrap: anywhere; }
h2 { margin-top: 3rem; border-top: 3px solid #1f5eff; padding-top: .6rem; }
section { border-left: 3px solid #e3e8ef; padding-left: 1rem; margin: 1.5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
td { border-bottom: 1px solid #e3e8ef; padding: .3rem .5rem; vertical-align: top; }
mark { background: #ffe3b8; padding: 0 .4em; border-radius: 6px; font-size: 13px; }
summary { cursor: pointer; margin: .5rem 0; }
</style></head><body>
@body
</body></html>
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
