"""What `make demo` says when a port is taken."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sim.mall import MallSettings, run


@pytest.mark.parametrize(
    ("name", "what", "option"),
    [
        ("port", "the service's pages", "--port"),
        ("hq_port", "HQ's page", "--hq-port"),
        ("gateway_port", "the phones", "--gateway-port"),
        ("relay_port", "HQ's public host", "--relay-port"),
    ],
)
def test_a_taken_port_is_named_with_the_way_to_choose_another(
    name: str, what: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        ports = {"port": 0, "hq_port": 0, "gateway_port": 0, name: port}
        assert run(MallSettings(tmp_path / "mall", **ports), lambda: 0, lambda count: "0" * count) == 1
    said = capsys.readouterr()
    assert f"port {port} for {what} cannot be had (Address already in use)" in said.err
    assert f"make demo ARGS='{option} " in said.err
    assert not (tmp_path / "mall").exists()


def test_a_number_that_is_no_port_is_named_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MallSettings(tmp_path / "mall", port=70_000), lambda: 0, lambda count: "0" * count) == 1
    assert "port 70000 for the service's pages cannot be had" in capsys.readouterr().err
