"""The two decoders, zxing-cpp and (where libzbar0 is installed) pyzbar, behind one shape of answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import zxingcpp

from devices.camera.charset import text_of
from devices.camera.pictures import Grey
from devices.camera.symbols import Point, Quad, expand_upc_e, retail_names

_F = zxingcpp.BarcodeFormat
_FORMATS: dict[str, Any] = {
    "EAN-13": _F.EAN13,
    "EAN-8": _F.EAN8,
    "UPC-A": _F.UPCA,
    "UPC-E": _F.UPCE,
    "Code-128": _F.Code128,
    "Code-39": _F.Code39,
    "Code-93": _F.Code93,
    "Codabar": _F.Codabar,
    "ITF": _F.ITF,
    "DataBar-14": _F.DataBar,
    "DataBar-Lim": _F.DataBarLtd,
    "DataBar-Exp": _F.DataBar,
    "QR": _F.QRCode,
    "DataMatrix": _F.DataMatrix,
    "PDF417": _F.PDF417,
    "Aztec": _F.Aztec,
}
_NAMES = {
    "Code 128": "Code-128",
    "Code 93": "Code-93",
    "Data Matrix": "DataMatrix",
    "DataBar Limited": "DataBar-Lim",
    "Aztec Code": "Aztec",
}
_PREFIXES = (
    ("Code 39", "Code-39"),
    ("DataBar Exp", "DataBar-Exp"),
    ("DataBar Ltd", "DataBar-Lim"),
    ("DataBar", "DataBar-14"),
    ("QR Code", "QR"),
    ("ITF", "ITF"),
    ("Aztec", "Aztec"),
)
_ZBAR = {
    "EAN-13": ("EAN13", "]E0"),
    "EAN-8": ("EAN8", "]E4"),
    "UPC-A": ("UPCA", "]E0"),
    "UPC-E": ("UPCE", "]E0"),
    "Code-128": ("CODE128", "]C0"),
    "Code-39": ("CODE39", "]A0"),
    "Code-93": ("CODE93", "]G0"),
    "ITF": ("I25", "]I0"),
}


_NO_CHARSET = (b"000003", b"000899")
"""ECI 3 is what zxing-cpp writes where nothing is declared, 899 is binary."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read by one engine in one version of the picture; `box` is in that version's pixels."""

    symbology: str
    text: str
    payload: str
    raw: bytes
    aim: str | None
    box: Quad


class ZxingEngine:
    """zxing-cpp with an explicit list of formats; safe to use from several threads."""

    name = "zxing-cpp"

    def __init__(self, symbologies: Sequence[str]) -> None:
        """Raise ValueError for a symbology that zxing-cpp does not have under our names."""
        unknown = [name for name in symbologies if name not in _FORMATS]
        if unknown:
            raise ValueError(f"unknown symbology {unknown[0]!r}; known: {', '.join(_FORMATS)}")
        self._all = _formats(symbologies)
        self._quick = _formats([name for name in symbologies if name != "DataMatrix"])
        self._data_matrix = _formats([name for name in symbologies if name == "DataMatrix"])
        self._linear = _formats([n for n in symbologies if n not in ("QR", "DataMatrix", "PDF417", "Aztec")])

    def first_look(self, grey: Grey) -> list[Read]:
        """Return what is read in the whole picture at the least cost.

        Looking for a Data Matrix takes nearly half of the time of a pass: where another code was found, only
        an upright dark one beside it is looked for.
        """
        reads = self._read(grey, self._quick, thorough=True)
        return reads + self._read(grey, self._data_matrix, thorough=not reads, invert=not reads)

    def read(self, grey: Grey, strip: bool = False) -> list[Read]:
        """Return what is read in the whole picture, or in a strip whose bars stand upright (1-D only)."""
        return self._read(grey, self._linear if strip else self._all, thorough=not strip)

    def _read(self, grey: Grey, formats: Any, thorough: bool, invert: bool = True) -> list[Read]:
        if not formats:
            return []
        found = zxingcpp.read_barcodes(
            grey, formats=formats, try_rotate=thorough, try_downscale=thorough, try_invert=invert
        )
        return [read for read in (_from_zxing(grey, code) for code in found) if read is not None]


