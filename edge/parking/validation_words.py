"""What a validation is called on screens and papers, in both languages. Pure."""

from __future__ import annotations

from edge.money import format_yuan
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Validation


def said(one: Validation, language: str) -> str:
    """Return a benefit in words of that language: "2 小时", "5.00 元"; else its label."""
    return say_grant(one.grant, language)


def say_grant(grant: Grant, language: str) -> str:
    """Return what is granted in words of that language."""
    value, kind = grant.value, grant.kind
    zh = language == "zh"
    if kind is BenefitKind.MINUTES:
        hours, minutes = divmod(value, 60)
        parts = [(hours, "小时" if zh else "h"), (minutes, "分钟" if zh else "min")]
        return " ".join(f"{number} {word}" for number, word in parts if number)
    if kind is BenefitKind.AMOUNT:
        return f"{format_yuan(value)} {'元' if zh else 'yuan'}"
    if kind is BenefitKind.ALL:
        return "全免" if zh else "free"
    if kind is BenefitKind.PERMILLE:
        return f"{value / 10:g}%"
    return (grant.label if zh else grant.label_en) or grant.tariff_id
