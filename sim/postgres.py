"""A private PostgreSQL on loopback from Debian's package, for tests, benchmarks and the demonstration.

It is gone with its parent and its temporary folder. PostgreSQL refuses to run as root, so that a root
user's cluster runs as `postgres` or, without that user, as `nobody`. Trust is by loopback: whoever is on
this machine may connect; it is no example for production.
Source: initdb(1), postgres(1) of PostgreSQL 15.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
START_S = 30.0
STOP_S = 20.0

#: Ends the server (SIGQUIT: at once, as after a power cut) when our end of the pipe is closed.
_GUARD = """
log="$1"; shift; exec 3<&0
"$@" </dev/null >"$log" 2>&1 3<&- & echo $!
read -r word <&3; kill -QUIT $! 2>/dev/null; wait $!
[ "$word" = keep ] || rm -rf "${log%/*}"
"""

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "wal_compression": "on",
    "checkpoint_timeout": "5min",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
}


class PostgresError(Exception):
    """The database could not be started; the message says why and what to do."""


class Postgres:
    """One cluster, one server; usable as a context manager. The port is kept over restarts."""

    def __init__(self, port: int = 0) -> None:
        self.port = port or _free_port()
        #: sslmode, gssencmode: nothing to negotiate on loopback.
        self.url = f"postgresql://mall@{HOST}:{self.port}/postgres?sslmode=disable&gssencmode=disable"
        self.pid = 0
        self._databases = 0
        self._folder = Path(tempfile.mkdtemp(prefix="mall-postgres-"))
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Postgres:
        """Make the cluster and start."""
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop and remove the cluster."""
        self.close()

    def start(self) -> None:
        """Start and wait until it takes connections; raises PostgresError when it does not."""
        if self._guard is not None:
            return
        log = self._folder / "server.log"
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [*_as_user(), str(_program("postgres")), "-D", str(self._data), "-p", str(self.port)]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "postgres", str(log), *command, *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        self._guard.stdout.readline()
        if not self._await_ready():
            said = log.read_text(encoding="utf-8", errors="replace")[-300:].strip() or "nothing"
            self.stop()
            raise PostgresError(f"PostgreSQL does not listen on {HOST}:{self.port}; it said: {said}")
        self.pid = int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def new_database(self) -> str:
        """Make an empty database beside the others; return its URL."""
        import psycopg

        self._databases += 1
        name = f"mall_{self._databases}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url.replace("/postgres", f"/{name}")

    def stop(self) -> None:
        """End it in order (fast shutdown); safe to repeat."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server and all its children with SIGKILL: only what is on disk stays."""
        if self.pid:
            for child in _children(self.pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop, and remove the cluster."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialise(self) -> None:
        self._folder.chmod(0o755)
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            entry = _unprivileged()
            os.chown(self._data, entry.pw_uid, entry.pw_gid)
        command = [str(_program("initdb")), "-D", str(self._data), "-U", "mall", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            [*_as_user(), *command, "--locale=C", "--no-sync"], cwd="/", capture_output=True, text=True
        )
        if made.returncode != 0:
            raise PostgresError(f"initdb failed: {made.stderr.strip()[-300:]}")

    def _await_ready(self) -> bool:
        assert self._guard is not None
        pause, pid_file = threading.Event(), self._data / "postmaster.pid"
        for _ in range(int(START_S / 0.05)):
            with suppress(OSError):
                if "ready" in pid_file.read_text(encoding="ascii"):
                    return True
            if self._guard.poll() is not None:
                return False
            pause.wait(0.05)
        return False

    def _end(self, how: signal.Signals) -> None:
        guard, self._guard = self._guard, None
        if guard is None:
            return
        assert guard.stdin is not None
        assert guard.stdout is not None
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, how)
            pause = threading.Event()
            for _ in range(int(STOP_S / 0.05)):
                if not Path(f"/proc/{self.pid}").exists():
                    break
                pause.wait(0.05)
        self.pid = 0
        with suppress(BrokenPipeError):
            # Without this word, as when we are killed, the guard removes the cluster.
            guard.stdin.write(b"keep\n")
            guard.stdin.flush()
        with suppress(BrokenPipeError):
            guard.stdin.close()
        guard.stdout.close()
        guard.wait(STOP_S)


def installed() -> bool:
    """Whether a cluster can be made here."""
    return _folder_of_programs() is not None


def _program(name: str) -> Path:
    folder = _folder_of_programs()
    if folder is None:
        raise PostgresError("PostgreSQL is not installed; apt install postgresql")
    return folder / name


def _folder_of_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


def _as_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    return [
        "setpriv",
        f"--reuid={_unprivileged().pw_name}",
        f"--regid={_unprivileged().pw_gid}",
        "--clear-groups",
    ]


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
