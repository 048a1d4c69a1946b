"""An authority for tests and trials: certificates for brokers, boxes, malls and HQ's workers.

A box's certificate names it as `{site}/edge/{edge}`, which the brokers' access rules put into topics.
Nothing here is for production: the authority's key lies beside the certificates.
Source: RFC 5280; X.520 allows 64 characters of common name.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY_MS = 86_400_000

#: The longest common name that a certificate may hold.
MAX_NAME = 64

_NAME = re.compile(r"[a-z0-9-]{1,32}")


class CertificateError(Exception):
    """A certificate cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, as PEM files. serial: for revocation."""

    certificate: Path
    key: Path
    serial: int


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when, Unix milliseconds."""

    from_at: int
    until_at: int


class Authority:
    """A root authority whose files lie in one folder: ca.pem, ca.key and crl.pem."""

    def __init__(self, folder: Path, now_at: int, name: str = "mall-edge trial authority") -> None:
        """Make a new authority; now_at: Unix milliseconds, valid from a day before for ten years."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.crl_file = folder / "crl.pem"
        self._now_at = now_at
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign_itself()
        self.ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(folder / "ca.key", self._key)
        self.revoke()

    def issue_broker(self, hosts: Sequence[str], name: str, validity: Validity | None = None) -> Issued:
        """Return a broker's certificate for these host names and addresses, in files called `name`."""
        alternatives: list[x509.GeneralName] = []
        for host in hosts:
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                alternatives.append(x509.DNSName(host))
        return self._issue(name, hosts[0], validity, alternatives)

    def issue_box(self, site: str, edge: str, validity: Validity | None = None, file: str = "") -> Issued:
        """Return the certificate of one box."""
        for one in (site, edge):
            if not _NAME.fullmatch(one):
                raise CertificateError(f"{one!r} is no name of a site or box: 1-32 of a-z, 0-9 and -")
        return self._issue(file or f"{site}.{edge}", f"{site}/edge/{edge}", validity)

    def issue_client(self, name: str, validity: Validity | None = None) -> Issued:
        """Return the certificate of another client: a worker of HQ's, or the bridge of a mall."""
        if not _NAME.fullmatch(name):
            raise CertificateError(f"{name!r} is no name of a client: 1-32 of a-z, 0-9 and -")
        return self._issue(name, name, validity)

    def revoke(self, *issued: Issued) -> None:
        """Write the list of revoked certificates anew; a broker reads it at its next SIGHUP or start."""
        start = _moment(self._now_at - DAY_MS)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(start)
            .next_update(start + timedelta(days=3650))
        )
        for one in issued:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(start).build()
            builder = builder.add_revoked_certificate(entry)
        made = builder.sign(self._key, hashes.SHA256())
        self.crl_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _sign_itself(self) -> x509.Certificate:
        usage = _usage(certificates=True)
        return (
            self._builder(
                self._name, self._key, Validity(self._now_at - DAY_MS, self._now_at + 3650 * DAY_MS)
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _issue(
        self,
        file: str,
        common_name: str,
        validity: Validity | None,
        hosts: Sequence[x509.GeneralName] = (),
    ) -> Issued:
        if len(common_name) > MAX_NAME:
            raise CertificateError(f"{common_name!r} has {len(common_name)} characters, {MAX_NAME} at most")
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        wanted = validity or Validity(self._now_at - DAY_MS, self._now_at + 365 * DAY_MS)
        builder = (
            self._builder(subject, key, wanted)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        made = builder.sign(self._key, hashes.SHA256())
        issued = Issued(self.folder / f"{file}.pem", self.folder / f"{file}.key", made.serial_number)
        issued.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        _write_key(issued.key, key)
        return issued

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, validity: Validity
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_moment(validity.from_at))
            .not_valid_after(_moment(validity.until_at))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )


def make_trial(
    folder: Path, now_at: int, boxes: Sequence[tuple[str, str]], hosts: Sequence[str]
) -> Authority:
    """Write everything that a trial of mall and HQ brokers needs; return the authority.

    boxes: (site, edge). hosts: names and addresses of the brokers. Raises CertificateError.
    """
    authority = Authority(folder, now_at)
    authority.issue_broker(hosts, "mall-broker")
    authority.issue_broker(hosts, "hq-broker")
    for name in ("hq-ingest", "hq-relay", "hq-command"):
        authority.issue_client(name)
    for site in sorted({site for site, _ in boxes}):
        authority.issue_client(site)
    for site, edge in boxes:
        authority.issue_box(site, edge)
    return authority


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, tz=UTC)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
