"""Whose signatures we believe: configured public keys and fetched platform certificates, side by side.

Certificates are fetched with GET /v3/certificates, sealed with the APIv3 key, kept on disk so that a start
without network works, and used by serial: an old and a new one overlap for as long as both are valid.
Nothing here is ever triggered by a callback. Source: pay.weixin.qq.com, "平台证书".
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.sealing import open_sealed
from edge.gateways.wechat_pay.settings import PUBLIC_KEY_PREFIX

_log = logging.getLogger(__name__)
_MOST_CERTIFICATES = 20
_MOST_FILE_BYTES = 64 * 1024
_SUFFIX = ".pem"


@dataclass(frozen=True, slots=True)
class PlatformCertificate:
    """One of the gateway's certificates; valid_from and valid_to are Unix seconds."""

    serial: str
    key: RSAPublicKey
    pem: bytes
    valid_from: int
    valid_to: int

    def __repr__(self) -> str:
        """Serial and end are enough for a log."""
        return f"PlatformCertificate({self.serial}, until {self.valid_to})"


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A key that we believe, for `doctor`. valid_to: Unix seconds, None for a public key without an end."""

    serial: str
    valid_to: int | None


class PlatformKeys:
    """The gateway's keys by serial; safe for use by several threads."""

    def __init__(self, fixed: Mapping[str, RSAPublicKey], folder: Path | None = None) -> None:
        """fixed: from the settings. folder: where fetched certificates are kept, None for memory alone."""
        self._fixed = dict(fixed)
        self._folder = folder
        self._lock = threading.Lock()
        self._fetched = {one.serial: one for one in _load(folder)} if folder else {}

    def at(self, now_s: int) -> dict[str, RSAPublicKey]:
        """Return the keys that are valid now, by serial."""
        with self._lock:
            valid = {serial: one.key for serial, one in self._fetched.items() if now_s < one.valid_to}
        return valid | self._fixed

    def preferred(self, now_s: int) -> tuple[str, RSAPublicKey] | None:
        """Return the key to encrypt with and to be answered with: a public key, else the newest certificate.

        None when there is no key at all.
        """
        for serial, key in self._fixed.items():
            if serial.startswith(PUBLIC_KEY_PREFIX):
                return serial, key
        with self._lock:
            valid = [one for one in self._fetched.values() if one.valid_from <= now_s < one.valid_to]
        if valid:
            newest = max(valid, key=lambda one: one.valid_from)
            return newest.serial, newest.key
        return next(iter(self._fixed.items()), None)

    def add(self, certificates: Iterable[PlatformCertificate], now_s: int) -> tuple[str, ...]:
        """Take in fetched certificates, drop those that have ended; return the serials that are new.

        What cannot be written to disk is logged and used from memory.
        """
        with self._lock:
            before = set(self._fetched)
            merged = self._fetched | {one.serial: one for one in certificates}
            kept = sorted(merged.values(), key=lambda one: one.valid_to)[-_MOST_CERTIFICATES:]
            self._fetched = {one.serial: one for one in kept if now_s < one.valid_to}
            ended = before - set(self._fetched)
            fresh = tuple(sorted(set(self._fetched) - before))
            current = dict(self._fetched)
        if self._folder is not None:
            _save(self._folder, [current[serial] for serial in fresh], ended)
        return fresh

    def report(self) -> tuple[KeyReport, ...]:
        """Return every key that is held, ended ones too, by serial."""
        with self._lock:
            fetched = {one.serial: one.valid_to for one in self._fetched.values()}
        ends: dict[str, int | None] = {**dict.fromkeys(self._fixed), **fetched}
        return tuple(KeyReport(serial, ends[serial]) for serial in sorted(ends))


def read_certificates(body: bytes, api_v3_key: bytes) -> tuple[PlatformCertificate, ...]:
    """Return the RSA certificates in an answer of /v3/certificates; raise Unreadable or Unsealable. Pure.

    That the seal opens proves that whoever made them knows our APIv3 key.
    """
    views = Fields.parse(body).each("data", _MOST_CERTIFICATES)
    found = (_open(view, api_v3_key) for view in views)
    return tuple(one for one in found if one is not None)


def read_certificate(pem: bytes) -> PlatformCertificate | None:
    """Return a platform certificate, None when its key is not RSA; raise Unreadable."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise Unreadable("it is not a PEM certificate") from None
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return None
    return PlatformCertificate(
        serial=f"{certificate.serial_number:X}",
        key=key,
        pem=certificate.public_bytes(Encoding.PEM),
        valid_from=int(certificate.not_valid_before_utc.timestamp()),
        valid_to=int(certificate.not_valid_after_utc.timestamp()),
    )


def certificate_end(path: Path) -> int:
    """Return when a certificate file (e.g. the merchant's apiclient_cert.pem) ends, Unix seconds.

    Raises Invalid with the path.
    """
    try:
        found = read_certificate(_read(path))
    except (OSError, Unreadable) as error:
        raise Invalid(f"{path} cannot be read as a certificate: {error}") from None
    if found is None:
        raise Invalid(f"{path} does not hold an RSA key")
    return found.valid_to


def _open(view: Fields, api_v3_key: bytes) -> PlatformCertificate | None:
    found = read_certificate(open_sealed(api_v3_key, view.within("encrypt_certificate")))
    if found is not None and found.serial != view.need_text("serial_no", 64).upper().lstrip("0"):
        raise Unreadable("a certificate's serial is not the one that it is announced with")
    return found


def _load(folder: Path) -> tuple[PlatformCertificate, ...]:
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}"))[:_MOST_CERTIFICATES]:
        try:
            one = read_certificate(_read(path))
        except (OSError, Unreadable) as error:
            _log.warning("platform certificate %s is not used: %s; delete it", path, error)
            continue
        if one is not None:
            found.append(one)
    return tuple(found)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.stat().st_size <= _MOST_FILE_BYTES else b""


def _save(folder: Path, fresh: Iterable[PlatformCertificate], ended: Iterable[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in fresh:
            _replace(folder / f"{one.serial}{_SUFFIX}", one.pem)
        for serial in ended:
            (folder / f"{serial}{_SUFFIX}").unlink(missing_ok=True)
    except OSError as error:
        _log.warning("platform certificates are not kept in %s: %s; used from memory", folder, error.strerror)


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a power cut leaves the old file or the new one."""
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
