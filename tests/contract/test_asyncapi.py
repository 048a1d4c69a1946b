"""The AsyncAPI document: valid AsyncAPI 3, and the same as the code says, both ways.

asyncapi-3.0.0.json.gz is the JSON Schema of AsyncAPI 3.0.0 as published in the npm package @asyncapi/specs
6.11.1 (schemas/3.0.0-without-$id.json, Apache-2.0).
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.hq.properties import CONTENT_TYPE, event_properties
from edge.hq.topics import Topics
from edge.services.events import URGENT, EventKind, Origin, event_schema, event_type
from sim.hq.worker import EVENTS, SHARE, STATES
from tests.unit.hq_samples import AT, ORIGIN, CountingIds, ManualClock, MemoryOutbox, record

PROTOCOLS = Path(__file__).parents[2] / "docs" / "protocols"
SCHEMAS = PROTOCOLS / "schemas"

#: Messages of the house that are no CloudEvents, by channel.
PLAIN = {
    "acks": "ack",
    "state": "state",
    "requests": "request",
    "replies": "reply",
    "manifests": "snapshot",
    "chunks": "chunk",
    "fetches": "fetch",
    "commands": "command",
}

#: A second message of the channel of replies.
REPLIES = ["reply", "command-reply"]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    text = (PROTOCOLS / "asyncapi.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def addresses(document: dict[str, Any]) -> dict[str, str]:
    return {name: channel["address"] for name, channel in document["channels"].items()}


def test_it_is_valid_asyncapi(document: dict[str, Any]) -> None:
    schema = json.loads(gzip.decompress(Path(__file__).with_name("asyncapi-3.0.0.json.gz").read_bytes()))
    problems = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(schema).iter_errors(document)
    ]
    assert problems == []
    document = {**document, "operations": {"x": {"action": "shout"}}}
    assert not Draft7Validator(schema).is_valid(document), "the validator sees nothing"


def test_its_addresses_are_the_topics_of_the_code(document: dict[str, Any]) -> None:
    topics = Topics(Origin("site", "edge"))
    filled = {
        name: each.format(site="site", edge="edge", kind="order.paid", name="+", version="+", number="+")
        for name, each in addresses(document).items()
    }
    known = {
        "events": topics.event("order.paid"),
        "fetches": topics.fetch("+"),
        **{
            name: getattr(topics, name)
            for name in dir(Topics)
            if isinstance(getattr(Topics, name), property) and not name.startswith("_")
        },
    }
    assert filled == known


def test_it_has_every_kind_of_event_and_no_other(document: dict[str, Any]) -> None:
    kinds = [kind.value for kind in EventKind]
    events = document["channels"]["events"]
    assert events["parameters"]["kind"]["enum"] == kinds
    assert list(events["messages"]) == kinds
    messages = document["components"]["messages"]
    assert sorted(messages) == sorted([*kinds, *PLAIN.values(), REPLIES[1]])
    assert list(document["channels"]["replies"]["messages"]) == REPLIES
    assert {name for name, each in messages.items() if {"name": "urgent"} in each.get("tags", [])} == set(
        URGENT
    )


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_event_has_its_type_its_schema_and_its_properties(
    document: dict[str, Any], kind: EventKind
) -> None:
    message = document["components"]["messages"][kind.value]
    envelope, own = message["payload"]["schema"]["allOf"]
    assert message["name"] == own["properties"]["type"]["const"] == event_type(kind)
    assert own["properties"]["dataschema"]["const"] == event_schema(kind)
    assert envelope == {"$ref": "schemas/envelope.v1.json"}
    assert own["properties"]["data"] == {"$ref": f"schemas/{kind.value}.v1.json"}
    assert message["contentType"] == CONTENT_TYPE
    assert message["headers"] == {"$ref": "#/components/schemas/eventProperties"}


def test_the_properties_on_the_wire_are_the_documented_ones(document: dict[str, Any]) -> None:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), 1, ManualClock(AT))
    read = Properties(PacketTypes.PUBLISH)
    read.unpack(event_properties(outbox.rows[1], 1, 2).pack())
    headers = document["components"]["schemas"]["eventProperties"]
    sent = dict(read.UserProperty)
    assert list(sent) == headers["required"] == list(headers["properties"])
    Draft202012Validator(headers).validate(sent)
    assert sent["source"] == ORIGIN.source


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to(document: dict[str, Any]) -> None:
    files, inside = set(), set()
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        (inside if reference.startswith("#/") else files).add(reference)
    for reference in inside:
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, f"{reference} leads nowhere"
            found = found[part]
    assert files == {f"schemas/{path.name}" for path in SCHEMAS.glob("*.json")}


def test_its_schemas_can_be_read_as_the_draft_that_it_names(document: dict[str, Any]) -> None:
    for message in document["components"]["messages"].values():
        assert message["payload"]["schemaFormat"] == "application/schema+json;version=draft-2020-12"
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)


def test_the_page_for_people_is_up_to_date() -> None:
    script = str(PROTOCOLS.parent / "render_asyncapi.py")
    before = (PROTOCOLS / "asyncapi.html").read_text(encoding="utf-8")
    program = "import runpy, sys; sys.stdout.write(runpy.run_path(sys.argv[1])['page']())"
    page = subprocess.run([sys.executable, "-c", program, script], capture_output=True, text=True, check=True)
    assert page.stdout == before, "run docs/render_asyncapi.py"


def test_who_says_what_is_complete(document: dict[str, Any]) -> None:
    said = {
        (each["channel"]["$ref"].removeprefix("#/channels/"), each["action"])
        for each in document["operations"].values()
    }
    assert said == {
        ("events", "send"),
        ("acks", "receive"),
        ("state", "send"),
        ("state", "receive"),
        ("requests", "receive"),
        ("replies", "send"),
        ("commands", "receive"),
        ("manifests", "receive"),
        ("chunks", "receive"),
        ("fetches", "send"),
    }
    retained = {
        each["channel"]["$ref"]
        for each in document["operations"].values()
        if each["bindings"]["mqtt"]["retain"] and each["bindings"]["mqtt"]["qos"] == 1
    }
    assert retained == {"#/channels/state", "#/channels/manifests"}


def test_what_it_tells_an_hq_to_subscribe_to_is_what_the_reference_hq_does(document: dict[str, Any]) -> None:
    told = document["info"]["description"]
    assert f"`$share/{SHARE}/{EVENTS}`" in told
    assert f"`{STATES}`" in told
