"""The settings by which shoppers' ways are recorded, sales credited and guides' tasks given out."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.members.attribution import AttributionRule
from edge.members.guide_task import TaskRules
from edge.members.touchpoint import TouchpointBook


@dataclass(frozen=True, slots=True)
class TouchRules:
    """Touchpoints and guides of a box and what is done with them.

    keep_days: how long single steps are kept; the funnel's counts stay. new_per_minute: ways that scanned
    codes may begin in a minute; beyond it a code still leads on, and nothing is recorded.
    """

    book: TouchpointBook = field(default_factory=TouchpointBook)
    attribution: AttributionRule = field(default_factory=AttributionRule)
    tasks: TaskRules = field(default_factory=TaskRules)
    keep_days: int = 180
    new_per_minute: int = 600
