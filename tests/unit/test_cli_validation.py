"""`edge validation-qr` and `edge validation-report`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli import main
from edge.clock import wall_ms
from edge.parking.benefit import BenefitKind
from edge.parking.validation_qr import public_key_of, read_token
from edge.store.sqlite_store import SqliteStore
from tests.unit.test_validation_config import pem
from tests.unit.validation_samples import AT, validation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key, _ = pem(Ed25519PrivateKey.generate(), tmp_path)
    text = f'[box]\nsite = "demo"\nedge = "till-1"\ndata_dir = "{tmp_path}"\n'
    (tmp_path / "plain.toml").write_text(text, encoding="utf-8")
    keyed = f'{text}[validation]\nqr_key_file = "{key}"\n'
    (tmp_path / "edge.toml").write_text(keyed, encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str, config: str = "edge.toml") -> Result:
    return CliRunner().invoke(main, [*words, "--config", str(folder / config)])


def test_a_code_is_signed_that_another_box_reads(folder: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key((folder / "key.pem").read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    keys = {"till-1": public_key_of(private.private_bytes_raw())}
    done = run(folder, "validation-qr", "--merchant", "t-tea", "--svg", str(folder / "code.svg"))
    assert done.exit_code == 0, done.output
    token = read_token(done.output.strip(), keys, "demo", wall_ms())
    assert (token.merchant, token.grant.kind, token.grant.value) == ("t-tea", BenefitKind.MINUTES, 60)
    assert "<svg" in (folder / "code.svg").read_text(encoding="utf-8")
    other = run(folder, "validation-qr", "--minutes", "0").output.strip()
    assert read_token(other, keys, "demo", wall_ms()).grant.kind is BenefitKind.ALL
    assert read_token(other, keys, "demo", wall_ms()).jti != token.jti


def test_without_a_key_it_says_what_to_set(folder: Path) -> None:
    done = run(folder, "validation-qr", config="plain.toml")
    assert done.exit_code != 0
    assert "validation.qr_key_file" in done.output


def test_a_month_is_listed_for_people_and_as_csv(folder: Path) -> None:
    store = SqliteStore(folder / "edge.db", AT)
    store.write(lambda unit: unit.validations.put(validation("a")))
    store.close()
    listed = run(folder, "validation-report", "--month", "2026-11")
    assert listed.exit_code == 0, listed.output
    assert "t-drinks: 1 granted, 0 used, 0 revoked, 0 expired, 120 min, 0.00 yuan forgone" in listed.output
    table = run(folder, "validation-report", "--month", "2026-11", "--csv").output
    assert "t-drinks,,2026-11,1,0,0,0,120,20.00,0.00" in table
