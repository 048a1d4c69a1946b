"""The broker for demo and tests: bound to loopback, honest about failure, gone with its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sim.broker import Broker, BrokerError, BrokerKind, best, installed

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]


def alive(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("kind", list(BrokerKind))
def test_it_starts_and_ends_and_starts_again_on_the_same_port(kind: BrokerKind) -> None:
    if not installed(kind):
        pytest.skip(f"{kind} is not installed")
    with Broker(kind) as broker:
        assert broker.running
        broker.kill()
        assert not alive(broker.port)
        broker.start()
        broker.start()
        assert alive(broker.port)
        broker.stop()
        broker.stop()
        assert not broker.running


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} is taken"), Broker(port=port):
            pass


@pytest.mark.parametrize("kind", list(BrokerKind))
def test_it_listens_on_loopback_alone(kind: BrokerKind) -> None:
    if not installed(kind):
        pytest.skip(f"{kind} is not installed")
    with Broker(kind) as broker:
        wanted = f"{broker.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        bound = {row[1].split(":")[0] for row in rows if row[1].endswith(f":{wanted}") and row[3] == "0A"}
    assert bound == {"0100007F"}


def test_it_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    program = (
        "from sim.broker import Broker; import sys\n"
        "b = Broker(); b.start(); print(b.port, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    port = int(parent.stdout.readline())
    assert alive(port)
    assert [one.name[:12] for one in tmp_path.iterdir()] == ["mall-broker-"]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(5)
    pause = threading.Event()
    for _ in range(500):
        if not alive(port) and not list(tmp_path.iterdir()):
            break
        pause.wait(0.01)
    assert not alive(port)
    assert list(tmp_path.iterdir()) == []
    parent.stdout.close()
    parent.stdin.close()


def test_the_command_runs_until_it_is_told_to_stop() -> None:
    program = "from sim.broker import run; raise SystemExit(run(0))"
    command = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    said = command.stdout.readline()
    assert f"MQTT 5 broker ({best()}) on 127.0.0.1:" in said
    port = int(said.split("127.0.0.1:")[1].split(";")[0])
    assert alive(port)
    command.send_signal(signal.SIGTERM)
    assert command.wait(10) == 0
    assert not alive(port)
    command.stdout.close()
