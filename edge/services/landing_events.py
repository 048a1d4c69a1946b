"""What HQ is told of pages after payment."""

from __future__ import annotations

from edge.members.landing import BlockKind, LandingPage
from edge.retail.order import Order
from edge.services.events import Data, Surface, landing_step
from edge.services.landing_records import ShownLanding


def landing_data(
    page: LandingPage,
    order: Order,
    surface: Surface,
    shown: ShownLanding | None,
    block: BlockKind | None = None,
) -> Data:
    """Return the data of the four landing kinds, with the version and variant that the order ended on."""
    step = landing_step(page, order, surface, block)
    return step if shown is None else {**step, **_version(shown)}


def occasion_data(
    page: LandingPage, order_id: str, workstation: str, surface: Surface, shown: ShownLanding
) -> Data:
    """Return the data of "landing.shown" for a page after joining or a refund; order_id "" without one."""
    return {
        "landing_id": page.landing_id,
        "tenant_id": page.tenant_id,
        "order_id": order_id,
        "workstation": workstation,
        "surface": surface.value,
        "block": None,
        **_version(shown),
    }


def _version(shown: ShownLanding) -> Data:
    return {
        "occasion": shown.slot.occasion.value,
        "campaign": shown.slot.campaign,
        "version": shown.number,
        "variant": shown.variant,
    }
