"""What HQ knows beside goods, made up in any number: members, lists of plates, tariffs and prices."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sim.goods import Good

#: The members' key in the simulated mall.
MEMBER_KEY = b"simulated mall"

POINTS_AT = 1_790_000_000_000

TIERS = ("silver", "gold", "diamond")


def members_csv(count: int, points: int = 0, without: int = 0) -> bytes:
    """Return `count` members. points: added to each tenth member's. without: each such one is left out."""
    return b"".join(member_lines(count, points, without))


def member_lines(count: int, points: int = 0, without: int = 0) -> Iterator[bytes]:
    """Yield the table's first line, then a line for each member."""
    yield b"member_id,card,tier,points,points_at,phone_hmac,phone_tail,plate_hmacs\n"
    for number in range(1, count + 1):
        if without and number % without == 0:
            continue
        seed = hashlib.sha256(b"member %d" % number).hexdigest()
        more = points if number % 10 == 0 else 0
        plate = seed[32:] if number % 2 else ""
        card = int(seed[:12], 16) % 10**14
        line = f"m{number:09d},66{card:014d},{TIERS[number % 3]},{number % 50_000 + more},{POINTS_AT}"
        yield f"{line},{seed[:32]},{number % 10_000:04d},{plate}\n".encode()


def lists_csv(count: int) -> bytes:
    """Return `count` plates on lists."""
    lines = ["plate,list,class,valid_to,days,from,to,note\n"]
    for number in range(count):
        kind = ("free", "white", "black")[number % 3]
        window = "workday,08:00,20:00" if kind == "white" else ",,"
        lines.append(f"粤B{number:05d},{kind},{'staff' if kind == 'white' else ''},2099-01-01,{window},\n")
    return "".join(lines).encode()


def tariffs_csv(price: str = "5.00") -> bytes:
    """Return a tariff as malls have it: half an hour free, each begun hour, a day's limit, cheap nights."""
    head = "tariff_id,name,valid_from,free_min,day_cap,vehicle_class,from,to,after_min,step_min,price,cap\n"
    lines = (
        f"mall,停车场,2026-01-01,30,60,,08:00,22:00,0,60,{price},\n",
        "mall,停车场,2026-01-01,30,60,,22:00,08:00,0,60,2.00,10\n",
        f"mall,停车场,2026-01-01,30,60,large,08:00,22:00,0,60,{price},\n",
    )
    return (head + "".join(lines)).encode()


def prices_csv(goods: Sequence[Good], price: str = "") -> bytes:
    """Return the goods' prices, or one price for all."""
    lines = (f"{good.sku},{price or good.price},\n" for good in goods)
    return ("sku,price,valid_from\n" + "".join(lines)).encode()
