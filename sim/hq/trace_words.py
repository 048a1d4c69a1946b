"""What HQ says of an event to people, in Chinese and English: its name, what it was about, its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

#: China has one zone; boxes tell UTC.
ZONE = ZoneInfo("Asia/Shanghai")
ZONE_NAME = "UTC+8"

#: The languages, in the order of the pairs below.
LANGUAGES = ("zh", "en")

#: How many fields of an event are told that has no sentence of its own.
MOST_FIELDS = 5

Data = Mapping[str, Any]
Pair = tuple[str, str]


def local_time(time: str) -> str:
    """Return an event's time (RFC 3339) as local "2026-11-22 19:41:05.911"; as it is when it is none."""
    try:
        at = datetime.fromisoformat(time).astimezone(ZONE)
    except ValueError:
        return time
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def kind_name(kind: str, language: str) -> str:
    """Return what an event is called; its kind when it has no name here."""
    return _of(_KINDS.get(kind, (kind, kind)), language)


def mark_name(mark: str, language: str) -> str:
    """Return what a mark of a trace's summary is called."""
    return _of(_MARKS.get(mark, (mark, mark)), language)


def told_of(kind: str, data: Data, language: str) -> str:
    """Return in one line what an event was about."""
    said = _SAID.get(kind)
    return said(data, language) if said else _fields(data, language)


def _of(pair: Pair, language: str) -> str:
    return pair[LANGUAGES.index(language)]


def _yuan(fen: object, language: str) -> str:
    return f"{int(str(fen or 0)) / 100:.2f} {_of(('元', 'yuan'), language)}"


def _place(touchpoint: str, language: str) -> str:
    kind, _, name = touchpoint.partition(".")
    pair = _PLACES.get(kind)
    return f"{_of(pair, language)} {name}" if pair and name else touchpoint


def _value(name: str, value: object, language: str) -> str:
    if name.endswith("_fen"):
        return _yuan(value, language)
    if name == "channel":
        return _place(str(value), language)
    return _of(_VALUES.get(str(value), (str(value), str(value))), language)


def _fields(data: Data, language: str) -> str:
    told = [
        f"{_of(_FIELDS.get(name, (name, name)), language)} {_value(name, value, language)}"
        for name, value in data.items()
        if value and isinstance(value, (str, int)) and not name.endswith(("_id", "_hmac", "_at", "_no"))
    ]
    return _of(("，", ", "), language).join(told[:MOST_FIELDS])


def _some(*names: str) -> Callable[[Data, str], str]:
    """Return what tells these fields alone."""
    return lambda data, language: _fields({name: data.get(name) for name in names}, language)


def _step(data: Data, language: str) -> str:
    step = _of(_STEPS.get(data["step"], (data["step"], data["step"])), language)
    more = _fields({name: data.get(name) for name in ("guide", "campaign", "variant")}, language)
    where = f"{step} · {_place(data['touchpoint'], language)}"
    return f"{where} · {more}" if more else where


def _order(data: Data, language: str) -> str:
    return f"{data['number']}: {_yuan(data['total_fen'], language)}"


def _points(data: Data, language: str) -> str:
    named = {"spend": "spend_points"}
    kinds = [(named.get(one["kind"], one["kind"]), one["points"]) for one in data["entries"]]
    parts = [f"{_value('kind', kind, language)} {points:+d}" for kind, points in kinds]
    return ", ".join(parts)


def _validation(data: Data, language: str) -> str:
    benefit = data["benefit"]
    said = _value("kind", benefit["kind"], language)
    value = {"amount": _yuan(benefit["value"], language), "permille": f"{benefit['value'] / 10:g} %"}
    what = f"{value.get(benefit['kind'], benefit['value'])} {said}" if benefit["value"] else said
    return f"{what} · {_value('source', data['source'], language)} {data['reference']}"


def _landing(data: Data, language: str) -> str:
    version = f"{data.get('version', '')}{data.get('variant', '')}"
    return f"{data['landing_id']} {version} · {_value('surface', data['surface'], language)}"


def _sale(data: Data, language: str) -> str:
    return (
        f"{_yuan(data['amount_fen'], language)} · {_of((data['explained'], data['explained_en']), language)}"
    )


def _reversed(data: Data, language: str) -> str:
    return _of(("余 {}", "{} of it are left"), language).format(_yuan(data.get("left_fen"), language))


