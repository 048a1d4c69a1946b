"""What was seen at a lane: evidence, of which what we believe is a Session or a Passage. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.parking.vehicle import PlateColour, VehicleClass


class Trigger(StrEnum):
    """Why a camera made a read.

    STAYING: the vehicle stands in the picture for long. TURNED_BACK: it drove off backwards, it did not pass.
    """

    AUTO = "auto"
    LOOP = "loop"
    SOFTWARE = "software"
    STAYING = "staying"
    TURNED_BACK = "turned_back"


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One read of one plate by one camera.

    source_key: the camera's own id of this record, the same when it is sent again; unique per camera.
    plate: normalised, "" when the vehicle has none that could be read. confidences: of each character, 0-1;
    empty when unknown. backfill: sent late, after an outage. seen_at: when the vehicle was seen, Unix
    milliseconds by our clock (the camera's own clock corrected by what is known of its error). age_ms: how
    old the read was when it reached this box. photos: their names in the photo store, the whole scene first.
    """

    read_id: str
    lane: str
    camera: str
    source_key: str
    plate: str
    seen_at: int
    received_at: int
    age_ms: int = 0
    colour: PlateColour = PlateColour.UNKNOWN
    vehicle_class: VehicleClass = VehicleClass.UNKNOWN
    confidences: tuple[float, ...] = ()
    trigger: Trigger = Trigger.AUTO
    backfill: bool = False
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopChange:
    """A presence loop of a lane became occupied or free. loop: from 0 in driving order."""

    lane: str
    loop: int
    occupied: bool
    at: int


class BoomPlace(StrEnum):
    """Where limit switches say that the boom is."""

    DOWN = "down"
    BETWEEN = "between"
    UP = "up"


@dataclass(frozen=True, slots=True)
class BoomChange:
    """The boom of a lane's gate reached another place."""

    lane: str
    place: BoomPlace
    at: int
