"""A small shop in memory behind the web pages: it sells, takes payment codes and cash, and prints."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import cast

from edge.errors import Declined, Invalid
from edge.web.changes import Changes

PIN = "2580"
TOKEN = "kQ3vD9xT7mZ1pL8sW2bYcA"

#: barcode: sku, name, name_en, price, weight in grams, age
GOODS: dict[str, tuple[str, str, str, int, int | None, int]] = {
    "6901234567892": ("tea", "龙井绿茶 250g", "Longjing green tea 250 g", 6800, None, 0),
    "6923450657713": ("water", "天然矿泉水 550ml", "Natural mineral water 550 ml", 250, None, 0),
    "6954767423579": ("milk", "鲜牛奶 950ml", "Fresh milk 950 ml", 1690, None, 0),
    "2100123012341": ("apple", "红富士苹果", "Fuji apples", 1380, 862, 0),
    "6922266446481": (
        "tissue",
        "抽取式面巾纸 3层×24包 家庭装",
        "Facial tissue, 3 ply, 24 packs, family size",
        4990,
        None,
        0,
    ),
    "6901798123456": ("baijiu", "白酒 500ml", "Baijiu 500 ml", 12800, None, 18),
    "6921168509256": ("mooncake", "广式月饼礼盒", "Cantonese mooncake gift box", 16800, None, 0),
    "6907992100272": ("yoghurt", "原味酸奶 200g", "Plain yoghurt 200 g", 590, None, 0),
}

#: The number of a paid order at the gateway.
NUMBER = "0" * 32

LANDING: dict[str, object] = {
    "id": "autumn",
    "title": "茗山茶铺 · 秋日会员礼",
    "title_en": "Mingshan Tea · autumn for members",
    "picture": None,
    "blocks": [
        {
            "kind": "offer", "title": "满 100 减 15 元券", "title_en": "15 yuan off your next 100",
            "body": "今日领取，30 天内可用", "body_en": "Take it today, use it within 30 days",
            "url": "https://mall.example/coupon",
        },
        {
            "kind": "join", "title": "注册会员，本单积 218 分", "title_en": "Join and earn 218 points now",
            "body": "全商场通用积分", "body_en": "One balance in the whole mall", "url": "",
        },
        {
            "kind": "follow", "title": "关注公众号", "title_en": "Follow our account",
            "body": "新茶上市第一时间知道", "body_en": "Be first to hear of new teas", "url": "",
        },
        {
            "kind": "parking", "title": "本单可停车 2 小时", "title_en": "2 hours of free parking",
            "body": "扫码登记车牌，离场自动抬杆",
            "body_en": "Register your plate by QR code and drive out", "url": "",
        },
    ],
}  # fmt: skip


def parking_of(plate: str, *, counted: bool) -> dict[str, object]:
    """Return what a screen is told of parking: two hours for that plate once it is counted."""
    shown = f"{plate[:2]}·{plate[2:-2]}··" if plate else ""
    two_hours = {"words": "2 小时", "words_en": "2 h", "plate": shown, "state": "granted"}
    return {
        "plate": shown,
        "member": False,
        "no_car": False,
        "counted": counted,
        "validated": [two_hours] if counted else [],
    }


@dataclass
class Seat:
    """What one workstation shows."""

    kind: str
    screen: str = "attract"
    language: str = "zh"
    lines: list[dict[str, object]] = field(default_factory=list)
    order: dict[str, object] | None = None
    attempt: dict[str, object] | None = None
    notice: dict[str, object] | None = None
    cleared_age: int = 0
    help_at: int | None = None
    receipt: dict[str, object] | None = None
    landing: dict[str, object] | None = None
    held: list[dict[str, object]] = field(default_factory=list)
    idle_s_left: int | None = None
    parking: dict[str, object] | None = None
    devices: dict[str, str] = field(
        default_factory=lambda: {"scanner": "connected", "printer": "connected", "hq": "online"}
    )
    depth: int = 0
    touched: int = 0


class DeskFake:
    """Implements `edge.web.desk.Desk` for one kiosk K1 and one till T1."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.lock = threading.RLock()
        self.seats = {"K1": Seat("kiosk"), "T1": Seat("till")}
        self.touches: list[tuple[str, str]] = []
        self.ready = True
        self.public_url = "https://pay.mall.example"
        self.wallets = ["wechat", "alipay"]
        self.wrong_pins = 0
        self.cash_closed = ""
        self.parking: dict[str, object] | None = None
        self._counter = 0
        self._actions: dict[str, Callable[[Seat, Mapping[str, object]], None]] = {
            "start": self._start,
            "language": self._language,
            "quantity": self._quantity,
            "remove": lambda seat, values: self._quantity(seat, {**values, "quantity": 0}),
            "one_more": self._one_more,
            "add": self._dismiss,
            "dismiss": self._dismiss,
            "hold": self._hold,
            "recall": self._recall,
            "checkout": self._checkout,
            "back": lambda seat, _: self._show(seat, "basket", order=None),
            "cancel": self._cancel,
            "help": lambda seat, _: setattr(seat, "help_at", 1_790_000_000_000),
            "help_done": self._help_done,
            "approve_age": self._approve_age,
            "refuse_age": self._refuse_age,
            "cash": self._cash,
            "done": self._done,
            "type_code": lambda seat, values: self._scan(seat, str(values["text"])),
            "reprint": self._reprint,
            "touch": self._touch,
            "parking_plate": self._parking_plate,
            "no_car": self._no_car,
        }

    # The protocol

    def workstations(self) -> tuple[str, ...]:
        return tuple(self.seats)

    def view(self, workstation: str, language: str) -> dict[str, object]:
        with self.lock:
            seat = self._seat(workstation)
            total = sum(_int(line["amount_fen"]) for line in seat.lines)
            basket = {
                "id": f"basket-{workstation}",
                "lines": seat.lines,
                "count": sum(_int(line["quantity"]) for line in seat.lines),
                "total_fen": total,
            }
            age = max((_int(line["age_min"]) for line in seat.lines), default=0)
            return deepcopy({
                "workstation": workstation,
                "kind": seat.kind,
                "version": self.changes.version(workstation),
                "screen": seat.screen,
                "language": language or seat.language,
                "basket": basket if seat.screen == "basket" else None,
                "held": seat.held,
                "order": seat.order,
                "attempt": seat.attempt,
                "notice": seat.notice,
                "age": {"min_age": age} if seat.screen == "basket" and age > seat.cleared_age else None,
                "help": {"called_at": seat.help_at} if seat.help_at else None,
                "receipt": seat.receipt,
                "landing": seat.landing,
                "idle_s_left": seat.idle_s_left,
                "parking": seat.parking,
                "devices": seat.devices,
                "outbox_depth": seat.depth,
                "cash": seat.kind == "till",
                "cash_closed": self.cash_closed if seat.kind == "till" else "",
                "wallets": self.wallets,
            })  # fmt: skip

    def act(self, workstation: str, action: str, arguments: Mapping[str, object]) -> None:
        if action not in self._actions:
            raise Invalid(f"there is no action {action!r}")
        with self.lock:
            self._actions[action](self._seat(workstation), arguments)
        self.changes.bump(workstation)

    def receipt(self, token: str) -> dict[str, object] | None:
        if token != TOKEN:
            return None
        with self.lock:
            lines = [_line("l1", "6901234567892", 2), _line("l2", "2100123012341", 1)]
            total = sum(_int(line["amount_fen"]) for line in lines)
            tender = {"kind": "cash", "amount_fen": total, "received_fen": 20000, "change_fen": 20000 - total}
            return {
                "number": "K1-1122-0042",
                "token": token,
                "url": f"{self.public_url}/phone/r/{token}",
                "issued_at": 1_763_800_500_000,
                "lines": lines,
                "total_fen": total,
                "tenders": [tender],
                "landing": deepcopy(LANDING),
                "parking": deepcopy(self.parking),
            }

    def slip(self, sub_mch_id: str, out_trade_no: str, check_code: str) -> dict[str, object] | None:
        if out_trade_no != NUMBER:
            return None
        slip: dict[str, object] = {
            "ready": True,
            "verified": check_code == "good",
            "landing": deepcopy(LANDING),
        }
        return {**slip, "token": TOKEN, "number": "K1-1122-0042"} if slip["verified"] else slip

    def validate_parking(self, token: str, plate: str) -> None:
        with self.lock:
            if len(plate) < 7:
                raise Invalid(f"{plate!r} is no plate")
            if self.parking and self.parking["counted"]:
                raise Declined("this receipt has validated another car")
            self.parking = parking_of(plate, counted=True)

    def coupon(self, code: str) -> dict[str, object] | None:
        return None

    def redeem_coupon(self, code: str, plate: str) -> None:
        raise Invalid(f"coupon {code} is not one of this box")

    def touch(self, token: str, touchpoint: str) -> None:
        with self.lock:
            self.touches.append((token, touchpoint))

    def status(self) -> dict[str, object]:
        payment = {
            "id": "attempt-1", "workstation": "K1", "order": "K1-0042", "gateway": "wechat_pay",
            "merchant_order_no": "01a200d1352d6b72abbb9c9d6c219ccb", "amount_fen": 21800, "state": "unknown",
            "code_tail": "6612", "age_s": 12, "polls": 3, "trail": "no answer within 30 s",
        }  # fmt: skip
        return {
            "devices": [
                _device("scanner-1", "scanner", "connected", "/dev/serial/by-id/usb-Honeywell-if00", 1.2, 0),
                _device("printer-1", "printer", "absent", "/dev/usb/lp0", None, 3),
            ],
            "outbox": {
                "depth": 17, "oldest_age_s": 184.2, "last_ack_age_s": 191.0, "acked_through": 4021,
                "last_sequence": 4038, "connected": False, "detail": "no broker", "word": "none",
                "history": [(ago, max(0, 17 - ago // 15)) for ago in range(1800, -1, -15)],
            },
            "payments": {"open": 1, "oldest_age_s": 12, "list": [payment]},
            "clock_trusted": True,
            "held": [{"id": "b1", "workstation": "T1", "count": 3, "total_fen": 14790, "age_s": 421}],
            "workers": [
                {"name": "scan-scanner-1", "quiet_s": 0.3, "crashes": 0, "last_error": ""},
                {"name": "publish", "quiet_s": 0.1, "crashes": 2, "last_error": "OSError: disk full"},
                {"name": "resolve", "quiet_s": 190.0, "crashes": 0, "last_error": ""},
            ],
            "stuck": ["resolve"],
            "public_url": self.public_url,
            "version": "0.1.0",
        }  # fmt: skip

    def alarms(self) -> list[dict[str, object]]:
        return []

    def scans(self, workstation: str) -> list[dict[str, object]]:
        return [
            {"at": 1_763_800_502_114, "scanner": "scanner-1", "class": "payment", "text": "..6612",
             "raw": None, "outcome": "payment"},
            {"at": 1_763_800_481_400, "scanner": "scanner-1", "class": "gs1",
             "text": "0106901234567892\x1d10A1", "raw": "5d 43 31 30 31 1d 31 30", "outcome": "cannot_add"},
            {"at": 1_763_800_480_020, "scanner": "scanner-1", "class": "item", "text": "6901234567892",
             "raw": "36 39 30 31 32 33 34 35 36 37 38 39 32", "outcome": "added"},
        ]  # fmt: skip

    def health(self) -> dict[str, object]:
        return {"ready": self.ready, "store": "ok"}

    def metrics(self) -> str:
        return "# TYPE mall_edge_outbox_depth gauge\nmall_edge_outbox_depth 17\n"

    def staff_login(self, pin: str) -> str | None:
        self.wrong_pins += pin != PIN
        return "李敏" if pin == PIN and self.wrong_pins < 5 else None

    # What the world does to the shop

    def scan(self, workstation: str, barcode: str) -> int:
        """Take a scan as if it came from the scanner; return the new version."""
        with self.lock:
            self._scan(self._seat(workstation), barcode)
        return self.changes.bump(workstation)

    def pay_by_code(self, workstation: str, state: str = "submitted") -> int:
        """Take a payment code; the attempt waits until `settle`."""
        with self.lock:
            seat = self._seat(workstation)
            seat.screen = "waiting"
            seat.attempt = {
                "id": "attempt-1",
                "gateway": "wechat",
                "state": state,
                "amount_fen": _order(seat)["due_fen"],
                "seconds_left": None if state == "unknown" else 45,
                "code_tail": "6612",
            }
        return self.changes.bump(workstation)

    def settle(self, workstation: str) -> int:
        """Have the payment approved."""
        with self.lock:
            seat = self._seat(workstation)
            order = _order(seat)
            self._tender(seat, "wechat", _int(order["due_fen"]))
        return self.changes.bump(workstation)

    def set(self, workstation: str, **values: object) -> int:
        """Set fields of a workstation's seat and tell its screen."""
        with self.lock:
            for name, value in values.items():
                assert hasattr(self.seats[workstation], name), name
                setattr(self.seats[workstation], name, value)
        return self.changes.bump(workstation)

    # Actions

    def _seat(self, workstation: str) -> Seat:
        if workstation not in self.seats:
            raise Invalid(f"there is no workstation {workstation}")
        return self.seats[workstation]

    def _show(self, seat: Seat, screen: str, **values: object) -> None:
        seat.screen = screen
        for name, value in values.items():
            setattr(seat, name, value)

    def _start(self, seat: Seat, _: Mapping[str, object]) -> None:
        self._show(seat, "basket")

    def _language(self, seat: Seat, values: Mapping[str, object]) -> None:
        if values.get("language") not in ("zh", "en"):
            raise Invalid("language must be zh or en")
        seat.language = str(values["language"])

    def _parking_plate(self, seat: Seat, values: Mapping[str, object]) -> None:
        plate = str(values["plate"])
        if plate.endswith("00000"):
            raise Declined("this receipt has validated another car")
        seat.parking = parking_of(plate, counted=seat.screen == "paid")

    def _no_car(self, seat: Seat, _: Mapping[str, object]) -> None:
        seat.parking = {**parking_of("", counted=False), "no_car": True}

    def _scan(self, seat: Seat, barcode: str) -> None:
        if seat.screen not in ("attract", "basket"):
            seat.notice = self._notice("warn", "not_now", {"text": barcode})
            return
        seat.screen = "basket"
        if barcode not in GOODS:
            seat.notice = self._notice("warn", "unknown_code", {"text": barcode})
            return
        seat.notice = None
        self._counter += 1
        same = next((line for line in seat.lines if line["sku"] == GOODS[barcode][0]), None)
        if same is None or same["weight_g"] is not None:
            seat.lines.append(_line(f"line-{self._counter}", barcode, 1))
        else:
            seat.lines.remove(same)
            seat.lines.append(_line(str(same["id"]), barcode, _int(same["quantity"]) + 1))
        if GOODS[barcode][5] > seat.cleared_age and seat.kind == "kiosk":
            seat.help_at = seat.help_at or 1_790_000_000_000

    def _quantity(self, seat: Seat, values: Mapping[str, object]) -> None:
        line = next((line for line in seat.lines if line["id"] == values["line_id"]), None)
        if line is None:
            raise Invalid("the line is no longer in the basket")
        quantity = _int(values["quantity"])
        if quantity == 0:
            seat.lines.remove(line)
            return
        line["quantity"] = quantity
        line["amount_fen"] = quantity * _int(line["unit_price_fen"])

    def _one_more(self, seat: Seat, values: Mapping[str, object]) -> None:
        self._dismiss(seat, values)
        line = seat.lines[-1]
        self._quantity(seat, {"line_id": line["id"], "quantity": _int(line["quantity"]) + 1})

    def _dismiss(self, seat: Seat, values: Mapping[str, object]) -> None:
        if seat.notice is None or seat.notice["id"] != values.get("notice_id"):
            raise Declined("that banner is gone")
        seat.notice = None

    def _hold(self, seat: Seat, _: Mapping[str, object]) -> None:
        total = sum(_int(line["amount_fen"]) for line in seat.lines)
        count = len(seat.lines)
        seat.held.append(
            {"id": f"held-{len(seat.held)}", "count": count, "total_fen": total, "held_at": 1_763_800_500_000}
        )
        seat.lines = []
        self._show(seat, "attract", notice=self._notice("info", "held", {}))

    def _recall(self, seat: Seat, values: Mapping[str, object]) -> None:
        if seat.kind == "kiosk":
            self._need_pin(values)
        seat.held = [basket for basket in seat.held if basket["id"] != values["basket_id"]]
        seat.lines = [_line("recalled", "6901234567892", 1)]
        self._show(seat, "basket", notice=None)

    def _checkout(self, seat: Seat, _: Mapping[str, object]) -> None:
        if not seat.lines:
            raise Declined("the basket is empty")
        total = sum(_int(line["amount_fen"]) for line in seat.lines)
        seat.order = {
            "id": "order-1", "number": "0042", "total_fen": total, "paid_fen": 0, "due_fen": total,
            "tenders": [],
        }  # fmt: skip
        self._show(seat, "checkout", notice=None)

    def _cancel(self, seat: Seat, _: Mapping[str, object]) -> None:
        if seat.attempt is not None:
            raise Declined("a payment is on its way")
        seat.lines = []
        self._show(seat, "attract", order=None, notice=None)

    def _help_done(self, seat: Seat, values: Mapping[str, object]) -> None:
        self._need_pin(values)
        seat.help_at = None

    def _approve_age(self, seat: Seat, values: Mapping[str, object]) -> None:
        self._need_pin(values)
        seat.cleared_age = 18
        seat.help_at = None

    def _refuse_age(self, seat: Seat, _: Mapping[str, object]) -> None:
        seat.lines = [line for line in seat.lines if not line["age_min"]]
        seat.help_at = None

    def _cash(self, seat: Seat, values: Mapping[str, object]) -> None:
        received = _int(values["received_fen"])
        if received <= 0:
            raise Invalid("received_fen must be more than 0")
        self._tender(seat, "cash", received)

    def _tender(self, seat: Seat, kind: str, received_fen: int) -> None:
        order = _order(seat)
        amount_fen = min(received_fen, _int(order["due_fen"]))
        change_fen = received_fen - amount_fen
        tender = {
            "kind": kind,
            "amount_fen": amount_fen,
            "received_fen": received_fen,
            "change_fen": change_fen,
        }
        order["tenders"] = [*cast("list[object]", order["tenders"]), tender]
        order["paid_fen"] = _int(order["paid_fen"]) + amount_fen
        order["due_fen"] = _int(order["due_fen"]) - amount_fen
        if order["due_fen"]:
            self._show(seat, "checkout", attempt=None)
            return
        seat.receipt = {
            "number": "0042", "token": TOKEN, "url": f"{self.public_url}/phone/r/{TOKEN}",
            "printing": "printing", "problem": "",
        }  # fmt: skip
        self._show(seat, "paid", attempt=None, lines=[], landing=deepcopy(LANDING), idle_s_left=60)

    def _done(self, seat: Seat, _: Mapping[str, object]) -> None:
        self._show(seat, "attract", order=None, receipt=None, landing=None, idle_s_left=None, cleared_age=0)

    def _reprint(self, seat: Seat, values: Mapping[str, object]) -> None:
        self._need_pin(values)
        assert seat.receipt is not None
        seat.receipt["printing"] = "printing"

    def _touch(self, seat: Seat, _: Mapping[str, object]) -> None:
        seat.touched += 1
        if seat.idle_s_left is not None:
            seat.idle_s_left = 90

    def _need_pin(self, values: Mapping[str, object]) -> None:
        if values.get("pin") != PIN:
            raise Declined("that PIN is not known")

    def _notice(self, level: str, code: str, params: Mapping[str, object]) -> dict[str, object]:
        self._counter += 1
        return {
            "id": f"notice-{self._counter}", "level": level, "code": code, "params": dict(params),
            "choices": ["dismiss"],
        }  # fmt: skip


def duplicate_notice(barcode: str) -> dict[str, object]:
    """Return the banner for an article that was scanned twice within a moment."""
    _, name, name_en, *_ = GOODS[barcode]
    return {
        "id": "notice-duplicate",
        "level": "info",
        "code": "duplicate",
        "params": {"name": name, "name_en": name_en, "quantity": 1},
        "choices": ["one_more", "dismiss"],
    }


def _line(line_id: str, barcode: str, quantity: int) -> dict[str, object]:
    sku, name, name_en, price, weight_g, age_min = GOODS[barcode]
    amount = price * quantity if weight_g is None else (price * weight_g + 500) // 1000
    return {
        "id": line_id, "sku": sku, "name": name, "name_en": name_en, "tenant": "tea", "quantity": quantity,
        "weight_g": weight_g, "unit_price_fen": price, "amount_fen": amount, "age_min": age_min,
    }  # fmt: skip


def _device(
    name: str, kind: str, health: str, port: str, heard_s: float | None, reopened: int
) -> dict[str, object]:
    return {
        "name": name, "kind": kind, "health": health, "port": port, "detail": f"{name} is {health}",
        "since_s": 3725.0, "last_heard_s": heard_s, "reopened": reopened,
    }  # fmt: skip


def _order(seat: Seat) -> dict[str, object]:
    if seat.order is None:
        raise Declined("there is no order")
    return seat.order


def _int(value: object) -> int:
    if type(value) is not int:
        raise Invalid(f"a whole number is needed, got {value!r}")
    return value
