"""What pays for parking is read from the configuration, with its keys; what cannot be is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge.app.parking import build_parking
from edge.app.validation import add_validation, build_plan
from edge.config import parse_config
from edge.errors import Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.validation_rule import Stacking
from edge.services.parking_rules import ParkingRules

BOX = {"site": "demo", "edge": "box-1", "data_dir": "/tmp/x"}
STEP = {"from_fen": 30_000, "benefit": "minutes", "value": 120, "label": "满300减2小时"}


def config(**more: Any) -> Any:
    return parse_config({"box": BOX, **more}, "test")


def pem(key: Any, path: Path) -> tuple[Path, Path]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files = path / "key.pem", path / "pub.pem"
    files[0].write_bytes(private)
    files[0].chmod(0o600)
    files[1].write_bytes(public)
    return files


def test_rules_and_quotas_are_read() -> None:
    plan = build_plan(
        config(
            validation={"stacking": "stack", "at_most": 2},
            validation_rule=[{"id": "spend", "step": [STEP], "tenants": ["t-tea"]}],
            validation_quota=[{"merchant": "*", "period": "day", "unit": "count", "limit": 5}],
        )
    )
    assert plan.rules[0].steps[0].grant.kind is BenefitKind.MINUTES
    assert (plan.stacking.mode, plan.quotas[0].limit) == (Stacking.STACK, 5)
    with pytest.raises(Invalid, match="validation rule spend: 1 to 10 steps"):
        build_plan(config(validation_rule=[{"id": "spend", "step": []}]))


def test_keys_are_read_and_a_boxs_own_codes_are_its_too(tmp_path: Path) -> None:
    private, public = pem(Ed25519PrivateKey.generate(), tmp_path)
    plate_key = tmp_path / "plate"
    plate_key.write_bytes(b"0123456789abcdef\n")
    plate_key.chmod(0o600)
    own = {"qr_key_file": str(private), "plate_key_file": str(plate_key), "points": 100}
    keys = [{"box": "till-1", "file": str(public)}]
    rules = add_validation(ParkingRules(), config(validation=own, validation_key=keys))
    assert rules.qr_keys["box-1"] == rules.qr_keys["till-1"] != b""
    assert rules.plate_key == b"0123456789abcdef"
    assert rules.points is not None
    assert rules.points.grant.value == 60
    assert "qr_key=" not in repr(rules)


def test_wrong_key_files_are_named_with_the_remedy(tmp_path: Path) -> None:
    private, public = pem(generate_private_key(SECP256R1()), tmp_path)
    for own, keys, word in (
        ({"qr_key_file": str(private)}, [], "openssl genpkey"),
        ({}, [{"box": "b", "file": str(public)}], "pubout"),
        ({"qr_key_file": str(public)}, [], "no Ed25519 key"),
        ({"plate_key_file": str(tmp_path / "none")}, [], "cannot read"),
    ):
        with pytest.raises(Invalid, match=word):
            add_validation(ParkingRules(), config(validation=own, validation_key=keys))
    (tmp_path / "short").write_bytes(b"short")
    short = {"plate_key_file": str(tmp_path / "short")}
    with pytest.raises(Invalid, match="16 at least"):
        add_validation(ParkingRules(), config(validation=short))


def test_the_car_park_of_a_box_has_what_pays_for_it() -> None:
    lanes = [{"name": "in", "way": "entry", "zone": "p1"}]
    rules = [{"id": "spend", "step": [STEP]}]
    parking = build_parking(config(zone=[{"name": "p1"}], lane=lanes, validation_rule=rules))
    assert parking.facility.lane("in") is not None
    assert parking.validation.rule("spend") is not None
