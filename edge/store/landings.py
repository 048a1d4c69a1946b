"""Pages after payment: given ones, published versions, what each order ended on, and the variants' counts."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import Any

from edge.errors import Invalid
from edge.members.bandit import BanditRule
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, LandingVersion, Occasion
from edge.services.landing_records import LandingCount, ShownLanding

_SLOT = "tenant_id, occasion, campaign"
_IS_SLOT = "tenant_id = ? AND occasion = ? AND campaign = ?"
_VERSION = (
    f"{_SLOT}, number, valid_from, valid_to, learning, floor_permille, trial_shown, variants,"
    " made_by, made_at, returned_to"
)
_PUBLISH = f"INSERT INTO landing_versions ({_VERSION}) VALUES ({', '.join('?' * 13)})"
_CURRENT = f"""
SELECT {_VERSION} FROM (
    SELECT {_VERSION}, row_number() OVER (
        PARTITION BY occasion, campaign ORDER BY valid_from DESC, number DESC) AS place
    FROM landing_versions
    WHERE tenant_id = ?1 AND valid_from <= ?2 AND (valid_to IS NULL OR valid_to > ?2))
WHERE place = 1 ORDER BY occasion, campaign
"""
_SHOWN = f"order_id, {_SLOT}, number, variant, shopper, shown_at, acted_at"
_PUT_SHOWN = f"INSERT OR IGNORE INTO landing_shown ({_SHOWN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
_ASSIGNED = f"""
SELECT variant FROM landing_shown WHERE shopper = ? AND {_IS_SLOT} AND number = ?
ORDER BY order_id LIMIT 1
"""
_COUNT_SHOWN = f"""
INSERT INTO landing_counts ({_SLOT}, number, variant, shown, acted) VALUES (?, ?, ?, ?, ?, 1, 0)
ON CONFLICT ({_SLOT}, number, variant) DO UPDATE SET shown = shown + 1
"""
_COUNT_ACTED = f"""
UPDATE landing_counts SET acted = acted + 1 WHERE {_IS_SLOT} AND number = ? AND variant = ?
"""


class LandingTable:
    """Implements landing_records.Landings; what is on a page is JSON, as nothing is asked of it in SQL."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def pages(self) -> tuple[LandingPage, ...]:
        """Return all pages of the configuration or of HQ."""
        rows = self._connection.execute(
            "SELECT landing_id, tenant_id, title, title_en, picture, blocks FROM landings ORDER BY tenant_id"
        )
        return tuple(
            LandingPage(landing_id, tenant_id, title, title_en, picture, _blocks(json.loads(blocks)))
            for landing_id, tenant_id, title, title_en, picture, blocks in rows
        )

    def put(self, page: LandingPage) -> None:
        """Write such a page."""
        blocks = json.dumps([asdict(block) for block in page.blocks], ensure_ascii=False)
        self._connection.execute(
            "INSERT OR REPLACE INTO landings (landing_id, tenant_id, title, title_en, picture, blocks)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (page.landing_id, page.tenant_id, page.title, page.title_en, page.picture, blocks),
        )

    def clear(self) -> None:
        """Delete all such pages."""
        self._connection.execute("DELETE FROM landings")

    def slots(self) -> tuple[LandingSlot, ...]:
        """Return the slots that have versions."""
        rows = self._connection.execute(f"SELECT DISTINCT {_SLOT} FROM landing_versions ORDER BY {_SLOT}")
        return tuple(LandingSlot(tenant, Occasion(occasion), campaign) for tenant, occasion, campaign in rows)

    def publish(self, version: LandingVersion) -> None:
        """Add a version; raise Invalid for a number that its slot has already."""
        if self.version(version.slot, version.number) is not None:
            raise Invalid(
                f"version {version.number} of {version.slot.landing_id} is there already; open the page again"
            )
        self._connection.execute(_PUBLISH, _version_row(version))

    def version(self, slot: LandingSlot, number: int) -> LandingVersion | None:
        """Return one version."""
        statement = f"SELECT {_VERSION} FROM landing_versions WHERE {_IS_SLOT} AND number = ?"
        row = self._connection.execute(statement, (*_slot_row(slot), number)).fetchone()
        return None if row is None else _version(row)

    def versions(self, slot: LandingSlot, limit: int) -> tuple[LandingVersion, ...]:
        """Return a slot's versions, the highest number first."""
        statement = f"SELECT {_VERSION} FROM landing_versions WHERE {_IS_SLOT} ORDER BY number DESC LIMIT ?"
        return tuple(map(_version, self._connection.execute(statement, (*_slot_row(slot), limit))))

    def current(self, tenant_id: str, at: int) -> tuple[LandingVersion, ...]:
        """Return what is in force of a tenant, one for each slot."""
        return tuple(map(_version, self._connection.execute(_CURRENT, (tenant_id, at))))

    def shown_of(self, order_id: str) -> ShownLanding | None:
        """Return what an order ended on."""
        statement = f"SELECT {_SHOWN} FROM landing_shown WHERE order_id = ?"
        row = self._connection.execute(statement, (order_id,)).fetchone()
        if row is None:
            return None
        order, tenant, occasion, campaign, *rest = row
        return ShownLanding(order, LandingSlot(tenant, Occasion(occasion), campaign), *rest)

    def assigned(self, slot: LandingSlot, number: int, shopper: str) -> str:
        """Return the variant that a shopper has seen of a version, "" for none."""
        row = self._connection.execute(_ASSIGNED, (shopper, *_slot_row(slot), number)).fetchone()
        return "" if row is None else str(row[0])

    def put_shown(self, shown: ShownLanding) -> None:
        """Keep what an order ended on and count it; the same order again changes nothing."""
        where = (*_slot_row(shown.slot), shown.number, shown.variant)
        row = (shown.order_id, *where, shown.shopper, shown.shown_at)
        if self._connection.execute(_PUT_SHOWN, row).rowcount == 1:
            self._connection.execute(_COUNT_SHOWN, where)

    def mark_acted(self, order_id: str, at: int) -> bool:
        """Note and count the first act on an order's page; return whether it was the first."""
        marked = self._connection.execute(
            "UPDATE landing_shown SET acted_at = ? WHERE order_id = ? AND acted_at IS NULL"
            f" RETURNING {_SLOT}, number, variant",
            (at, order_id),
        ).fetchone()
        if marked is not None:
            self._connection.execute(_COUNT_ACTED, marked)
        return marked is not None

    def counts(self, slot: LandingSlot, number: int) -> tuple[LandingCount, ...]:
        """Return the counts of a version's variants that were ever shown, by name."""
        statement = (
            f"SELECT variant, shown, acted FROM landing_counts WHERE {_IS_SLOT} AND number = ?"
            " ORDER BY variant"
        )
        rows = self._connection.execute(statement, (*_slot_row(slot), number))
        return tuple(LandingCount(*row) for row in rows)


