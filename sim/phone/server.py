"""The simulated phone's web server.

GET  /                         the phone
GET  /static/{file}            its programs
GET  /phone.json               where it is: public address, appid, wallets, goods
GET  /program.json             the mini-program's texts as they are on the disk now
GET  /program/{path}           one file of it, for pictures
*    /relay/{path}             wx.request: the public address and nothing else
*    /b/..., /away/...         the phone's browser, see browser.py
*    /gateway/sim/...          the wallet in the phone
GET  /codes                    what can be scanned in the mall now
POST /read                     what codes a picture shows
POST /hold                 {place, text}: a place's scanner reads a code off the phone
"""

from __future__ import annotations

import io
import json
import re
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import zxingcpp
from flask import Flask, Response, request, send_from_directory
from PIL import Image, UnidentifiedImageError

from sim.pages import PageServer
from sim.phone.browser import MAX_BODY, Browser, forward
from sim.phone.codes import CodeFinder, Shelf

HOST = "127.0.0.1"
THREADS = 12

#: The page of the mini-program to which the rule for ordinary QR codes leads (miniprogram/README.md).
RULE_PAGE = "pages/home/home"
_TEXTS = {".js", ".json", ".wxml", ".wxss"}
_CONFIG = "config.js"
_NOT_SHIPPED = {"node_modules", "test"}
_MOST_FILES = 500
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_WALLETS = (("小林 Lin", "zh"), ("小周 Zhou", "zh"), ("Mia", "en"))

#: How a mini-program's requests look: WeChat sets them, a page cannot.
_AGENT = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50 NetType/WIFI Language/{language} miniProgram"


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """What a phone has to know.

    public_url: of the box, by way of HQ. gateway: address of the simulated WeChat. service: of the box on the
    mall's own network, for what its screens show. program: the mini-program's folder. receipts: pictures of
    what printers printed, or None. lanes: that have a code to pay by. counters: with a guide of
    each, who signs in by pin.
    """

    public_url: str
    gateway: str
    service: str
    appid: str
    port: int = 0
    program: Path = field(default_factory=lambda: _ROOT / "miniprogram")
    receipts: Path | None = None
    workstations: tuple[str, ...] = ("K01", "K02", "T01")
    counters: tuple[tuple[str, str], ...] = ()
    touchpoints: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    pin: str = ""


class PhoneServer:
    """The phone's page on loopback; usable as a context manager. port 0 takes a free one."""

    def __init__(self, settings: PhoneSettings) -> None:
        """Listen at once; raises OSError when the port is taken."""
        self._settings = settings
        self._held = ExitStack()
        self._server = PageServer(_app(settings, self._held), HOST, settings.port, THREADS, "sim-phone")
        self.port = self._server.port

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> PhoneServer:
        """Start."""
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.close()
        self._held.close()


def ensure_wallets(gateway: str) -> None:
    """Make the wallets that wait for somebody to type, unless they are there."""
    with httpx.Client(base_url=gateway, timeout=10.0, trust_env=False) as client:
        there = {one["name"] for one in client.get("/sim/wallets").json()}
        for name, _ in _WALLETS:
            if name not in there:
                wish = {"name": name, "balance_fen": 500_000, "password_above_fen": 0, "habit": "waits"}
                client.post("/sim/wallets", json=wish).raise_for_status()


def program_texts(folder: Path, public_url: str) -> dict[str, str]:
    """Return the mini-program's files by path, as they are installed for the box at `public_url`.

    config.js has the one value that whoever installs the program sets. Tests and what npm put there stay out.
    Raises ValueError for a config.js without that value.
    """
    found: dict[str, str] = {}
    places = [one for one in sorted(folder.iterdir()) if one.name not in _NOT_SHIPPED]
    for path in (file for one in places for file in (sorted(one.rglob("*")) if one.is_dir() else (one,))):
        if path.suffix not in _TEXTS:
            continue
        if len(found) >= _MOST_FILES:
            raise ValueError(f"{folder} has more than {_MOST_FILES} files")
        found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
    if _CONFIG in found:
        found[_CONFIG], times = re.subn(r"base: '[^']*'", f"base: '{public_url}'", found[_CONFIG])
        if times != 1:
            raise ValueError(f"{folder / _CONFIG} must set base: '...' once")
    return found


