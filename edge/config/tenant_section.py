"""The section of the configuration about the tenants of the mall and the numbers that they are paid to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.errors import Invalid

#: As the catalogue's tenant_id.
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,40}", re.ASCII)
_MERCHANT = re.compile(r"\d{8,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """[[tenant]]: a store of the mall, under which number it is paid, and the mall's commission.

    The files are for direct merchants: refunds and bills of a number take its own signature.
    """

    id: str
    name: str
    name_en: str = ""
    mchid: str = ""
    merchant_name: str = ""
    commission_permille: int = 0
    private_key_file: Path | None = None
    certificate_file: Path | None = None
    platform_keys: Mapping[str, Path] | None = None


def check_tenants(tenants: Sequence[TenantConfig], source: str) -> None:
    """Raise Invalid for ids that cannot be or stand twice, numbers that are none, and too much commission."""
    seen: set[str] = set()
    for one in tenants:
        if not _ID.fullmatch(one.id):
            raise Invalid(f"{source}: tenant id {one.id!r}: use 1-40 of A-Z a-z 0-9 _ . -")
        if one.id in seen:
            raise Invalid(f"{source}: two tenants have the id {one.id!r}; give each its own")
        seen.add(one.id)
        if one.mchid and not _MERCHANT.fullmatch(one.mchid):
            raise Invalid(f"{source}: tenant {one.id}: mchid {one.mchid!r} must be 8 to 10 digits")
        files = (one.private_key_file, one.certificate_file)
        if (None in files) != (files == (None, None)) or (files != (None, None) and not one.mchid):
            raise Invalid(
                f"{source}: tenant {one.id}: give mchid, private_key_file and certificate_file together"
            )
        if not 0 <= one.commission_permille <= 1_000:
            raise Invalid(
                f"{source}: tenant {one.id}: commission_permille is 0 to 1000, got {one.commission_permille}"
            )


class _Paid(Protocol):
    @property
    def mchid(self) -> str: ...
    @property
    def sub_mchid(self) -> str: ...
    @property
    def share_permille(self) -> int: ...


def check_shares(tenants: Sequence[TenantConfig], gateway: _Paid, source: str) -> None:
    """Raise Invalid for a share beyond a payment, and for a tenant with the mall's own number."""
    if not 0 <= gateway.share_permille <= 1_000:
        raise Invalid(f"{source}: wechat_pay.share_permille is 0 to 1000, got {gateway.share_permille}")
    own = gateway.sub_mchid or gateway.mchid
    for one in tenants:
        if one.mchid and one.mchid in (own, gateway.mchid):
            raise Invalid(f"{source}: tenant {one.id} has the mall's own mchid; leave it empty")
