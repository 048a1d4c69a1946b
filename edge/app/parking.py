"""The car park and its settings, from the configuration."""

from __future__ import annotations

from edge.app.validation import add_validation
from edge.config import Config
from edge.config.parking_sections import LaneConfig
from edge.config.pass_section import PassesConfig
from edge.parking.facility import Facility, Lane, LaneWay, Zone
from edge.parking.parking_pass import PassRules
from edge.parking.plate import PlateKind
from edge.services.parking_rules import LaneTimes, ParkingRules


def build_facility(config: Config) -> Facility:
    """Return the car park of this box; without lanes in the configuration it has none."""
    zones = tuple(Zone(one.name, one.spaces, one.tariff) for one in config.zone)
    lanes = tuple(_lane(config, one) for one in config.lane)
    return Facility(config.parking.name or config.box.shop_name, zones, lanes)


def build_lane_times(config: Config) -> LaneTimes:
    """Return how long things take at lanes."""
    parking = config.parking
    return LaneTimes(
        open_s=parking.open_s,
        pass_s=parking.pass_s,
        repeat_s=parking.repeat_s,
        approach_s=parking.approach_s,
        leave_s=parking.leave_s,
        ghost_s=parking.ghost_s,
        unseen_s=parking.unseen_s,
        lost_s=parking.lost_s,
        stay_s=parking.stay_s,
        command_s=parking.command_s,
    )


def build_parking(config: Config) -> ParkingRules:
    """Return the car park with its settings and what pays for it; raise Invalid for what cannot be used."""
    rules = ParkingRules(
        unconfirmed_s=config.parking.unconfirmed_s,
        debt_limit_fen=config.parking.debt_limit_fen,
        facility=build_facility(config),
        grace_s=config.parking.grace_s,
        times=build_lane_times(config),
        keep_reads_days=config.parking.keep_reads_days,
        passes=_pass_rules(config.passes),
    )
    return add_validation(rules, config)


def _pass_rules(passes: PassesConfig) -> PassRules:
    return PassRules(
        passes.grace_days,
        passes.warn_days,
        passes.renew_within_days,
        frozenset(PlateKind(one) for one in passes.free_kinds),
        passes.reserve_early_min,
        passes.reserve_hold_min,
    )


def _lane(config: Config, one: LaneConfig) -> Lane:
    gate = next((gate for gate in config.gate if gate.name == one.gate), None)
    wired = () if gate is None else gate.loops
    return Lane(
        one.name,
        LaneWay(one.way),
        one.zone,
        one.gate,
        one.display,
        one.workstation,
        one.loops or len(wired),
        one.passback,
        one.when_full,
        one.unconfirmed,
        one.stale_read_s,
        one.needs_plate,
        gate is not None and gate.boom_up is not None,
        one.language,
    )
