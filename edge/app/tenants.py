"""The tenants of the mall, from the configuration."""

from __future__ import annotations

from edge.config import Config
from edge.services.box import Tenant


def build_tenants(config: Config) -> dict[str, Tenant]:
    """Return the configured tenants by id."""
    return {
        one.id: Tenant(one.id, one.name, one.name_en or one.name, one.mchid, one.commission_permille)
        for one in config.tenant
    }
