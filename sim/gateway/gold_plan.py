"""The page after payment (点金计划): a service provider opens and closes it, its slip and its advertising.

GET /sim/gold-plan    how each merchant's page is, and from when: a change counts after five minutes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Refusal, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape, text

REOPEN_AFTER_MS = 24 * 3_600_000
EFFECTIVE_AFTER_MS = 300_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS gold_plan (
    sub_mchid TEXT PRIMARY KEY,
    plan TEXT NOT NULL,
    closed_at INTEGER,
    scene TEXT NOT NULL,
    page TEXT NOT NULL,
    advertising TEXT NOT NULL,
    filters TEXT NOT NULL,
    counts_from INTEGER NOT NULL
) STRICT;
"""

# The spelling is the gateway's.
_INDUSTRIES = (
    "E_COMMERCE|LOVE_MARRIAGE|POTOGRAPHY|EDUCATION|FINANCE|TOURISM|SKINCARE|FOOD|SPORT|JEWELRY_WATCH|"
    "HEALTHCARE|BUSSINESS|PARENTING|CATERING|RETAIL|SERVICES|LAW|ESTATE|TRANSPORTATION|ENERGY_SAVING|"
    "SECURITY|BUILDING_MATERIAL|COMMUNICATION|MERCHANDISE|ASSOCIATION|COMMUNITY|ONLINE_AVR|WE_MEDIA|CAR|"
    "SOFTWARE|GAME|CLOTHING|INDUSTY|AGRICULTURE|PUBLISHING_MEDIA|HOME_DIGITAL"
)
_SUB = Shape(True, pattern=r"\d{8,10}")
_OPERATION = Shape(True, pattern="OPEN|CLOSE")
_SCENE = Shape(pattern="JSAPI_AND_MINIPROGRAM|JSAPI|MINIPROGRAM")
_ONE = Shape(pattern=_INDUSTRIES)


@dataclass(frozen=True, slots=True)
class Plan:
    """One merchant's page. plan, page, advertising: OPEN or CLOSE. counts_from: Unix milliseconds."""

    sub_mchid: str
    plan: str = "CLOSE"
    closed_at: int | None = None
    scene: str = "JSAPI_AND_MINIPROGRAM"
    page: str = "CLOSE"
    advertising: str = "CLOSE"
    filters: str = ""
    counts_from: int = 0


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def change_plan(self, call: Call) -> Reply:
        """Open or close a merchant's page; a closed one can be opened again after a day."""
        plan, wish, now = self._plan(call), text(call.body, "operation_type"), self._office.now_ms()
        if wish == "OPEN":
            if plan.closed_at is not None and now < plan.closed_at + REOPEN_AFTER_MS:
                raise Refusal(400, "INVALID_REQUEST", "关闭点金计划后24小时内不能重新开通")
            scene = text(call.body, "operation_pay_scene") or plan.scene
            self._keep(replace(plan, plan="OPEN", scene=scene, closed_at=None))
        elif plan.plan == "OPEN":
            self._keep(replace(plan, plan="CLOSE", page="CLOSE", advertising="CLOSE", closed_at=now))
        return json_reply(200, {"sub_mchid": plan.sub_mchid})

    def change_page(self, call: Call) -> Reply:
        """Open or close the merchant's own slip."""
        plan, wish = self._plan(call), text(call.body, "operation_type")
        if wish == "OPEN":
            _check_open(plan)
        self._keep(replace(plan, page=wish))
        return json_reply(200, {"sub_mchid": plan.sub_mchid})

    def filter_ads(self, call: Call) -> Reply:
        """Say whose advertising is not wanted."""
        plan = self._plan(call)
        _check_open(plan)
        self._keep(replace(plan, filters=_filters(call)))
        return Reply(204)

    def open_ads(self, call: Call) -> Reply:
        """Let advertising be shown."""
        plan = self._plan(call)
        _check_open(plan)
        self._keep(replace(plan, advertising="OPEN", filters=_filters(call) or plan.filters))
        return Reply(204)

    def close_ads(self, call: Call) -> Reply:
        """Let no advertising be shown."""
        self._keep(replace(self._plan(call), advertising="CLOSE"))
        return Reply(204)

    def show(self, _: Call) -> Reply:
        """List all pages."""
        rows = self._office.store.rows("SELECT * FROM gold_plan ORDER BY sub_mchid")
        return json_reply(200, [dict(row) for row in rows])

    def _plan(self, call: Call) -> Plan:
        sub_mchid = text(call.body, "sub_mchid")
        self._office.merchants.check_sub(call.mchid, sub_mchid)
        row = self._office.store.row("SELECT * FROM gold_plan WHERE sub_mchid = ?", sub_mchid)
        return Plan(sub_mchid) if row is None else Plan(**dict(row))

    def _keep(self, plan: Plan) -> None:
        kept = asdict(replace(plan, counts_from=self._office.now_ms() + EFFECTIVE_AFTER_MS))
        self._office.store.run(
            "INSERT OR REPLACE INTO gold_plan VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *kept.values()
        )


def _check_open(plan: Plan) -> None:
    if plan.plan != "OPEN":
        raise Refusal(400, "INVALID_REQUEST", "特约商户未开通点金计划")


def _filters(call: Call) -> str:
    given = call.body.get("advertising_industry_filters")
    return " ".join(str(one) for one in given) if isinstance(given, list) else ""


def _form(**fields: Shape) -> Shape:
    return Shape(True, dict, fields={"sub_mchid": _SUB, **fields})


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk, base = _Desk(office), "/v3/goldplan/merchants"
    plan = _form(operation_type=_OPERATION, operation_pay_scene=_SCENE)
    page = _form(operation_type=_OPERATION)
    wanted = _form(advertising_industry_filters=Shape(True, list, least=1, most=3, item=_ONE))
    optional = _form(advertising_industry_filters=Shape(kind=list, least=1, most=3, item=_ONE))
    return (
        Endpoint("gold_plan", "POST", base + "/changegoldplanstatus", desk.change_plan, plan),
        Endpoint("gold_page", "POST", base + "/changecustompagestatus", desk.change_page, page),
        Endpoint("gold_filter", "POST", base + "/set-advertising-industry-filter", desk.filter_ads, wanted),
        Endpoint("gold_ads_open", "PATCH", base + "/open-advertising-show", desk.open_ads, optional),
        Endpoint("gold_ads_close", "POST", base + "/close-advertising-show", desk.close_ads, _form()),
        Endpoint("gold_plans", "GET", "/sim/gold-plan", desk.show, auth=Auth.TESTER),
    )


ROOM = Room("gold_plan", SCHEMA, _endpoints)
