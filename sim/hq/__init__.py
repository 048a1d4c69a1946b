"""Headquarters at the far end of MQTT, written from docs/protocols/hq-events.md alone."""

from sim.hq.behaviour import Behaviour
from sim.hq.ledger import Arrival, Ledger, Outcome
from sim.hq.main import HqServer, run

__all__ = ["Arrival", "Behaviour", "HqServer", "Ledger", "Outcome", "run"]
