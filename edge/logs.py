"""Structured logs: one JSON object a line on stderr, with anything like a payment code masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog

#: Runs of digits that could hold a payment code: 16 or more, as two codes may be read as one.
_CODE_LIKE = re.compile(r"(?<!\d)\d{12,}(?=\d{4}(?!\d))", re.ASCII)


def set_up_logs(level: str = "INFO") -> None:
    """Send every log line of this process, our own and the libraries', to stderr as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_codes,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Every request's address would be a line of its own.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def mask_codes(logger: object, method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mask runs of digits that could be a payment code in every text of a log line, however deep."""
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {_masked(key): _masked(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(inner) for inner in value]
    # What JSON cannot say is written as its repr, so that is what must not show a code.
    return _CODE_LIKE.sub("..", value if isinstance(value, str) else repr(value))
