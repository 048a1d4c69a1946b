"""The cells of a catalogue file: each function reads one, or says what is wrong and what to do.

An empty optional cell gives its default. `CellProblem` never leaves edge.retail.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo

from edge.codes.check_digits import is_digits, mod10
from edge.codes.gtin import GTIN_LENGTHS, parse_gtin
from edge.codes.payment import parse_payment_code
from edge.errors import Invalid
from edge.money import parse_yuan
from edge.retail.catalogue import PLU_PREFIX, SoldBy, barcode_key, plu_key

#: Limits of a catalogue file's cells, in characters or as values.
MAX_ID = 32
MAX_NAME = 80
MAX_BARCODE = 48
MAX_BARCODES = 50
MAX_PLU_DIGITS = 6
MAX_AGE = 99
MAX_PRICE_FEN = 100_000_000

_ID = re.compile(r"[0-9A-Za-z._/-]+", re.ASCII)
_BARCODE = re.compile(r"[!-{}~]+", re.ASCII)
_SPREADSHEET_NUMBER = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d+", re.ASCII)
_FORMULA_TEXT = re.compile(r'="?([^"]*)"?')
_PRICE = re.compile(r"¥?\s*(\d+(?:\.\d{1,2})?|\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?)\s*元?", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](.+))?", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{3})?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_YEARS = range(2000, 2100)
_SOLD_BY = {
    "": SoldBy.PIECE,
    "piece": SoldBy.PIECE,
    "计件": SoldBy.PIECE,
    "按件": SoldBy.PIECE,
    "weight": SoldBy.WEIGHT,
    "称重": SoldBy.WEIGHT,
    "计重": SoldBy.WEIGHT,
    "按重量": SoldBy.WEIGHT,
}


class CellProblem(Exception):
    """What is wrong with a cell, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def read_id(cell: str) -> str:
    """Return a sku or tenant id: 1 to 32 of 0-9 A-Z a-z . _ / -"""
    text = _plain(cell)
    if not text:
        raise CellProblem("is empty", "give every line one")
    _check_length(text, MAX_ID)
    if not _ID.fullmatch(text):
        raise CellProblem(f"{text!r} has a character that an id may not have", "use 0-9 A-Z a-z . _ / - only")
    return text


def read_name(cell: str, required: bool) -> str:
    """Return a name of at most 80 printable characters."""
    text = " ".join(cell.split())
    if required and not text:
        raise CellProblem("is empty", "give the name that stands on the receipt")
    _check_length(text, MAX_NAME)
    if not text.isprintable():
        raise CellProblem("has characters that cannot be printed", "type the name again")
    return text


def read_barcodes(cell: str) -> tuple[str, ...]:
    """Return the look-up keys of barcodes separated by spaces or |, without repeats."""
    texts = [_plain(part) for part in _plain(cell).replace("|", " ").split()]
    if len(texts) > MAX_BARCODES:
        raise CellProblem(f"lists {len(texts)} barcodes", f"give {MAX_BARCODES} at most")
    return tuple(dict.fromkeys(_barcode(text) for text in texts if text))


def read_plu(cell: str) -> str | None:
    """Return the look-up key of a scale's item number, None for an empty cell."""
    text = _plain(cell)
    if not text:
        return None
    if not is_digits(text) or len(text) > MAX_PLU_DIGITS or not text.strip("0"):
        raise CellProblem(
            f"{_short(text)!r} is no item number of a scale",
            f"give 1 to {MAX_PLU_DIGITS} digits, as in 01234",
        )
    return plu_key(text)


