"""The composition root: the only place that knows every adapter; from a configuration to a service.

Drivers are imported only when one of their kind is configured.
"""

from edge.app.cameras import camera_doubts
from edge.app.devices import (
    build_devices,
    build_printer,
    build_scanner,
    printer_profile,
    read_images,
    read_plates,
)
from edge.app.files import given_file
from edge.app.gateways import bill_sources, build_gateways
from edge.app.hq_link import build_link, link_doubts, link_settings
from edge.app.repair import serve_repair
from edge.app.rules import build_code_rules, build_marks, build_rules, landing_pages, web_settings
from edge.app.service import DATABASE, INCOMING, build_books, build_service

__all__ = [
    "DATABASE",
    "INCOMING",
    "bill_sources",
    "build_books",
    "build_code_rules",
    "build_devices",
    "build_gateways",
    "build_link",
    "build_marks",
    "build_printer",
    "build_rules",
    "build_scanner",
    "build_service",
    "camera_doubts",
    "given_file",
    "landing_pages",
    "link_doubts",
    "link_settings",
    "printer_profile",
    "read_images",
    "read_plates",
    "serve_repair",
    "web_settings",
]
