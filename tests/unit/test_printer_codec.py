"""ESC/POS bytes of a job, against the command reference and the simulated printer's own reading."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from devices.printer.codec import (
    PAPER_58,
    PAPER_80,
    Barrier,
    Chinese,
    Cut,
    EncodeError,
    PrinterProfile,
    Qr,
    barrier,
    encode_job,
)
from devices.printer.codec import test_page as printer_test_page
from devices.printer.raster import bands, draw_lines, find_font
from devices.types import Align, Columns, Drawer, PrintJob, QrCode, TextLine
from sim.escpos import Code, CutPaper, Dots, Effect, Interpreter, Kick, Printed


def read(data: bytes, encoding: str = "gb18030") -> list[Effect]:
    """Return what a printer makes of `data`; it must know each command."""
    interpreter = Interpreter(encoding)
    effects = [effect for byte in data for effect in interpreter.feed(byte)]
    assert interpreter.unknown == []
    assert not interpreter.swallowing
    return effects


def printed(data: bytes, encoding: str = "gb18030") -> list[str]:
    return [effect.text for effect in read(data, encoding) if isinstance(effect, Printed)]


def job(*blocks: TextLine | Columns | QrCode | Drawer) -> PrintJob:
    return PrintJob("job-1", blocks)


def test_a_simple_job_is_these_bytes() -> None:
    data = encode_job(job(TextLine("苹果", Align.CENTER, bold=True, scale=2)), PAPER_58)
    assert data == (
        b"\x1b@\x1da\x00\x1c&"
        b"\x1d!\x11\x1bE\x01\x1ba\x01\xc6\xbb\xb9\xfb\n"
        b"\x1d!\x00\x1bE\x00\x1ba\x00\x1c.\x1bd\x06\x1dV\x01"
    )


@pytest.mark.parametrize(("chinese", "encoding"), [("gb18030", "gb18030"), ("gbk", "gbk"), ("utf8", "utf-8")])
def test_chinese_arrives_in_the_encoding_of_the_printer(chinese: str, encoding: str) -> None:
    profile = replace(PAPER_58, chinese=Chinese(chinese))
    assert printed(encode_job(job(Columns("苹果", "¥5.00")), profile), encoding)[0].startswith("苹果")


def test_a_printer_set_to_another_encoding_shows_garbage_in_the_simulator() -> None:
    assert "苹果" not in printed(encode_job(job(TextLine("苹果")), PAPER_58), "utf-8")


@pytest.mark.parametrize(("cut", "partial"), [(Cut.FULL, False), (Cut.PARTIAL, True)])
def test_the_cut_is_as_set(cut: Cut, partial: bool) -> None:
    assert read(encode_job(job(), replace(PAPER_58, cut=cut)))[-1] == CutPaper(partial)


def test_a_printer_without_cutter_only_feeds() -> None:
    effects = read(encode_job(job(), replace(PAPER_58, cut=Cut.NONE)))
    assert not [effect for effect in effects if isinstance(effect, CutPaper)]


@pytest.mark.parametrize("pin", [2, 5])
def test_the_drawer_is_kicked_on_its_pin(pin: int) -> None:
    assert Kick(pin) in read(encode_job(job(Drawer()), replace(PAPER_58, drawer_pin=pin)))


def test_a_native_qr_code_carries_its_text() -> None:
    effects = read(encode_job(job(QrCode("https://mall.example/r/abc")), PAPER_58))
    codes = [effect for effect in effects if isinstance(effect, Code)]
    assert [code.text for code in codes] == ["https://mall.example/r/abc"]
    assert 3 <= codes[0].module <= 8


@pytest.mark.parametrize("text", ["", "x" * 1001, "open\x10\x14\x01\x00\x08", "\ud800"])
def test_a_qr_code_that_cannot_be_printed_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(EncodeError, match="QR"):
        encode_job(job(QrCode(text)), PAPER_58)


def test_the_longest_qr_code_fits_the_narrow_paper() -> None:
    profile = replace(PAPER_58, qr=Qr.RASTER)
    rows = [
        effect for effect in read(encode_job(job(QrCode("x" * 1000)), profile)) if isinstance(effect, Dots)
    ]
    assert {row.row_bytes for row in rows} == {48}


def test_too_many_blocks_are_refused() -> None:
    with pytest.raises(EncodeError, match="2001 blocks"):
        encode_job(job(*[TextLine("x")] * 2001), PAPER_58)


def test_raster_text_needs_nothing_of_the_printer_but_dots() -> None:
    data = encode_job(job(TextLine("苹果"), Columns("a", "b")), replace(PAPER_58, chinese=Chinese.RASTER))
    effects = read(data)
    assert not [effect for effect in effects if isinstance(effect, Printed)]
    black = sum(byte.bit_count() for effect in effects if isinstance(effect, Dots) for byte in effect.data)
    assert black > 200


def test_a_missing_font_says_what_to_install() -> None:
    profile = replace(PAPER_58, chinese=Chinese.RASTER, font_path="/nowhere/font.ttc")
    with pytest.raises(EncodeError, match=r"/nowhere/font\.ttc.*fonts-wqy-microhei"):
        encode_job(job(TextLine("x")), profile)


def test_a_picture_cannot_open_the_drawer() -> None:
    rows = b"\x10\x14\x01\x00\x08\x10\x04\x01\x10\x05\x02\x10"
    image = Image.frombytes("1", (96, 30), bytes(byte ^ 0xFF for byte in rows * 30))
    data = b"".join(bands(image))
    assert not [code for code in (b"\x10\x04", b"\x10\x05", b"\x10\x14") if code in data]
    assert len([effect for effect in read(data) if isinstance(effect, Dots)]) == 2


def test_raster_latin_characters_keep_to_their_cells() -> None:
    profile = replace(PAPER_58, chinese=Chinese.RASTER)
    image = draw_lines([TextLine(" " * 31 + "M")], profile)
    ink = Image.eval(image.convert("L"), lambda value: 255 - value).getbbox()
    assert ink is not None
    assert ink[0] >= 31 * 12 - 1


def test_a_font_is_found_on_this_machine() -> None:
    assert find_font().startswith("/usr/share/fonts/")


def test_the_barrier_is_as_set() -> None:
    assert barrier(PAPER_58, "0001") == b"\x1dr\x01"
    by_id = replace(PAPER_58, barrier=Barrier.PROCESS_ID)
    assert barrier(by_id, "0001") == bytes.fromhex("1d2848060030303030 3031")
    with pytest.raises(ValueError, match="4 printable"):
        barrier(by_id, "00001")


def test_a_width_that_does_not_divide_the_dots_is_fine() -> None:
    profile = PrinterProfile(width=42, dots=512, chinese=Chinese.RASTER)
    rows = [
        effect for effect in read(encode_job(job(TextLine("x" * 42)), profile)) if isinstance(effect, Dots)
    ]
    assert {row.row_bytes for row in rows} == {64}


@pytest.mark.parametrize(("width", "dots", "pin"), [(8, 384, 2), (32, 390, 2), (64, 384, 2), (32, 384, 3)])
def test_a_profile_that_no_printer_has_is_refused(width: int, dots: int, pin: int) -> None:
    with pytest.raises(ValueError, match=r"must be .* not"):
        PrinterProfile(width=width, dots=dots, drawer_pin=pin)


@pytest.mark.parametrize("profile", [PAPER_58, PAPER_80])
def test_the_test_page_fills_the_width_and_fits_it(profile: PrinterProfile) -> None:
    lines = printed(encode_job(printer_test_page(profile, "t1"), profile))
    assert max(len(line.encode("gb18030")) for line in lines) == profile.width
    assert any("□" in line for line in lines)


def test_a_process_that_prints_leaves_no_folder_of_the_library_behind(tmp_path: Path) -> None:
    code = (
        "from devices.printer.codec import PAPER_58, encode_job, test_page; "
        "print(len(encode_job(test_page(PAPER_58, 't1'), PAPER_58)))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert int(said.stdout) > 100
    assert list(tmp_path.iterdir()) == []


def test_python_escpos_is_imported_only_when_a_job_is_encoded() -> None:
    code = "import sys, devices.printer.driver, devices.printer.codec; sys.exit('escpos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
