"""Touchpoints: every place, code and page where a shopper can meet the mall, and whose it is.

Those of the configuration have ids of their own; workstations, receipts, landing pages, lanes and guides
have theirs by themselves, as KIND.NAME. An id stands in URLs and in a mini-program code's `scene`, which
takes 32 characters of [0-9A-Za-z!#$&'()*+,/:;=?@-._~]. Pure.
Source: WeChat Mini Program documentation, "scene values" and getUnlimitedQRCode.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.errors import Invalid

#: Ids are this long at most; what shall stand in a mini-program code has MAX_SCENE_ID at most.
MAX_TOUCHPOINT_ID = 48
MAX_SCENE_ID = 32

_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_TOUCHPOINT_ID - 1}}}", re.ASCII)
_UNFIT = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)


class TouchpointClass(StrEnum):
    """Whose touchpoint it is: an entry of the platform, the mall's and tenants' own, or a paid one."""

    PLATFORM = "platform"
    OWNED = "owned"
    COMMERCIAL = "commercial"


class TouchpointKind(StrEnum):
    """What registers itself; its id is this word, a dot and a name."""

    WORKSTATION = "ws"
    RECEIPT = "receipt"
    LANDING = "landing"
    LANE = "lane"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class SceneValue:
    """How somebody came into the mini-program, as WeChat says it."""

    value: int
    owner: TouchpointClass
    name: str
    name_en: str


#: The scene values that the funnel names; others are shown as their numbers.
SCENES = {
    one.value: one
    for one in (
        SceneValue(1011, TouchpointClass.OWNED, "扫描二维码", "QR code scanned"),
        SceneValue(1012, TouchpointClass.OWNED, "长按识别二维码", "QR code pressed long"),
        SceneValue(1013, TouchpointClass.OWNED, "相册选取二维码", "QR code from the album"),
        SceneValue(1014, TouchpointClass.PLATFORM, "订阅消息", "subscribe message"),
        SceneValue(1025, TouchpointClass.OWNED, "扫描一维码", "barcode scanned"),
        SceneValue(1034, TouchpointClass.PLATFORM, "支付完成页", "page after payment"),
        SceneValue(1035, TouchpointClass.OWNED, "公众号菜单", "menu of the official account"),
        SceneValue(1037, TouchpointClass.COMMERCIAL, "小程序打开小程序", "another mini-program"),
        SceneValue(1038, TouchpointClass.COMMERCIAL, "从另一小程序返回", "back from another mini-program"),
        SceneValue(1043, TouchpointClass.OWNED, "公众号模板消息", "message of the official account"),
        SceneValue(1047, TouchpointClass.OWNED, "扫描小程序码", "mini-program code scanned"),
        SceneValue(1048, TouchpointClass.OWNED, "长按识别小程序码", "mini-program code pressed long"),
        SceneValue(1049, TouchpointClass.OWNED, "相册选取小程序码", "mini-program code from the album"),
        SceneValue(1060, TouchpointClass.PLATFORM, "支付完成页", "page after payment"),
        SceneValue(1065, TouchpointClass.COMMERCIAL, "URL scheme", "URL scheme"),
        SceneValue(1069, TouchpointClass.COMMERCIAL, "移动应用", "another app"),
        SceneValue(1078, TouchpointClass.OWNED, "连 Wi-Fi 成功页", "after Wi-Fi log-in"),
        SceneValue(1107, TouchpointClass.PLATFORM, "订阅消息", "subscribe message"),
        SceneValue(1124, TouchpointClass.OWNED, "一物一码", "code of one article"),
    )
}


@dataclass(frozen=True, slots=True)
class Guide:
    """Somebody who serves shoppers for a tenant. commission_permille: of what the rules credit to them."""

    guide_id: str
    name: str
    name_en: str = ""
    tenant_id: str = ""
    commission_permille: int = 0

    def __post_init__(self) -> None:
        """Refuse an id that could not stand in a touchpoint's, and a share above all of it."""
        check_touchpoint_id(touchpoint_id(TouchpointKind.GUIDE, self.guide_id), "guide")
        if not 0 <= self.commission_permille <= 1_000:
            raise Invalid(f"guide {self.guide_id}: commission_permille must be 0 to 1000")


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """One code, page or device. scene: WeChat's scene value, 0 for none. leads_to: where its code leads.

    place: where it is, in people's words. guide: whose code it is. A leads_to without scheme is a path of
    this box's phone pages, "/phone/...".
    """

    touchpoint_id: str
    owner: TouchpointClass = TouchpointClass.OWNED
    name: str = ""
    name_en: str = ""
    scene: int = 0
    place: str = ""
    tenant_id: str = ""
    campaign: str = ""
    guide: str = ""
    leads_to: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not stand in a URL, and an address that no phone should follow."""
        check_touchpoint_id(self.touchpoint_id, "touchpoint")
        if self.leads_to and not self.leads_to.startswith(("/phone/", "https://", "weixin://")):
            raise Invalid(
                f"touchpoint {self.touchpoint_id}: leads_to {self.leads_to!r} must begin with"
                " https://, weixin:// or /phone/"
            )
        if self.scene and not 1000 <= self.scene <= 9999:
            raise Invalid(
                f"touchpoint {self.touchpoint_id}: scene {self.scene} is none of WeChat's, 1000-9999"
            )

    def shown(self, language: str) -> str:
        """Return its name for people; its id without one."""
        return (self.name_en if language == "en" else self.name) or self.name or self.touchpoint_id


@dataclass(frozen=True, slots=True)
class TouchpointBook:
    """All touchpoints and guides of a box, by id."""

    touchpoints: Mapping[str, Touchpoint] = field(default_factory=dict)
    guides: Mapping[str, Guide] = field(default_factory=dict)

    def find(self, wanted: str) -> Touchpoint | None:
        """Return a touchpoint; those of receipts, landing pages, lanes and workstations are there anyway."""
        known = self.touchpoints.get(wanted)
        if known is not None or _ID.fullmatch(wanted) is None:
            return known
        kind, dot, name = wanted.partition(".")
        if not dot or not name or kind not in set(TouchpointKind) or kind == TouchpointKind.GUIDE:
            return None
        return automatic(TouchpointKind(kind), name)


def build_book(
    touchpoints: Sequence[Touchpoint],
    guides: Sequence[Guide],
    workstations: Sequence[str] = (),
    lanes: Sequence[str] = (),
) -> TouchpointBook:
    """Return the book of a box; raise Invalid for an id that is given twice and for an unknown guide."""
    named = {one.guide_id: one for one in guides}
    if len(named) != len(guides):
        raise Invalid("two guides have the same id; give each their own")
    own = [
        *(automatic(TouchpointKind.WORKSTATION, name) for name in workstations),
        *(automatic(TouchpointKind.LANE, name) for name in lanes),
        *(guide_code(one) for one in guides),
        *touchpoints,
    ]
    book: dict[str, Touchpoint] = {}
    for one in own:
        if one.touchpoint_id in book:
            raise Invalid(f"there are two touchpoints {one.touchpoint_id}; give each its own id")
        if one.guide and one.guide not in named:
            raise Invalid(f"touchpoint {one.touchpoint_id}: there is no guide {one.guide!r}")
        book[one.touchpoint_id] = one
    return TouchpointBook(book, named)


def automatic(kind: TouchpointKind, name: str) -> Touchpoint:
    """Return the touchpoint that something has by itself; characters that do not fit become "-"."""
    zh, en = _NAMES[kind]
    tenant = name if kind is TouchpointKind.LANDING and name != "mall" else ""
    return Touchpoint(
        touchpoint_id(kind, name), name=f"{zh} {name}", name_en=f"{en} {name}", place=name, tenant_id=tenant
    )


def guide_code(guide: Guide) -> Touchpoint:
    """Return a guide's own code."""
    return Touchpoint(
        touchpoint_id(TouchpointKind.GUIDE, guide.guide_id),
        name=f"导购 {guide.name}",
        name_en=f"guide {guide.name_en or guide.name}",
        tenant_id=guide.tenant_id,
        guide=guide.guide_id,
    )


def touchpoint_id(kind: TouchpointKind, name: str) -> str:
    """Return the id of what registers itself, at most MAX_TOUCHPOINT_ID characters."""
    return f"{kind.value}.{_UNFIT.sub('-', name)}"[:MAX_TOUCHPOINT_ID]


def check_touchpoint_id(text: str, what: str) -> str:
    """Return an id; raise Invalid for what could not stand in a URL."""
    if _ID.fullmatch(text) is None:
        raise Invalid(
            f"{what} {text!r} must be 1-{MAX_TOUCHPOINT_ID} of letters, digits, dot, dash and underscore"
        )
    return text


def scene_name(value: int, language: str) -> str:
    """Return what a scene value means, the number itself when it is not one of SCENES, "" for 0."""
    known = SCENES.get(value)
    if known is None:
        return str(value) if value else ""
    return known.name_en if language == "en" else known.name


_NAMES = {
    TouchpointKind.WORKSTATION: ("收银点", "workstation"),
    TouchpointKind.RECEIPT: ("小票", "receipts of"),
    TouchpointKind.LANDING: ("支付后页面", "page after payment"),
    TouchpointKind.LANE: ("车道", "lane"),
    TouchpointKind.GUIDE: ("导购", "guide"),
}
