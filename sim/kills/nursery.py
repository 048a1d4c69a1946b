"""Processes that begin with the program already loaded, so that a kill costs the service's own start alone.

One process loads the modules once and is never the service; each `Born` is forked from it and runs the
program's own command from its first line, with its own process id, files, threads and connections, and is
killed alone. What is saved is Python's loading of modules, which touches no state of the service.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Source: prctl(2).
_PR_SET_PDEATHSIG = 1

#: Seconds that a process may take to be born.
BIRTH_S = 20.0


class Born:
    """A process that the nursery brought forth."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return bool(select.select([self._handle], [], [], 0)[0])

    def await_end(self, timeout_s: float) -> bool:
        """Wait until it has ended; return whether it has."""
        return bool(select.select([self._handle], [], [], timeout_s)[0])

    def kill(self) -> None:
        """End it by SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        select.select([self._handle], [], [])

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)


class Nursery:
    """The parent; usable as a context manager, which ends all that it brought forth."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """modules: loaded once. environment: beside the present one, for all that is born."""
        command = [sys.executable, "-m", "sim.kills.nursery", *modules]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self._born: Born | None = None

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._born is not None:
            self._born.kill()
            self._born.close()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def bear(self, module: str, arguments: Sequence[str], log: Path) -> Born:
        """Run `python -m module arguments`; the one before must have ended. Raises OSError when it cannot."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._born is not None:
            self._born.close()
        wish = json.dumps({"module": module, "arguments": list(arguments), "log": str(log)})
        self._process.stdin.write(wish.encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], BIRTH_S)[0]:
            raise OSError(f"{module} was not started within {BIRTH_S:.0f} s")
        self._born = Born(int(self._process.stdout.readline()))
        return self._born


def main(modules: Sequence[str]) -> None:
    """Load the modules; then fork for each line of standard input and tell the process id."""
    for name in modules:
        importlib.import_module(name)
    # Nobody waits for them here: their ends are seen by their handles.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wish["module"], wish["arguments"], wish["log"])
        os.write(sys.stdout.fileno(), b"%d\n" % pid)


def _become(module: str, arguments: Sequence[str], log: str) -> None:
    """Be that program from here on, as if it had just been started; end when the nursery does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing, file = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
    )
    for there, wanted in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(there, wanted)
    sys.argv = [module, *arguments]
    status = 1
    try:
        importlib.import_module(f"{module}.cli").main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
