"""A real MQTT 5 broker on 127.0.0.1: mosquitto (Debian's) where it is installed, else iotcore (with pip).

The broker is a child process that ends with its parent, even when that is killed. It need not be
durable: nothing leaves a box's outbox before HQ's own ack. `kill` is for rehearsing its loss.
Source: iotcore 0.4.0 (rumqttd 0.20) configuration; mosquitto.conf(5) of 2.0.11.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from enum import StrEnum
from pathlib import Path

from devices.signals import stop_on_signals

HOST = "127.0.0.1"

#: The largest payload taken: a relayed answer (384 KiB in base64) with room for its properties.
MAX_PAYLOAD_BYTES = 1024 * 1024
MAX_CONNECTIONS = 2_000

#: How long the broker may take to listen, and to end, in seconds.
START_S = 15.0
STOP_S = 5.0


#: Starts the broker, tells its process id and ends it once our end of the pipe is closed.
_GUARD = """
folder="$1"; shift; exec 3<&0
"$@" </dev/null >"$folder/broker.log" 2>&1 3<&- & echo $!
read -r word <&3; kill -9 $! 2>/dev/null; wait $! 2>/dev/null
[ "$word" = keep ] || rm -rf "$folder"
"""


class BrokerKind(StrEnum):
    """Which program."""

    IOTCORE = "iotcore"
    MOSQUITTO = "mosquitto"


class BrokerError(Exception):
    """The broker could not be started; the message says why and what to do."""


class Broker:
    """One broker process; usable as a context manager. port 0 takes a free one, kept over restarts.

    config: a configuration of Mosquitto's that listens on that port, instead of the simulator's own.
    """

    def __init__(self, kind: BrokerKind | None = None, port: int = 0, config: Path | None = None) -> None:
        self.kind = kind or best()
        self._config = config
        self.host = HOST
        self.port = port or _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="mall-broker-")
        self._log = Path(self._folder.name) / "broker.log"
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def __enter__(self) -> Broker:
        """Start; nothing is left behind when that fails."""
        try:
            self.start()
        except BrokerError:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop and remove the temporary folder."""
        self.close()

    @property
    def pid(self) -> int:
        """The process, to freeze it (SIGSTOP) or have it read its files again (SIGHUP)."""
        return self._pid

    def said(self) -> str:
        """Return the last of what it logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2_000:].strip() or "nothing"

    @property
    def running(self) -> bool:
        """Whether the broker listens."""
        return self._guard is not None and _listens(self.port)

    def start(self) -> None:
        """Start and wait until it listens; raises BrokerError when it does not."""
        if self._guard is not None:
            return
        if _listens(self.port):
            raise BrokerError(f"port {self.port} is taken; stop what listens there or choose another port")
        command = _command(self.kind, self.port, Path(self._folder.name), self._config)
        # The guard's stdin is our pipe: when we end, for whatever reason, its read ends and so does the
        # broker; without our word to keep it, the folder goes, too.
        # A session of its own keeps Ctrl+C from the guard, so that the broker ends when we say so.
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "broker", self._folder.name, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert guard.stdout is not None
        self._pid = int(guard.stdout.readline())
        self._guard = guard
        if not self._await_listening():
            self.stop()
            raise BrokerError(f"{self.kind} does not listen on {HOST}:{self.port}; it said: {self.said()}")

    def stop(self) -> None:
        """End it politely, then by force; safe to repeat."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL: what it held in memory is lost."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop, and remove the temporary folder."""
        self.stop()
        self._folder.cleanup()

    def _await_listening(self) -> bool:
        pause = threading.Event()
        for _ in range(int(START_S / 0.02)):
            if _listens(self.port):
                return True
            if not Path(f"/proc/{self._pid}").exists():
                return False
            pause.wait(0.02)
        return False

    def _end(self, how: signal.Signals) -> None:
        guard = self._guard
        if guard is None:
            return
        self._guard = None
        assert guard.stdin is not None
        assert guard.stdout is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, how)
        self._await_silence()
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.write(b"keep\n")
            guard.stdin.flush()
        # Closing the pipe makes the guard end what is left.
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.close()
        guard.stdout.close()
        guard.wait(STOP_S)

    def _await_silence(self) -> None:
        pause = threading.Event()
        for _ in range(int(STOP_S / 0.02)):
            if not _listens(self.port):
                return
            pause.wait(0.02)


def best() -> BrokerKind:
    """Return the broker to use when nobody chose one; MALL_EDGE_BROKER=iotcore chooses for a whole run."""
    named = os.environ.get("MALL_EDGE_BROKER", "")
    if named:
        return BrokerKind(named)
    return BrokerKind.MOSQUITTO if installed(BrokerKind.MOSQUITTO) else BrokerKind.IOTCORE


def installed(kind: BrokerKind) -> bool:
    """Whether this broker can be started here."""
    return kind is BrokerKind.IOTCORE or _mosquitto() is not None


def run(port: int = 1883, kind: str = "") -> int:
    """Run a broker until SIGINT or SIGTERM; return the exit code. For `python -m sim broker`."""
    stop = threading.Event()
    stop_on_signals(stop)
    try:
        with Broker(BrokerKind(kind) if kind else None, port) as broker:
            print(f"MQTT 5 broker ({broker.kind}) on {broker.host}:{broker.port}; Ctrl+C ends it", flush=True)
            while not stop.wait(1.0):
                if not broker.running:
                    print("the broker has died", file=sys.stderr)
                    return 1
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _command(kind: BrokerKind, port: int, folder: Path, given: Path | None) -> list[str]:
    if kind is BrokerKind.IOTCORE:
        config = folder / "rumqttd.toml"
        config.write_text(_IOTCORE.format(port=port), encoding="utf-8")
        # Its tracing logs every packet as an error; only what is worse is of interest.
        return [sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL"]
    program = _mosquitto()
    if program is None:
        raise BrokerError("mosquitto is not installed; apt install mosquitto, or use the iotcore broker")
    if given is not None:
        return [program, "-c", str(given)]
    config = folder / "mosquitto.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    config.write_text(_MOSQUITTO.format(port=port, folder=folder, user=user), encoding="utf-8")
    return [program, "-c", str(config)]


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=0.5).close()
    except OSError:
        return False
    return True


_IOTCORE = f"""\
id = 0

[router]
id = 0
max_connections = {MAX_CONNECTIONS}
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "v5"
listen = "{HOST}:{{port}}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {MAX_PAYLOAD_BYTES}
max_inflight_count = 100
dynamic_filters = true
"""

# The stock queue of 1000 drops silently; persistence every second is the best that 2.0 can do cheaply.
_MOSQUITTO = f"""\
listener {{port}} {HOST}
allow_anonymous true
user {{user}}
persistence true
persistence_location {{folder}}/
autosave_interval 1
max_inflight_messages 200
max_queued_messages 20000
max_queued_bytes 67108864
max_packet_size {MAX_PAYLOAD_BYTES}
max_connections {MAX_CONNECTIONS}
set_tcp_nodelay true
log_dest stderr
log_type error
"""
