"""Every capture in devices/scanner/captures gives the scans that expected.json tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import devices.scanner
from devices.scanner.codec import Framer, Framing, decode_frame, parse_terminators

_FOLDER = Path(devices.scanner.__file__).parent / "captures"
_EXPECTED: dict[str, dict[str, Any]] = json.loads((_FOLDER / "expected.json").read_text(encoding="utf-8"))


def _framing(settings: dict[str, Any]) -> Framing:
    return Framing(
        terminators=parse_terminators(settings.get("terminators", "auto")),
        prefix=settings.get("prefix", "").encode("ascii"),
        idle_ms=settings.get("idle_ms", 0),
    )


def test_each_capture_is_expected_and_each_expectation_has_a_capture() -> None:
    assert {path.stem for path in _FOLDER.glob("*.bin")} == set(_EXPECTED)


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("name", sorted(_EXPECTED))
def test_a_capture_gives_its_scans(name: str, chunk: int) -> None:
    data, told = (_FOLDER / f"{name}.bin").read_bytes(), _EXPECTED[name]
    framing = _framing(told["framing"])
    framer = Framer(framing)
    frames = [frame for at in range(0, len(data), chunk) for frame in framer.feed(data[at : at + chunk], 0)]
    frames += framer.flush_idle(10_000_000_000)
    payloads = [decode_frame(frame, framing) for frame in frames]
    assert [(p.text, p.aim) for p in payloads] == [(scan["text"], scan["aim"]) for scan in told["scans"]]
    for payload, scan in zip(payloads, told["scans"], strict=True):
        assert (payload.problem is None) == (scan["problem"] is None)
        assert (scan["problem"] or "") in (payload.problem or "")