def _slot_row(slot: LandingSlot) -> tuple[str, str, str]:
    return slot.tenant_id, slot.occasion.value, slot.campaign


def _version_row(version: LandingVersion) -> tuple[object, ...]:
    variants = [
        {"name": one.name, "weight": one.weight, "page": asdict(one.page)} for one in version.variants
    ]
    rule = version.rule
    return (
        *_slot_row(version.slot),
        version.number,
        version.valid_from,
        version.valid_to,
        int(rule.learning),
        rule.floor_permille,
        rule.trial_shown,
        json.dumps(variants, ensure_ascii=False),
        version.made_by,
        version.made_at,
        version.returned_to,
    )


def _version(row: tuple[Any, ...]) -> LandingVersion:
    tenant, occasion, campaign, number, begin, end, learning, floor, trial, variants, by, at, returned = row
    return LandingVersion(
        LandingSlot(tenant, Occasion(occasion), campaign),
        number,
        tuple(LandingVariant(one["name"], _page(one["page"]), one["weight"]) for one in json.loads(variants)),
        begin,
        end,
        BanditRule(bool(learning), floor, trial),
        by,
        at,
        returned,
    )


def _page(value: dict[str, Any]) -> LandingPage:
    return LandingPage(**{**value, "blocks": _blocks(value["blocks"])})


def _blocks(values: list[dict[str, Any]]) -> tuple[LandingBlock, ...]:
    return tuple(LandingBlock(**{**block, "kind": BlockKind(block["kind"])}) for block in values)
