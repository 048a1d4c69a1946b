"""The rooms that the gateway has; a new subject is one module and one name here."""

from __future__ import annotations

from sim.gateway import alipay, certificates, codepay, phones, transactions
from sim.gateway.endpoints import Room

ROOMS: tuple[Room, ...] = (
    codepay.ROOM,
    transactions.ROOM,
    certificates.ROOM,
    phones.ROOM,
    alipay.ROOM,
)