def read_price(cell: str) -> int:
    """Return a price in yuan, such as 12.5, ¥12.50, 12.50元 or 1,234.50, as fen; it is above zero."""
    text = _plain(cell)
    if not text:
        raise CellProblem("is empty", "give the price in yuan, as in 12.50")
    match = _PRICE.fullmatch(text)
    if match is None:
        raise CellProblem(
            f"{_short(text)!r} is no price in yuan", "write it like 12.50, at most two decimals"
        )
    try:
        price_fen = parse_yuan(match[1].replace(",", ""))
    except Invalid:
        price_fen = MAX_PRICE_FEN + 1
    if not 0 < price_fen <= MAX_PRICE_FEN:
        raise CellProblem(f"{_short(text)!r} is out of range", "give 0.01 to 1000000.00 yuan")
    return price_fen


def read_valid_from(cell: str, zone: tzinfo) -> int | None:
    """Return an ISO date or date and time (in `zone` unless it has an offset) as Unix milliseconds.

    A date alone is its midnight. 2026/12/1, as Chinese spreadsheets write, is understood. None if empty.
    """
    text = _plain(cell)
    if not text:
        return None
    day = _DAY.fullmatch(text)
    clock = day[4] if day else None
    if day is None or (clock is not None and not _CLOCK.fullmatch(clock)):
        raise _bad_time(text)
    try:
        year, month, date = (int(part) for part in day.group(1, 2, 3))
        time = "00:00" if clock is None else clock if clock[2] == ":" else f"0{clock}"
        moment = datetime.fromisoformat(f"{year:04d}-{month:02d}-{date:02d}T{time}")
    except ValueError:
        raise _bad_time(text) from None
    if moment.year not in _YEARS:
        raise CellProblem(f"{_short(text)!r} is in the year {moment.year}", "give a year from 2000 to 2099")
    return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def read_sold_by(cell: str) -> SoldBy:
    """Return how a product is sold: piece (计件), also when empty, or weight (称重)."""
    text = _plain(cell).casefold()
    if text not in _SOLD_BY:
        raise CellProblem(
            f"{_short(text)!r} is neither piece nor weight", "write piece (计件) or weight (称重)"
        )
    return _SOLD_BY[text]


def read_age_min(cell: str) -> int:
    """Return the least age of a buyer, 0 for everybody."""
    text = _plain(cell)
    if not text:
        return 0
    if not is_digits(text) or len(text) > 2:
        raise CellProblem(f"{_short(text)!r} is no age", f"give whole years from 0 to {MAX_AGE}, or nothing")
    return int(text)


def _plain(cell: str) -> str:
    """Return the cell in half-width characters, without what spreadsheets wrap around text."""
    text = cell.strip() if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()
    if text.startswith("="):
        match = _FORMULA_TEXT.fullmatch(text)
        text = match[1] if match else text
    return text.removeprefix("'").strip()


def _barcode(text: str) -> str:
    _check_length(text, MAX_BARCODE)
    if _SPREADSHEET_NUMBER.fullmatch(text):
        raise CellProblem(
            f"{text} was cut by a spreadsheet", "format the column as text and enter the barcode again"
        )
    if not _BARCODE.fullmatch(text) or text.casefold().startswith(PLU_PREFIX):
        raise CellProblem(f"{text!r} is no barcode", "use ASCII letters, digits and signs; not plu:")
    if parse_payment_code(text) is not None:
        raise CellProblem(f"{text} would be read as a payment code", "give the product another barcode")
    if not is_digits(text) or len(text) not in GTIN_LENGTHS:
        return barcode_key(text)
    try:
        return parse_gtin(text).gtin14
    except Invalid:
        wrong = f"{text} has check digit {text[-1]}, should be {mod10(text[:-1])}"
        raise CellProblem(wrong, "read the barcode from the package again") from None


def _check_length(text: str, limit: int) -> None:
    if len(text) > limit:
        raise CellProblem(f"{_short(text)!r} has {len(text)} characters", f"use {limit} at most")


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."


def _bad_time(text: str) -> CellProblem:
    return CellProblem(f"{_short(text)!r} is no date", "write 2026-12-01 or 2026-12-01T08:00")


def _milliseconds(moment: datetime) -> int:
    """Return Unix milliseconds without going through a float."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1000 + moment.microsecond // 1000
