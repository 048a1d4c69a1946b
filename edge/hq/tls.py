"""TLS to the broker: this box's certificate files, read again when they change, and errors in plain words.

Source: RFC 8446 §6.2 alerts; openssl-verify(1) error codes; Python's ssl and OpenSSL 3.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from edge.clock import Instant, iso
from edge.errors import Invalid

#: From this long before its end, the status asks for a new certificate.
WARN_BEFORE_MS = 30 * 86_400_000

#: The largest file that is read as a certificate.
MAX_PEM_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What TLS needs, as PEM files.

    ca_file: who may have issued the broker's certificate; None trusts the system's authorities.
    certificate_file, key_file: this box's own, both or none; the key has no passphrase.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a certificate without its key and a key without its certificate."""
        if (self.certificate_file is None) != (self.key_file is None):
            raise Invalid("hq.certificate_file and hq.key_file belong together; give both or none")

    def files(self) -> tuple[Path, ...]:
        """Return the files that are named."""
        return tuple(one for one in (self.ca_file, self.certificate_file, self.key_file) if one is not None)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """Whose the box's certificate is and when it is valid (Unix milliseconds)."""

    name: str
    issuer: str
    valid_from_at: int
    valid_until_at: int

    def trouble(self, now: Instant) -> str:
        """Say why it cannot be used at this instant, or ""."""
        if now.wall_at < self.valid_from_at:
            return f"this box's certificate is valid only from {_day(self.valid_from_at)}; {clock_says(now)}"
        if now.wall_at >= self.valid_until_at:
            return (
                f"this box's certificate expired on {_day(self.valid_until_at)}; {clock_says(now)}; "
                "if that is right, put a new one in hq.certificate_file and hq.key_file"
            )
        return ""

    def warning(self, now: Instant) -> str:
        """Say that its end is near, or ""."""
        left_ms = self.valid_until_at - now.wall_at
        if left_ms > WARN_BEFORE_MS:
            return ""
        days = max(0, left_ms // 86_400_000)
        return f"this box's certificate expires in {days} days, on {_day(self.valid_until_at)}; renew it"


class RememberingSocket(ssl.SSLSocket):
    """A TLS socket that keeps the error which ended it: paho only says that the connection was lost."""

    failure: OSError | None = None

    def do_handshake(self, block: bool = False) -> None:
        """As in the base class, but closes what cannot be used: paho forgets it without closing."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As in the base class."""
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as error:
            self.failure = error
            raise


class TlsFiles:
    """The certificate files of one box; for one thread.

    own: the box's certificate in use, None without one. problem: why newer files are not in use, or "".
    """

    def __init__(self, settings: TlsSettings) -> None:
        self.own: OwnCertificate | None = None
        self.problem = ""
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._seen: object = None

    def context(self) -> ssl.SSLContext:
        """Return TLS settings from the files as they are, or the last usable ones while they are not.

        Raises Invalid, naming the file and the remedy, when there were never usable ones.
        """
        self.renewed()
        if self._context is None:
            raise Invalid(self.problem)
        return self._context

    def renewed(self) -> bool:
        """Look at the files; return whether they changed and can be used. `problem` says why not."""
        stamp = [_stamp(path) for path in self._settings.files()]
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            own, context = _own_certificate(self._settings), _make_context(self._settings)
        except Invalid as error:
            self.problem = str(error)
            return False
        self.own, self._context, self.problem = own, context, ""
        return True


def explain(error: BaseException, address: str, own: OwnCertificate | None, now: Instant) -> str:
    """Return what went wrong on the way to a TLS connection with `address`, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_theirs(error, address, now)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").upper()
        for word, advice in _ALERTS.items():
            if word in reason:
                return f"{address} {advice} ({_mine(own, now)})"
        return f"no TLS with {address}: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"no connection to {address}: it did not answer in time; check that the broker runs"
    if isinstance(error, ConnectionResetError):
        return f"{address} hung up; if it speaks no TLS on this port, check hq.port, often 8883"
    return f"no connection to {address}: {error}"


def clock_says(now: Instant) -> str:
    """Return what this box believes the time to be, and how to check it."""
    state = "synchronised" if now.trusted else "not synchronised; see timedatectl"
    return f"this box's clock says {iso(now.wall_at)[:16]}Z ({state})"


#: Words in OpenSSL's reason for an alert that the broker sent, and what they mean for this box.
_REFUSED = "refused this box's certificate: "
_ALERTS = {
    "CERTIFICATE_EXPIRED": _REFUSED + "it says that it has expired",
    "CERTIFICATE_REVOKED": _REFUSED + "it was revoked; ask HQ for a new one",
    "UNKNOWN_CA": _REFUSED + "it does not know who issued it; ask HQ which authority counts",
    "CERTIFICATE_REQUIRED": "wants a certificate; set hq.certificate_file and hq.key_file",
    "HANDSHAKE_FAILURE": "ended the handshake; it may want a certificate or other ciphers",
    "BAD_CERTIFICATE": _REFUSED + "it may not be valid yet, or is damaged",
    "CERTIFICATE_UNKNOWN": _REFUSED + "it does not say why; see the broker's log",
    "PROTOCOL_VERSION": "does not offer TLS 1.2 or newer; update the broker",
    "UNSUPPORTED_PROTOCOL": "does not offer TLS 1.2 or newer; update the broker",
    "WRONG_VERSION_NUMBER": "does not speak TLS on this port; check hq.port, often 8883",
    "RECORD_LAYER_FAILURE": "does not speak TLS on this port; check hq.port, often 8883",
    "UNEXPECTED_EOF": "hung up in the TLS handshake; check hq.port, and the broker's log",
}

#: OpenSSL's verify codes (X509_V_ERR_...).
_NOT_YET_VALID, _EXPIRED, _REVOKED = 9, 10, 23
_UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
_WRONG_NAME = {62, 63, 64}


def _explain_theirs(error: ssl.SSLCertVerificationError, address: str, now: Instant) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        what = f"has expired; {clock_says(now)}; if that is right, HQ must renew the broker's certificate"
    elif code == _NOT_YET_VALID:
        what = f"is not valid yet; {clock_says(now)}; if that is wrong, set the clock"
    elif code == _REVOKED:
        what = "was revoked; do not trust this broker, ask HQ"
    elif code in _UNKNOWN_ISSUER:
        what = "is from an authority that hq.ca_file does not hold; get HQ's file, or check hq.host"
    elif code in _WRONG_NAME:
        what = f"belongs to another name; hq.host must be a name in it ({error.verify_message})"
    else:
        what = f"cannot be verified: {error.verify_message}"
    return f"the certificate of {address} {what}"


def _mine(own: OwnCertificate | None, now: Instant) -> str:
    if own is None:
        return "this box shows none"
    return own.trouble(now) or (
        f"{own.name}, issued by {own.issuer}, valid until {_day(own.valid_until_at)}; {clock_says(now)}"
    )


def _day(at: int) -> str:
    return iso(at)[:10]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _make_context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = RememberingSocket
    if settings.ca_file is not None:
        context = _only(context, settings.ca_file)
    if settings.certificate_file is not None:
        try:
            # Without a password of our own, OpenSSL would ask the terminal for one.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password=lambda: "")
        except ssl.SSLError as error:
            raise Invalid(_key_problem(settings, error)) from error
        except OSError as error:
            raise Invalid(f"hq.key_file {settings.key_file} cannot be read: {error.strerror}") from error
    return context


def _only(system: ssl.SSLContext, ca_file: Path) -> ssl.SSLContext:
    """Return a context like `system` that trusts the authorities in `ca_file` and no others."""
    text = _read(ca_file, "hq.ca_file").decode("ascii", "replace")
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise Invalid(f"hq.ca_file {ca_file} holds no certificates in PEM: {error}") from error
    context.minimum_version = system.minimum_version
    context.sslsocket_class = system.sslsocket_class
    return context


def _key_problem(settings: TlsSettings, error: ssl.SSLError) -> str:
    if "MISMATCH" in (error.reason or ""):
        what = f"is not the key of hq.certificate_file {settings.certificate_file}; renew both together"
    else:
        what = f"cannot be used (a key in PEM, without passphrase): {error.reason or error}"
    return f"hq.key_file {settings.key_file} {what}"


def _own_certificate(settings: TlsSettings) -> OwnCertificate | None:
    path = settings.certificate_file
    if path is None:
        return None
    try:
        one = x509.load_pem_x509_certificates(_read(path, "hq.certificate_file"))[0]
    except ValueError as error:
        raise Invalid(f"hq.certificate_file {path} holds no certificate in PEM: {error}") from error
    return OwnCertificate(
        one.subject.rfc4514_string(),
        one.issuer.rfc4514_string(),
        _unix_ms(one.not_valid_before_utc),
        _unix_ms(one.not_valid_after_utc),
    )


def _read(path: Path, key: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        raise Invalid(f"{key} {path} cannot be read: {error.strerror}") from error


def _unix_ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
