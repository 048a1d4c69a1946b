"""The settings by which phones are served."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_MS = 86_400_000

#: What a field of the message after payment may be filled with.
MESSAGE_WORDS = ("number", "amount", "shop", "time")


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """key: 32 bytes under which this box signs the codes that phones open, b"" signs none.

    session_days: a phone that was not seen for so long must begin anew. most_sessions: phones that are
    remembered. opens_per_minute: sessions of phones that are nobody yet; those that sign in are not counted.
    order_idle_ms: after so long without a person an order that nobody pays is cancelled.
    appid: of the mini-program, "" without one. paid_template: the id of the subscribe message (订阅消息)
    after payment, "" sends none; paid_fields: its fields, and what
    each is filled with ("number", "amount", "shop", "time").
    """

    key: bytes = field(default=b"", repr=False)
    session_days: int = 30
    most_sessions: int = 50_000
    opens_per_minute: int = 240
    order_idle_ms: int = 900_000
    appid: str = ""
    paid_template: str = ""
    paid_fields: tuple[tuple[str, str], ...] = ()

    @property
    def session_ms(self) -> int:
        """How long a session lives without being used."""
        return self.session_days * DAY_MS
