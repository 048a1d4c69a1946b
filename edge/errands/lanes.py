"""Lanes and counts of spaces, for the command line."""

from __future__ import annotations

from collections.abc import Mapping

from edge.app import INCOMING, build_rules
from edge.app.parking import build_facility
from edge.config import Config
from edge.errands.handing_over import await_report, database, new_id, own_store, reading_unit
from edge.errors import Unavailable
from edge.services.lane_wishes import describe_lanes, describe_zones
from edge.services.take_intake import IntakeReport, Wish
from edge.store.intake_folder import IntakeFolder

#: Somebody stands at the boom and waits, in seconds.
PATIENCE_S = 15.0


def lane_lines(config: Config) -> list[str]:
    """Return how each lane stands; reads beside a running service."""
    with reading_unit(config) as unit:
        return describe_lanes(unit, build_facility(config), build_rules(config).zone)


def zone_lines(config: Config) -> list[str]:
    """Return how full each zone is; reads beside a running service."""
    with reading_unit(config) as unit:
        return describe_zones(unit, build_facility(config))


def ask_service(config: Config, kind: str, arguments: Mapping[str, str]) -> IntakeReport:
    """Have the running service do something at a lane; see services.lane_wishes.

    Raises Unavailable when no service runs: its gates would not move, and its count is the service's.
    """
    database(config)
    with own_store(config) as store:
        if store is not None:
            raise Unavailable("the service does not run; start it, or lift the boom by hand")
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    wish = Wish(f"{kind}-{new_id()[-12:]}.wish.json", kind, arguments)
    folder.put_wish(wish)
    return await_report(folder, wish.name, lambda done, total: None, PATIENCE_S)
