"""The configuration: TOML to frozen dataclasses; what is not known or not of its type is refused.

Every key is described in docs/operations/configuration.md (a test holds the two together). Secrets
stay in files of their own, named by path; a staff PIN is kept as a scrypt hash.
"""

from edge.config.agent_section import AgentConfig
from edge.config.camera_sections import CameraConfig, PhotosConfig
from edge.config.parking_sections import LaneConfig, ParkingConfig, ZoneConfig
from edge.config.reading import load_config, parse_config
from edge.config.secret_files import secret_file
from edge.config.sections import (
    AlipayConfig,
    BoxConfig,
    CodesConfig,
    Config,
    DiskConfig,
    HqConfig,
    LandingConfig,
    PrinterConfig,
    ReconcileConfig,
    RulesConfig,
    ScannerConfig,
    StaffConfig,
    WebConfig,
    WeChatPayConfig,
    WorkstationConfig,
)
from edge.config.showing import effective
from edge.config.validation_sections import ValidationConfig, ValidationRuleConfig

__all__ = [
    "AgentConfig",
    "AlipayConfig",
    "BoxConfig",
    "CameraConfig",
    "CodesConfig",
    "Config",
    "DiskConfig",
    "HqConfig",
    "LandingConfig",
    "LaneConfig",
    "ParkingConfig",
    "PhotosConfig",
    "PrinterConfig",
    "ReconcileConfig",
    "RulesConfig",
    "ScannerConfig",
    "StaffConfig",
    "ValidationConfig",
    "ValidationRuleConfig",
    "WeChatPayConfig",
    "WebConfig",
    "WorkstationConfig",
    "ZoneConfig",
    "effective",
    "load_config",
    "parse_config",
    "secret_file",
]
