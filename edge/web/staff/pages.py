"""Every page under /staff, in the order of the navigation.

A page is one module here with `page(...) -> StaffPage`, a template staff_<name>.html and its words in
edge/web/texts; it is put on the blueprint by one line below.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from edge.services.box import Box
from edge.services.photo_ports import Photos
from edge.services.staff import StaffBook
from edge.web.desk import Desk, WebSettings
from edge.web.staff import (
    bills,
    debts,
    devices,
    exits,
    funnel,
    guides,
    hq,
    landing,
    lanes,
    letters,
    members,
    outbox,
    parking,
    passes,
    payments,
    phones,
    plates,
    refunds,
    scans,
    service,
    settlement,
    shifts,
    tariffs,
    validations,
)
from edge.web.staff.frame import StaffPage
from edge.web.staff.lane_troubles import Statuses


def desk_pages(desk: Desk, settings: WebSettings) -> tuple[StaffPage, ...]:
    """Return the pages that need no more than the desk and the settings."""
    return (
        devices.page(desk, settings),
        service.page(desk),
        outbox.page(desk, settings),
        scans.page(desk, settings),
    )


def box_pages(
    box: Box,
    settings: WebSettings,
    return_snapshot: Callable[[str], str] | None = None,
    staff: StaffBook | None = None,
    compare_bills: Callable[[date], None] = lambda day: None,
    photos: Photos | None = None,
    statuses: Statuses = tuple,
) -> tuple[StaffPage, ...]:
    """Return the pages over use cases of their own. return_snapshot: as web.staff.hq wants it.

    staff: whose PINs approve; without it nobody's does. compare_bills: has a day's bills compared again.
    photos: of reads at lanes. statuses: of the devices, with the place and the role of each.
    """
    return (
        lanes.page(box, settings, photos, statuses),
        plates.page(box, settings),
        passes.page(box, settings),
        parking.page(box, settings),
        debts.page(box, staff or StaffBook((), box.clock), settings),
        payments.page(box, settings),
        phones.page(box, settings),
        shifts.page(box, settings),
        settlement.page(box, settings),
        refunds.page(box, staff or StaffBook((), box.clock), settings),
        exits.page(box, settings),
        funnel.page(box, settings),
        guides.page(box, settings),
        members.page(box, staff or StaffBook((), box.clock), settings),
        validations.page(box, settings),
        tariffs.page(box, settings),
        bills.page(box, settings, compare_bills),
        landing.page(box, settings),
        letters.page(box, settings),
        hq.page(box, settings, return_snapshot),
    )