def read_codes(picture: bytes) -> list[str]:
    """Return the texts of the codes in a picture; raises ValueError for bytes that are no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            return [one.text for one in zxingcpp.read_barcodes(image.convert("L"))]
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError("that is no picture that can be read") from error


def _app(settings: PhoneSettings, held: ExitStack) -> Flask:
    app = Flask("sim.phone", static_folder=str(_HERE / "static"))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 0
    _serve_itself(app, settings)
    _serve_camera(app, settings, held)
    _serve_wires(app, settings, held)
    return app


def _serve_itself(app: Flask, settings: PhoneSettings) -> None:
    @app.get("/")
    def page() -> Response:
        return send_from_directory(_HERE / "static", "index.html", max_age=0)

    @app.get("/phone.json")
    def about() -> Response:
        ensure_wallets(settings.gateway)
        told = {
            "public_url": settings.public_url,
            "appid": settings.appid,
            "rule_page": RULE_PAGE,
            "names": dict(_WALLETS),
            "scanners": [*settings.workstations, *(counter for counter, _ in settings.counters)],
        }
        return _json(told)

    @app.get("/program.json")
    def program() -> Response:
        return _json(program_texts(settings.program, settings.public_url))

    @app.get("/program/<path:name>")
    def program_file(name: str) -> Response:
        return send_from_directory(settings.program.resolve(), name, max_age=0)


def _serve_camera(app: Flask, settings: PhoneSettings, held: ExitStack) -> None:
    shelf = Shelf()
    finder = CodeFinder(
        settings.service, settings.public_url, settings.workstations, settings.counters, settings.pin
    )
    held.callback(finder.close)
    base = f"{settings.public_url}/phone"
    links = [f"{base}/{path}" for path in ("shop", "parking", "me")]
    lanes = [f"{base}/parking/lane/{name}" for name in settings.lanes]
    points = [f"{base}/go/{name}" for name in settings.touchpoints]

    @app.get("/codes")
    def codes() -> Response:
        return _json({"codes": finder.find(settings.receipts, lanes, points, links), "goods": shelf.goods})

    @app.get("/screens/<workstation>/payment.svg")
    def payment(workstation: str) -> Response:
        picture = finder.payment(workstation)
        return Response(picture or b"", 200 if picture else 404, mimetype="image/svg+xml")

    @app.post("/hold")
    def hold() -> Response:
        given = request.get_json(silent=True)
        place, text = (given.get("place"), given.get("text")) if isinstance(given, dict) else (None, None)
        if not isinstance(place, str) or not isinstance(text, str) or not text:
            return _json({"error": "place and text are two texts"}, 400)
        if place not in finder.scanners:
            return _json({"error": f"there is no scanner at {place}"}, 404)
        wrong = finder.hold_up(place, text)
        return _json({"error": wrong}, 502) if wrong else _json({"place": place})

    @app.post("/read")
    def read() -> Response:
        try:
            return _json({"codes": read_codes(request.get_data())})
        except ValueError as error:
            return _json({"error": str(error)}, 400)


def _serve_wires(app: Flask, settings: PhoneSettings, held: ExitStack) -> None:
    browser = held.enter_context(closing(Browser(settings.public_url)))
    client = held.enter_context(httpx.Client(timeout=60.0, trust_env=False))

    @app.route("/relay/<path:path>", methods=["GET", "POST"])
    def relay(path: str) -> Response:
        language = request.headers.get("Accept-Language", "zh_CN")
        headers = {
            "User-Agent": _AGENT.format(language=language[:5]),
            "Referer": f"https://servicewechat.com/{settings.appid}/0/page-frame.html",
        }
        drops = {"origin", "cookie", *(name.lower() for name in headers)}
        return forward(client, _target(settings.public_url, "/relay"), drops, headers)

    @app.route("/gateway/sim/<path:path>", methods=["GET", "POST"])
    def gateway(path: str) -> Response:
        if path.split("/", 1)[0] not in {"wallets", "sheets"}:
            return _json({"error": "a phone has wallets and sheets only"}, 404)
        return forward(client, _target(settings.gateway, "/gateway"), {"cookie"})

    @app.route("/b/<path:path>", methods=["GET", "POST"])
    def browse(path: str) -> Response:
        return browser.answer()

    @app.get("/as/<wallet>")
    def become(wallet: str) -> Response:
        return browser.become(wallet, request.args.get("language", ""), request.args.get("to", ""))


def _target(base: str, prefix: str) -> str:
    raw = str(request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"))
    return base + raw.removeprefix(prefix)


def _json(told: object, status: int = 200) -> Response:
    body = json.dumps(told, ensure_ascii=False)
    return Response(body, status, {"Cache-Control": "no-store"}, mimetype="application/json")
