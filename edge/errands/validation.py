"""Signed validation codes and merchants' settlements, for the command line."""

from __future__ import annotations

from edge.app.validation import add_validation
from edge.clock import SystemClock, wall_ms
from edge.config import Config
from edge.errands.handing_over import reading_unit
from edge.errors import Invalid
from edge.ids import TimeOrderedIds
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant
from edge.parking.validation_qr import ValidationToken, sign_token
from edge.services.parking_rules import ParkingRules
from edge.services.show_validations import SettlementReport, check_month, read_settlement


def signed_code(config: Config, merchant: str, grant: Grant, valid_min: int, reference: str) -> str:
    """Return the text of a single-use code signed by this box; raise Invalid without a key."""
    key = add_validation(ParkingRules(), config).qr_key
    if not key:
        raise Invalid("this box has no key to sign with; set validation.qr_key_file")
    at = SystemClock().now().wall_at
    token = ValidationToken(
        kid=config.box.edge,
        jti=TimeOrderedIds(wall_ms).new_token(),
        site=config.box.site,
        merchant=merchant,
        grant=grant,
        issued_at=at,
        expires_at=at + valid_min * 60_000,
        reference=reference,
    )
    return sign_token(token, key)


def minutes_grant(minutes: int) -> Grant:
    """Return so many minutes; 0 is the whole stay."""
    if not minutes:
        return Grant(BenefitKind.ALL, label="停车全免", label_en="free parking")
    return Grant(
        BenefitKind.MINUTES, minutes, label=f"停车 {minutes} 分钟", label_en=f"{minutes} min parking"
    )


def month_report(config: Config, month: str) -> SettlementReport:
    """Return what merchants owe for a month (YYYY-MM); reads beside a running service."""
    check_month(month)
    with reading_unit(config) as unit:
        return read_settlement(unit, month)
