"""The configuration: typed, whole, and refused with every mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config import effective, load_config, parse_config
from edge.errors import Invalid
from edge.services.box import Rules
from edge.services.staff import hash_pin

BOX: dict[str, Any] = {"box": {"site": "demo-mall", "edge": "edge-1"}}
KIOSK = {"workstation": [{"name": "kiosk-1"}]}


def test_a_box_needs_its_names_and_takes_the_rest_by_default() -> None:
    config = parse_config(BOX, "edge.toml")
    assert (config.box.site, config.web.port, config.hq.port) == ("demo-mall", 8080, 1883)
    assert (config.workstation, config.wechat_pay) == ((), None)


def test_the_rules_default_to_what_the_use_cases_default_to() -> None:
    rules, defaults = parse_config(BOX, "edge.toml").rules, Rules()
    for name in type(rules).__dataclass_fields__:
        assert getattr(rules, name) == getattr(defaults, name), name


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"box": {"site": "a"}}, ["box.edge is missing"]),
        ({"box": []}, ["box: must be a table"]),
        ({"web": {"trusted_networks": ["10.0.0.0/33"]}}, ["web.trusted_networks", "write it like"]),
        ({"bocks": {}}, ["bocks is not known; did you mean box?"]),
        ({"rules": {"idle_s": 5}}, ["rules.idle_s is not known; did you mean idle_ms?"]),
        ({"rules": {"idle_ms": True}}, ["rules.idle_ms: must be a whole number, got True"]),
        ({"rules": {"idle_ms": "120000"}}, ["rules.idle_ms: must be a whole number"]),
        ({"rules": {"poll_ms": 0}}, ["rules.poll_ms must be more than 0 ms"]),
        ({"web": {"port": 99_999}}, ["web.port must be 0 to 65535"]),
        ({"web": {"trusted_networks": "127.0.0.1"}}, ["trusted_networks must be a list"]),
        ({"codes": {"scale_layouts": "21PPPPPWWWWWC"}}, ["codes: scale_layouts must be a list"]),
        ({"workstation": {"name": "kiosk-1"}}, ["workstation must be a list"]),
        ({"workstation": ["kiosk-1"]}, ["workstation[0]: must be a table"]),
        (
            {"workstation": [{"name": "a", "kind": "bar"}]},
            ["workstation[0].kind: must be one of kiosk, till"],
        ),
        ({"workstation": [{"name": "a"}, {"name": "a"}]}, ["two workstations are named 'a'"]),
        ({"workstation": [{"name": "phone"}]}, ["a workstation is named 'phone'"]),
        ({"printer": [{"name": "p", "workstation": "bar"}]}, ["p belongs to workstation 'bar'; known: none"]),
        (
            {"box": {"site": 1, "edge": "b"}, "hq": {"window": "many", "hosst": "x"}},
            ["box.site: must be a text", "hq.window: must be a whole number", "hq.hosst is not known"],
        ),
        ({"box": {"site": "a", "edge": "b", "day_starts_h": 24}}, ["box.day_starts_h must be 0 to 23"]),
        ({"box": {"site": "a", "edge": "b", "clock_alarm_h": 721}}, ["box.clock_alarm_h must be 0 to 720"]),
        ({"staff": [{"name": "王", "pin_hash": "1234"}]}, ["pin_hash of '王'"]),
    ],
)
def test_every_mistake_is_named_with_where_it_is(extra: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        parse_config({**BOX, **extra}, "edge.toml")
    assert str(caught.value).startswith("edge.toml")
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_there_or_not_toml_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nowhere\.toml"):
        load_config(tmp_path / "nowhere.toml")
    odd = tmp_path / "odd.toml"
    odd.write_text("[box\n")
    with pytest.raises(Invalid, match="is not TOML"):
        load_config(odd)
    odd.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="is not TOML"):
        load_config(odd)


def test_what_is_shown_of_a_configuration_holds_no_secret() -> None:
    pin_hash = hash_pin("1234", b"some-salt")
    staff = {"staff": [{"name": "王", "pin_hash": pin_hash}]}
    shown = effective(parse_config({**BOX, **KIOSK, **staff}, "edge.toml"))
    assert 'workstation[0].name = "kiosk-1"' in shown
    assert "staff[0].pin_hash = (hidden)" in shown
    assert pin_hash not in shown
