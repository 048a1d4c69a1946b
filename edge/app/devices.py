"""Drivers from the configuration, imported only when needed: OpenCV alone is 40 MB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.config import (
    Config,
    DisplayConfig,
    GateConfig,
    PrinterConfig,
    ScannerConfig,
)
from edge.errors import Invalid
from edge.service import Devices
from edge.services.ports import Display, Gate, Printer, Scanner

if TYPE_CHECKING:
    from devices.printer.profile import PrinterProfile
    from devices.rs485 import Rs485Bus


#: Printable dots of the usual printers by characters on a line.
_DOTS = {32: 384, 42: 504, 48: 576}


def build_devices(config: Config) -> Devices:
    """Return drivers for every configured device; none of them is opened yet."""
    buses = Buses()
    return Devices(
        scanners=tuple((one.workstation, build_scanner(one)) for one in config.scanner),
        printers={one.workstation: build_printer(one, config.box.data_dir) for one in config.printer},
        gates=tuple(build_gate(one, buses) for one in config.gate),
        displays=tuple(build_display(one, buses) for one in config.display),
        lines=tuple(buses.opened.values()),
    )


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


def build_gate(config: GateConfig, buses: Buses) -> Gate:
    """Return the driver of one boom gate; devices on one RS-485 line share its bus."""
    if config.family == "gpio":
        return _gpio_gate(config)
    from devices.gate.driver import BoardFamily, BoardSettings, InputMap, RelayGate

    inputs = InputMap(config.boom_up, config.boom_down, config.loops, frozenset(config.inverted))
    _check_inputs(config)
    try:
        board = BoardSettings(
            BoardFamily(config.family),
            config.address,
            config.relay,
            config.pulse_s,
            config.timeout_s,
            inputs,
        )
    except ValueError as error:
        raise Invalid(f"gate {config.name}: {error}") from error
    return RelayGate(config.name, buses.on(config.port, config.baud, config.local_echo), board)


def _gpio_gate(config: GateConfig) -> Gate:
    from devices.gate.driver import InputMap
    from devices.gate.gpio import GpioGate, GpioSettings

    _check_inputs(config)
    inputs = InputMap(config.boom_up, config.boom_down, config.loops, frozenset(config.inverted))
    try:
        settings = GpioSettings(
            config.port, config.relay, config.pulse_s, config.active_low, config.pull_up, inputs
        )
    except ValueError as error:
        raise Invalid(f"gate {config.name}: {error}") from error
    return GpioGate(config.name, settings)


def _check_inputs(config: GateConfig) -> None:
    """Raise Invalid for inputs that no board numbers so, or that are inverted without being wired."""
    wired = [
        *config.loops,
        *(number for number in (config.boom_up, config.boom_down) if number is not None),
    ]
    if any(number < 0 for number in wired):
        raise Invalid(f"gate {config.name}: inputs are counted from 0, got {min(wired)}")
    stray = sorted(set(config.inverted) - set(wired))
    if stray:
        raise Invalid(
            f"gate {config.name}: input {stray[0]} is inverted but neither boom_up, boom_down nor a loop"
        )
    if not 0.05 <= config.timeout_s <= 5:
        raise Invalid(f"gate {config.name}: timeout_s is 0.05-5, got {config.timeout_s}")


def build_display(config: DisplayConfig, buses: Buses) -> Display:
    """Return the driver of one lane's text and voice board."""
    from devices.display.driver import BoardLayout, LaneBoard

    try:
        layout = BoardLayout(config.lines, config.cells)
    except ValueError as error:
        raise Invalid(f"display {config.name}: {error}") from error
    return LaneBoard(config.name, buses.on(config.port, config.baud, config.local_echo), layout)


class Buses:
    """The RS-485 lines of this box, one for each port."""

    def __init__(self) -> None:
        self.opened: dict[str, Rs485Bus] = {}
        self._habits: dict[str, tuple[int, bool]] = {}

    def on(self, port: str, baud: int, local_echo: bool = False) -> Rs485Bus:
        """Return the line on `port`; raise Invalid when two devices disagree about its speed or echo."""
        from devices.rs485 import Rs485Bus
        from devices.transport import SerialSettings

        habits = self._habits.setdefault(port, (baud, local_echo))
        if habits != (baud, local_echo):
            raise Invalid(
                f"RS-485 line {port}: its devices disagree, baud {habits[0]} local_echo {habits[1]} "
                f"and baud {baud} local_echo {local_echo}; one line has one setting"
            )
        if port not in self.opened:
            try:
                self.opened[port] = Rs485Bus(SerialSettings(port, baud), local_echo)
            except ValueError as error:
                raise Invalid(f"RS-485 line {port}: {error}") from error
        return self.opened[port]


def read_images(paths: Sequence[Path], as_json: bool) -> Iterator[tuple[list[str], bool]]:
    """Yield (lines, whether it failed) for each picture below `paths`, through the cameras' own reader."""
    from devices.camera.barcodes import BarcodeReader
    from devices.camera.read_images import read_paths, to_json_line, to_text_lines

    for result in read_paths(paths, BarcodeReader()):
        lines = [to_json_line(result)] if as_json else to_text_lines(result)
        yield lines, result.error is not None
