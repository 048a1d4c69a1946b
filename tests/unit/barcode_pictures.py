"""Barcode pictures of the project's own making, and what a shop does to them: light, blur, angle, noise."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

CODES: dict[str, tuple[Any, str]] = {
    "EAN-13": (zxingcpp.BarcodeFormat.EAN13, "6901234567892"),
    "EAN-8": (zxingcpp.BarcodeFormat.EAN8, "96385074"),
    "UPC-A": (zxingcpp.BarcodeFormat.UPCA, "036000291452"),
    "UPC-E": (zxingcpp.BarcodeFormat.UPCE, "04963406"),
    "Code-128": (zxingcpp.BarcodeFormat.Code128, "TICKET-20261122-7"),
    "Code-39": (zxingcpp.BarcodeFormat.Code39, "LOCKER 17"),
    "ITF": (zxingcpp.BarcodeFormat.ITF, "15400141288763"),
    "QR": (zxingcpp.BarcodeFormat.QRCode, "https://mall.example/t/8Yd2"),
    "DataMatrix": (zxingcpp.BarcodeFormat.DataMatrix, "A1B2C3D4"),
    "DataBar-Exp": (zxingcpp.BarcodeFormat.DataBarExp, "(01)90012345678908(3103)001750"),
}


def drawn(symbology: str, scale: int = 3, margin: int = 40, text: str | None = None) -> Grey:
    """Return a black on white picture of a code, `margin` pixels of white around it."""
    kind, usual = CODES[symbology]
    code = zxingcpp.create_barcode(text or usual, kind)
    picture = np.array(zxingcpp.write_barcode_to_image(code, scale=scale), dtype=np.uint8)
    return padded(picture, margin)


def drawn_qr(text: str, encoding: str, eci: bool = False) -> Grey:
    """Return a QR code whose bytes are `text` in `encoding`, declared by an ECI or not."""
    matrix = segno.make(text, encoding=encoding, eci=eci, micro=False, error="m").matrix
    modules = np.array([[0 if dark else 255 for dark in row] for row in matrix], dtype=np.uint8)
    return padded(cast(Grey, np.kron(modules, np.ones((5, 5), np.uint8))), 30)


def padded(picture: Grey, margin: int, light: int = 255) -> Grey:
    return cast(Grey, np.pad(picture, margin, constant_values=light))


def turned(picture: Grey, degrees: float) -> Grey:
    """Turn about the centre; the picture grows so that nothing is cut."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = int(height * sin + width * cos), int(height * cos + width * sin)
    matrix[0, 2] += (wide - width) / 2
    matrix[1, 2] += (high - height) / 2
    return cast(Grey, cv2.warpAffine(picture, matrix, (wide, high), borderValue=(255.0,)))


def blurred(picture: Grey, sigma: float) -> Grey:
    return cast(Grey, cv2.GaussianBlur(picture, (0, 0), sigma))


def noisy(picture: Grey, sigma: float) -> Grey:
    noise = np.random.default_rng(7).normal(0.0, sigma, picture.shape)
    return cast(Grey, np.clip(picture + noise, 0, 255).astype(np.uint8))


def faded(picture: Grey, dark: int, light: int) -> Grey:
    return cast(Grey, (dark + picture.astype(np.float32) * (light - dark) / 255).astype(np.uint8))


def shaded(picture: Grey) -> Grey:
    """Let the light fall off to a fifth from left to right."""
    fall = np.linspace(1.0, 0.2, picture.shape[1])
    return cast(Grey, (picture * fall).astype(np.uint8))
