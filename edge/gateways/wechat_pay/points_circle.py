"""The business circle as the queue of points speaks to it."""

from __future__ import annotations

from edge.gateways.wechat_pay.business_circle import BusinessCircle, PointsNotice
from edge.services.people_records import CircleNotice


class WeChatPointsCircle:
    """Implements circle_points.PointsCircle."""

    def __init__(self, circle: BusinessCircle) -> None:
        self._circle = circle

    def notify_points(self, notice: CircleNotice) -> None:
        """Tell what a payment earned; without points the shopper is told why."""
        remark = "" if notice.points else "本次消费不累计积分"
        earned = notice.points > 0
        self._circle.notify_points(
            PointsNotice(
                notice.transaction_id, notice.openid, earned, notice.points, notice.changed_at, remark
            )
        )
