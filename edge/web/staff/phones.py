"""Phones: how many are in use, and what WeChat is still to be told about their orders."""

from __future__ import annotations

from flask import Blueprint

from edge.services.box import Box
from edge.services.show_phones import show_phones
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/phones; it is in the navigation where phones can pay."""
    local_time = local_times(settings)

    def add(routes: Blueprint) -> None:
        @routes.get("/phones")
        def phones() -> str:
            found = box.store.read(show_phones)
            return show("phones", found=found, told=box.mini_program is not None, local_time=local_time)

    links = (Link("/staff/phones", "phones_tab"),)
    return StaffPage(add, lambda: links if box.prepayers else ())
