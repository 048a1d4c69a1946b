"""What members' identities and points go by, from the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from edge.app.files import given_file
from edge.app.validation import plate_key
from edge.config import Config
from edge.errors import Invalid
from edge.gateways.wechat_pay.points_circle import WeChatPointsCircle
from edge.members.points import PointsPlan, PointsRule
from edge.services.circle_points import PointsCircle
from edge.services.member_rules import MemberRules
from edge.services.payment_ports import PaymentGateway

#: The gateway whose payments the business circle is told of.
CIRCLE_GATEWAY = "wechat_pay"


def build_members(config: Config) -> MemberRules:
    """Return the rules of members; raise Invalid for a key file that cannot be used.

    Without a key of its own, phones are hashed under the key of members' plates, as HQ has one key for both.
    """
    own = config.members
    key_file = own.key_file or config.validation.plate_key_file
    rules = tuple(
        PointsRule(one.tenant, one.points, one.per_fen, one.most_per_order, one.most_per_day)
        for one in config.points_rule
    )
    tiers = {one.tier: one.percent for one in config.points_tier}
    return MemberRules(
        plate_key(given_file(key_file)) if key_file else b"",
        PointsPlan(rules, tiers, own.points_life_days, own.points_kept_here),
        own.consent_version,
        own.keep_days,
        CIRCLE_GATEWAY if own.circle else "",
        own.late_days,
    )


def build_circle(config: Config, gateways: Mapping[str, PaymentGateway]) -> PointsCircle | None:
    """Return the business circle, None unless it is switched on; raise Invalid without its gateway."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway

    if not config.members.circle:
        return None
    gateway = gateways.get(CIRCLE_GATEWAY)
    if not isinstance(gateway, WeChatPayGateway):
        raise Invalid("members: circle needs [wechat_pay]")
    return WeChatPointsCircle(gateway.business_circle)
