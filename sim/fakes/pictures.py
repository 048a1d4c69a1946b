"""A reader of pictures in memory: a picture is a JPEG's first bytes with the codes' texts behind them."""

from __future__ import annotations

from edge.errors import Invalid, Unavailable
from edge.services.picture_ports import MAX_PICTURE_BYTES, PictureCode

_START = b"\xff\xd8\xff\xe0fake"


def picture(*texts: str) -> bytes:
    """Return a picture in which these codes are seen."""
    return _START + "\n".join(texts).encode()


class FakePictures:
    """Implements picture_ports.PictureCodes for pictures of `picture`. busy: as if others were being read."""

    def __init__(self) -> None:
        self.busy = False

    def read(self, jpeg: bytes) -> tuple[PictureCode, ...]:
        """Return the codes in the order in which they were put in."""
        if len(jpeg) > MAX_PICTURE_BYTES or not jpeg.startswith(_START):
            raise Invalid("this is no picture that can be looked at")
        if self.busy:
            raise Unavailable("other pictures are being looked at; send it again")
        return tuple(PictureCode(one) for one in jpeg[len(_START) :].decode().split("\n") if one)
