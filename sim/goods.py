"""Goods for demonstrations and load: a small mall's catalogue, and one of any size from a seed.

Both are catalogue files as a tenant would send them (docs/operations/catalogue.md). No chance is
involved: the same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = (
    "sku",
    "tenant_id",
    "tenant_name",
    "tenant_name_en",
    "name",
    "name_en",
    "barcodes",
    "price",
    "valid_from",
    "sold_by",
    "age_min",
    "plu",
)

#: Knuth's MMIX linear congruential generator; its high bits are good enough for goods.
_MULTIPLIER, _INCREMENT, _MODULUS = 6364136223846793005, 1442695040888963407, 1 << 64


@dataclass(frozen=True, slots=True)
class Tenant:
    """A merchant of the demonstration mall. prefix: of its skus and, as 4 digits, of its item numbers."""

    tenant_id: str
    name: str
    name_en: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Good:
    """One line of a catalogue file; price in yuan as text, barcodes as printed."""

    sku: str
    tenant: Tenant
    name: str
    name_en: str
    price: str
    barcodes: tuple[str, ...] = ()
    sold_by: str = "piece"
    age_min: int = 0
    plu: str = ""


BAKERY = Tenant("bakery", "麦香坊", "Maixiang Bakery", "BK")
MARKET = Tenant("market", "鲜达超市", "Xianda Market", "MK")
BOOKS = Tenant("books", "知行书店", "Zhixing Books", "BS")
CELLAR = Tenant("cellar", "醇香烟酒", "Chunxiang Wine & Tobacco", "WT")
TENANTS = (BAKERY, MARKET, BOOKS, CELLAR)

# Name, English name, yuan; what has no barcode of a maker carries the shop's own code.
_BAKERY = """
蛋挞|Egg Tart|5.00
肉松小贝|Pork Floss Bun|9.80
菠萝包|Pineapple Bun|6.50
红豆吐司|Red Bean Toast|16.00
牛角包|Croissant|8.50
全麦面包|Wholemeal Loaf|14.80
法式长棍|Baguette|12.00
芝士蛋糕|Cheesecake Slice|26.00
提拉米苏|Tiramisu|29.00
抹茶千层|Matcha Crepe Cake|32.00
曲奇礼盒|Cookie Gift Box|58.00
老婆饼|Sweetheart Cake|4.50
"""
_MARKET = """
纯净水 550ml|Purified Water 550 ml|2.00
绿茶 500ml|Green Tea 500 ml|3.50
冰红茶 500ml|Iced Black Tea 500 ml|3.50
可乐 330ml|Cola Can 330 ml|3.00
苏打水 400ml|Soda Water 400 ml|5.00
豆奶 250ml|Soy Milk 250 ml|3.80
鲜牛奶 950ml|Fresh Milk 950 ml|15.90
原味酸奶 8连杯|Plain Yogurt 8 cups|16.80
红烧牛肉面|Braised Beef Noodles|4.50
老坛酸菜面|Pickled Cabbage Noodles|4.50
螺蛳粉 300g|Luosifen Rice Noodles 300 g|12.90
原味薯片 75g|Potato Chips 75 g|7.90
夹心饼干 97g|Sandwich Biscuits 97 g|6.50
每日坚果 25g|Daily Nuts 25 g|5.90
话梅糖 120g|Plum Candy 120 g|8.80
黑巧克力 100g|Dark Chocolate 100 g|18.80
东北大米 5kg|Northeast Rice 5 kg|39.90
酱油 500ml|Soy Sauce 500 ml|9.90
陈醋 420ml|Aged Vinegar 420 ml|7.50
辣椒酱 280g|Chilli Sauce 280 g|10.90
抽纸 3包|Facial Tissue 3 packs|11.90
洗衣液 2kg|Laundry Liquid 2 kg|29.90
牙膏 120g|Toothpaste 120 g|12.80
电池 5号4粒|AA Batteries 4 pcs|15.00
购物袋|Shopping Bag|0.50
"""
_FRESH = """
红富士苹果|Fuji Apples|12.80
香蕉|Bananas|7.60
巨峰葡萄|Kyoho Grapes|19.80
砂糖橘|Sugar Tangerines|11.60
西红柿|Tomatoes|8.80
土豆|Potatoes|4.60
五花肉|Pork Belly|39.80
鸡胸肉|Chicken Breast|23.80
基围虾|Greasyback Shrimp|88.00
散装糖果|Loose Candy|36.00
"""
_BOOKS = """
围棋入门|First Steps in Go|36.00
唐诗三百首|Three Hundred Tang Poems|42.00
本地旅行手册|Local Travel Handbook|49.80
儿童百科|Children's Encyclopedia|88.00
家常菜谱|Home Cooking|39.00
笔记本 A5|Notebook A5|15.80
中性笔 黑 3支|Gel Pens Black 3 pcs|9.90
书签套装|Bookmark Set|12.00
"""
_CELLAR = """
白酒 52度 500ml|Baijiu 52% 500 ml|268.00
黄酒 8年陈 500ml|Aged Huangjiu 500 ml|45.00
干红葡萄酒 750ml|Dry Red Wine 750 ml|98.00
精酿啤酒 500ml|Craft Beer 500 ml|15.00
拉格啤酒 330ml|Lager 330 ml|6.00
威士忌 700ml|Whisky 700 ml|228.00
香烟 软盒|Cigarettes Soft Pack|25.00
香烟 硬盒|Cigarettes Hard Pack|45.00
打火机|Lighter|3.00
"""


def check_digit(body: str) -> str:
    """Return the GS1 check digit of a number without it (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def ean13(body: str) -> str:
    """Return the 13 digits whose first twelve are `body`."""
    return body + check_digit(body)


def scale_label(plu: str, weight_g: int, prefix: str = "21") -> str:
    """Return the 13 digits that a scale prints for a weight up to 99,999 g: prefix, item, grams, check."""
    return ean13(f"{prefix}{int(plu):05d}{weight_g:05d}")


def demo_goods() -> tuple[Good, ...]:
    """Return 64 goods of four tenants; makers' numbers are of the block 6900000, which nobody owns."""
    return (
        *_shelf(BAKERY, _BAKERY, "290001"),
        *_shelf(MARKET, _MARKET, "690000010"),
        *_fresh(),
        *_shelf(BOOKS, _BOOKS, "978700000"),
        *(
            Good(
                g.sku,
                g.tenant,
                g.name,
                g.name_en,
                g.price,
                g.barcodes,
                age_min=0 if g.name == "打火机" else 18,
            )
            for g in _shelf(CELLAR, _CELLAR, "690000030")
        ),
    )


def many_goods(count: int, seed: int = 1, barcodes: int = 3) -> Iterator[Good]:
    """Yield `count` goods with `barcodes` each: a piece (EAN-13), a carton (ITF-14), then house codes.

    Numbers differ within one seed; the order of the skus is not that of the barcodes.
    """
    state = (seed * 2 + 1) % _MODULUS
    for number in range(count):
        state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
        piece = ean13(f"69{_scattered(number, seed):010d}")
        carton = "1" + piece[:12]
        house = tuple(f"H{number:07d}-{each}" for each in range(3, barcodes + 1))
        yield Good(
            sku=f"G{number:07d}",
            tenant=TENANTS[(state >> 40) % len(TENANTS)],
            name=f"商品 {number}",
            name_en=f"Article {number}",
            price=f"{(state >> 33) % 900 + 1}.{(state >> 20) % 100:02d}",
            barcodes=(piece, carton + check_digit(carton), *house)[:barcodes],
        )


def catalogue_csv(goods: Iterator[Good] | tuple[Good, ...]) -> bytes:
    """Return a catalogue file in UTF-8 with BOM, as spreadsheets in China write and read it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(_row(good) for good in goods)
    return out.getvalue().encode("utf-8-sig")


def _shelf(tenant: Tenant, table: str, block: str) -> Iterator[Good]:
    for number, line in enumerate(table.strip().splitlines(), 1):
        name, name_en, price = line.split("|")
        barcode = ean13(block + str(number).zfill(12 - len(block)))
        house = f"{tenant.prefix}{number:04d}"
        yield Good(f"{tenant.prefix}-{number:03d}", tenant, name, name_en, price, (barcode, house))


def _fresh() -> Iterator[Good]:
    """Weighed goods; every second one is stored as the number of a label with weight zero, too."""
    for number, line in enumerate(_FRESH.strip().splitlines(), 1):
        name, name_en, price = line.split("|")
        plu = f"{1000 + number:05d}"
        barcodes = (scale_label(plu, 0),) if number % 2 else ()
        yield Good(f"FR-{number:03d}", MARKET, name, name_en, price, barcodes, "weight", plu=plu)


def _scattered(number: int, seed: int) -> int:
    """Return ten digits, different for different numbers: a multiple modulo a prime."""
    prime = 9_999_999_967
    return (number + 1) * (4_820_170_003 + 2 * seed) % prime


def _row(good: Good) -> tuple[str | int, ...]:
    tenant = good.tenant
    return (
        good.sku,
        tenant.tenant_id,
        tenant.name,
        tenant.name_en,
        good.name,
        good.name_en,
        " ".join(good.barcodes),
        good.price,
        "",
        good.sold_by,
        good.age_min,
        good.plu,
    )
