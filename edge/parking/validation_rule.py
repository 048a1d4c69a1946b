"""Who gets which parking validation for what was spent, and how several work together. Pure.

The answer to "what do these purchases of one day earn" depends on the purchases alone, not on the order in
which they came: with several receipts the best ones count. So repeating, reordering and refunding all lead to
the same validations, and `decide` only says what has to change to get there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.errors import Invalid
from edge.money import format_yuan
from edge.parking.benefit import BenefitKind
from edge.parking.validation import (
    Grant,
    Purchase,
    SourceKind,
    Validation,
    ValidationState,
    Worth,
    check_grant,
    counted,
    may_return,
)

#: Limits of one rule.
MAX_STEPS = 10
MAX_RULES = 100


class Counting(StrEnum):
    """What is held against a threshold: each RECEIPT by itself, or all of a business DAY together."""

    RECEIPT = "receipt"
    DAY = "day"


class Stacking(StrEnum):
    """How validations of one stay work together: only the BEST one, or a STACK of several."""

    BEST = "best"
    STACK = "stack"


class QuotaPeriod(StrEnum):
    """Over what a quota is counted: a business day or its month."""

    DAY = "day"
    MONTH = "month"


class QuotaUnit(StrEnum):
    """What a quota counts."""

    COUNT = "count"
    MINUTES = "minutes"
    FEN = "fen"


class AtLimit(StrEnum):
    """What happens at a quota's limit: REFUSE, or grant at the mall's own expense (MALL)."""

    REFUSE = "refuse"
    MALL = "mall"


@dataclass(frozen=True, slots=True)
class SpendStep:
    """From `from_fen` on, `grant`. 0: for nothing spent, as for a tier."""

    from_fen: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """What spending earns.

    tenants: whose goods count, () for the mall's total. merchant: who bears it, "" for the mall. tiers: of
    which members' tiers one must be, () for everybody. per_day: receipts of one shopper and day that grant;
    per_stay: validations of this rule that one stay may use. valid_h: hours from the payment on. order: as
    Benefit.order, lower is taken off first.
    """

    rule_id: str
    steps: tuple[SpendStep, ...]
    tenants: tuple[str, ...] = ()
    merchant: str = ""
    counting: Counting = Counting.RECEIPT
    tiers: tuple[str, ...] = ()
    per_day: int = 1
    per_stay: int = 1
    valid_h: int = 24
    order: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """How much parking a merchant may give away. merchant: "*" for each one that has none of its own."""

    merchant: str
    period: QuotaPeriod
    unit: QuotaUnit
    limit: int
    at_limit: AtLimit = AtLimit.REFUSE


@dataclass(frozen=True, slots=True)
class Tally:
    """What a merchant has given away in a period."""

    count: int = 0
    minutes: int = 0
    fen: int = 0

    def of(self, unit: QuotaUnit) -> int:
        """Return the figure that a quota of that unit holds against its limit."""
        return {QuotaUnit.COUNT: self.count, QuotaUnit.MINUTES: self.minutes, QuotaUnit.FEN: self.fen}[unit]


@dataclass(frozen=True, slots=True)
class StackingRule:
    """How validations of one stay work together. at_most: how many of a STACK count."""

    mode: Stacking = Stacking.BEST
    at_most: int = 3


@dataclass(frozen=True, slots=True)
class PointsPrice:
    """What a member gets for so many points."""

    points: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """All rules by which a box validates."""

    rules: tuple[ValidationRule, ...] = ()
    stacking: StackingRule = field(default_factory=StackingRule)
    quotas: tuple[Quota, ...] = ()
    worth: Worth = field(default_factory=Worth)

    def rule(self, rule_id: str) -> ValidationRule | None:
        """Return a rule by its id."""
        return next((one for one in self.rules if one.rule_id == rule_id), None)


@dataclass(frozen=True, slots=True)
class Earned:
    """One validation that a rule owes for purchases. source_ref: as in Validation."""

    rule: ValidationRule
    purchase: Purchase
    grant: Grant
    source_ref: str
    expires_at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Recount:
    """What has to change: `grant` anew, `regrant`, and `revoke` with why. reasons: lines for people."""

    grant: tuple[Earned, ...] = ()
    regrant: tuple[Validation, ...] = ()
    revoke: tuple[tuple[Validation, str], ...] = ()
    reasons: tuple[str, ...] = ()


def check_plan(plan: ValidationPlan) -> ValidationPlan:
    """Return the plan; raise Invalid that names the rule or quota and what is wrong with it."""
    ids = [one.rule_id for one in plan.rules]
    doubled = sorted({one for one in ids if ids.count(one) > 1})
    if doubled or len(ids) > MAX_RULES:
        raise Invalid(
            f"{doubled or len(ids)}: {MAX_RULES} validation rules at most, each with an id of its own"
        )
    for rule in plan.rules:
        _check_rule(rule)
    for quota in plan.quotas:
        if quota.limit < 0 or not quota.merchant:
            raise Invalid(
                f"quota of {quota.merchant or '(nobody)'}: name the merchant and a limit of 0 or more"
            )
    if plan.stacking.at_most < 1:
        raise Invalid("at_most of stacked validations must be 1 or more")
    return plan


def earned(
    rule: ValidationRule, purchases: Sequence[Purchase], spent: Sequence[Validation]
) -> tuple[Earned, ...]:
    """Return what a rule owes for one shopper's purchases of one day, best first.

    spent: this rule's validations of that day which were used, expired or revoked by a person: they take a
    place of `per_day` and are never owed again.
    """
    mine = [one for one in purchases if not rule.tiers or one.tier in rule.tiers]
    if rule.counting is Counting.DAY:
        found = _by_day(rule, mine)
    else:
        found = [one for purchase in mine if (one := _by_receipt(rule, purchase)) is not None]
    gone = {one.source_ref for one in spent}
    left = max(0, rule.per_day - sum(one.state is not ValidationState.REVOKED for one in spent))
    owed = [one for one in _best_first(found) if one.source_ref not in gone]
    return tuple(owed[:left])


def decide(rule: ValidationRule, purchases: Sequence[Purchase], known: Sequence[Validation]) -> Recount:
    """Return what has to change so that this rule's validations of one shopper's day are what is owed.

    known: all validations of this rule for these purchases, in any state.
    """
    spent = [one for one in known if not (one.state is ValidationState.GRANTED or may_return(one))]
    owed = {one.source_ref: one for one in earned(rule, purchases, spent)}
    there = {one.source_ref: one for one in known}
    fresh = tuple(one for ref, one in owed.items() if ref not in there)
    back = tuple(there[ref] for ref in owed if ref in there and may_return(there[ref]))
    too_many = [one for one in known if one.state is ValidationState.GRANTED and one.source_ref not in owed]
    why = "what was spent no longer reaches it, or a better receipt of the day takes its place"
    reasons = [one.reason for one in owed.values()] + _nothing_more(rule, purchases, owed, spent)
    return Recount(fresh, back, tuple((one, why) for one in too_many), tuple(reasons))


def stack(
    validations: Sequence[Validation], plan: ValidationPlan, stay_min: int = 24 * 60
) -> tuple[tuple[Validation, ...], tuple[str, ...]]:
    """Return which validations one stay takes and why others are left, by the rules' limits and the stacking.

    What is best is told by `Worth`: minutes beyond the stay's own length are worth nothing.
    """
    chosen: list[Validation] = []
    reasons: list[str] = []
    most = 1 if plan.stacking.mode is Stacking.BEST else plan.stacking.at_most
    ranked = sorted(
        validations, key=lambda one: (-_worth(one, plan, stay_min), one.granted_at, one.source_ref)
    )
    for one in ranked:
        rule = plan.rule(one.rule_id)
        same = sum(two.rule_id == one.rule_id for two in chosen)
        if len(chosen) >= most:
            reasons.append(f"{one.grant.label or one.source_ref}: {most} at a time")
        elif rule is not None and same >= rule.per_stay:
            reasons.append(f"{one.grant.label or one.source_ref}: {rule.per_stay} of its kind for one stay")
        else:
            chosen.append(one)
    return tuple(sorted(chosen, key=lambda one: (one.order, one.granted_at, one.source_ref))), tuple(reasons)


def quota_of(plan: ValidationPlan, merchant: str) -> tuple[Quota, ...]:
    """Return the quotas that hold for a merchant: its own, else those of "*"; the mall has none of "*"."""
    own = tuple(one for one in plan.quotas if one.merchant == merchant)
    return own or tuple(one for one in plan.quotas if merchant and one.merchant == "*")


def over_quota(quota: Quota, tally: Tally, grant: Grant, worth: Worth) -> bool:
    """Return whether this grant would go beyond the quota."""
    minutes, fen = counted(grant, worth)
    more = {QuotaUnit.COUNT: 1, QuotaUnit.MINUTES: minutes, QuotaUnit.FEN: fen}[quota.unit]
    return tally.of(quota.unit) + more > quota.limit


def spent_at(rule: ValidationRule, purchase: Purchase) -> int:
    """Return what of a purchase counts for a rule, in fen."""
    parts = purchase.spent_fen
    if not rule.tenants:
        return sum(parts.values())
    return sum(parts.get(tenant, 0) for tenant in rule.tenants)


def _check_rule(rule: ValidationRule) -> None:
    where = f"validation rule {rule.rule_id or '(no id)'}"
    if not rule.rule_id or ":" in rule.rule_id or len(rule.rule_id) > 32:
        raise Invalid(f"{where}: give it an id of 1 to 32 characters without a colon")
    froms = [one.from_fen for one in rule.steps]
    if not 1 <= len(froms) <= MAX_STEPS or froms != sorted(set(froms)) or froms[0] < 0:
        raise Invalid(f"{where}: 1 to {MAX_STEPS} steps, each from a higher amount than the one before")
    if min(rule.per_day, rule.per_stay, rule.valid_h) < 1:
        raise Invalid(f"{where}: per_day, per_stay and valid_h must be 1 or more")
    for step in rule.steps:
        check_grant(step.grant)


def _by_receipt(rule: ValidationRule, purchase: Purchase) -> Earned | None:
    fen = spent_at(rule, purchase)
    return _earned(rule, purchase, fen, f"order:{purchase.order_id}:{rule.rule_id}")


def _by_day(rule: ValidationRule, purchases: Sequence[Purchase]) -> list[Earned]:
    """Return what the day's sum earns; the step stands in the reference, as a higher one is another grant."""
    counting = sorted((one for one in purchases if spent_at(rule, one)), key=lambda one: one.order_id)
    if not counting:
        return []
    last = max(counting, key=lambda one: (one.paid_at, one.order_id))
    fen = sum(spent_at(rule, one) for one in counting)
    step = _step(rule, fen)
    ref = f"day:{last.holder.key}:{last.day}:{rule.rule_id}:{step.from_fen if step else 0}"
    one = _earned(rule, last, fen, ref)
    return [] if one is None else [one]


