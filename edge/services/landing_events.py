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
    if shown is None:
        return step
    return {
        **step,
        "occasion": shown.slot.occasion.value,
        "campaign": shown.slot.campaign,
        "version": shown.number,
        "variant": shown.variant,
    }
