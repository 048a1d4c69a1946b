"""What every request must pass and every answer must carry.

Unsafe methods must come from our own pages: Sec-Fetch-Site where the browser sends it, else Origin,
else Referer (OWASP CSRF cheat sheet). Browsers send Sec-Fetch-Site to HTTPS and loopback only.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from edge.web.camera import PATHS as CAMERA_PATHS
from edge.web.desk import WebSettings

_SAFE = {"GET", "HEAD", "OPTIONS"}
# Cameras are bound by token, address and serial number, and send no Origin; a gateway signs what it sends.
_OPEN_TO_ALL = ("/phone/", "/notify/", "/static/", "/health/live", *CAMERA_PATHS)
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'{extra}",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def install_guard(app: Flask, settings: WebSettings) -> None:
    """Check where requests come from and add the security headers to every answer."""
    networks = tuple(ipaddress.ip_network(text) for text in settings.trusted_networks)

    @app.before_request
    def check() -> None:
        if not request.path.startswith(_OPEN_TO_ALL) and not _trusted(request.remote_addr, networks):
            abort(403, "This page is not served to your network.")
        # A mini-program sends no Origin; for a session by cookie the calls of phones look at it themselves.
        foreign = request.path.startswith((*CAMERA_PATHS, "/notify/", "/phone/api/"))
        if request.method not in _SAFE and not foreign and not _same_origin():
            abort(403, "The request did not come from one of our own pages.")

    app.after_request(_add_headers)


def _trusted(address: str | None, networks: tuple[Network, ...]) -> bool:
    try:
        client = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(client, "ipv4_mapped", None)
    return any((mapped or client) in network for network in networks)


def _same_origin() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    source = request.headers.get("Origin") or request.headers.get("Referer")
    return source is not None and urlsplit(source).netloc == request.host


def _add_headers(response: Response) -> Response:
    # The buttons of a receipt's page post to us and are sent on to the tenant's own address.
    extra = " https: weixin:" if request.path.startswith("/phone/") else ""
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(extra=extra))
    for name, value in _HEADERS.items():
        # WeChat Pay frames its slip; the policy of that page says that nobody else may.
        if name == "X-Frame-Options" and request.path.startswith("/phone/gold/"):
            continue
        response.headers.setdefault(name, value)
    if not request.path.startswith(("/static/", "/phone/pictures/", "/staff/lanes/photos/")):
        response.headers["Cache-Control"] = "no-store"
    return response
