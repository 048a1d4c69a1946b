"""docs/operations/configuration.md and the examples, held to the dataclasses that read the file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from edge.app import build_devices, build_rules, given_file, web_settings
from edge.config import Config, load_config
from edge.errors import Invalid

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs/operations/configuration.md"
#: An agent reads a file of its own kind (tests/unit/test_lane_agent_files.py).
EXAMPLES = sorted(path for path in (ROOT / "systemd/examples").glob("*.toml") if path.stem != "agent")

Row = tuple[str, str]


def sections(kind: type = Config, path: str = "") -> Iterator[tuple[str, type]]:
    """Yield each table of the configuration with its heading, as the document writes it."""
    for name, hint in get_type_hints(kind).items():
        inner, many = _dataclass_in(hint)
        if inner is not None:
            place = f"{path}.{name}".lstrip(".")
            yield (f"[[{place}]]" if many else f"[{place}]"), inner
            yield from sections(inner, place)


def _dataclass_in(hint: Any) -> tuple[type | None, bool]:
    if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
        return get_args(hint)[0], True
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and is_dataclass(one):
            return one, False
    return None, False


def shown_type(hint: Any) -> str:
    """Return a type as the document writes it."""
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    if hint in plain:
        return plain[hint]
    if get_origin(hint) is Literal:
        return " ".join(f"`{one}`" for one in get_args(hint) if one)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " ".join(f"`{one.value}`" for one in hint)
    if get_origin(hint) in (UnionType,):
        return shown_type(next(one for one in get_args(hint) if one is not NoneType))
    if get_origin(hint) is tuple:
        return f"list of {shown_type(get_args(hint)[0])}"
    assert get_origin(hint) is Mapping, hint
    return "table of path"


def shown_default(one: Field[Any]) -> str:
    """Return a default as the document writes it: as TOML, or that it must be given."""
    if one.default is MISSING:
        return "must be given"
    if one.default is None:
        return "none"
    value = str(one.default) if isinstance(one.default, Path) else one.default
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def wanted_rows(kind: type) -> dict[str, Row]:
    """Return (type, default) of each key of one table, without the tables inside."""
    hints = get_type_hints(kind)
    return {
        one.name: (shown_type(hints[one.name]), shown_default(one))
        for one in fields(kind)
        if _dataclass_in(hints[one.name])[0] is None
    }


def documented() -> dict[str, dict[str, Row]]:
    """Return (type, default) of each key that the document describes, by heading."""
    found: dict[str, dict[str, Row]] = {}
    heading = ""
    for line in DOC.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip("`")
        row = re.fullmatch(r"\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|", line)
        if row:
            found.setdefault(heading, {})[row[1]] = (row[2], row[3])
            assert len(row[4]) > 10, f"{heading} {row[1]} says nothing"
    return found


def test_every_key_is_described_with_its_type_and_default_and_no_key_is_invented() -> None:
    assert documented() == {heading: wanted_rows(kind) for heading, kind in sections()}


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as systemd gives it, with stubs of the files that the examples name."""
    for name in (
        "keys_hq_password",
        "keys_agent_password",
        "keys_apiclient_key.pem",
        "keys_apiclient_cert.pem",
        "keys_pub_key.pem",
    ):
        (tmp_path / name).write_text("stub", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_can_be_used_as_it_stands(path: Path, credentials: Path) -> None:
    config = load_config(path)
    build_rules(config)
    web_settings(config)
    devices = build_devices(config)
    devices.close()
    assert config.workstation
    assert config.wechat_pay is not None
    assert given_file(config.wechat_pay.private_key_file).parent == credentials
    for key in config.wechat_pay.platform_keys.values():
        assert given_file(key).is_file()
    assert config.hq.password_file is not None
    assert given_file(config.hq.password_file).is_file()


def test_the_three_examples_are_there() -> None:
    assert [path.stem for path in EXAMPLES] == ["counter", "gate", "kiosk"]


def _keys(value: object, heading: str) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            for key, inner in one.items():
                yield heading, key
                yield from _keys(inner, f"{heading}.{key}".lstrip("."))


def test_every_key_stands_in_an_example() -> None:
    seen = {pair for path in EXAMPLES for pair in _keys(tomllib.loads(path.read_text("utf-8")), "")}
    wanted = {(heading.strip("[]"), key) for heading, kind in sections() for key in wanted_rows(kind)}
    assert wanted - seen == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_misspelt_key_of_an_example_is_refused_with_the_nearest_name(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text("utf-8").replace("shop_name =", "shopname ="), "utf-8")
    with pytest.raises(Invalid, match=r"box\.shopname is not known; did you mean shop_name\?"):
        load_config(copy)
