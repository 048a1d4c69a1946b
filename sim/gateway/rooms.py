"""The rooms that the gateway has; a new subject is one module and one name here."""

from __future__ import annotations

from sim.gateway import (
    alipay,
    bills,
    business_circle,
    certificates,
    codepay,
    combine,
    gold_plan,
    phones,
    profit_sharing,
    refunds,
    switches,
    transactions,
    vehicle,
    weixin,
)
from sim.gateway.endpoints import Room

ROOMS: tuple[Room, ...] = (
    codepay.ROOM,
    transactions.ROOM,
    refunds.ROOM,
    combine.ROOM,
    certificates.ROOM,
    phones.ROOM,
    switches.ROOM,
    alipay.ROOM,
    bills.ROOM,
    profit_sharing.ROOM,
    business_circle.ROOM,
    vehicle.ROOM,
    gold_plan.ROOM,
    weixin.ROOM,
)
