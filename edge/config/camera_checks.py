"""What no type can hold back in the sections about cameras."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from devices.settings import check_view
from edge.config.camera_sections import CameraConfig
from edge.config.parking_sections import LaneConfig
from edge.config.sections import Config
from edge.errors import Invalid


def check_cameras(config: Config, source: str) -> None:
    """Raise Invalid for cameras of no lane, names that clash and settings that cannot work together."""
    for camera in config.camera:
        for problem in (*_place_problems(config, camera), *_way_problems(camera), *_bound_problems(camera)):
            raise Invalid(f"{source}: camera {camera.name}{problem}")
    for kind, names in (("gate", camera_gates(config)), ("display", camera_displays(config))):
        doubled = [one.name for one in getattr(config, kind) if one.name in names]
        if doubled:
            raise Invalid(f"{source}: a {kind} and a camera's {kind} are both named {doubled[0]!r}")
    if config.photos.keep_days < 1 or config.photos.max_mb < 16:
        raise Invalid(f"{source}: photos.keep_days is at least 1 and photos.max_mb at least 16")


def camera_gates(config: Config) -> list[str]:
    """Return the names of cameras whose relay is a gate."""
    return [one.name for one in config.camera if one.is_gate]


def camera_displays(config: Config) -> list[str]:
    """Return the names of cameras whose board is a display."""
    return [one.name for one in config.camera if one.is_display]


def _place_problems(config: Config, camera: CameraConfig) -> Iterator[str]:
    lanes = {one.name: one for one in config.lane}
    if camera.lane not in lanes:
        yield f" looks at lane {camera.lane!r}; known: {', '.join(lanes) or 'none'}"
    if camera.gated_by == "loop" and camera.lane in lanes:
        yield from _gating_problems(config, camera, lanes[camera.lane])
    for lane in config.lane:
        if camera.is_gate and lane.gate == camera.name and lane.loops != camera.loops:
            yield (
                f" has {camera.loops} loops, lane {lane.name} that it opens has {lane.loops}; "
                "write the same number of loops in both"
            )


def _gating_problems(config: Config, camera: CameraConfig, lane: LaneConfig) -> Iterator[str]:
    if camera.kind != "frames":
        yield ": gated_by is a key of kind frames alone; the other kinds decide themselves when to look"
    told = any(one.loops for one in config.camera if one.lane == lane.name)
    if not told and not (lane.gate and lane.loops):
        yield (
            f" is gated by a loop, but lane {lane.name} has none; write the lane's gate and loops, or "
            'gated_by = "motion"'
        )


def _way_problems(camera: CameraConfig) -> Iterator[str]:
    fixed = camera.kind == "dahua_push" and camera.address and camera.serial
    barrier = camera.kind.startswith("hikvision") and camera.url
    elsewhere = CameraConfig(camera.name, camera.lane, agent=camera.agent)
    problems = {
        " needs its kind, or the agent that has it; not both": bool(camera.kind) is bool(camera.agent),
        " belongs to an agent; write only its name and lane here, the rest in the agent's own file": (
            camera.agent and not camera.kind and camera != elsewhere
        ),
        " posts, so it needs a token_file (dahua_push may have address and serial instead)": (
            camera.posts and camera.token_file is None and not fixed
        ),
        " is asked for its stream, so it needs its url, such as http://192.168.20.31": (
            camera.kind.endswith("_pull") and not camera.url
        ),
        " only sees, so it needs its url: rtsp://192.168.20.33/main, a device, a video or a folder": (
            camera.kind == "frames" and not camera.url
        ),
        ": comet is a mode of kind vzicom alone": camera.comet and camera.kind != "vzicom",
        ": a board_channel is on kind vzicom alone": (
            camera.board_channel is not None and camera.kind != "vzicom"
        ),
        ": a barrier is opened on kind hikvision_push or hikvision_pull, with its url": (
            camera.barrier and not barrier
        ),
    }
    yield from (problem for problem, applies in problems.items() if applies)


def _bound_problems(camera: CameraConfig) -> Iterator[str]:
    try:
        ip_network(camera.address or "0.0.0.0/0")
    except ValueError as error:
        yield f": address: {error}; write it like 192.168.20.31 or 192.168.20.0/28"
    try:
        check_view(camera.url, camera.region, camera.least_width)
    except ValueError as error:
        yield f": {error}"
    limits = {
        "barrier": (camera.barrier, 0, 16),
        "relay_output": (camera.relay_output, 0, 3),
        "relay_ms": (camera.relay_ms, 1, 600_000),
        "loops": (camera.loops, 0, 4),
        "board_channel": (camera.board_channel or 0, 0, 1),
        "board_lines": (camera.board_lines, 1, 8),
        "board_cells": (camera.board_cells, 2, 64),
        "silent_s": (camera.silent_s or 0, 0, 86_400),
    }
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            yield f": {name} is {least} to {most}, got {value}"