class ZbarEngine:
    """libzbar through pyzbar, 1-D symbologies only (its guesses at Chinese QR text are wrong)."""

    name = "pyzbar"

    def __init__(self, symbologies: Sequence[str]) -> None:
        """Raise ImportError where pyzbar or libzbar0 is not installed."""
        from pyzbar import pyzbar

        self._decode = pyzbar.decode
        wanted = [_ZBAR[name][0] for name in symbologies if name in _ZBAR]
        self._symbols = [pyzbar.ZBarSymbol[name] for name in wanted]
        self._names = {zbar: ours for ours, (zbar, _) in _ZBAR.items()}

    def read(self, grey: Grey, strip: bool = False) -> list[Read]:
        """Return what is read; symbols without size are ghosts (pyzbar issue 43) and are dropped."""
        if not self._symbols:
            return []
        found = self._decode(grey, symbols=self._symbols)
        return [self._from_zbar(code) for code in found if code.rect.width > 0 and code.rect.height > 0]

    def _from_zbar(self, code: Any) -> Read:
        name = self._names[code.type]
        raw = bytes(code.data)
        text = payload = raw.decode("latin-1")
        if name in ("EAN-13", "UPC-A"):
            payload = text.zfill(13)
            name, text = retail_names(payload)
        elif name == "UPC-E":
            payload = expand_upc_e(text)
        left, top, width, height = code.rect
        right, bottom = left + width, top + height
        box = ((left, top), (right, top), (right, bottom), (left, bottom))
        return Read(name, text, payload, raw, _ZBAR[name][1], box)


def zbar_engine(symbologies: Sequence[str]) -> tuple[ZbarEngine | None, str]:
    """Return the second engine and "", or None and why it is missing and what to install."""
    try:
        return ZbarEngine(symbologies), ""
    except ImportError as error:
        return None, f"second barcode engine off: {error}; apt install libzbar0 and pip install pyzbar"


def _formats(symbologies: Sequence[str]) -> Any:
    return tuple(dict.fromkeys(_FORMATS[name] for name in symbologies))


def _from_zxing(grey: Grey, code: Any) -> Read | None:
    raw = bytes(code.bytes)
    name = _name(str(code.format))
    read = Read(
        name, code.text, raw.decode("latin-1"), raw, code.symbology_identifier or None, _quad(code.position)
    )
    if name in ("EAN-13", "UPC-A"):
        digits = read.payload.zfill(13)
        name, text = retail_names(digits)
        return replace(read, symbology=name, text=text, payload=digits)
    if name == "UPC-E":
        short = (code.extra or {}).get("UPCE", "")
        return replace(read, text=short) if short else None
    if name == "DataBar-14" and read.text.startswith("(01)"):
        return replace(read, text=read.text[4:])
    if name in ("QR", "DataMatrix") and not raw.isascii():
        text = _undeclared_text(grey, code, raw)
        return replace(read, text=text, payload=text)
    return read


def _undeclared_text(grey: Grey, code: Any, raw: bytes) -> str:
    """The text of bytes beyond ASCII: the code's own ECI where it has one, else our guess."""
    again = zxingcpp.read_barcodes(grey, formats=_only(code), text_mode=zxingcpp.TextMode.HexECI)
    declared = any(bytes(other.bytes) == raw and _has_eci(other.text) for other in again)
    return str(code.text) if declared else text_of(raw)


def _has_eci(hex_eci: str) -> bool:
    """Say whether the symbol declares a character set: a backslash and six digits (ISO/IEC 15424)."""
    protocol = bytes.fromhex(hex_eci.replace(" ", ""))
    designators = re.findall(rb"\\(\d{6})", protocol[:10])
    return bool(designators) and designators[0] not in _NO_CHARSET


def _only(code: Any) -> Any:
    return (code.format,)


def _name(zxing_name: str) -> str:
    if zxing_name in _NAMES:
        return _NAMES[zxing_name]
    for prefix, ours in _PREFIXES:
        if zxing_name.startswith(prefix):
            return ours
    return zxing_name


def _quad(position: Any) -> Quad:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    points: list[Point] = [(float(corner.x), float(corner.y)) for corner in corners]
    return points[0], points[1], points[2], points[3]
