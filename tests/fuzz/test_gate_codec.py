"""Noise on the line opens nothing and crashes nothing."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from devices.gate import codec
from sim.gate import GateHabits, SimGate

requests = st.sampled_from(
    [
        codec.flash_on(1, 0, 7),
        codec.write_coil(1, 0, True),
        codec.read_inputs(1, 8),
        codec.clone_delay(1, 0, 1),
    ]
)


@given(requests, st.binary(max_size=40))
def test_any_answer_is_read_or_refused(request: bytes, answer: bytes) -> None:
    with contextlib.suppress(codec.BadAnswer):
        payload = codec.check_answer(request, answer)
        assert codec.crc16(answer[:-2]) == int.from_bytes(answer[-2:], "little")
        assert answer[2:-2] == payload


@given(requests, st.integers(0, 7), st.integers(0, 7))
def test_one_flipped_bit_is_always_seen(request: bytes, at: int, bit: int) -> None:
    damaged = bytearray(request)
    damaged[at] ^= 1 << bit
    with contextlib.suppress(codec.BadAnswer):
        codec.check_answer(request, bytes(damaged))
        raise AssertionError("a damaged echo was accepted")


@given(st.binary(max_size=200), st.integers(1, 20))
def test_noise_does_not_open_the_simulated_gate(data: bytes, size: int) -> None:
    gate = SimGate(GateHabits(real_time=False))
    for at in range(0, len(data), size):
        gate.receive(data[at : at + size])
    assert gate.opened == 0


@given(st.lists(st.booleans(), min_size=1, max_size=24))
def test_bits_come_back_as_they_were_packed(values: list[bool]) -> None:
    packed = sum(value << at for at, value in enumerate(values)).to_bytes((len(values) + 7) // 8, "little")
    assert codec.bits(bytes([len(packed)]) + packed, len(values)) == tuple(values)
