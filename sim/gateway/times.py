"""How the gateway writes and reads times: Beijing's, RFC 3339, to the second."""

from __future__ import annotations

import datetime as dt

from sim.gateway.messages import parameter_error

CST = dt.timezone(dt.timedelta(hours=8))


def rfc3339(at: int) -> str:
    """Return Unix milliseconds as the gateway writes times."""
    return dt.datetime.fromtimestamp(at // 1000, CST).isoformat()


def instant_ms(told: str, field: str) -> int:
    """Return an RFC 3339 time as Unix milliseconds, 0 for ""; raise Refusal 400 PARAM_ERROR."""
    if not told:
        return 0
    try:
        return int(dt.datetime.fromisoformat(told).timestamp() * 1000)
    except ValueError:
        raise parameter_error(field, "is no time", told, "268435464") from None
