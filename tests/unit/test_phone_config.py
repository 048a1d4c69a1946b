"""The sections about phones and the mini-program: what cannot be is refused, what is doubtful is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.app.phone import build_mini_program, build_phone
from edge.clock import SystemClock
from edge.config import Config, parse_config
from edge.errands.configuration import check_config
from edge.errors import Invalid

BOX = {"site": "s", "edge": "e"}
PROGRAM: dict[str, object] = {"appid": "wx1", "app_secret_file": "/nowhere/secret.txt"}
PAYS: dict[str, object] = {
    "appid": "wx1",
    "mchid": "1900000000",
    "store_id": "S1",
    "private_key_file": "/nowhere/key.pem",
    "certificate_file": "/nowhere/cert.pem",
    "platform_keys": {},
}


def config(**sections: object) -> Config:
    """Return a configuration with these sections beside [box]."""
    return parse_config({"box": BOX, **sections}, "test")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_days", 0),
        ("session_days", 366),
        ("most_sessions", 9),
        ("opens_per_minute", 0),
        ("order_idle_s", 59),
    ],
)
def test_numbers_that_cannot_be_are_refused(name: str, value: int) -> None:
    with pytest.raises(Invalid, match=rf"phone\.{name} is \d+ to \d+, got {value}"):
        config(phone={name: value})


def test_a_mini_program_that_the_payments_do_not_know_is_refused() -> None:
    config(mini_program=PROGRAM, wechat_pay=PAYS)
    config(mini_program=PROGRAM, wechat_pay={**PAYS, "appid": "wx2", "sub_mchid": "1", "sub_appid": "wx1"})
    with pytest.raises(Invalid, match="could not pay"):
        config(mini_program=PROGRAM, wechat_pay={**PAYS, "appid": "wx2"})


@pytest.mark.parametrize("fields", [["thing1"], ["thing1=weather"], ["thing=shop"], ["=shop"]])
def test_fields_that_nothing_can_fill_are_refused(fields: list[str]) -> None:
    with pytest.raises(Invalid, match="must be like thing1=shop"):
        config(mini_program={**PROGRAM, "paid_template": "t", "paid_fields": fields})


@pytest.mark.parametrize("half", [{"paid_template": "t"}, {"paid_fields": ["thing1=shop"]}])
def test_a_template_and_its_fields_go_together(half: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="together"):
        config(mini_program={**PROGRAM, **half})


def test_the_rules_are_those_of_the_configuration(tmp_path: Path) -> None:
    made = parse_config(
        {
            "box": {**BOX, "data_dir": str(tmp_path)},
            "phone": {"session_days": 7, "order_idle_s": 60},
            "mini_program": {**PROGRAM, "paid_template": "t", "paid_fields": ["thing1=shop"]},
        },
        "test",
    )
    rules = build_phone(made)
    assert (rules.session_days, rules.order_idle_ms, rules.appid) == (7, 60_000, "wx1")
    assert (rules.paid_template, rules.paid_fields) == ("t", (("thing1", "shop"),))
    assert len(rules.key) == 32
    assert build_phone(made).key == rules.key
    assert "key" not in repr(rules)


def test_a_secret_that_cannot_be_read_or_is_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        build_mini_program(config(mini_program=PROGRAM), SystemClock())
    empty = tmp_path / "secret.txt"
    empty.write_text("\n", encoding="ascii")
    with pytest.raises(Invalid, match="is empty"):
        build_mini_program(config(mini_program={**PROGRAM, "app_secret_file": str(empty)}), SystemClock())


def test_an_open_secret_and_phones_that_cannot_pay_are_doubted(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("0" * 32, encoding="ascii")
    secret.chmod(0o644)
    doubts = check_config(config(mini_program={**PROGRAM, "app_secret_file": str(secret)}))
    assert f"{secret} can be read by others; run: chmod 600 {secret}" in doubts
    assert [one for one in doubts if "notify_url" in one]
    secret.chmod(0o600)
    assert not [
        one
        for one in check_config(config(mini_program={**PROGRAM, "app_secret_file": str(secret)}))
        if "can be read" in one
    ]
