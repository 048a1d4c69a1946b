"""From a configuration to drivers and gateways: what cannot work is refused with the name of the device."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.building import Buses
from edge.app import build_code_rules, build_devices, link_doubts, link_settings, web_settings
from edge.clock import SystemClock
from edge.codes.classify import classify
from edge.codes.reading import CodeKind
from edge.config import Config, parse_config, secret_file
from edge.errands.configuration import check_config
from edge.errors import Invalid
from edge.hq.tls import TlsSettings
from edge.services.staff import hash_pin
from sim.certificates import DAY_MS, Authority, Validity

BOX = {"site": "s", "edge": "e"}
GATE = {"name": "in", "port": "/dev/ttyUSB0"}
SCREEN = {"name": "K01"}
PRINTER = {"name": "p", "workstation": "K01", "port": "/dev/ttyUSB1"}


def config(**sections: object) -> Config:
    """Return a configuration with these sections beside [box]."""
    return parse_config({"box": BOX, **sections}, "test")


def test_two_devices_of_one_line_share_its_bus() -> None:
    buses = Buses()
    assert buses.on("/dev/a", 9600) is buses.on("/dev/a", 9600)
    assert buses.on("/dev/b", 9600) is not buses.on("/dev/a", 9600)


@pytest.mark.parametrize("other", [{"baud": 19200}, {"local_echo": True}])
def test_two_devices_of_one_line_must_agree(other: dict[str, object]) -> None:
    display = {"name": "board", "port": GATE["port"], **other}
    with pytest.raises(Invalid, match="RS-485 line /dev/ttyUSB0: its devices disagree"):
        build_devices(config(gate=[GATE], display=[display]))


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"inverted": [3]}, "input 3 is inverted but neither"),
        ({"loops": [-1]}, "counted from 0, got -1"),
        ({"timeout_s": 60}, "timeout_s is 0.05-5"),
        ({"family": "kmtronic", "boom_up": 0}, "has no inputs"),
    ],
)
def test_a_gate_that_cannot_be_is_refused_by_name(extra: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=f"gate in: .*{words}"):
        build_devices(config(gate=[{**GATE, **extra}]))


def test_a_display_that_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"display d: .*1-8 lines"):
        build_devices(config(display=[{"name": "d", "port": "/dev/x", "lines": 9}]))


@pytest.mark.parametrize(
    ("extra", "words"),
    [({"dots": 100}, "dots must be"), ({"font_path": "/none.ttc"}, "there is no font /none.ttc")],
)
def test_a_printer_that_cannot_be_is_refused_by_name(extra: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=f"printer p: .*{words}"):
        build_devices(config(workstation=[SCREEN], printer=[{**PRINTER, **extra}]))


def test_house_forms_replace_the_usual_ones() -> None:
    forms = [{"kind": "member", "prefix": "VIP", "checked": False}]
    rules = build_code_rules(config(codes={"house_forms": forms}))
    assert classify("VIP12345", None, rules).kind is CodeKind.MEMBER
    assert classify("VIP12345", None, build_code_rules(config())).kind is not CodeKind.MEMBER


def test_a_house_form_of_no_kind_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid, match=r"codes\.house_forms\[0\]\.kind: must be one of member"):
        config(codes={"house_forms": [{"kind": "friend", "prefix": "VIP"}]})


def test_a_credential_lies_in_the_folder_of_systemd() -> None:
    assert secret_file(Path("credential:keys_a.pem"), "/run/c") == Path("/run/c/keys_a.pem")
    assert secret_file(Path("/etc/a.pem"), None) == Path("/etc/a.pem")


@pytest.mark.parametrize(
    ("path", "folder", "words"),
    [("credential:a", None, "sudo mall-edge"), ("credential:../a", "/run/c", "bare name")],
)
def test_a_credential_that_cannot_be_read_is_refused_with_the_remedy(
    path: str, folder: str | None, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        secret_file(Path(path), folder)


def test_the_password_of_the_broker_comes_from_its_file_and_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "hq"
    secret.write_text("pass word\n", encoding="utf-8")
    settings = link_settings(config(hq={"username": "u", "password_file": str(secret)}).hq)
    assert (settings.username, settings.password) == ("u", "pass word")
    assert "pass word" not in repr(settings)
    with pytest.raises(Invalid, match=r"hq\.password_file .* cannot be read"):
        link_settings(config(hq={"password_file": str(tmp_path / "absent")}).hq)


def test_the_way_to_hq_is_as_configured(tmp_path: Path) -> None:
    plain = link_settings(config(hq={"host": "10.0.0.7"}).hq)
    assert plain.tls is None
    asked = {
        "tls": True,
        "keepalive_s": 30,
        "connect_s": 2,
        "stall_s": 9,
        "first_delay_s": 2,
        "last_delay_s": 90,
    }
    settings = link_settings(config(hq=asked).hq)
    assert settings.tls == TlsSettings()
    assert (settings.keepalive_s, settings.connect_s, settings.stall_s) == (30, 2.0, 9.0)
    assert (settings.first_delay_s, settings.last_delay_s) == (2.0, 90.0)
    named = {"ca_file": "/k/ca.pem", "certificate_file": "/k/box.pem", "key_file": "/k/box.key"}
    found = link_settings(config(hq=named).hq).tls
    assert found == TlsSettings(Path("/k/ca.pem"), Path("/k/box.pem"), Path("/k/box.key"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"certificate_file": "/k/box.pem"}, "belong together"),
        ({"keepalive_s": 1}, "keepalive_s must be 5 to 3600"),
        ({"stall_s": 0}, "must be above 0"),
        ({"first_delay_s": 9, "last_delay_s": 3}, "in order"),
    ],
)
def test_a_way_to_hq_that_cannot_work_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        link_settings(config(hq=wrong).hq)


def test_doubts_about_the_way_to_hq_are_told(tmp_path: Path) -> None:
    clock = SystemClock()
    assert link_doubts(config().hq, clock) == []
    assert "not encrypted" in link_doubts(config(hq={"host": "hq.example"}).hq, clock)[0]
    absent = {"ca_file": str(tmp_path / "absent.pem")}
    assert "cannot be read" in link_doubts(config(hq=absent).hq, clock)[0]
    authority = Authority(tmp_path / "keys", clock.now().wall_at)
    now_at = clock.now().wall_at
    for days, words in ((-1, "expired on"), (3, "renew it"), (300, "")):
        until = Validity(now_at - 9 * DAY_MS, now_at + days * DAY_MS)
        issued = authority.issue_box("demo-mall", "edge-1", until)
        files = {"certificate_file": str(issued.certificate), "key_file": str(issued.key)}
        doubts = link_doubts(config(hq={"ca_file": str(authority.ca_file), **files}).hq, clock)
        assert (words in doubts[0]) if words else doubts == []


def test_a_key_that_others_can_read_is_doubted(tmp_path: Path) -> None:
    issued = Authority(tmp_path / "keys", SystemClock().now().wall_at).issue_box("demo-mall", "edge-1")
    files = {"certificate_file": str(issued.certificate), "key_file": str(issued.key)}
    made = config(hq=files)
    assert not [doubt for doubt in check_config(made) if "can be read by others" in doubt]
    issued.key.chmod(0o644)
    assert f"{issued.key} can be read by others; run: chmod 600 {issued.key}" in check_config(made)


def test_the_pages_use_the_time_zone_of_the_box() -> None:
    settings = web_settings(parse_config({"box": {**BOX, "time_zone": "Asia/Urumqi"}}, "test"))
    assert settings.zone == "Asia/Urumqi"


@pytest.mark.parametrize("pin_hash", ["2580", "zz$00", "ab" * 16 + "$" + "0" * 63])
def test_a_pin_hash_that_no_pin_can_have_made_is_refused_at_start(pin_hash: str) -> None:
    with pytest.raises(Invalid, match="the pin_hash of 'Li' is none; make one with"):
        config(staff=[{"name": "Li", "pin_hash": pin_hash}])


def test_a_pin_hash_as_the_command_makes_it_is_taken_and_the_examples_one_is_doubted() -> None:
    made = config(staff=[{"name": "Li", "pin_hash": hash_pin("2580", b"0123456789abcdef")}])
    assert not [doubt for doubt in check_config(made) if "pin_hash" in doubt]
    example = config(staff=[{"name": "Li", "pin_hash": "00" * 16 + "$" + "00" * 32}])
    assert [doubt for doubt in check_config(example) if "Li has the example's pin_hash" in doubt]
