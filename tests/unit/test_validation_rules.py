"""What purchases earn: thresholds, the best receipts of a day, tiers, stacking, quotas; and what ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Declined, Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.plate import mask_plate
from edge.parking.validation import (
    SERVICE,
    Grant,
    Holder,
    Purchase,
    SourceKind,
    Validation,
    ValidationState,
    Worth,
    check_grant,
    counted,
    expire,
    holds_at,
    may_return,
    regrant,
    revoke,
    tidy_plate,
    use,
)
from edge.parking.validation_rule import (
    Counting,
    Quota,
    QuotaPeriod,
    QuotaUnit,
    Recount,
    SpendStep,
    Stacking,
    StackingRule,
    Tally,
    ValidationPlan,
    ValidationRule,
    check_plan,
    decide,
    over_quota,
    quota_of,
    source_of,
    stack,
)
from tests.unit.validation_samples import AT, TWO_HOURS, validation

THREE_HOURS = Grant(BenefitKind.MINUTES, 180, label="满500减3小时", label_en="3 h for 500")
RULE = ValidationRule("spend", (SpendStep(30_000, TWO_HOURS), SpendStep(50_000, THREE_HOURS)))
CAR = Holder(plate="粤B12345")


def bought(number: int, fen: int, tenant: str = "t-drinks", tier: str = "") -> Purchase:
    return Purchase(f"o-{number}", f"K-{number}", CAR, "2026-11-22", AT + number, {tenant: fen}, tier)


def applied(decision: Recount, known: list[Validation]) -> list[Validation]:
    """Return the validations after a decision, as the service writes them."""
    rows = {one.source_ref: one for one in known}
    for one, why in decision.revoke:
        rows[one.source_ref] = revoke(one, SERVICE, why, AT)
    for one in decision.regrant:
        rows[one.source_ref] = regrant(one)
    for owed in decision.grant:
        rows[owed.source_ref] = validation(owed.source_ref, grant=owed.grant, expires_at=owed.expires_at)
    return list(rows.values())


def granted(rows: list[Validation]) -> list[str]:
    return [one.grant.label_en for one in rows if one.state is ValidationState.GRANTED]


def test_three_hundred_earns_two_hours_and_says_so() -> None:
    decision = decide(RULE, [bought(1, 30_000)], [])
    assert [one.grant for one in decision.grant] == [TWO_HOURS]
    assert decision.reasons == ("300.00 of 300.00: 2 h for 300",)
    assert decision.grant[0].expires_at == AT + 1 + 24 * 3_600_000


def test_a_fen_less_earns_nothing_and_says_how_much_is_missing() -> None:
    decision = decide(RULE, [bought(1, 29_999)], [])
    assert decision.grant == ()
    assert decision.reasons == ("299.99 of 300.00: 0.01 more",)


def test_the_highest_step_that_is_reached_counts() -> None:
    assert [one.grant for one in decide(RULE, [bought(1, 99_999)], []).grant] == [THREE_HOURS]


def test_a_second_receipt_of_the_day_adds_nothing_and_a_better_one_takes_the_place() -> None:
    first = applied(decide(RULE, [bought(1, 30_000)], []), [])
    again = decide(RULE, [bought(1, 30_000), bought(2, 30_000)], first)
    assert (again.grant, again.revoke) == ((), ())
    assert "K-2: adds nothing (1 a day)" in again.reasons
    better = applied(decide(RULE, [bought(1, 30_000), bought(2, 50_000)], first), first)
    assert granted(better) == ["3 h for 500"]


def test_two_receipts_a_day_may_each_count_where_the_rule_says_so() -> None:
    rule = replace(RULE, per_day=2)
    rows = applied(decide(rule, [bought(1, 30_000), bought(2, 50_000), bought(3, 40_000)], []), [])
    assert sorted(granted(rows)) == ["2 h for 300", "3 h for 500"]


def test_receipts_of_one_day_are_added_up_where_the_rule_says_so() -> None:
    rule = replace(RULE, counting=Counting.DAY)
    first = decide(rule, [bought(1, 20_000)], [])
    assert (first.grant, first.reasons) == ((), ("200.00 of 300.00 today: 100.00 more",))
    rows = applied(decide(rule, [bought(1, 20_000), bought(2, 10_000)], []), [])
    assert granted(rows) == ["2 h for 300"]
    more = applied(decide(rule, [bought(1, 20_000), bought(2, 10_000), bought(3, 20_000)], rows), rows)
    assert granted(more) == ["3 h for 500"]


def test_only_the_tenants_of_a_rule_count() -> None:
    rule = replace(RULE, tenants=("t-bakery",))
    assert decide(rule, [bought(1, 90_000)], []).grant == ()
    assert len(decide(rule, [bought(1, 30_000, "t-bakery")], []).grant) == 1


def test_a_rule_for_a_tier_is_for_its_members() -> None:
    rule = replace(RULE, tiers=("gold",))
    assert decide(rule, [bought(1, 30_000)], []).reasons == ("K-1: for members of gold",)
    assert len(decide(rule, [bought(1, 30_000, tier="gold")], []).grant) == 1
    free = replace(rule, steps=(SpendStep(0, TWO_HOURS),))
    assert source_of(bought(1, 0, tier="gold"), free) is SourceKind.TIER
    assert source_of(bought(1, 0), RULE) is SourceKind.SPEND


def test_a_refund_below_the_threshold_takes_it_back_and_a_used_one_stays() -> None:
    rows = applied(decide(RULE, [bought(1, 30_000)], []), [])
    back = decide(RULE, [bought(1, 29_000)], rows)
    assert [one.source_ref for one, _ in back.revoke] == ["order:o-1:spend"]
    used = [use(rows[0], "s-1", 1_500, AT)]
    assert decide(RULE, [bought(1, 29_000)], used).revoke == ()
    assert decide(RULE, [bought(1, 30_000), bought(2, 30_000)], used).grant == ()


def test_what_a_better_receipt_displaced_comes_back_when_that_one_is_refunded() -> None:
    both = [bought(1, 30_000), bought(2, 50_000)]
    first = applied(decide(RULE, both[:1], []), [])
    rows = applied(decide(RULE, both, first), first)
    rows = applied(decide(RULE, [both[0], bought(2, 0)], rows), rows)
    assert granted(rows) == ["2 h for 300"]


def test_what_a_person_revoked_is_not_granted_again() -> None:
    rows = applied(decide(RULE, [bought(1, 30_000)], []), [])
    by_hand = [revoke(rows[0], "王", "staff car", AT)]
    decision = decide(RULE, [bought(1, 30_000)], by_hand)
    assert (decision.grant, decision.regrant) == ((), ())
    assert not may_return(by_hand[0])
    with pytest.raises(Invalid, match="cannot come back"):
        regrant(by_hand[0])


def test_the_best_one_of_a_stay_counts_or_a_stack_in_their_order() -> None:
    all_day = validation("a", grant=Grant(BenefitKind.ALL, label="全免"), order=5)
    hours = validation("b", rule_id="other", order=1)
    some = validation("c", rule_id="third", grant=Grant(BenefitKind.AMOUNT, 500, label="减5元"))
    chosen, reasons = stack([hours, all_day, some], ValidationPlan())
    assert chosen == (all_day,)
    assert reasons == ("满300减2小时: 1 at a time", "减5元: 1 at a time")
    plan = ValidationPlan(stacking=StackingRule(Stacking.STACK, 2))
    assert stack([hours, all_day, some], plan)[0] == (hours, all_day)


def test_minutes_beyond_the_stay_are_worth_nothing_when_the_best_is_chosen() -> None:
    hours = validation("a", grant=Grant(BenefitKind.MINUTES, 600, label="10 h"))
    yuan = validation("b", grant=Grant(BenefitKind.AMOUNT, 1_500, label="15 yuan"), rule_id="x")
    assert stack([hours, yuan], ValidationPlan(), stay_min=60)[0] == (yuan,)
    assert stack([hours, yuan], ValidationPlan(), stay_min=600)[0] == (hours,)


def test_one_stay_uses_no_more_of_a_rule_than_it_allows() -> None:
    plan = ValidationPlan((RULE,), StackingRule(Stacking.STACK, 5))
    chosen, reasons = stack([validation("a"), validation("b")], plan)
    assert len(chosen) == 1
    assert reasons == ("满300减2小时: 1 of its kind for one stay",)
    permille = validation("c", grant=Grant(BenefitKind.PERMILLE, 500), rule_id="y")
    assert permille in stack([validation("a"), permille], plan)[0]


def test_a_quota_counts_what_it_names_and_the_mall_has_none_of_everybodys() -> None:
    worth = Worth(hour_fen=1_000, stay_fen=6_000)
    for unit, tally in ((QuotaUnit.COUNT, Tally(4, 0, 0)), (QuotaUnit.MINUTES, Tally(0, 481, 0))):
        limit = 5 if unit is QuotaUnit.COUNT else 600
        quota = Quota("t-drinks", QuotaPeriod.DAY, unit, limit)
        assert over_quota(quota, tally, TWO_HOURS, worth) == (unit is QuotaUnit.MINUTES)
    fen = Quota("*", QuotaPeriod.MONTH, QuotaUnit.FEN, 2_000)
    assert not over_quota(fen, Tally(), TWO_HOURS, worth)
    assert over_quota(fen, Tally(fen=1), TWO_HOURS, worth)
    plan = ValidationPlan(quotas=(fen, Quota("t-tea", QuotaPeriod.DAY, QuotaUnit.COUNT, 1)))
    assert [one.merchant for one in quota_of(plan, "t-tea")] == ["t-tea"]
    assert [one.merchant for one in quota_of(plan, "t-drinks")] == ["*"]
    assert quota_of(plan, "") == ()


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (Grant(BenefitKind.MINUTES, 90), (90, 1_500)),
        (Grant(BenefitKind.AMOUNT, 500), (30, 500)),
        (Grant(BenefitKind.PERMILLE, 500), (180, 3_000)),
        (Grant(BenefitKind.ALL), (360, 6_000)),
    ],
)
def test_every_kind_is_counted_as_minutes_and_fen(grant: Grant, expected: tuple[int, int]) -> None:
    assert counted(grant, Worth()) == expected


def test_a_validation_is_used_once_and_ends_once() -> None:
    one = validation()
    assert holds_at(one, AT)
    assert not holds_at(one, one.expires_at)
    used = use(one, "s-1", 1_500, AT)
    assert (used.forgone_fen, used.holder.session_id) == (1_500, "s-1")
    assert use(used, "s-1", 1_500, AT + 9) == used
    with pytest.raises(Invalid, match="cannot be used"):
        use(used, "s-2", 1, AT)
    with pytest.raises(Declined, match="the car has left"):
        revoke(used, "王", "why", AT)
    over = expire(one, "its time was over", AT)
    assert expire(over, "again", AT + 1) == over
    assert revoke(over, "王", "too late", AT) == over
    taken = revoke(one, SERVICE, "refund", AT)
    assert may_return(taken)
    assert not taken.counts
    assert revoke(taken, "王", "for good", AT).ended_by == "王"
    with pytest.raises(Invalid, match="reason"):
        revoke(one, "王", "  ", AT)


def test_plates_are_tidied_and_masked() -> None:
    assert tidy_plate(" 粤b·123 45") == "粤B12345"
    assert tidy_plate("粤BO1234I") == "粤B012341"
    assert mask_plate("粤B12345") == "粤B·123··"
    assert mask_plate("粤BD12345") == "粤B·D123··"
    assert mask_plate("") == ""
    for wrong in ("", "粤B1", "no plate!", "粤B1234567890"):
        with pytest.raises(Invalid, match="no plate"):
            tidy_plate(wrong)


def test_what_cannot_be_a_rule_is_named() -> None:
    def plan(**changes: object) -> ValidationPlan:
        return ValidationPlan((replace(RULE, **changes),))  # type: ignore[arg-type]

    assert check_plan(plan()) == plan()
    for changes, word in (
        ({"rule_id": "a:b"}, "id"),
        ({"steps": ()}, "steps"),
        ({"steps": RULE.steps[::-1]}, "higher amount"),
        ({"per_day": 0}, "per_day"),
        ({"steps": (SpendStep(1, Grant(BenefitKind.PERMILLE, 1_001)),)}, "permille"),
        ({"steps": (SpendStep(1, Grant(BenefitKind.TARIFF)),)}, "tariff"),
    ):
        with pytest.raises(Invalid, match=word):
            check_plan(plan(**changes))
    with pytest.raises(Invalid, match="id of its own"):
        check_plan(ValidationPlan((RULE, RULE)))
    with pytest.raises(Invalid, match="name the merchant"):
        check_plan(ValidationPlan(quotas=(Quota("", QuotaPeriod.DAY, QuotaUnit.COUNT, 1),)))
    with pytest.raises(Invalid, match="1 or more"):
        check_plan(ValidationPlan(stacking=StackingRule(Stacking.STACK, 0)))
    with pytest.raises(Invalid, match="value"):
        check_grant(Grant(BenefitKind.ALL, 5))
    assert ValidationPlan((RULE,)).rule("spend") == RULE
    assert Holder(session_id="s").key == "stay:s"
    assert Holder(member_id="m").key == "member:m"
    assert Holder().key == ""
