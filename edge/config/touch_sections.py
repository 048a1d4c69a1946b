"""The sections of the configuration file about touchpoints, guides and the funnel."""

from __future__ import annotations

from dataclasses import dataclass

from edge.members.attribution import AttributionKind
from edge.members.touchpoint import TouchpointClass


@dataclass(frozen=True, slots=True)
class FunnelConfig:
    """[funnel]: how sales are credited, when guides get tasks, and how long single steps are kept."""

    attribution: AttributionKind = AttributionKind.LAST
    window_days: int = 30
    guide_permille: int = 500
    first_visit_days: int = 1
    second_purchase_days: int = 14
    replenish_days: int = 30
    lapsed_days: int = 90
    task_days: int = 14
    keep_days: int = 180
    new_per_minute: int = 600


@dataclass(frozen=True, slots=True)
class TouchpointConfig:
    """[[touchpoint]]: a code, page or device where shoppers meet the mall."""

    id: str
    owner: TouchpointClass = TouchpointClass.OWNED
    name: str = ""
    name_en: str = ""
    scene: int = 0
    place: str = ""
    tenant: str = ""
    campaign: str = ""
    guide: str = ""
    leads_to: str = ""


@dataclass(frozen=True, slots=True)
class GuideConfig:
    """[[guide]]: somebody who serves shoppers for a tenant; their code is a touchpoint by itself."""

    id: str
    name: str
    name_en: str = ""
    tenant: str = ""
    commission_permille: int = 0
    pin_hash: str = ""
