"""Drivers from the configuration, imported only when needed: OpenCV alone is 40 MB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devices.building import Buses, build_counter, build_display, build_gate
from devices.settings import DisplayConfig, GateConfig, SpaceBoardConfig, check_way
from edge.app.agents import build_agents, link_of
from edge.config import (
    Config,
    PrinterConfig,
    ScannerConfig,
)
from edge.errors import Invalid
from edge.service import Devices
from edge.services.ports import Display, Gate, Printer, Scanner, SpaceBoard

if TYPE_CHECKING:
    from devices.agent.remote import AgentLink
    from devices.camera.plates.reader import PlateReader
    from devices.printer.profile import PrinterProfile


#: Printable dots of the usual printers by characters on a line.
_DOTS = {32: 384, 42: 504, 48: 576}


def build_devices(config: Config, agents: Mapping[str, AgentLink] | None = None) -> Devices:
    """Return drivers for every configured device; none of them is opened yet.

    agents: links to those that have some of them, by name; None to make them here.
    """
    buses, agents = Buses(), build_agents(config) if agents is None else agents
    try:
        gates = tuple(_gate(one, buses, agents) for one in config.gate)
        displays = tuple(_display(one, buses, agents) for one in config.display)
        boards = {one.zone: _space_board(one, buses, agents) for one in config.space_board}
    except ValueError as error:
        raise Invalid(str(error)) from error
    return Devices(
        scanners=tuple((one.workstation, build_scanner(one)) for one in config.scanner),
        printers={one.workstation: build_printer(one, config.box.data_dir) for one in config.printer},
        gates=gates,
        displays=displays,
        space_boards=boards,
        agents=tuple(agents.values()),
        lines=tuple(buses.opened.values()),
    )


def _gate(config: GateConfig, buses: Buses, agents: Mapping[str, AgentLink]) -> Gate:
    if not config.agent:
        return build_gate(config, buses)
    from devices.agent.remote import RemoteGate

    check_way("gate", config)
    return RemoteGate(config.name, link_of("gate", config, agents))


def _display(config: DisplayConfig, buses: Buses, agents: Mapping[str, AgentLink]) -> Display:
    if not config.agent:
        return build_display(config, buses)
    from devices.agent.remote import RemoteDisplay

    check_way("display", config)
    return RemoteDisplay(config.name, link_of("display", config, agents))


def _space_board(config: SpaceBoardConfig, buses: Buses, agents: Mapping[str, AgentLink]) -> SpaceBoard:
    if not config.agent:
        return build_counter(config, buses)
    from devices.agent.remote import RemoteCounter

    check_way("space board", config)
    return RemoteCounter(config.name, link_of("space board", config, agents))


def build_scanner(config: ScannerConfig) -> Scanner:
    """Return the driver of one scanner."""
    if config.kind == "hid":
        return _hid_scanner(config)
    if config.kind == "camera":
        return _camera_scanner(config)
    return _serial_scanner(config)


def _serial_scanner(config: ScannerConfig) -> Scanner:
    from devices.scanner.codec import Framing, Terminator
    from devices.scanner.serial_driver import SerialScanner
    from devices.transport import SerialSettings

    terminators = frozenset(Terminator(one) for one in config.terminators) or None
    try:
        framing = Framing(
            terminators,
            config.prefix.encode(),
            config.framing_idle_ms,
            max_length=config.max_length,
            aim_ids=config.aim_ids,
        )
        settings = SerialSettings(config.port, config.baud)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    return SerialScanner(config.name, settings, framing)


def _hid_scanner(config: ScannerConfig) -> Scanner:
    from devices.scanner.hid_driver import Adoption, HidScanner

    try:
        vendor, product = (int(one, 16) if one else None for one in (config.vendor, config.product))
        adoption = Adoption(config.port, vendor, product, config.serial, config.phys)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    return HidScanner(config.name, adoption)


def _camera_scanner(config: ScannerConfig) -> Scanner:
    from devices.camera.agreement import AgreementSettings
    from devices.camera.barcodes import BarcodeReader
    from devices.camera.driver import OpenCvCamera
    from devices.camera.scanner import CameraScanner

    try:
        agreement = AgreementSettings(config.frames_needed, config.frames_window, config.gone_ms)
    except ValueError as error:
        raise Invalid(f"scanner {config.name}: {error}") from error
    camera = OpenCvCamera(config.name, config.port)
    return CameraScanner(config.name, camera, BarcodeReader(), agreement)


def build_printer(config: PrinterConfig, data_dir: Path) -> Printer:
    """Return the driver of one printer."""
    from devices.printer.driver import EscPosPrinter, PrinterLimits
    from devices.printer.journal import JobJournal
    from devices.printer.link import Address, SerialAddress, TcpAddress, UsbAddress

    address: Address
    if config.kind == "tcp":
        host, _, port = config.port.rpartition(":")
        if not (host and port.isascii() and port.isdigit()):
            raise Invalid(
                f"printer {config.name}: port {config.port!r} must be host:port, like 10.0.0.9:9100"
            )
        address = TcpAddress(host, int(port))
    elif config.kind == "usb":
        address = UsbAddress(config.port)
    else:
        address = SerialAddress(config.port, config.baud, config.rtscts, config.xonxoff)
    limits = PrinterLimits(job_s=config.job_timeout_s)
    return EscPosPrinter(
        config.name, address, printer_profile(config), limits, JobJournal(data_dir / f"{config.name}.jobs")
    )


def printer_profile(config: PrinterConfig) -> PrinterProfile:
    """Return what a printer can do; raise Invalid for what no printer can."""
    from devices.printer.profile import Barrier, Chinese, Cut, PrinterProfile, Qr

    if config.font_path and not Path(config.font_path).is_file():
        raise Invalid(f"printer {config.name}: there is no font {config.font_path}")
    try:
        return PrinterProfile(
            width=config.width,
            dots=config.dots or _DOTS[config.width],
            chinese=Chinese(config.chinese),
            cut=Cut(config.cut),
            drawer_pin=config.drawer_pin,
            qr=Qr(config.qr),
            barrier=Barrier(config.barrier),
            font_path=config.font_path,
        )
    except ValueError as error:
        raise Invalid(f"printer {config.name}: {error}") from error


def read_images(paths: Sequence[Path], as_json: bool) -> Iterator[tuple[list[str], bool]]:
    """Yield (lines, whether it failed) for each picture below `paths`, through the cameras' own reader."""
    from devices.camera.barcodes import BarcodeReader
    from devices.camera.read_images import read_paths, to_json_line, to_text_lines

    for result in read_paths(paths, BarcodeReader()):
        lines = [to_json_line(result)] if as_json else to_text_lines(result)
        yield lines, result.error is not None


def read_plates(
    paths: Sequence[Path], as_json: bool, draw: Path | None
) -> tuple[int, Iterator[tuple[list[str], bool, bool]]]:
    """Return how many files there are below `paths` and an iterator of (lines, failed, last of its file).

    draw: the folder for pictures with the plates framed. Raises Invalid where the model is not installed.
    """
    from devices.camera.plates.read_plates import files_of
    from devices.camera.plates.reader import PlateReader
    from devices.types import DeviceError

    files = files_of(paths)
    try:
        reader = PlateReader()
    except DeviceError as error:
        raise Invalid(str(error)) from error
    return len(files), _plates(files, reader, as_json, draw)


def _plates(
    files: Sequence[Path], reader: PlateReader, as_json: bool, folder: Path | None
) -> Iterator[tuple[list[str], bool, bool]]:
    from devices.camera.plates.read_plates import draw, read_file, to_json_line, to_text_lines
    from devices.types import DeviceError

    for path in files:
        for result in read_file(path, reader):
            try:
                if folder is not None:
                    draw(result, folder)
            except DeviceError as error:
                raise Invalid(str(error)) from error
            lines = [to_json_line(result)] if as_json else to_text_lines(result)
            yield lines, result.error is not None, False
        yield [], False, True
