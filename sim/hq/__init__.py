"""Headquarters at the far end of MQTT, written from docs/protocols/hq-events.md alone."""

from sim.hq.behaviour import Behaviour
from sim.hq.ledger import Ledger
from sim.hq.main import HqFleet, HqServer, run
from sim.hq.reading import Arrival, Outcome
from sim.hq.worker import Worker

__all__ = ["Arrival", "Behaviour", "HqFleet", "HqServer", "Ledger", "Outcome", "Worker", "run"]