def _earned(rule: ValidationRule, purchase: Purchase, fen: int, ref: str) -> Earned | None:
    step = _step(rule, fen)
    if step is None:
        return None
    reason = f"{format_yuan(fen)} of {format_yuan(step.from_fen)}: {step.grant.label_en or step.grant.label}"
    expires_at = purchase.paid_at + rule.valid_h * 3_600_000
    return Earned(rule, purchase, step.grant, ref, expires_at, reason)


def _step(rule: ValidationRule, fen: int) -> SpendStep | None:
    reached = [one for one in rule.steps if fen >= one.from_fen]
    return reached[-1] if reached else None


def _best_first(found: Sequence[Earned]) -> list[Earned]:
    steps = {one.source_ref: _height(one) for one in found}
    return sorted(
        found, key=lambda one: (-steps[one.source_ref], one.purchase.paid_at, one.purchase.order_id)
    )


def _height(one: Earned) -> int:
    return next(step.from_fen for step in one.rule.steps if step.grant == one.grant)


def _nothing_more(
    rule: ValidationRule,
    purchases: Sequence[Purchase],
    owed: dict[str, Earned],
    spent: Sequence[Validation],
) -> list[str]:
    lines = []
    for one in purchases:
        fen, first = spent_at(rule, one), rule.steps[0].from_fen
        if rule.tiers and one.tier not in rule.tiers:
            lines.append(f"{one.number}: for members of {', '.join(rule.tiers)}")
        elif rule.counting is Counting.RECEIPT and fen < first:
            lines.append(f"{format_yuan(fen)} of {format_yuan(first)}: {format_yuan(first - fen)} more")
        elif rule.counting is Counting.RECEIPT and f"order:{one.order_id}:{rule.rule_id}" not in owed:
            taken = f"{rule.per_day} a day" + (", used" if spent else "")
            lines.append(f"{one.number}: adds nothing ({taken})")
    if rule.counting is Counting.DAY and not owed and not spent:
        fen, first = sum(spent_at(rule, one) for one in purchases), rule.steps[0].from_fen
        lines.append(f"{format_yuan(fen)} of {format_yuan(first)} today: {format_yuan(first - fen)} more")
    return lines


def _worth(one: Validation, plan: ValidationPlan, stay_min: int) -> int:
    if one.grant.kind is BenefitKind.MINUTES:
        return min(one.grant.value, stay_min) * plan.worth.hour_fen // 60
    if one.grant.kind is BenefitKind.PERMILLE:
        return counted(one.grant, plan.worth)[1]
    return counted(one.grant, plan.worth)[1]


def source_of(purchase: Purchase, rule: ValidationRule) -> SourceKind:
    """Return what a validation of this rule counts as: a tier's, or the way the purchase came."""
    return SourceKind.TIER if rule.tiers and rule.steps[0].from_fen == 0 else purchase.way
