"""Touchpoints, guides and the rules of the funnel, from the configuration."""

from __future__ import annotations

from edge.config import Config
from edge.errors import Invalid
from edge.members.attribution import AttributionRule
from edge.members.guide_task import TaskRules
from edge.members.touchpoint import Guide, Touchpoint, build_book
from edge.services.touch_rules import TouchRules


def build_touch(config: Config) -> TouchRules:
    """Return by what shoppers' ways are recorded; raise Invalid that names what cannot be used."""
    own = config.funnel
    if not 1 <= own.keep_days <= 3_650:
        raise Invalid(f"funnel.keep_days {own.keep_days} must be 1 to 3650")
    if own.keep_days < own.window_days:
        raise Invalid("funnel.keep_days must not be below funnel.window_days: the touches would be gone")
    if not 1 <= own.new_per_minute <= 100_000:
        raise Invalid(f"funnel.new_per_minute {own.new_per_minute} must be 1 to 100000")
    return TouchRules(
        book=build_book(
            [
                Touchpoint(
                    *(one.id, one.owner, one.name, one.name_en, one.scene, one.place),
                    *(one.tenant, one.campaign, one.guide, one.leads_to),
                )
                for one in config.touchpoint
            ],
            [
                Guide(one.id, one.name, one.name_en, one.tenant, one.commission_permille)
                for one in config.guide
            ],
            [one.name for one in config.workstation],
            [one.name for one in config.lane],
        ),
        attribution=AttributionRule(own.attribution, own.window_days, own.guide_permille),
        tasks=TaskRules(
            own.first_visit_days, own.second_purchase_days, own.replenish_days, own.lapsed_days, own.task_days
        ),
        keep_days=own.keep_days,
        new_per_minute=own.new_per_minute,
    )
