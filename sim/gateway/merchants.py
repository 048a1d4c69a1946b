"""The merchants that the gateway knows: who they are, which apps are theirs, with which keys they sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sim.gateway.messages import Refusal, parameter_error
from sim.gateway.store import Store

_MAX_MERCHANTS = 10_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS merchant (
    mchid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    appids TEXT NOT NULL,
    sp_mchid TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS merchant_certificate (
    serial TEXT PRIMARY KEY,
    mchid TEXT NOT NULL REFERENCES merchant,
    pem TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Merchant:
    """One merchant. appids: of its own; sp_mchid: the service provider that acts for it, or ""."""

    mchid: str
    name: str
    appids: Sequence[str] = ()
    sp_mchid: str = ""


class Merchants:
    """All merchants; the one of the credentials is there from the start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, tuple[str, rsa.RSAPublicKey]] = {}
        store.add_schema(SCHEMA)
        for row in store.rows("SELECT * FROM merchant_certificate"):
            self._remember(row["mchid"], row["pem"])

    def add(self, merchant: Merchant) -> None:
        """Add a merchant, or change the one with that number; raise ValueError for what cannot be one."""
        if not (merchant.mchid.isascii() and merchant.mchid.isdigit() and 8 <= len(merchant.mchid) <= 10):
            raise ValueError(f"mchid must be 8 to 10 digits, got {merchant.mchid!r}")
        with self._store.work():
            if self._store.number("SELECT count(*) FROM merchant") >= _MAX_MERCHANTS:
                raise ValueError(f"no more than {_MAX_MERCHANTS} merchants")
            self._store.run(
                "INSERT INTO merchant VALUES (?, ?, ?, ?) ON CONFLICT (mchid) DO UPDATE SET"
                " name = excluded.name, appids = excluded.appids, sp_mchid = excluded.sp_mchid",
                merchant.mchid, merchant.name, " ".join(merchant.appids), merchant.sp_mchid,
            )  # fmt: skip

    def add_certificate(self, mchid: str, pem: str) -> str:
        """Let a merchant sign with one more certificate; return its serial. Raise ValueError or KeyError."""
        self.get(mchid)
        serial = self._remember(mchid, pem)
        self._store.run("INSERT OR REPLACE INTO merchant_certificate VALUES (?, ?, ?)", serial, mchid, pem)
        return serial

    def get(self, mchid: str) -> Merchant:
        """Return a merchant; raise KeyError."""
        row = self._store.row("SELECT * FROM merchant WHERE mchid = ?", mchid)
        if row is None:
            raise KeyError(mchid)
        return Merchant(row["mchid"], row["name"], tuple(row["appids"].split()), row["sp_mchid"])

    def all(self) -> tuple[Merchant, ...]:
        """Return all merchants by number."""
        rows = self._store.rows("SELECT mchid FROM merchant ORDER BY mchid")
        return tuple(self.get(row["mchid"]) for row in rows)

    def key(self, mchid: str, serial: str) -> rsa.RSAPublicKey | None:
        """Return the key behind that merchant's certificate, or None."""
        owner, key = self._keys.get(serial, ("", None))
        return key if owner == mchid else None

    def keys(self, mchid: str) -> tuple[rsa.RSAPublicKey, ...]:
        """Return all keys that a merchant may sign with."""
        return tuple(key for owner, key in self._keys.values() if owner == mchid)

    def check_app(self, mchid: str, appid: str) -> None:
        """Return when that app belongs to that merchant; raise Refusal."""
        if appid not in self.get(mchid).appids:
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配", "268445527")

    def check_sub(self, sp_mchid: str, sub_mchid: str) -> None:
        """Return when that service provider acts for that merchant; raise Refusal."""
        try:
            bound = self.get(sub_mchid).sp_mchid == sp_mchid
        except KeyError:
            raise Refusal(400, "MCH_NOT_EXISTS", "商户号不存在", "268443701") from None
        if not bound:
            raise Refusal(403, "NO_AUTH", "子商户号与服务商号没有绑定关系", "268443704")

    def _remember(self, mchid: str, pem: str) -> str:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("a merchant's certificate must hold an RSA key")
        serial = f"{certificate.serial_number:X}"
        self._keys[serial] = (mchid, key)
        return serial


def read_pem(path: Path) -> str:
    """Return a certificate's file as text."""
    return path.read_text(encoding="ascii")


def check_signer(mchid: str, signer: str, name: str = "/mchid") -> None:
    """Return when the merchant in the body is the one that signed; raise Refusal 400 PARAM_ERROR."""
    if mchid != signer:
        raise parameter_error(name, "is not the one that signed", mchid, "268447843")
