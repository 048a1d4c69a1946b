"""Agreement of frames: when a code that a camera sees becomes one scan. Pure; frames bring their moments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from devices.camera.symbols import DecodedCode

_NS_PER_MS = 1_000_000
_MOST_IN_VIEW = 64

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class AgreementSettings:
    """needed: frames that must show a code, of the last `window` frames. gone_ms: how long it must be out of
    view before it counts as shown again.
    """

    needed: int = 2
    window: int = 5
    gone_ms: int = 1000

    def __post_init__(self) -> None:
        """Raise ValueError unless 1 <= needed <= window <= 100 and gone_ms >= 0."""
        if not 1 <= self.needed <= self.window <= 100 or self.gone_ms < 0:
            raise ValueError(f"agreement needs 1 <= needed <= window <= 100 and gone_ms >= 0, got {self}")


class FrameAgreement:
    """Which codes of a stream of frames are scans. One per camera; not thread safe."""

    def __init__(self, settings: AgreementSettings | None = None) -> None:
        """Begin with nothing in view."""
        self._settings = settings or AgreementSettings()
        self._frames: deque[frozenset[Key]] = deque(maxlen=self._settings.window)
        self._in_view: dict[Key, int] = {}

    def frame(self, codes: Iterable[DecodedCode], taken_ns: int) -> tuple[DecodedCode, ...]:
        """Take the codes of one frame; return those that became scans with it, in reading order.

        A code held in view is a scan once; it is one again only after `gone_ms` out of view.
        """
        seen = {(code.symbology, code.text): code for code in codes}
        self._forget(taken_ns)
        self._frames.append(frozenset(seen))
        scans = []
        for key, code in seen.items():
            if key in self._in_view:
                self._in_view[key] = taken_ns
            elif sum(key in frame for frame in self._frames) >= self._settings.needed:
                self._remember(key, taken_ns)
                scans.append(code)
        return tuple(scans)

    def _forget(self, now_ns: int) -> None:
        limit = now_ns - self._settings.gone_ms * _NS_PER_MS
        gone = [key for key, last_ns in self._in_view.items() if last_ns < limit]
        for key in gone:
            del self._in_view[key]
        if gone:
            # A code that left must be proven anew, not by the frames that proved it before.
            kept = [frame - set(gone) for frame in self._frames]
            self._frames.clear()
            self._frames.extend(kept)

    def _remember(self, key: Key, now_ns: int) -> None:
        if len(self._in_view) >= _MOST_IN_VIEW:
            del self._in_view[min(self._in_view, key=lambda one: self._in_view[one])]
        self._in_view[key] = now_ns
