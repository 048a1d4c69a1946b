"""No log line shows a payment code, however it got in."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from edge.logs import mask_codes

CODE = "134567890123456789"


@dataclass(frozen=True)
class Holder:
    code: str


@pytest.mark.parametrize(
    "value",
    [
        CODE,
        f"scan {CODE} failed",
        CODE.encode(),
        [CODE],
        (1, {"deep": [CODE]}),
        {CODE: 1},
        {CODE},
        Holder(CODE),
        ValueError(CODE),
        f"{CODE}{CODE}",
        "2812345678901234567890",
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_payment_code_is_masked_at_any_depth(value: object) -> None:
    shown = repr(mask_codes(None, "info", {"event": value}))
    assert CODE not in shown
    assert "6789" in shown or "7890" in shown
    assert not any(part.isdigit() and len(part) > 15 for part in shown.replace("'", " ").split())


@pytest.mark.parametrize("value", ["6901234567892", 1_795_336_000_000_000_000, 3.5, True, None, "kiosk-1"])
def test_what_is_no_payment_code_stays_as_it_is(value: object) -> None:
    assert mask_codes(None, "info", {"value": value}) == {"value": value}


def test_every_line_is_json_with_its_level_and_a_masked_traceback() -> None:
    program = f"""
import logging, structlog
from edge.logs import set_up_logs
set_up_logs()
structlog.get_logger("mine").info("scan", code="{CODE}", workstation="kiosk-1")
logging.getLogger("theirs").warning("got %s", "{CODE}")
try:
    raise ValueError("{CODE}")
except ValueError:
    structlog.get_logger("mine").exception("broke")
structlog.get_logger("mine").debug("too fine")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [(one["event"], one["level"], one["logger"]) for one in lines] == [
        ("scan", "info", "mine"),
        ("got ..6789", "warning", "theirs"),
        ("broke", "error", "mine"),
    ]
    assert "ValueError: ..6789" in lines[2]["exception"]
    assert CODE not in run.stderr
    assert all(one["timestamp"].endswith("Z") for one in lines)
