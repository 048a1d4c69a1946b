"""Structured logs: one JSON object a line on stderr, with anything like a payment code masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog

#: Runs of digits that could be a payment code (16 to 24 digits).
_CODE_LIKE = re.compile(r"(?<!\d)\d{12,20}(?=\d{4}(?!\d))", re.ASCII)


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
    """Mask runs of digits that could be a payment code in every text of a log line."""
    return {
        key: _CODE_LIKE.sub("..", value) if isinstance(value, str) else value for key, value in event.items()
    }
