"""The configuration that the demonstration writes for its service; the car park has its in mall_lanes.py."""

from __future__ import annotations

#: The PIN of the demonstration's cashier, and its hash for the configuration.
DEMO_PIN = "2580"
PIN_HASH = "6d616c6c2d656467652d64656d6f2121$4f7cf20b1d06cf749ab24fd26f93f6a8b57e1bd06a55e36d724969c68dfc2f5f"

#: The subscribe message after payment, and its fields as the mini-program's console would have them.
PAID_TEMPLATE = {
    "template_id": "tmpl-paid",
    "fields": ["character_string1", "amount2", "thing3", "time4"],
}

#: Where the gateway is told to call back; it is led to HQ's public host.
NOTIFY_URL = "https://mall.invalid/notify/wechat"

#: Written with str.format; the names in it are those of Mall.write_config.
CONFIG = """\
# Written by the simulator for its own demonstration; see systemd/examples for real ones.
[box]
site = "demo-mall"
edge = "edge-1"
data_dir = "{folder}/state"
shop_name = "示范商场"
shop_name_en = "Demo Mall"
public_url = "{public_url}"

[web]
port = {port}
pictures = "{folder}/pictures"

[hq]
port = {broker_port}
{hq}

[rules]
{rules}

[[workstation]]
name = "K01"

# Nobody's robot buys here: for whoever walks through the demonstration by hand.
[[workstation]]
name = "K02"

[[workstation]]
name = "T01"
kind = "till"
cash = true

[[workstation]]
name = "C01"
kind = "counter"
tenant = "bakery"

[[workstation]]
name = "C02"
kind = "counter"
tenant = "books"

[[guide]]
id = "chen"
name = "陈静"
name_en = "Chen Jing"
tenant = "bakery"
commission_permille = 30
pin_hash = "{pin_hash}"

[[guide]]
id = "lin"
name = "林涛"
name_en = "Lin Tao"
tenant = "books"
commission_permille = 20
pin_hash = "{pin_hash}"

[[workstation]]
name = "E01"
kind = "exit"

[scan_and_go]
tenants = [""]
recheck_permille = 200

[[scanner]]
name = "scanner-k01"
workstation = "K01"
port = "{folder}/dev/scanner-k01"

[[printer]]
name = "printer-k01"
workstation = "K01"
port = "{folder}/dev/printer-k01"

[wechat_pay]
appid = "{appid}"
mchid = "{mchid}"
store_id = "S001"
private_key_file = "{merchant_key}"
certificate_file = "{merchant_cert}"
base_url = "{gateway}"
backup_url = ""
api_v3_key_file = "{apiv3_key}"
# What the simulated gateway lets go on of a payment by code; phones pay each tenant directly.
share_permille = 300
# The simulated gateway's calls to this address go to HQ's public host, which relays them to the box.
notify_url = "{notify_url}"

[wechat_pay.platform_keys]
"{public_key_id}" = "{platform_public_key}"

[mini_program]
appid = "{appid}"
app_secret_file = "{app_secret}"
base_url = "{gateway}"
paid_template = "{paid_template}"
paid_fields = ["character_string1=number", "amount2=amount", "thing3=shop", "time4=time"]

[members]
key_file = "{folder}/keys/members.key"

[[points_rule]]
points = 1
per_fen = 100

[[touchpoint]]
id = "poster-door"
name = "大门海报"
name_en = "Poster at the door"
leads_to = "/phone/shop"

[[touchpoint]]
id = "poster-market"
name = "超市海报"
name_en = "Poster of the market"
tenant = "market"
campaign = "autumn"
leads_to = "/phone/me"

[alipay]
app_id = "{alipay_app_id}"
private_key_file = "{alipay_app_key}"
public_key_file = "{alipay_public_key}"
gateway_url = "{gateway}/gateway.do"

[[staff]]
name = "演示收银员 Demo cashier"
role = "supervisor"
pin_hash = "{pin_hash}"

[[landing]]
picture = "mall.png"
title = "谢谢光临示范商场"
title_en = "Thank you for visiting Demo Mall"

[[landing.block]]
kind = "join"
title = "加入会员，本单立得积分"
title_en = "Join and earn points for this purchase"
body = "一个账号，全场通用。"
body_en = "One account for every store in the mall."

[[landing.block]]
kind = "parking"
title = "满 50 元免 2 小时停车"
title_en = "2 hours of parking from 50 yuan"
body = "出场前绑定车牌，自动抵扣。"
body_en = "Bind your plate before you leave; it is deducted by itself."

[[landing]]
tenant = "bakery"
picture = "bakery.png"
title = "麦香坊 · 现烤现卖"
title_en = "Maixiang Bakery, fresh from the oven"

[[landing.block]]
kind = "offer"
title = "明日早餐第二件半价"
title_en = "Tomorrow's second breakfast at half price"
body = "出示本页即可使用，限早上 10 点前。"
body_en = "Show this page before 10 a.m."

[[landing.block]]
kind = "join"
title = "加入会员，本单立得积分"
title_en = "Join and earn points for this purchase"
body = "一个账号，全场通用。"
body_en = "One account for every store in the mall."

[[landing.block]]
kind = "follow"
title = "关注公众号，新品早知道"
title_en = "Follow us for what is new"
body = "每周三上新。"
body_en = "Something new every Wednesday."
"""
