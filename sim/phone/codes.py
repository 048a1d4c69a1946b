"""What a camera could be held before in the mall right now: codes on screens, on paper and on walls."""

from __future__ import annotations

import re
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import zxingcpp
from PIL import Image

from sim.goods import demo_goods, scale_label

#: How many slips are looked at, newest first, and how many pictures are remembered.
NEWEST_SLIPS = 6
_MOST_SEEN = 200
_NATIVE = "weixin://wxpay/bizpayurl"
_LOOK_S = 5.0

Code = dict[str, str]


class Shelf:
    """The goods that can be picked up, with the code on each."""

    def __init__(self) -> None:
        self.goods: list[Code] = []
        for good in demo_goods():
            weighed = good.sold_by == "weight"
            code = scale_label(good.plu, 486) if weighed else good.barcodes[0]
            self.goods.append({"name": good.name, "name_en": good.name_en, "price": good.price, "code": code})


class CodeFinder:
    """Looks at screens, slips and walls; safe for several threads."""

    def __init__(
        self,
        service: str,
        public_url: str,
        workstations: Sequence[str],
        counters: Sequence[tuple[str, str]],
        pin: str,
    ) -> None:
        """counters: a counter and a guide who may look at its tablet with the PIN."""
        self._public = public_url
        self._workstations = tuple(workstations)
        self._counters = tuple(counters)
        self._pin = pin
        self._client = httpx.Client(base_url=service, timeout=_LOOK_S, trust_env=False)
        self._seen: dict[Path, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close its connections to the service."""
        self._client.close()

    def find(
        self, receipts: Path | None, lanes: Sequence[str], points: Sequence[str], links: Sequence[str]
    ) -> list[Code]:
        """Return {where, what, text} of each code, screens first; a text stands once.

        In place of the text there may be `picture`: a path of this server that shows the code.
        """
        with self._lock:
            found = [
                *self._screens(),
                *self._tablets(),
                *self._slips(receipts),
                *({"where": "lane", "what": _last(one), "text": one} for one in lanes),
                *({"where": "touchpoint", "what": _last(one), "text": one} for one in points),
                *({"where": "wall", "what": _last(one), "text": one} for one in links),
            ]
        once: dict[str, Code] = {}
        for code in found:
            once.setdefault(code.get("text") or code["picture"], code)
        return list(once.values())

    def _screens(self) -> Iterator[Code]:
        """Yield what the screens of workstations show: every address in what their pages are given."""
        for name in self._workstations:
            try:
                answer = self._client.get(f"/api/kiosk/{name}/view")
                view = answer.json() if answer.status_code == 200 else {}
            except (httpx.HTTPError, ValueError):
                continue
            for path, text in _texts(view, ""):
                if self._is_code(text):
                    yield {"where": "screen", "what": f"{name} {path}", "text": text}
            if self.payment(name) is not None:
                yield {"where": "screen", "what": f"{name} pay", "picture": f"/screens/{name}/payment.svg"}

    def payment(self, workstation: str) -> bytes | None:
        """Return the picture of the code by which a phone pays at a workstation, None without one."""
        if workstation not in self._workstations:
            return None
        try:
            answer = self._client.get(f"/api/kiosk/{workstation}/payment.svg")
        except httpx.HTTPError:
            return None
        return answer.content if answer.status_code == 200 else None

    @property
    def scanners(self) -> tuple[str, ...]:
        """The places before which a phone can be held."""
        return (*self._workstations, *(counter for counter, _ in self._counters))

    def hold_up(self, place: str, text: str) -> str:
        """Give one of `scanners` a phone's code as a scan; return why it was not taken, "" when it was."""
        origin = {"Origin": str(self._client.base_url).rstrip("/")}
        guide = dict(self._counters).get(place)
        try:
            if guide is None:
                answer = self._client.post(
                    f"/api/kiosk/{place}/type_code", json={"text": text}, headers=origin
                )
            else:
                with self._lock:
                    self._tablet(place, guide)
                    answer = self._client.post(
                        f"/api/counter/{place}/type-code", json={"text": text}, headers=origin
                    )
        except (httpx.HTTPError, ValueError) as error:
            return f"{place} does not answer: {error}"
        return "" if answer.is_success else f"{place} answered {answer.status_code}"

    def _tablets(self) -> Iterator[Code]:
        """Yield the codes that guides hold out; looking at a tablet changes nothing on it."""
        for counter, guide in self._counters:
            try:
                view = self._tablet(counter, guide)
            except (httpx.HTTPError, ValueError):
                continue
            for _, text in _texts(view, ""):
                if self._is_code(text):
                    yield {"where": "tablet", "what": counter, "text": text}

    def _tablet(self, counter: str, guide: str) -> object:
        place = f"/api/counter/{counter}"
        view = self._client.get(f"{place}/view").json()
        if isinstance(view, dict) and view.get("guide") is None:
            origin = {"Origin": str(self._client.base_url).rstrip("/")}
            self._client.post(f"{place}/sign-in", json={"guide": guide, "pin": self._pin}, headers=origin)
            view = self._client.get(f"{place}/view").json()
        return view

    def _slips(self, folder: Path | None) -> Iterator[Code]:
        """Yield the codes on the newest slips, read from their pictures as a camera does."""
        if folder is None or not folder.is_dir():
            return
        pictures = sorted(folder.glob("*.png"), key=lambda one: one.stat().st_mtime, reverse=True)
        for picture in pictures[:NEWEST_SLIPS]:
            for text in self._on_paper(picture):
                if self._is_code(text):
                    yield {"where": "slip", "what": picture.stem, "text": text}

    def _on_paper(self, picture: Path) -> tuple[str, ...]:
        if picture not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            try:
                with Image.open(picture) as image:
                    texts = tuple(one.text for one in zxingcpp.read_barcodes(image.convert("L")))
            except OSError:
                return ()  # It is being drawn; the next look finds it.
            self._seen[picture] = texts
        return self._seen[picture]

    def _is_code(self, text: str) -> bool:
        return text.startswith((f"{self._public}/phone/", _NATIVE))


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, str(name))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, path)


def _last(link: str) -> str:
    return urllib.parse.unquote(re.split(r"[?#]", link)[0].rsplit("/", 1)[-1])
