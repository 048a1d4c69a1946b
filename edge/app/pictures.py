"""The reader of pictures that phones send, imported with the first of them: OpenCV alone is 40 MB."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from edge.errors import Invalid, Unavailable
from edge.services.picture_ports import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, PictureCode

if TYPE_CHECKING:
    from devices.camera.jpeg_codes import JpegCodes


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
