"""Touchpoints, ways, credits, commission and guides' tasks as pure values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Declined, Invalid
from edge.members.attribution import (
    DAY_MS,
    MAX_TOUCHES,
    Attribution,
    AttributionKind,
    AttributionRule,
    Credit,
    Touch,
    credit,
    explain,
    rescale,
    split_fen,
    touches_of,
)
from edge.members.commission import CommissionEntry, commission_due, taken_back
from edge.members.conversion import (
    Conversion,
    ConversionStep,
    StepCount,
    add_counts,
    check_correlation,
    is_correlation,
    rates,
    step_key,
)
from edge.members.guide_task import (
    GuideTask,
    LifeCycle,
    TaskKind,
    TaskRules,
    TaskState,
    due_kinds,
    expire_task,
    finish_task,
    meet_task,
    snooze_task,
)
from edge.members.touchpoint import (
    SCENES,
    Guide,
    Touchpoint,
    TouchpointClass,
    TouchpointKind,
    automatic,
    build_book,
    scene_name,
    touchpoint_id,
)

AT = 1_795_312_800_000
LI, WU = Guide("li", "李", "Li", "t-tea", 50), Guide("wu", "吴", commission_permille=33)


def touch(place: str, guide: str = "", at: int = 0) -> Touch:
    return Touch(place, guide, "", at, at)


def step(place: str, at: int, kind: ConversionStep = ConversionStep.SCANNED, guide: str = "") -> Conversion:
    return Conversion(
        f"{at}-{place}",
        f"{at}{place}",
        "c" * 8,
        kind,
        at,
        "2026-11-22",
        9,
        place,
        place,
        guide=guide,
        served=bool(guide),
    )


def by(kind: AttributionKind, *touches: Touch, fen: int = 1_000, share: int = 500) -> list[int]:
    return [one.amount_fen for one in credit(AttributionRule(kind, 30, share), touches, fen)]


def test_each_rule_credits_the_touches_that_it_names() -> None:
    poster, guide, till = touch("poster", at=1), touch("guide.li", "li", 2), touch("ws.till-1", at=3)
    assert credit(AttributionRule(AttributionKind.FIRST), (poster, guide, till), 999) == (
        Credit("poster", "", "", 999),
    )
    assert credit(AttributionRule(), (poster, guide, till), 999)[0].touchpoint == "ws.till-1"
    assert by(AttributionKind.LINEAR, poster, guide, till) == [334, 333, 333]
    assert by(AttributionKind.GUIDE, poster, guide, till) == [250, 500, 250]
    assert by(AttributionKind.GUIDE, guide) == [1_000]
    assert by(AttributionKind.GUIDE, poster, till) == [1_000]
    assert by(AttributionKind.GUIDE, poster, guide, share=0) == [1_000]
    assert by(AttributionKind.LAST) == []


@given(
    kind=st.sampled_from(list(AttributionKind)),
    fen=st.integers(0, 10_000_000),
    guides=st.lists(st.sampled_from(["", "li", "wu"]), min_size=1, max_size=MAX_TOUCHES),
    share=st.integers(0, 1_000),
    left=st.integers(0, 1_000),
)
def test_credits_sum_to_the_sale_and_to_what_a_refund_leaves(
    kind: AttributionKind, fen: int, guides: list[str], share: int, left: int
) -> None:
    touches = [touch(f"t{at}", guide, at) for at, guide in enumerate(guides)]
    given_to = credit(AttributionRule(kind, 30, share), touches, fen)
    assert sum(one.amount_fen for one in given_to) == fen
    left_fen = fen * left // 1_000
    assert sum(one.amount_fen for one in rescale(given_to, left_fen)) == (left_fen if fen else 0)


def test_fen_that_do_not_divide_go_to_the_first_that_have_weight() -> None:
    assert split_fen(5, [0, 1, 1, 1]) == (0, 2, 2, 1)
    assert split_fen(5, [0, 0]) == (0, 0)


def test_touches_are_those_known_at_the_sale_within_the_window_each_once() -> None:
    rule = AttributionRule(window_days=1)
    steps = [
        step("old", AT - DAY_MS - 1),
        step("edge", AT - DAY_MS),
        step("poster", AT - 5),
        step("poster", AT - 1, ConversionStep.OPENED),
        step("poster", AT - 3, guide="li"),
        step("till", AT, ConversionStep.BOUGHT),
        step("clock set back since", AT + 1),
    ]
    found = touches_of(reversed(steps), rule, AT)
    assert [(one.touchpoint, one.guide, one.first_at, one.last_at) for one in found] == [
        ("edge", "", AT - DAY_MS, AT - DAY_MS),
        ("poster", "", AT - 5, AT - 1),
        ("poster", "li", AT - 3, AT - 3),
        ("clock set back since", "", AT, AT),
    ]
    many = [step(f"p{at}", AT - at) for at in range(MAX_TOUCHES + 9)]
    assert len(touches_of(many, rule, AT)) == MAX_TOUCHES


@pytest.mark.parametrize(("days", "share"), [(0, 1), (366, 1), (1, -1), (1, 1_001)])
def test_a_rule_that_makes_no_sense_is_refused(days: int, share: int) -> None:
    with pytest.raises(Invalid):
        AttributionRule(AttributionKind.GUIDE, days, share)


def test_a_sale_says_in_both_languages_why_it_is_credited_so() -> None:
    rule = AttributionRule(AttributionKind.GUIDE, 14, 600)
    sale = Attribution(
        "o-1",
        "k-0001",
        "c" * 8,
        rule,
        "2026-11-22",
        AT,
        1_000,
        1_000,
        credit(rule, (touch("poster"), touch("guide.li", "li", 2)), 1_000),
    )
    names = {"poster": "海报", "guide.li": "李的码", "li": "李"}.__getitem__
    assert explain(sale, names, "zh") == (
        "14 天内最后服务的导购得 60%，其余触点均分；没有导购则归最后触点：海报 4.00 元、李的码 6.00 元。"
    )
    english = explain(replace(sale, left_fen=500), names, "en")
    assert english.endswith(
        "海报 4.00 yuan, 李的码 6.00 yuan; 5.00 yuan are left after refunds, in the same parts."
    )
    assert "没有触点" in explain(replace(sale, credits=()), names, "zh")
    assert "no touch" in explain(replace(sale, credits=()), names, "en")
    for kind in AttributionKind:
        said = explain(replace(sale, rule=AttributionRule(kind, 9)), names, "en")
        assert "within 9 days" in said


@given(st.lists(st.integers(0, 2_000), max_size=6), st.integers(0, 1_000))
def test_a_sale_that_goes_back_in_parts_leaves_the_commission_of_what_is_left(
    parts: list[int], permille: int
) -> None:
    guide = Guide("li", "李", commission_permille=permille)
    total = sum(parts) + 77
    credits = credit(AttributionRule(), (touch("x", "li"),), total)
    (due,) = commission_due(credits, {"li": guide})
    entries = [CommissionEntry("e0", "li", "d", "o", "", due.base_fen, due.permille, due.amount_fen, 0)]
    left = total
    for place, part in enumerate([*parts, 77]):
        left -= part
        for kept, fen in taken_back(rescale(credits, left), entries):
            assert fen < 0
            entries.append(
                CommissionEntry(f"e{place + 1}", "li", "d", "o", "r", kept.base_fen, kept.permille, fen, 0)
            )
        assert sum(one.amount_fen for one in entries) == left * permille // 1_000
    assert sum(one.amount_fen for one in entries) == 0


def test_commission_is_by_guide_and_only_for_known_ones() -> None:
    credits = (
        Credit("a", "li", "", 999),
        Credit("b", "wu", "", 100),
        Credit("c", "gone", "", 5),
        Credit("d", "", "", 5),
    )
    due = commission_due(credits, {"li": LI, "wu": WU})
    assert [(one.guide, one.base_fen, one.amount_fen) for one in due] == [("li", 999, 49), ("wu", 100, 3)]


def test_a_book_has_what_registers_itself_and_what_is_written() -> None:
    poster = Touchpoint("poster-1", TouchpointClass.COMMERCIAL, "海报", "poster", 1047, leads_to="/phone/x")
    book = build_book([poster], [LI, WU], ["kiosk-1"], ["in-1"])
    assert book.find("poster-1") is poster
    assert book.find("guide.li") == book.touchpoints["guide.li"]
    assert book.touchpoints["guide.li"].guide == "li"
    assert book.touchpoints["guide.li"].tenant_id == "t-tea"
    assert book.find("ws.kiosk-1") is not None
    assert book.find("lane.in-1") is not None
    landing = book.find("landing.t-tea")
    assert landing is not None
    assert landing.tenant_id == "t-tea"
    mall = book.find("landing.mall")
    assert mall is not None
    assert mall.tenant_id == ""
    for unknown in ("nobody", "guide.nobody", "ws.", "x/../y", "", "a" * 49):
        assert book.find(unknown) is None


def test_ids_and_addresses_that_cannot_stand_in_a_code_are_refused() -> None:
    with pytest.raises(Invalid, match="must be 1-48"):
        Touchpoint("a b")
    with pytest.raises(Invalid, match="leads_to"):
        Touchpoint("a", leads_to="http://example.com")
    with pytest.raises(Invalid, match="scene"):
        Touchpoint("a", scene=47)
    with pytest.raises(Invalid, match="permille"):
        Guide("li", "李", commission_permille=1_001)
    with pytest.raises(Invalid, match="two touchpoints"):
        build_book([Touchpoint("a"), Touchpoint("a")], [])
    with pytest.raises(Invalid, match="two guides"):
        build_book([], [LI, LI])
    with pytest.raises(Invalid, match="no guide"):
        build_book([Touchpoint("a", guide="nobody")], [])
    assert touchpoint_id(TouchpointKind.LANE, "东 1") == "lane.--1"


def test_touchpoints_and_scenes_have_names_for_people() -> None:
    assert Touchpoint("a", name="甲", name_en="A").shown("en") == "A"
    assert Touchpoint("a", name="甲").shown("en") == "甲"
    assert Touchpoint("a").shown("zh") == "a"
    assert automatic(TouchpointKind.RECEIPT, "till-1").shown("en") == "receipts of till-1"
    assert scene_name(1047, "zh") == "扫描小程序码"
    assert scene_name(1047, "en") == "mini-program code scanned"
    assert scene_name(1999, "en") == "1999"
    assert scene_name(0, "zh") == ""
    assert all(value == one.value for value, one in SCENES.items())


def test_a_correlation_id_is_checked_where_it_comes_in() -> None:
    assert check_correlation("abcd-EF_9") == "abcd-EF_9"
    for bad in ("short", "a" * 65, "has space1", "../../etc"):
        assert not is_correlation(bad)
        with pytest.raises(Invalid):
            check_correlation(bad)
    assert step_key(ConversionStep.SHOWN, "t", "o") != step_key(ConversionStep.SHOWN, "t")


def test_rates_are_of_the_nearest_step_that_anybody_took() -> None:
    counts = add_counts(
        [
            StepCount(ConversionStep.SCANNED, 100, 140),
            StepCount(ConversionStep.OPENED, 30, 30),
            StepCount(ConversionStep.OPENED, 20, 20),
            StepCount(ConversionStep.BOUGHT, 10, 10, 9_900),
        ]
    )
    lines = {one.count.step: one for one in rates(counts)}
    assert [one.step for one in counts] == list(ConversionStep)
    assert lines[ConversionStep.SHOWN].of_first_permille is None
    assert (
        lines[ConversionStep.SCANNED].of_previous_permille,
        lines[ConversionStep.SCANNED].of_first_permille,
    ) == (None, None)
    assert lines[ConversionStep.OPENED].of_previous_permille == 500
    assert lines[ConversionStep.BOUGHT].of_previous_permille == 200
    named = [lines[step].previous for step in (ConversionStep.SCANNED, ConversionStep.BOUGHT)]
    assert named == [None, ConversionStep.OPENED]
    assert lines[ConversionStep.BOUGHT].of_first_permille == 100
    assert lines[ConversionStep.BOUGHT].count.amount_fen == 9_900


def test_tasks_fall_due_by_the_last_purchase() -> None:
    rules = TaskRules()
    one = LifeCycle("m", 1, AT, AT, "o")
    two = replace(one, purchases=2)

    def kinds(life: LifeCycle, days: int) -> list[TaskKind]:
        return [kind for kind, _ in due_kinds(life, rules, AT + days * DAY_MS)]

    assert kinds(one, 0) == []
    assert kinds(one, 1) == [TaskKind.FIRST_VISIT]
    assert kinds(one, 14) == [TaskKind.FIRST_VISIT, TaskKind.SECOND_PURCHASE]
    assert kinds(two, 14) == []
    assert kinds(two, 30) == [TaskKind.REPLENISH] == kinds(one, 30)
    assert kinds(two, 90) == [TaskKind.LAPSED]
    assert kinds(two, 104) == []
    assert due_kinds(two, TaskRules(replenish_days=0), AT + 30 * DAY_MS) == ()
    with pytest.raises(Invalid):
        TaskRules(lapsed_days=-1)
    with pytest.raises(Invalid):
        TaskRules(expire_days=0)


def test_a_task_ends_once() -> None:
    task = GuideTask("t", TaskKind.LAPSED, "m", "li", "", "o", AT, AT + DAY_MS)
    assert task.shows(AT)
    later = snooze_task(task, 3, AT)
    assert not later.shows(AT)
    assert later.shows(AT + 3 * DAY_MS)
    assert later.expires_at == AT + 4 * DAY_MS
    assert expire_task(later, AT + DAY_MS) is later
    assert expire_task(later, AT + 4 * DAY_MS).state is TaskState.EXPIRED
    done = finish_task(later, "Li", "  called \n her ", AT + 1)
    assert (done.state, done.note, done.closed_by) == (TaskState.DONE, "called her", "Li")
    assert meet_task(done, "o-2", AT) is done
    met = meet_task(task, "o-2", AT + 2)
    assert (met.state, met.met_by) == (TaskState.MET, "o-2")
    assert expire_task(met, AT + 9 * DAY_MS) is met
    with pytest.raises(Declined):
        finish_task(done, "Li", "", AT)
    with pytest.raises(Declined):
        snooze_task(met, 1, AT)
    with pytest.raises(Invalid):
        snooze_task(task, 61, AT)
    with pytest.raises(Invalid):
        finish_task(task, "Li", "x" * 121, AT)
