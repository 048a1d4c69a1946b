"""Write docs/protocols/asyncapi.html from asyncapi.yaml and its schemas, without a network.

An example that its schema does not allow is an error. Of Markdown: ## headings, lists, tables, indented code,
**bold**, `code` and [links](to).

Run: .venv/bin/python docs/render_asyncapi.py. A test holds the page to the document.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent / "protocols"
SOURCE = FOLDER / "asyncapi.yaml"
PAGE = FOLDER / "asyncapi.html"


def page() -> str:
    """Return the whole page."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    info = document["info"]
    parts = [f"<h1>{_text(info['title'])}</h1>", _prose(info["description"])]
    parts.append('<h2>Channels</h2><nav id="contents">' + _contents(document) + "</nav>")
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
        f"<ul>{''.join(said)}</ul>{_parameters(document, channel)}{_prose(channel['description'])}"
    )
    whole = _envelope(document) if name == "events" else ""
    return head + whole + "".join(_message(document, each) for each in channel["messages"])


def _parameters(document: dict[str, Any], channel: dict[str, Any]) -> str:
    rows = []
    for name, parameter in channel["parameters"].items():
        if "$ref" in parameter:
            parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
        told = f"<td><code>{{{_text(name)}}}</code></td><td>{_text(parameter['description'])}</td>"
        rows.append(f"<tr>{told}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _envelope(document: dict[str, Any]) -> str:
    """Return what all events have, once."""
    envelope = json.loads((FOLDER / "schemas/envelope.v1.json").read_text(encoding="utf-8"))
    return (
        f"<section><h3>Every event</h3>{_headers(document, {'$ref': 'x/eventProperties'})}"
        f"<h4>{_text(envelope['title'])}</h4>"
        f'<a href="schemas/envelope.v1.json">schemas/envelope.v1.json</a>{_fields(envelope)}</section>'
    )


def _headers(document: dict[str, Any], reference: dict[str, str]) -> str:
    headers = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
    return f"<h4>{_text(headers['title'])}</h4><p>{_text(headers['description'])}</p>{_fields(headers)}"


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
    schema = message["payload"]["schema"]
    if "headers" in message and "allOf" not in schema:
        parts.append(_headers(document, message["headers"]))
    title, file = _payload(schema)
    own = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    link = f'<a href="{_text(file)}">{_text(file)}</a>'
    state = "" if "allOf" in schema else " open"
    parts.append(
        f"<details{state}><summary>{title}: {_text(own['title'])}</summary>{link}{_fields(own)}</details>"
    )
    parts += [_example(each, schema) for each in message.get("examples", ())]
    return "".join(parts) + "</section>"


def _payload(schema: dict[str, Any]) -> tuple[str, str]:
    if "allOf" not in schema:
        return "Payload", schema["$ref"]
    return "<code>data</code>", schema["allOf"][1]["properties"]["data"]["$ref"]


def _example(example: dict[str, Any], schema: dict[str, Any]) -> str:
    Draft202012Validator(_resolved(schema)).validate(example["payload"])
    name = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", example["name"]).lower()
    payload = example["payload"]
    shown = json.dumps(payload, ensure_ascii=False, indent=1 if "specversion" in payload else None)
    return f"<p>Example, {_text(name)}:</p><pre>{_text(shown)}</pre>"


def _resolved(schema: Any) -> Any:
    """Return the schema with the files that it refers to in their places."""
    if isinstance(schema, dict) and "$ref" in schema:
        return json.loads((FOLDER / schema["$ref"]).read_text(encoding="utf-8"))
    if isinstance(schema, dict):
        return {name: _resolved(each) for name, each in schema.items()}
    return [_resolved(each) for each in schema] if isinstance(schema, list) else schema


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
    kind = field.get("type", "any of " + " / ".join(each["type"] for each in field.get("anyOf", ())))
    words = [" or ".join(kind) if isinstance(kind, list) else str(kind)]
    words += [f"{name} {field[name]}" for name in _LIMITS if name in field]
    if "prefixItems" in field:
        words.append("of " + " and ".join(f"[{_plain(each)}]" for each in field["prefixItems"]))
    elif isinstance(field.get("items"), dict) and "properties" not in field["items"]:
        words.append(f"of [{_plain(field['items'])}]")
    if isinstance(field.get("additionalProperties"), dict):
        words.append(f"values [{_plain(field['additionalProperties'])}]")
    return _text(", ".join(words))


def _plain(field: dict[str, Any]) -> str:
    return html.unescape(re.sub(r"</?code>", "", _kind(field)))


_LIMITS = (
    *("format", "pattern", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "maxProperties"),
)


def _prose(text: str) -> str:
    return "".join(_block(each) for each in text.rstrip().split("\n\n"))


def _block(block: str) -> str:
    if block.startswith("    "):
        return "<pre>" + _text(re.sub("^    ", "", block, flags=re.MULTILINE)) + "</pre>"
    if block.startswith("## "):
        return f"<h2>{_marked(block[3:])}</h2>"
    if block.startswith("|"):
        return _table(block)
    for start, tag in ((r"- ", "ul"), (r"\d+\. ", "ol")):
        if re.match(start, block):
            items = re.split(rf"^{start}", block, flags=re.MULTILINE)[1:]
            return f"<{tag}>" + "".join(f"<li>{_marked(each)}</li>" for each in items) + f"</{tag}>"
    return f"<p>{_marked(block)}</p>"


def _table(block: str) -> str:
    rows = [line.strip().split("|")[1:-1] for line in block.splitlines() if "|---" not in line]
    cells = ["".join(f"<td>{_marked(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{each}</tr>" for each in cells) + "</table>"


def _marked(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(" ".join(text.split())))
    marked = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", marked)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', marked)


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
td { overflow-wrap: anywhere; }
@media (min-width: 40rem) { td:first-child, td:first-child code { overflow-wrap: break-word; } }
h2 { margin-top: 3rem; border-top: 3px solid #1f5eff; padding-top: .6rem; }
section { border-left: 3px solid #e3e8ef; padding-left: 1rem; margin: 1.5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
pre { background: #eef1f6; padding: .6rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 13px; border-radius: 4px; }
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
