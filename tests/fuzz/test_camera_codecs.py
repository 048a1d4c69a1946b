"""Whatever comes from a camera's address is read or refused with a reason; nothing crashes or runs away."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from devices.camera.commands import OpenBarrier
from devices.camera.dahua import codec as dahua
from devices.camera.fields import MAX_PLATE, MAX_TEXT
from devices.camera.hikvision import codec as hikvision
from devices.camera.multipart import MultipartReader, Part, whole_body
from devices.camera.vzicom import codec as vzicom
from devices.types import BadPush, CameraRequest, PlateSeen

FOLDER = Path(__file__).parents[2] / "devices/camera"
codecs = st.sampled_from([vzicom, hikvision, dahua])
kinds = st.sampled_from(
    ["application/json", "application/xml", "multipart/form-data; boundary=boundary", "", "text/html"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def read(codec: ModuleType, content_type: str, body: bytes, path: str = "") -> None:
    with contextlib.suppress(BadPush):
        post = codec.parse_push(CameraRequest(path, content_type, body, 7), "in-1")
        for news in post.news:
            if isinstance(news, PlateSeen):
                assert 0 < len(news.key) <= MAX_TEXT * 2
                assert len(news.plate) <= MAX_PLATE
                assert len(news.confidences) in (0, len(news.plate))
        if codec is not hikvision:
            json.loads(codec.build_answer(post, (OpenBarrier(),)))


@given(codecs, kinds, st.binary(max_size=400), st.text(max_size=10))
def test_any_bytes_are_read_or_refused(codec: ModuleType, kind: str, body: bytes, path: str) -> None:
    read(codec, kind, body, path)


@given(st.data())
def test_a_capture_with_any_field_of_any_kind_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["vzicom/captures/plate.json", "dahua/captures/tollgate.json"]))
    body = json.loads((FOLDER / name).read_text("utf-8"))
    place = body
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    codec = vzicom if name.startswith("vzicom") else dahua
    read(codec, "application/json", json.dumps(body).encode(), "NotificationInfo/TollgateInfo")


@given(st.integers(0, 5_000), st.binary(max_size=12))
def test_a_hikvision_post_with_damage_anywhere_is_read_or_refused(at: int, damage: bytes) -> None:
    body = (FOLDER / "hikvision/captures/push_isapi.form").read_bytes()
    read(hikvision, "multipart/form-data; boundary=boundary", body[:at] + damage + body[at + len(damage) :])


@given(st.binary(max_size=600), st.integers(1, 50))
def test_a_stream_gives_the_same_parts_however_it_is_cut(data: bytes, size: int) -> None:
    stream = (
        b"--b\r\nContent-Type: image/jpeg\r\n\r\n"
        + data
        + b"\r\n--b\r\nContent-Length: 2\r\n\r\nok\r\n--b--\r\n"
    )

    def parts(step: int) -> list[Part]:
        reader = MultipartReader("b")
        return [one for at in range(0, len(stream), step) for one in reader.feed(stream[at : at + step])]

    with contextlib.suppress(BadPush):
        assert parts(size) == parts(len(stream))


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_bodies_with_a_length_come_back_as_they_were_sent(bodies: list[bytes]) -> None:
    sent = b"".join(
        b"--b\r\nContent-Type: application/x\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(one), one)
        for one in bodies
    )
    assert [part.body for part in whole_body("multipart/mixed; boundary=b", sent + b"--b--")] == bodies
