"""What pays for parking, from the configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from edge.app.files import given_file
from edge.config import Config, ValidationRuleConfig
from edge.errors import Invalid
from edge.gateways.key_files import read_key_file
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Worth
from edge.parking.validation_qr import public_key_of
from edge.parking.validation_rule import (
    PointsPrice,
    SpendStep,
    StackingRule,
    ValidationPlan,
    ValidationRule,
    check_plan,
)
from edge.services.parking_rules import ParkingRules

#: The shortest key under which plates are hashed.
MIN_PLATE_KEY = 16


def add_validation(rules: ParkingRules, config: Config) -> ParkingRules:
    """Return the car park's settings with what pays for it; raise Invalid for bad rules and key files."""
    own = config.validation
    qr_key = _private_key(given_file(own.qr_key_file)) if own.qr_key_file else b""
    qr_keys = {one.box: _public_key(given_file(one.file)) for one in config.validation_key}
    if qr_key:
        qr_keys = {config.box.edge: public_key_of(qr_key), **qr_keys}
    points = PointsPrice(own.points, _minutes(own.points_min)) if own.points else None
    return replace(
        rules,
        validation=build_plan(config),
        plate_key=plate_key(given_file(own.plate_key_file)) if own.plate_key_file else b"",
        points=points,
        qr_key=qr_key,
        qr_keys=qr_keys,
    )


def build_plan(config: Config) -> ValidationPlan:
    """Return the rules, checked; no file is read. Raises Invalid that names the rule."""
    own = config.validation
    return check_plan(
        ValidationPlan(
            tuple(_rule(one) for one in config.validation_rule),
            StackingRule(own.stacking, own.at_most),
            config.validation_quota,
            Worth(own.hour_fen, own.stay_fen),
        )
    )


def plate_key(path: Path) -> bytes:
    """Return the key under which HQ hashes members' plates and phones; raise Invalid for a short one."""
    key = read_key_file(path, "key of members' plates", secret=True).strip()
    if len(key) < MIN_PLATE_KEY:
        raise Invalid(f"the key of members' plates {path} has {len(key)} bytes, {MIN_PLATE_KEY} at least")
    return key


def _rule(one: ValidationRuleConfig) -> ValidationRule:
    steps = tuple(
        SpendStep(step.from_fen, Grant(step.benefit, step.value, step.tariff, step.label, step.label_en))
        for step in one.step
    )
    return ValidationRule(
        one.id,
        steps,
        one.tenants,
        one.merchant,
        one.counting,
        one.tiers,
        one.per_day,
        one.per_stay,
        one.valid_h,
        one.order,
    )


def _minutes(minutes: int) -> Grant:
    return Grant(
        BenefitKind.MINUTES, minutes, label=f"积分抵{minutes}分钟", label_en=f"{minutes} min by points"
    )


def _private_key(path: Path) -> bytes:
    try:
        key = load_pem_private_key(read_key_file(path, "key that signs validations", secret=True), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"{path} is no Ed25519 key; make one: openssl genpkey -algorithm ed25519 -out {path}")
    return key.private_bytes_raw()


def _public_key(path: Path) -> bytes:
    try:
        key = load_pem_public_key(read_key_file(path, "public key of validations"))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(f"{path} is no Ed25519 public key; make it: openssl pkey -in KEY -pubout -out {path}")
    return key.public_bytes_raw()
