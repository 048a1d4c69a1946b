"""The tenants of the demonstration mall: their merchant numbers, and what the mall keeps of their sales."""

from __future__ import annotations

from sim.gateway.merchants import Merchant
from sim.gateway.server import GatewayServer
from sim.goods import BAKERY, BOOKS, CELLAR, MARKET

#: Commission in thousandths; the cellar is the mall's own shop and is paid to the mall's number.
_TERMS = ((BAKERY, "1900000201", 100), (MARKET, "1900000202", 60), (BOOKS, "1900000203", 80), (CELLAR, "", 0))


def tenants_config() -> str:
    """Return the [[tenant]] sections of the service's configuration."""
    return "\n".join(
        f'\n[[tenant]]\nid = "{one.tenant_id}"\nname = "{one.name}"\nname_en = "{one.name_en}"\n'
        f'mchid = "{number}"\ncommission_permille = {permille}'
        for one, number, permille in _TERMS
    )


def register_tenants(gateway: GatewayServer) -> None:
    """Let the gateway know the tenants' numbers, and that they take part in the mall's combined payments."""
    mall = gateway.credentials.mchid
    for one, number, _ in _TERMS:
        if number:
            gateway.office.merchants.add(Merchant(number, one.name, (), mall))
