"""ESC/POS: a print job as bytes, and the request whose answer proves that it went through.

    data = encode_job(job, PAPER_58) + barrier(PAPER_58, "0001")

Commands come from python-escpos where it has them; text is laid out here, because python-escpos knows
neither Chinese mode nor the width of a Chinese character (its issues 190, 269, 491, 678).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.printer.layout import lay_out, printable
from devices.printer.library import printer_class
from devices.printer.profile import (
    PAPER_58,
    PAPER_80,
    Barrier,
    Chinese,
    Cut,
    EncodeError,
    PrinterProfile,
    Qr,
)
from devices.types import Align, Columns, Drawer, PrintJob, QrCode, Rule, TextLine

if TYPE_CHECKING:
    from escpos.printer import Dummy

__all__ = [
    "CLEAR",
    "FILLER",
    "PAPER_58",
    "PAPER_80",
    "Barrier",
    "Chinese",
    "Cut",
    "EncodeError",
    "PrinterProfile",
    "Qr",
    "barrier",
    "encode_job",
    "test_page",
]

MAX_QR_BYTES = 1000
MAX_BLOCKS = 2000
# NUL prints nothing. When a job broke off inside an image or a QR code, the printer takes what comes next
# for the rest of it; this many NULs end the longest such command (24 rows of 104 bytes).
FILLER = bytes(24 * 104)
# Initialise, and no automatic status (GS a 0): its bytes look like barrier answers.
CLEAR = b"\x1b@\x1da\x00"


def encode_job(job: PrintJob, profile: PrinterProfile) -> bytes:
    """Return the bytes of `job` for this printer: initialise, blocks in order, feed, cut.

    Characters that the printer cannot have become □. Raises EncodeError when the job is too long, a QR
    code does not fit or raster text has no font. Source: Epson ESC/POS reference.
    """
    if len(job.blocks) > MAX_BLOCKS:
        raise EncodeError(f"job {job.job_id} has {len(job.blocks)} blocks, at most {MAX_BLOCKS} are printed")
    writer = _new_writer()
    writer._raw(CLEAR + _begin(profile.chinese))
    pending: list[TextLine] = []
    for item in lay_out(job.blocks, profile.width, profile.chinese):
        if isinstance(item, TextLine):
            pending.append(item)
            continue
        _write_lines(writer, pending, profile)
        pending = []
        _write_other(writer, item, profile)
    _write_lines(writer, pending, profile)
    _finish(writer, profile)
    return bytes(writer.output)


def barrier(profile: PrinterProfile, process_id: str) -> bytes:
    """Return the request that the printer answers only after all data before it.

    process_id: 4 characters of 0x20-0x7E, which GS ( H gives back; GS r 1 cannot carry it. DLE EOT is no
    barrier: it is answered at once, also while the job waits. Raises ValueError on a bad id.
    """
    if profile.barrier is Barrier.PAPER_SENSOR:
        return b"\x1dr\x01"
    code = process_id.encode("ascii")
    if len(code) != 4 or not all(0x20 <= byte <= 0x7E for byte in code):
        raise ValueError(f"a process id is 4 printable ASCII characters, not {process_id!r}")
    return b"\x1d(H\x06\x0000" + code


def test_page(profile: PrinterProfile, job_id: str) -> PrintJob:
    """Return a page that shows a technician whether width, Chinese, QR code and cut are set right."""
    ruler = "".join(str(number % 10) for number in range(1, profile.width + 1))
    return PrintJob(
        job_id,
        (
            TextLine("打印测试 TEST", Align.CENTER, bold=True, scale=2),
            TextLine(f"{profile.width} 字/行  {profile.dots} 点  {profile.chinese.value}", Align.CENTER),
            TextLine(ruler),
            Rule(),
            Columns("中文与 English 混排 ABC", "￥12.34"),
            Columns("很长的商品名称应当自动换行而金额仍然靠右对齐不会被挤掉", "￥1,234.56"),
            TextLine("全角，。：；！？“”《》①№"),
            TextLine("粗体 Bold", bold=True),
            TextLine("缺字应为方框: 😀"),
            TextLine("|" + " " * (profile.width - 2) + "|"),
            Rule(),
            QrCode(f"TEST {job_id}"),
            TextLine("二维码应可扫描 QR must scan", Align.CENTER),
        ),
    )


test_page.__test__ = False  # type: ignore[attr-defined]  # pytest would take the name for a test


def _new_writer() -> Dummy:
    return printer_class()()


def _begin(chinese: Chinese) -> bytes:
    return b"\x1c&" if chinese in (Chinese.GB18030, Chinese.GBK) else b"\x1c."


def _write_lines(writer: Dummy, lines: list[TextLine], profile: PrinterProfile) -> None:
    if not lines:
        return
    if profile.chinese is Chinese.RASTER:
        from devices.printer.raster import bands, draw_lines

        for band in bands(draw_lines(lines, profile)):
            writer._raw(band)
        return
    for line in lines:
        # GS ! and not ESC !: the latter leaves Chinese characters small and takes bold away.
        writer.set(
            align=line.align.value, bold=line.bold, custom_size=True, width=line.scale, height=line.scale
        )
        writer._raw(line.text.encode(profile.chinese.value) + b"\n")
    writer.set(align="left", bold=False, custom_size=True, width=1, height=1)


def _write_other(writer: Dummy, item: QrCode | Drawer, profile: PrinterProfile) -> None:
    if isinstance(item, Drawer):
        writer.cashdraw(profile.drawer_pin)
        return
    _check_qr(item.text)
    from devices.printer.raster import bands, draw_qr, qr_scale

    if profile.qr is Qr.RASTER:
        for band in bands(draw_qr(item.text, profile)):
            writer._raw(band)
        return
    writer.set(align="center")
    writer.qr(item.text, ec=1, size=qr_scale(_modules(item.text), profile.dots), native=True)
    writer._raw(b"\n")
    writer.set(align="left")


def _check_qr(text: str) -> None:
    """Refuse what cannot be drawn, and control characters: a printer obeys DLE even inside QR data."""
    if not text.isprintable():
        raise EncodeError(f"a QR code's text must have printable characters only, got {text!r}")
    size = len(text.encode())
    if not 1 <= size <= MAX_QR_BYTES:
        raise EncodeError(f"a QR code holds 1 to {MAX_QR_BYTES} bytes here, not {size}: use a shorter text")


def _modules(text: str) -> int:
    import segno

    return len(segno.make(text, error="m", micro=False).matrix)


def _finish(writer: Dummy, profile: PrinterProfile) -> None:
    if _begin(profile.chinese) == b"\x1c&":
        writer._raw(b"\x1c.")
    if profile.cut is Cut.NONE:
        writer.print_and_feed(6)
    else:
        writer.cut(mode="PART" if profile.cut is Cut.PARTIAL else "FULL")


def visible(text: str, profile: PrinterProfile) -> str:
    """Return `text` as this printer will show it."""
    return printable(text, profile.chinese)
