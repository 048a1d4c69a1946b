"""Who drives in the demonstration: a shopper whose purchase pays the parking, one who pays at the exit."""

from __future__ import annotations

from dataclasses import replace

from sim.goods import demo_goods
from sim.mall_lanes import THRESHOLD_FEN, Left, MallLanes
from sim.shopper import Shop, Trip, payment_code, visit

#: Plates of shoppers by the title of their trip; the others come on foot.
CARS = {"breakfast": "粤BD20568", "wine, age checked": "粤B6R18T"}

#: Who buys nothing and pays at the exit, one beside each shopper who comes by car.
VISITORS = ("京A88731", "粤BF12345", "沪A5K927", "浙C70N63")

_ENDS = {
    Left.FREE: "{plate} left free: the purchase {number} paid its parking",
    Left.PAID: "{plate} paid at the exit and left",
    Left.STANDS: "{plate} still stands at the exit, see the staff page",
}


def visit_by_car(lanes: MallLanes, shop: Shop, trip: Trip) -> str:
    """Drive in, buy for enough, drive out; return the order's number. On foot when the trip has no car."""
    plate = CARS.get(trip.title, "")
    if not plate:
        return visit(shop, trip)
    visitor = VISITORS[sum(map(ord, "".join(trip.codes))) % len(VISITORS)]
    for text in (plate, visitor):
        came = lanes.enter(text)
        shop.say(f"car park: {text} {'is in the car park' if came else 'still stands at the entry'}")
    number = visit(shop, replace(trip, plate=plate, codes=_enough() + trip.codes))
    for text in (plate, visitor):
        left = lanes.leave(text, lambda: payment_code(shop.wallets))
        shop.say("car park: " + _ENDS[left].format(plate=text, number=number))
    return number


def _enough() -> tuple[str, ...]:
    """Return codes of goods that alone reach what a free stay asks for, the dearest first."""
    goods = [one for one in demo_goods() if one.sold_by == "piece" and not one.age_min]
    goods.sort(key=lambda one: -float(one.price))
    codes, sum_fen = [], 0
    for one in goods:
        if sum_fen >= THRESHOLD_FEN + 1_000:
            break
        codes.append(one.barcodes[0])
        sum_fen += round(float(one.price) * 100)
    return tuple(codes)
