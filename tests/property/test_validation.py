"""Validations do not depend on the order of receipts or on repetition; QR codes are genuine or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Declined, EdgeError, Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Purchase
from edge.parking.validation_qr import (
    MAX_TEXT,
    SKEW_MS,
    ValidationToken,
    public_key_of,
    read_token,
    sign_token,
)
from edge.parking.validation_rule import Counting, decide
from tests.unit.test_validation_rules import CAR, RULE, applied, granted
from tests.unit.validation_samples import AT

KEY = bytes(range(32))
KEYS = {"till-1": public_key_of(KEY)}
TOKEN = ValidationToken(
    "till-1", "jti-00000001", "demo-mall", "t-tea", Grant(BenefitKind.MINUTES, 60), AT, AT + 600_000, "C-1"
)

amounts = st.lists(st.integers(0, 70_000), min_size=1, max_size=5)
rules = st.builds(
    lambda day, counting: replace(RULE, per_day=day, counting=counting),
    st.integers(1, 3),
    st.sampled_from(Counting),
)


def purchases(fens: list[int]) -> list[Purchase]:
    return [
        Purchase(f"o-{at}", f"K-{at}", CAR, "2026-11-22", AT + at, {"t": fen}) for at, fen in enumerate(fens)
    ]


@given(fens=amounts, order=st.randoms(use_true_random=False), rule=rules)
def test_receipts_in_any_order_with_repeats_earn_the_same(fens, order, rule) -> None:  # type: ignore[no-untyped-def]
    whole = purchases(fens)
    at_once = applied(decide(rule, whole, []), [])
    one_by_one: list = []  # type: ignore[type-arg]
    mixed = whole * 2
    order.shuffle(mixed)
    seen: dict[str, Purchase] = {}
    for one in mixed:
        seen[one.order_id] = one
        one_by_one = applied(decide(rule, list(seen.values()), one_by_one), one_by_one)
    assert sorted(granted(one_by_one)) == sorted(granted(at_once))
    settled = decide(rule, whole, one_by_one)
    assert (settled.grant, settled.regrant, settled.revoke) == ((), (), ())


@given(fens=amounts, given_back=st.data(), rule=rules)
def test_after_refunds_it_is_as_if_only_the_rest_had_been_bought(fens, given_back, rule) -> None:  # type: ignore[no-untyped-def]
    rows = applied(decide(rule, purchases(fens), []), [])
    rest = [given_back.draw(st.integers(0, fen)) for fen in fens]
    after = applied(decide(rule, purchases(rest), rows), rows)
    fresh = applied(decide(rule, purchases(rest), []), [])
    assert sorted(granted(after)) == sorted(granted(fresh))
    again = applied(decide(rule, purchases(fens), after), after)
    assert sorted(granted(again)) == sorted(granted(rows))


def test_a_code_says_what_was_signed() -> None:
    text = sign_token(TOKEN, KEY)
    assert read_token(text, KEYS, "demo-mall", AT) == TOKEN
    assert len(text) < 250


@given(
    value=st.integers(1, 1_000),
    label=st.text(max_size=20),
    merchant=st.from_regex(r"[0-9A-Za-z._-]{0,32}", fullmatch=True),
)
def test_every_code_reads_back_as_it_was_made(value: int, label: str, merchant: str) -> None:
    token = replace(TOKEN, merchant=merchant, grant=Grant(BenefitKind.PERMILLE, value, "", label))
    try:
        text = sign_token(token, KEY)
    except (Invalid, UnicodeEncodeError):
        return
    if len(text) <= MAX_TEXT:
        assert read_token(text, KEYS, "demo-mall", AT) == token


@given(at=st.integers(0, 400), sign=st.characters(min_codepoint=33, max_codepoint=0x4E10))
def test_a_changed_character_is_refused(at: int, sign: str) -> None:
    text = sign_token(TOKEN, KEY)
    at %= len(text)
    changed = text[:at] + sign + text[at + 1 :]
    if changed != text:
        with pytest.raises(EdgeError):
            read_token(changed, KEYS, "demo-mall", AT)


@given(cut=st.integers(0, 400))
def test_a_cut_code_is_refused(cut: int) -> None:
    text = sign_token(TOKEN, KEY)
    with pytest.raises(Invalid):
        read_token(text[: cut % len(text)], KEYS, "demo-mall", AT)


@given(text=st.text(max_size=700))
def test_no_text_breaks_the_reader(text: str) -> None:
    for candidate in (text, "MV1." + text, "MV1.till-1." + text):
        with pytest.raises(EdgeError):
            read_token(candidate, KEYS, "demo-mall", AT)


@given(payload=st.one_of(st.binary(max_size=300), st.just(b"[" * 300)))
def test_a_genuine_signature_over_nonsense_is_refused(payload: bytes) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    def pack(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = f"MV1.till-1.{pack(payload)}"
    text = f"{head}.{pack(Ed25519PrivateKey.from_private_bytes(KEY).sign(head.encode()))}"
    with pytest.raises(Invalid):
        read_token(text, KEYS, "demo-mall", AT)


def test_time_site_and_key_are_held_against_a_code() -> None:
    text = sign_token(TOKEN, KEY)
    over_at = TOKEN.expires_at + SKEW_MS
    assert read_token(text, KEYS, "demo-mall", over_at - 1) == TOKEN
    with pytest.raises(Declined, match="is over"):
        read_token(text, KEYS, "demo-mall", over_at)
    assert read_token(text, KEYS, "demo-mall", AT - SKEW_MS) == TOKEN
    with pytest.raises(Declined, match="future"):
        read_token(text, KEYS, "demo-mall", AT - SKEW_MS - 1)
    assert read_token(text, KEYS, "demo-mall", AT - 10**9, clock_trusted=False) == TOKEN
    with pytest.raises(Declined, match="for demo-mall"):
        read_token(text, KEYS, "other-mall", AT)
    with pytest.raises(Invalid, match="does not have"):
        read_token(text, {}, "demo-mall", AT)
    with pytest.raises(Invalid, match="not genuine"):
        read_token(text, {"till-1": public_key_of(bytes(32))}, "demo-mall", AT)
    with pytest.raises(Invalid, match="no validation code"):
        read_token(text + "A" * MAX_TEXT, KEYS, "demo-mall", AT)


def test_what_should_not_be_signed_is_not() -> None:
    for changes in (
        {"jti": "short"},
        {"kid": "UPPER"},
        {"expires_at": AT},
        {"expires_at": AT + 8 * 86_400_000},
        {"reference": "x" * 61},
        {"grant": Grant(BenefitKind.MINUTES, 0)},
    ):
        with pytest.raises(Invalid):
            sign_token(replace(TOKEN, **changes), KEY)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="32 raw bytes"):
        sign_token(TOKEN, b"short")
