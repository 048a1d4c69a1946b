"""Cameras that recognise plates, from the configuration: who posts, who is asked, and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.app.agents import build_agents, link_of
from edge.app.files import given_file
from edge.config import CameraConfig, Config
from edge.duties.watching_cameras import CameraParts
from edge.errors import Invalid
from edge.services.camera_ports import PlateCamera
from edge.services.ports import Display, Gate
from edge.store.photo_folder import PhotoFolder
from edge.web.camera.door import MIN_TOKEN, BoundCamera, token_digest

if TYPE_CHECKING:
    from devices.agent.remote import AgentLink
    from devices.camera.hikvision.gate import CameraAccess
    from devices.camera.plates.motion import LoopGate
    from devices.camera.pushed import BoardOnCamera, PushedCamera, Speech

PHOTOS = "photos"

#: Requests of cameras that may wait for commands at a time, and threads that stay for everything else.
MOST_HELD = 8
SPARE_THREADS = 4

#: A camera that sends heartbeats is missed after so long; Hikvision's sends none.
SILENT_S = {"vzicom": 90, "dahua_push": 90, "hikvision_push": 0}


@dataclass(frozen=True, slots=True)
class BuiltCameras:
    """The cameras, and the gates and displays that are theirs."""

    parts: CameraParts
    gates: tuple[Gate, ...] = ()
    displays: tuple[Display, ...] = ()


def build_cameras(config: Config, agents: Mapping[str, AgentLink] | None = None) -> BuiltCameras:
    """Return drivers for every camera at a lane; those that are asked begin to connect at once.

    agents: links to those that have some of the cameras, by name; None to make them here. Raises
    Invalid for a token or password that cannot be read, before anything is connected.
    """
    camera_doubts(config)
    agents = build_agents(config) if agents is None else agents
    posting = [(one, _posting(one)) for one in config.camera if one.posts]
    access = {one.name: _access(one) for one in config.camera if one.url and one.kind != "frames"}
    loops = {one.name: _loop_gate() for one in config.camera if one.gated_by == "loop"}
    asked = tuple(
        (one.lane, _asked(one, access, loops.get(one.name), agents)) for one in config.camera if not one.posts
    )
    parts = CameraParts(
        PhotoFolder(config.box.data_dir / PHOTOS),
        asked,
        tuple(_bound(config, one, camera) for one, camera in posting),
        config.photos.keep_days,
        config.photos.max_mb << 20,
        max(0, min(MOST_HELD, config.web.threads - config.web.max_streams - SPARE_THREADS)),
        tuple((one.lane, loops[one.name].loop) for one in config.camera if one.name in loops),
    )
    return BuiltCameras(parts, _own_gates(config, access, posting), _own_displays(posting))


def camera_doubts(config: Config) -> list[str]:
    """Return what is doubtful about the cameras; raise Invalid for secrets that cannot be used.

    Connects to nothing.
    """
    doubts = []
    tokens: dict[bytes, str] = {}
    for one in config.camera:
        if one.url and one.kind != "frames":
            _access(one)
        if one.token_file is not None and one.posts:
            digest = token_digest(_token(one, one.token_file))
            if digest in tokens:
                raise Invalid(
                    f"cameras {tokens[digest]} and {one.name} have the same token; give each its own"
                )
            tokens[digest] = one.name
        if one.posts and not one.address:
            doubts.append(f"camera {one.name} has no address; whoever has its token may post as it")
    if any(one.posts for one in config.camera) and config.web.host in ("127.0.0.1", "::1", "localhost"):
        doubts.append(f"cameras post to this box, but web.host is {config.web.host}: none can reach it")
    return doubts + _open_secrets(config)


def _open_secrets(config: Config) -> list[str]:
    named = [
        path for one in config.camera for path in (one.token_file, one.password_file) if path is not None
    ]
    paths = [given_file(one) for one in named]
    return [
        f"{path} can be read by others; run: chmod 600 {path}"
        for path in paths
        if path.exists() and path.stat().st_mode & 0o077
    ]


def _own_gates(
    config: Config,
    access: Mapping[str, CameraAccess],
    posting: Sequence[tuple[CameraConfig, PushedCamera]],
) -> tuple[Gate, ...]:
    barriers = [_hikvision_gate(one, access[one.name]) for one in config.camera if one.barrier]
    return (*barriers, *(_gate(one, camera) for one, camera in posting if one.comet))


def _own_displays(posting: Sequence[tuple[CameraConfig, PushedCamera]]) -> tuple[Display, ...]:
    boards = [(camera, camera.board) for one, camera in posting if one.is_display]
    return tuple(_display(camera, board) for camera, board in boards if board is not None)


def _posting(config: CameraConfig) -> PushedCamera:
    from devices.camera.pushed import BoardOnCamera, PushedCamera

    board = None
    if config.board_channel is not None:
        board = BoardOnCamera(config.board_channel, config.board_lines, config.board_cells)
    silent_s = SILENT_S[config.kind] if config.silent_s is None else config.silent_s
    return PushedCamera(config.name, _speech(config), board, silent_s)


def _speech(config: CameraConfig) -> Speech:
    from devices.camera.pushed import DahuaSpeech, HikvisionSpeech, VzicomSpeech
    from devices.camera.vzicom.codec import RelayHabits

    if config.kind == "vzicom":
        return VzicomSpeech(RelayHabits(config.relay, config.relay_output, config.relay_ms))
    return DahuaSpeech() if config.kind == "dahua_push" else HikvisionSpeech()


def _bound(config: Config, one: CameraConfig, camera: PushedCamera) -> BoundCamera:
    digest = b"" if one.token_file is None else token_digest(_token(one, one.token_file))
    lane = next(lane for lane in config.lane if lane.name == one.lane)
    return BoundCamera(
        one.name,
        one.lane,
        camera,
        digest,
        one.address,
        one.serial,
        fixed_paths=bool(one.kind == "dahua_push" and one.address and one.serial),
        words=lane.display != one.name,
    )


def _asked(
    config: CameraConfig,
    access: Mapping[str, CameraAccess],
    gate: LoopGate | None,
    agents: Mapping[str, AgentLink],
) -> PlateCamera:
    if config.agent:
        from devices.agent.remote import RemoteCamera

        return RemoteCamera(config.name, link_of("camera", config, agents))
    from devices.camera.building import build_asked, build_streamed

    if config.kind != "frames":
        return build_streamed(config, access[config.name])
    password = "" if config.password_file is None else _secret(config, config.password_file)
    try:
        return build_asked(config, password, gate)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _loop_gate() -> LoopGate:
    """A gate that a loop works, and motion as long as nobody hears of the loop."""
    from devices.camera.plates.motion import LoopGate, MotionGate

    return LoopGate(otherwise=MotionGate())


def _gate(config: CameraConfig, camera: PushedCamera) -> Gate:
    from devices.camera.pushed import PushedGate

    return PushedGate(camera, config.loops)


def _display(camera: PushedCamera, board: BoardOnCamera) -> Display:
    from devices.camera.pushed import PushedBoard

    return PushedBoard(camera, board)


def _hikvision_gate(config: CameraConfig, access: CameraAccess) -> Gate:
    from devices.camera.hikvision.gate import HikvisionGate

    return HikvisionGate(config.name, access, config.barrier)


def _access(config: CameraConfig) -> CameraAccess:
    from devices.camera.building import build_access

    password = "" if config.password_file is None else _secret(config, config.password_file)
    try:
        return build_access(config, password)
    except ValueError as error:
        raise Invalid(str(error)) from None


def _token(config: CameraConfig, path: Path) -> str:
    token = _secret(config, path)
    if len(token) < MIN_TOKEN or not all(one.isascii() and (one.isalnum() or one in "-_") for one in token):
        raise Invalid(
            f"camera {config.name}: the token in {path} must be at least {MIN_TOKEN} letters, digits, - and _"
        )
    return token


def _secret(config: CameraConfig, path: Path) -> str:
    try:
        return given_file(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Invalid(f"camera {config.name}: {path} cannot be read: {why}") from None
