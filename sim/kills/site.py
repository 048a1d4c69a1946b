"""A mall whose service kills itself where it is told to, and is started again as systemd would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.clocks import monotonic_s
from sim.kills.nursery import Born, Nursery
from sim.mall import Mall, MallSettings, is_ready
from sim.shim import built
from sim.shopper import ShopperError

#: What the service loads before its first line runs, and the first of it that a fresh process would do.
MODULES = ("edge.cli", "edge.app", "edge.service", "edge.app.service", "devices.building", "cv2", "serial")

#: Seconds that a start may take.
READY_S = 30.0
_LOOK_S = 0.01

#: From a boundary that was still counted to the note of the kill.
_BARELY_S = 0.05

_RULES = "poll_ms = 200\npaid_idle_ms = 600000"
_HQ = "first_delay_s = 0.05\nlast_delay_s = 0.2"
_PACE_S = 1 / 3

#: A phone's request whose box has died is published again after this pause.
_REPUBLISH_S = 0.3


class KillSite:
    """One mall; `arm` says where its service dies. Usable as a context manager."""

    def __init__(self, now_ms: Callable[[], int], digits: Callable[[int], str], loads: bool = True) -> None:
        """Make what is needed; `__enter__` opens it. loads: a start finds the program's modules loaded.

        Raises shim.NoShim where the library cannot be made.
        """
        self._kept = ExitStack()
        self.folder = Path(self._kept.enter_context(TemporaryDirectory(prefix="kills-")))
        shim = built(Path(__file__).with_name("shim.c"), self.folder)
        settings = MallSettings(self.folder / "mall", 0, 0, 0, pace_s=_PACE_S, rules=_RULES, hq=_HQ)
        self.mall = Mall(settings, now_ms, digits)
        self._armed, self._done = self.folder / "armed", self.folder / "done"
        self._told = {
            "LD_PRELOAD": str(shim),
            "MALL_KILL_ARMED": str(self._armed),
            "MALL_KILL_DONE": str(self._done),
        }
        self._modules = MODULES if loads else ("edge.cli",)
        self._round = 0
        #: Where it died last, as `where` told it.
        self.last = ""
        self._nursery: Nursery | None = None
        self._service: Born | None = None

    def __enter__(self) -> KillSite:
        self._kept.callback(self.mall.close)
        try:
            self._nursery = self._kept.enter_context(Nursery(self._modules, self._told))
            self.mall.open(serves=False)
            assert self.mall.phones is not None
            self.mall.phones.relay.retry_s = _REPUBLISH_S
            if not self.start():
                raise ShopperError(f"the service is not ready; see {self.folder / 'mall' / 'edge.log'}")
        except BaseException:
            self._kept.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.mall.stop.set()
        self._kept.close()

    def start(self) -> bool:
        """Start the service; return whether it became ready, which it does not when it dies at its start."""
        assert self._nursery is not None
        command = ("serve", "--config", str(self.mall.config))
        self.last = self.where or self.last
        self._done.unlink(missing_ok=True)
        self._service = self._nursery.bear("edge", command, self.folder / "mall" / "edge.log")
        end_s = monotonic_s() + READY_S
        while monotonic_s() < end_s and not self.mall.stop.is_set():
            if is_ready(self.mall.url):
                return True
            if self._service.await_end(_LOOK_S):
                return False
        raise ShopperError(f"the service is not ready; see {self.folder / 'mall' / 'edge.log'}")

    def arm(self, at: int) -> None:
        """Count boundaries from now on, and die at the one with this number; 0 counts alone."""
        self._done.unlink(missing_ok=True)
        self._round += 1
        new = self._armed.with_suffix(".new")
        new.write_text(f"{self._round} {at}\n", encoding="ascii")
        new.replace(self._armed)

    def disarm(self) -> None:
        """Count no more."""
        self._armed.unlink(missing_ok=True)

    def is_dying(self) -> bool:
        """Count no more; return whether the service is dead all the same, at a boundary just before."""
        self.disarm()
        return self.await_death(_BARELY_S) or (bool(self.where) and self.await_death(READY_S))

    def await_death(self, timeout_s: float) -> bool:
        """Wait until the service is gone; return whether it is."""
        assert self._service is not None
        return self._service.await_end(timeout_s)

    @property
    def where(self) -> str:
        """At which boundary it died, or what it counted: number, side and call; "" for none."""
        return self._done.read_text("ascii").strip() if self._done.exists() else ""

    @property
    def problems_logged(self) -> list[str]:
        """The lines of the service's log that tell of an exception that nobody expected."""
        lines = (self.folder / "mall" / "edge.log").read_text("utf-8").splitlines()
        return [line for line in lines if "Traceback" in line or '"level": "critical"' in line]


def pause(seconds: float) -> None:
    """Wait."""
    threading.Event().wait(seconds)
