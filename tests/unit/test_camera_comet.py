"""A camera in comet mode is opened at any time, once, and what is not known is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from devices.camera.channel import LIMIT, CommandChannel, Order
from devices.camera.commands import OpenBarrier
from devices.camera.pushed import BoardOnCamera, PushedBoard, PushedCamera, PushedGate, VzicomSpeech
from devices.types import CameraAnswer, CameraRequest, DeviceAbsent, DeviceSilent, GateInputs, Health

ASK = CameraRequest("comet", "application/x-www-form-urlencoded", b"serialno=s", 7)
LOOP = b'{"AlarmGioIn": {"serialno": "s", "result": {"TriggerResult": {"source": 1, "value": 1}}}}'
PATIENCE_S = 20.0


@pytest.fixture
def camera() -> Iterator[PushedCamera]:
    camera = PushedCamera("in-1", VzicomSpeech(), BoardOnCamera())
    yield camera
    camera.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def ask(camera: PushedCamera, wait_s: float = PATIENCE_S) -> CameraAnswer:
    return camera.answer(camera.take(ASK), wait_s=wait_s)


def said(answer: CameraAnswer) -> dict[str, object]:
    value: dict[str, object] = json.loads(answer.body)["Response_AlarmInfoPlate"]
    return value


def test_a_pulse_rides_on_the_held_request_and_is_known_by_the_next_one(
    camera: PushedCamera, pool: ThreadPoolExecutor
) -> None:
    held = pool.submit(ask, camera)
    pulse = pool.submit(PushedGate(camera).pulse)
    answer = held.result(PATIENCE_S)
    assert said(answer)["ivs_ioctrl"] == {"delay": 500, "io": 0, "value": 2}
    camera.sent(answer, whole=True)
    assert not pulse.done()
    assert "ivs_ioctrl" not in said(ask(camera, 0.0))
    assert pulse.result(PATIENCE_S) is None


def test_a_pulse_whose_answer_broke_off_is_in_doubt_and_never_sent_again(
    camera: PushedCamera, pool: ThreadPoolExecutor
) -> None:
    gate = PushedGate(camera)
    pulse: Future[None] = pool.submit(gate.pulse)
    camera.sent(ask(camera), whole=False)
    with pytest.raises(DeviceSilent):
        pulse.result(PATIENCE_S)
    assert gate.status().health is Health.FAULT
    assert "ivs_ioctrl" not in said(ask(camera, 0.0))


def test_a_pulse_is_in_doubt_when_the_camera_does_not_ask_again() -> None:
    channel = CommandChannel("in-1")
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(channel.send, (OpenBarrier(),), PATIENCE_S, 0.05)
        [order] = channel.take(PATIENCE_S)
        channel.settle([order.number], sent=True)
        with pytest.raises(DeviceSilent, match="did not ask again"):
            sending.result(PATIENCE_S)


def test_a_camera_that_asks_again_before_we_know_that_our_answer_went_out_has_got_it() -> None:
    channel = CommandChannel("in-1")
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(channel.send, (OpenBarrier(),), PATIENCE_S, PATIENCE_S)
        [order] = channel.take(PATIENCE_S)
        channel.confirm()
        channel.settle([order.number], sent=True)
        assert sending.result(PATIENCE_S) is None


def test_a_pulse_nobody_asked_for_was_surely_not_sent() -> None:
    channel = CommandChannel("in-1")
    with pytest.raises(DeviceAbsent, match="nothing was sent"):
        channel.send((OpenBarrier(),), 0.01, 0.01)
    assert channel.take() == ()


def test_a_later_request_ends_the_earlier_one_which_takes_nothing(
    camera: PushedCamera, pool: ThreadPoolExecutor
) -> None:
    old = pool.submit(ask, camera)
    camera.channel.take()
    new = pool.submit(ask, camera)
    pulse = pool.submit(PushedGate(camera).pulse)
    answers = [old.result(PATIENCE_S), new.result(PATIENCE_S)]
    assert sum("ivs_ioctrl" in said(one) for one in answers) == 1
    for one in answers:
        camera.sent(one, whole=True)
    ask(camera, 0.0)
    assert pulse.result(PATIENCE_S) is None


def test_a_gate_is_shown_as_it_is_before_its_first_use(camera: PushedCamera) -> None:
    gate, board = PushedGate(camera), PushedBoard(camera, BoardOnCamera())
    assert gate.status().health is board.status().health is Health.ABSENT
    assert "is comet mode on?" in gate.status().detail
    ask(camera, 0.0)
    assert gate.status().health is board.status().health is Health.CONNECTED
    gate.close()
    assert gate.status().health is Health.ABSENT


def test_commands_that_wait_are_limited() -> None:
    channel = CommandChannel("in-1")
    with ThreadPoolExecutor(LIMIT) as pool:
        sending = [pool.submit(channel.send, (OpenBarrier(),), PATIENCE_S, PATIENCE_S) for _ in range(LIMIT)]
        orders: list[Order] = []
        while len(orders) < LIMIT:
            more = channel.take(PATIENCE_S)
            assert more, "the commands did not come"
            orders += more
        with pytest.raises(DeviceAbsent, match="wait already"):
            channel.send((OpenBarrier(),), 0.01, 0.01)
        channel.close()
        for one in sending:
            with pytest.raises(DeviceSilent):
                one.result(PATIENCE_S)


def test_loops_wired_to_the_camera_are_the_gates_inputs(camera: PushedCamera) -> None:
    gate = PushedGate(camera, loops=2)
    camera.answer(camera.take(CameraRequest("", "application/json", LOOP, 7)))
    assert gate.inputs() == GateInputs(False, False, (False, True))


def test_the_board_behind_the_camera_gets_whole_frames(
    camera: PushedCamera, pool: ThreadPoolExecutor
) -> None:
    board = PushedBoard(camera, BoardOnCamera())
    showing = pool.submit(board.show, ["京A12345"])
    answer = ask(camera)
    frames = said(answer)["serialData"]
    assert isinstance(frames, list)
    assert len(frames) == 2
    camera.sent(answer, whole=True)
    ask(camera, 0.0)
    assert showing.result(PATIENCE_S) is None
    assert board.status().health is Health.CONNECTED
