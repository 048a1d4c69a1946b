"""A simulated WeChat Pay APIv3: real HTTP, real signatures, wallets with phones, faults on request.

Written from the documents, independently of the client in edge, so that the two check each other.
"""

from sim.gateway.books import Books, Habit
from sim.gateway.credentials import Credentials, make_credentials
from sim.gateway.faults import Fault, FaultPlan
from sim.gateway.server import GatewayServer, run

__all__ = ["Books", "Credentials", "Fault", "FaultPlan", "GatewayServer", "Habit", "make_credentials", "run"]
