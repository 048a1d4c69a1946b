"""What the web pages need from the service (`Desk`) and from the configuration (`WebSettings`).

The shapes of the JSON-able dictionaries are in docs/protocols/kiosk-api.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.errors import Invalid
from edge.web.changes import Changes

#: A JSON-able dictionary on its way to a browser.
Json = Mapping[str, object]

#: The languages that every page speaks; the first is the default.
LANGUAGES = ("zh", "en")

#: The steps of a conversion that a receipt's page records.
TOUCHPOINTS = ("opened", "join", "follow", "offer", "coupon", "parking", "guide", "next_store", "share")


class Desk(Protocol):
    """The service as seen from the web; every method may be called from any thread."""

    @property
    def changes(self) -> Changes:
        """Where the pages wait for a new view."""

    def workstations(self) -> Sequence[str]:
        """Return the names of the workstations."""

    def view(self, workstation: str, language: str) -> Json:
        """Return what the workstation's screen shows.

        language: "zh", "en", or "" for the one that the shopper chose there. Raises Invalid for an
        unknown workstation.
        """

    def act(self, workstation: str, action: str, arguments: Mapping[str, object]) -> None:
        """Do what was touched on the screen.

        Raises Invalid (cannot be used), Declined (not in this state), Unavailable or OutcomeUnknown.
        """

    def receipt(self, token: str) -> Json | None:
        """Return a receipt and its landing page, None for an unknown token."""

    def touch(self, token: str, touchpoint: str) -> None:
        """Record one step of TOUCHPOINTS on a receipt's page; an unknown token is ignored."""

    def slip(self, sub_mch_id: str, out_trade_no: str, check_code: str) -> Json | None:
        """Return what WeChat Pay shall frame after payment, None for an order that has nothing to show."""

    def validate_parking(self, token: str, plate: str) -> None:
        """Validate a plate's parking by a receipt; the same one twice is once.

        Raises Invalid for what is no plate and for an unknown receipt, Declined when it validated another.
        """

    def coupon(self, code: str) -> Json | None:
        """Return a parking coupon for its page, None for an unknown code."""

    def redeem_coupon(self, code: str, plate: str) -> None:
        """Validate a plate's parking by a coupon; raises as validate_parking, Declined when it is over."""

    def status(self) -> Json:
        """Return devices, outbox, payments and version for the staff pages."""

    def alarms(self) -> Sequence[Json]:
        """Return the open alarms, each with its kind, what it is about, detail and since when."""

    def scans(self, workstation: str) -> Sequence[Json]:
        """Return the workstation's latest scans, newest first, payment codes masked."""

    def health(self) -> Json:
        """Return {"ready": bool, ...checks}."""

    def metrics(self) -> str:
        """Return the metrics in Prometheus' text format 0.0.4."""

    def staff_login(self, pin: str) -> str | None:
        """Return who has this PIN, or None. Too many wrong ones lock it for a while."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the pages are served.

    host, port: where to listen; port 0 takes a free one. threads, max_streams: workers, and how many of
    them live streams may hold, fewer than all. keep_alive_s: how often an idle stream says so.
    trusted_networks: who may open the kiosk, till, staff and metrics pages; phones may come from
    anywhere. max_camera_body_bytes: the largest post of a camera, 0 without cameras. secure_cookies: the
    pages are served through HTTPS. staff_idle_s: when a staff session ends. pictures: the folder of the
    landing pages' pictures. zone: the shop's time zone (IANA name).
    """

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 32
    max_streams: int = 16
    keep_alive_s: float = 10.0
    max_body_bytes: int = 16_384
    max_camera_body_bytes: int = 0
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    secure_cookies: bool = False
    staff_idle_s: int = 600
    pictures: Path | None = None
    shop_name: str = "智慧商场"
    shop_name_en: str = "Mall"
    zone: str = "Asia/Shanghai"
    sound: bool = False

    def __post_init__(self) -> None:
        """Refuse settings under which streams could starve every other request."""
        if not 0 <= self.max_streams < self.threads:
            raise Invalid(
                f"max_streams {self.max_streams} must be below threads {self.threads}; "
                "each stream holds a thread"
            )
