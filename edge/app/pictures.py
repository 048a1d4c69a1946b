"""Scan and go from the configuration; OpenCV, 40 MB, is imported with the first picture."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from edge.config import Config
from edge.errors import Invalid, Unavailable
from edge.services.picture_ports import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, PictureCode
from edge.services.scan_and_go_rules import ScanAndGoRules

if TYPE_CHECKING:
    from devices.camera.jpeg_codes import JpegCodes


def build_scan_and_go(config: Config) -> ScanAndGoRules:
    """Return what phones may buy by themselves, and how they leave."""
    own = config.scan_and_go
    return ScanAndGoRules(
        frozenset(own.tenants),
        own.exit_minutes,
        own.recheck_permille,
        own.forsaken_hours,
        own.code_minutes,
        own.keep_days,
    )


class SentPictures:
    """Implements picture_ports.PictureCodes by the engines of the camera scanners."""

    @cached_property
    def _codes(self) -> JpegCodes:
        from devices.camera.barcodes import BarcodeReader
        from devices.camera.jpeg_codes import JpegCodes

        return JpegCodes(BarcodeReader(), MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS)

    def read(self, jpeg: bytes) -> tuple[PictureCode, ...]:
        """Return the proven codes, the largest first."""
        from devices.camera.jpeg_codes import BadPicture, TooBusy

        try:
            found = self._codes.read(jpeg)
        except BadPicture as error:
            raise Invalid(str(error)) from None
        except TooBusy as error:
            raise Unavailable(str(error)) from None
        return tuple(PictureCode(one.text, one.aim) for one in found)
