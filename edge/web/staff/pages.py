"""Every page under /staff, in the order of the navigation.

A page is one module here with `page(...) -> StaffPage`, a template staff_<name>.html and its words in
edge/web/texts; it is put on the blueprint by one line below.
"""

from __future__ import annotations

from edge.services.box import Box
from edge.web.desk import Desk, WebSettings
from edge.web.staff import devices, outbox, scans, service
from edge.web.staff.frame import StaffPage


def desk_pages(desk: Desk, settings: WebSettings) -> tuple[StaffPage, ...]:
    """Return the pages that need no more than the desk and the settings."""
    return (
        devices.page(desk),
        service.page(desk),
        outbox.page(desk),
        scans.page(desk, settings),
    )


def box_pages(box: Box, settings: WebSettings) -> tuple[StaffPage, ...]:
    """Return the pages over use cases of their own, e.g. `refunds.page(RefundDesk(box))`."""
    return ()
