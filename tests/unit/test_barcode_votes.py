"""Agreement inside a picture and between frames, and the words of codes."""

from __future__ import annotations

import pytest

from devices.camera.agreement import AgreementSettings, FrameAgreement
from devices.camera.charset import text_of
from devices.camera.symbols import DecodedCode, Quad, expand_upc_e, retail_names, usable
from devices.camera.votes import Ballot

_MS = 1_000_000


def _code(text: str, symbology: str = "EAN-13", left: float = 0.0) -> DecodedCode:
    box: Quad = ((left, 0.0), (left + 100, 0.0), (left + 100, 40.0), (left, 40.0))
    return DecodedCode(symbology, text, text, text.encode(), "]E0", "test", box)


def _texts(codes: tuple[DecodedCode, ...]) -> list[str]:
    return [code.text for code in codes]


def test_one_look_at_a_linear_code_is_no_proof_and_two_are() -> None:
    ballot = Ballot()
    ballot.add(_code("6901234567892"), "first")
    assert _texts(ballot.believed()) == []
    assert _texts(ballot.waiting()) == ["6901234567892"]
    ballot.add(_code("6901234567892"), "first")
    assert _texts(ballot.believed()) == []
    ballot.add(_code("6901234567892"), "second")
    assert _texts(ballot.believed()) == ["6901234567892"]
    assert ballot.believed()[0].votes == 2


def test_a_contradiction_at_the_same_place_outweighs_two_votes() -> None:
    ballot = Ballot()
    ballot.add(_code("4006381333931"), "first")
    for look in ("second", "third", "fourth"):
        ballot.add(_code("6901234567892"), look)
    ballot.add(_code("6901234567892"), "fifth")
    assert _texts(ballot.believed()) == []
    ballot.add(_code("6901234567892"), "sixth")
    assert _texts(ballot.believed()) == ["6901234567892"]
    assert ballot.waiting() == ()


def test_codes_at_different_places_do_not_contradict() -> None:
    ballot = Ballot()
    for look in ("first", "second"):
        ballot.add(_code("4006381333931"), look)
        ballot.add(_code("6901234567892", left=300.0), look)
    assert _texts(ballot.believed()) == ["4006381333931", "6901234567892"]


def test_a_piece_of_an_itf_does_not_contradict_the_whole() -> None:
    ballot = Ballot()
    for look in ("first", "second"):
        ballot.add(_code("15400141288763", "ITF"), look)
        ballot.add(_code("1540014128", "ITF"), look)
    assert _texts(ballot.believed()) == ["15400141288763"]
    assert ballot.waiting() == ()


def test_the_same_text_far_away_gives_no_vote() -> None:
    ballot = Ballot()
    ballot.add(_code("4006381333931"), "first")
    ballot.add(_code("4006381333931", left=300.0), "second")
    assert ballot.believed() == ()


def test_error_corrected_codes_need_one_look() -> None:
    ballot = Ballot()
    ballot.add(_code("hello", "QR"), "first")
    assert _texts(ballot.believed()) == ["hello"]


def test_a_code_is_a_scan_after_two_frames_of_five_and_once_while_it_stays() -> None:
    agreement = FrameAgreement()
    shown = [True, False, False, True, True, True, False, True]
    scans = [
        _texts(agreement.frame([_code("A")] if there else [], moment * 100 * _MS))
        for moment, there in enumerate(shown)
    ]
    assert scans == [[], [], [], ["A"], [], [], [], []]


def test_a_code_seen_twice_but_too_far_apart_is_no_scan() -> None:
    agreement = FrameAgreement(AgreementSettings(needed=2, window=3))
    shown = [True, False, False, True]
    assert [agreement.frame([_code("A")] if there else [], 0) for there in shown] == [(), (), (), ()]


def test_a_code_is_a_scan_again_after_it_was_out_of_view_long_enough() -> None:
    agreement = FrameAgreement(AgreementSettings(needed=2, window=5, gone_ms=1000))
    moments_ms = [0, 100, 1000, 2100, 2200, 2300]
    scans = [_texts(agreement.frame([_code("A")], moment * _MS)) for moment in moments_ms]
    assert scans == [[], ["A"], [], [], ["A"], []]


def test_a_hundred_codes_in_view_do_not_grow_the_memory_without_limit() -> None:
    agreement = FrameAgreement(AgreementSettings(needed=1, window=1))
    codes = [_code(str(number)) for number in range(100)]
    assert len(agreement.frame(codes, 0)) == 100
    assert len(agreement._in_view) == 64


@pytest.mark.parametrize("bad", [(0, 5, 0), (3, 2, 0), (1, 101, 0), (1, 1, -1)])
def test_senseless_agreement_is_refused(bad: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="agreement needs"):
        AgreementSettings(*bad)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("05096893", "0050968000093"),
        ("04963406", "0049000006346"),
        ("01234531", "0012300000451"),
        ("04124498", "0041244000098"),
        ("01234565", "0012345000065"),
    ],
)
def test_upc_e_expands_by_the_standard(short: str, long: str) -> None:
    assert expand_upc_e(short) == long


@pytest.mark.parametrize("bad", ["", "0123456", "0123456x", "01234565\u0660"])
def test_what_is_no_upc_e_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="8 digits"):
        expand_upc_e(bad)


def test_a_leading_zero_makes_a_upc_a() -> None:
    assert retail_names("0036000291452") == ("UPC-A", "036000291452")
    assert retail_names("6901234567892") == ("EAN-13", "6901234567892")


def test_itf_needs_a_listed_length_and_every_code_needs_text() -> None:
    assert usable("ITF", "123456", (6, 14))
    assert not usable("ITF", "1234", (6, 14))
    assert not usable("Code-39", "", (6, 14))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("微信支付", "utf-8"),
        ("微信支付二维码", "gb18030"),
        ("停车券 3小时 ¥5", "gb18030"),
        ("喆", "utf-8"),
        ("ﾃﾞｻﾞｲﾝQR http://d-qr.net/", "cp932"),
        ("微信支付", "cp932"),
        ("Müller Café", "latin-1"),
        ("\ufeff带签名", "utf-8"),
        ("", "ascii"),
    ],
)
def test_bytes_without_a_declared_character_set_become_the_text_that_was_meant(
    text: str, encoding: str
) -> None:
    assert text_of(text.encode(encoding)) == text.lstrip("\ufeff")


def test_bytes_of_no_character_set_still_become_text() -> None:
    assert text_of(b"\xfc\xfc\xfc") == "üüü"