def _joined(data: Data, language: str) -> str:
    return _place(data["touchpoint"], language)


def _merged(data: Data, language: str) -> str:
    return f"{data['absorbed_id']} → {data['member_id']}"


_MARKS: Mapping[str, Pair] = {
    "touched": ("接触", "touched"),
    "bought": ("购买", "bought"),
    "joined": ("入会", "joined"),
    "points": ("积分", "points"),
    "parked": ("停车减免", "parking given"),
    "left": ("离场", "drove out"),
}
_STEPS: Mapping[str, Pair] = {
    "shown": ("展示", "shown"),
    "scanned": ("扫码", "scanned"),
    "opened": ("打开", "opened"),
    "identified": ("识别", "identified"),
    "joined": ("入会", "joined"),
    "bought": ("购买", "bought"),
    "parked": ("停车", "parked"),
    "returned": ("回访", "came again"),
}
_PLACES: Mapping[str, Pair] = {
    "ws": ("工作站", "workstation"),
    "landing": ("页面", "page of"),
    "receipt": ("小票", "receipts of"),
    "guide": ("导购", "guide"),
    "lane": ("车道", "lane"),
}
_FIELDS: Mapping[str, Pair] = {
    "amount_fen": ("金额", "amount"),
    "business_day": ("营业日", "day"),
    "campaign": ("活动", "campaign"),
    "channel": ("渠道", "through"),
    "colour": ("牌色", "plate colour"),
    "counter": ("柜台", "counter"),
    "due_fen": ("应付", "due"),
    "gateway": ("渠道", "by"),
    "guide": ("导购", "guide"),
    "lane": ("车道", "lane"),
    "number": ("单号", "number"),
    "order_number": ("订单", "order"),
    "phase": ("进度", "phase"),
    "plate": ("车牌", "plate"),
    "purpose": ("用途", "purpose"),
    "reason": ("原因", "reason"),
    "requested_by": ("申请人", "asked by"),
    "decided_by": ("审批人", "decided by"),
    "state": ("状态", "state"),
    "tenant_id": ("商户", "tenant"),
    "total_fen": ("合计", "total"),
    "variant": ("版本", "variant"),
    "version": ("版本", "version"),
    "why": ("原因", "why"),
    "workstation": ("工作站", "workstation"),
    "zone": ("车场", "zone"),
}
_VALUES: Mapping[str, Pair] = {
    "alipay": ("支付宝", "Alipay"),
    "cash": ("现金", "cash"),
    "wechat_pay": ("微信支付", "WeChat Pay"),
    "minutes": ("分钟", "minutes"),
    "amount": ("减免", "off"),
    "spend": ("消费减免", "for the purchase"),
    "coupon": ("停车券", "coupon"),
    "points": ("积分", "points"),
    "member": ("会员", "member"),
    "kiosk": ("自助机", "kiosk"),
    "phone": ("手机", "phone"),
    "paper": ("小票", "receipt"),
    "receipt": ("小票", "receipt"),
    "permille": ("减免", "off"),
    "tariff": ("优惠费率", "another tariff"),
    "all": ("全免", "all of it"),
    "earn": ("获得", "earned"),
    "spend_points": ("使用", "spent"),
    "expire": ("过期", "expired"),
    "adjust": ("调整", "adjusted"),
    "reverse_earn": ("扣回", "taken back"),
    "reverse_spend": ("退回", "given back"),
    "owed": ("抵欠", "towards what was owed"),
    "moved": ("合并转移", "moved"),
    "membership": ("会员", "membership"),
    "messages": ("消息", "messages"),
    "points_sync": ("积分同步", "points told to WeChat"),
    "approved": ("已成功", "went through"),
    "declined": ("被拒", "refused"),
    "requested": ("待审批", "asked for"),
    "done": ("已完成", "done"),
    "inside": ("场内", "inside"),
    "left": ("已离场", "gone"),
}
_KINDS: Mapping[str, Pair] = {
    "order.paid": ("订单已付款", "order paid"),
    "order.cancelled": ("订单取消", "order given up"),
    "order.split": ("货款分账", "money split"),
    "payment.approved": ("支付成功", "payment went through"),
    "payment.declined": ("支付被拒", "payment refused"),
    "payment.unknown": ("支付待确认", "payment in doubt"),
    "payment.voided": ("支付撤销", "payment undone"),
    "payment.refunded": ("支付已退", "payment given back"),
    "payment.shared": ("分账到商户", "share sent on"),
    "refund.requested": ("申请退款", "refund asked for"),
    "refund.approved": ("退款批准", "refund approved"),
    "refund.rejected": ("退款驳回", "refund rejected"),
    "refund.stuck": ("退款受阻", "refund is stuck"),
    "refund.done": ("退款完成", "money given back"),
    "receipt.issued": ("开出小票", "receipt"),
    "landing.shown": ("展示支付后页面", "page shown"),
    "landing.opened": ("打开支付后页面", "page opened"),
    "landing.join": ("点了入会", "chose to join"),
    "landing.follow": ("关注", "followed"),
    "parking.entered": ("车辆进场", "drove in"),
    "parking.left": ("车辆离场", "drove out"),
    "parking.paid": ("停车已结", "parking settled"),
    "parking.corrected": ("停车更正", "stay corrected"),
    "validation.granted": ("发放停车减免", "parking given"),
    "validation.used": ("使用停车减免", "parking used"),
    "validation.revoked": ("收回停车减免", "parking taken back"),
    "conversion.step": ("转化步骤", "step"),
    "sale.attributed": ("销售归因", "sale credited"),
    "sale.reversed": ("归因扣回", "credit taken back"),
    "guide.task": ("导购任务", "guide's task"),
    "member.joined": ("成为会员", "became a member"),
    "member.merged": ("会员合并", "members are one"),
    "member.erased": ("会员删除", "member erased"),
    "member.consent": ("会员授权", "consent"),
    "member.plate": ("绑定车牌", "plate bound"),
    "points.changed": ("积分变动", "points"),
    "points.lease": ("积分预留", "points set aside"),
    "exit.checked": ("出口核验", "checked at the exit"),
    "basket.handed_over": ("购物袋移交", "basket handed over"),
    "ticket.issued": ("柜台开单", "ticket written"),
    "ticket.price_overridden": ("柜台改价", "price changed"),
    "ticket.handed_over": ("柜台交货", "goods handed over"),
    "tickets.merged": ("合并付款", "tickets paid together"),
    "help.called": ("顾客呼叫", "help called"),
    "alarm.raised": ("报警", "alarm"),
    "alarm.cleared": ("报警解除", "alarm over"),
    "clock.stepped": ("时钟被校正", "clock set"),
    "snapshot.applied": ("下发已生效", "snapshot in force"),
    "snapshot.refused": ("下发被拒", "snapshot refused"),
    "command.done": ("指令已执行", "command done"),
    "command.refused": ("指令被拒", "command refused"),
    "command.unknown": ("指令结果不明", "command in doubt"),
    "shift.opened": ("开班", "shift opened"),
    "shift.closed": ("交班", "shift closed"),
    "day.closed": ("日结", "day closed"),
    "parking.never_entered": ("未进场", "never drove in"),
    "parking.gate": ("道闸", "gate"),
    "parking.tailgated": ("跟车通过", "tailgated"),
    "parking.occupancy": ("在场车辆数", "cars inside"),
    "debt.recorded": ("记入欠费", "fee owed"),
    "debt.settled": ("欠费结清", "fee settled"),
    "pass.changed": ("通行证变更", "pass changed"),
    "pass.used": ("使用通行证", "pass used"),
}
_SAID: Mapping[str, Callable[[Data, str], str]] = {
    "conversion.step": _step,
    "order.paid": _order,
    "order.split": _order,
    "receipt.issued": _order,
    "payment.approved": _some("gateway", "amount_fen", "workstation"),
    "payment.declined": _some("gateway", "amount_fen", "workstation"),
    "payment.shared": _some("gateway", "payee"),
    "parking.entered": _some("plate", "zone"),
    "parking.left": _some("plate", "zone"),
    "parking.paid": _some("plate", "zone", "amount_fen"),
    "points.changed": _points,
    "validation.granted": _validation,
    "validation.revoked": _validation,
    "validation.used": _validation,
    "landing.shown": _landing,
    "landing.opened": _landing,
    "landing.join": _landing,
    "landing.follow": _landing,
    "sale.attributed": _sale,
    "sale.reversed": _reversed,
    "member.joined": _joined,
    "member.merged": _merged,
}
