"""The GS1 application identifiers (AI) as data.

One line each: the AI, its components, then "|" and the data title. "310n" stands for 3100 to 3105,
where the last digit is the number of decimals; "a-b" is a range. A component is a letter (n digits,
x GS1's 82 characters, y its 39, z its 64 for base64), a length or "low..high", "?" when it may be
absent, and ":rule". Source: GS1 General Specifications, section 3, as of 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an AI's value: alphabet n, x, y or z, lengths in characters, name of its rule or ""."""

    alphabet: str
    shortest: int
    longest: int
    optional: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Ai:
    """One application identifier. decimals: how many the value has, None where that means nothing."""

    ai: str
    title: str
    components: tuple[Component, ...]
    decimals: int | None
    longest: int

    @property
    def predefined(self) -> bool:
        """Whether its length is fixed by its first two digits, so that no FNC1 need follow."""
        return self.ai[:2] in PREDEFINED


#: First two digits of the AIs that need no FNC1 after them (GS1 General Specifications, figure 7.8.5-2).
PREDEFINED = frozenset(
    ("00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20")
    + ("31", "32", "33", "34", "35", "36", "41")
)

#: Primary keys of GS1 Digital Link and, for each, the qualifier sequences that may follow, in order.
PRIMARY_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "00": ((),),
    "01": (("22", "10", "21"), ("235",)),
    "253": ((),),
    "255": ((),),
    "401": ((),),
    "402": ((),),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8003": ((),),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8013": ((),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}

_TABLE = """
00 n18:check | SSCC (logistic unit)
01 n14:check | GTIN
02 n14:check | GTIN of contained items
03 n14:check | GTIN of a made-to-order item
10 x1..20 | Batch or lot
11 n6:date0 | Production date
12 n6:date0 | Due date
13 n6:date0 | Packaging date
15 n6:date0 | Best before
16 n6:date0 | Sell by
17 n6:date0 | Expiry
20 n2 | Variant
21 x1..20 | Serial number
22 x1..20 | Consumer product variant
235 x1..28 | Third-party serial extension
240 x1..30 | Additional product id
241 x1..30 | Customer part number
242 n1..6 | Made-to-order variation
243 x1..20 | Packaging component
250 x1..30 | Secondary serial
251 x1..30 | Reference to source entity
253 n13:check x1..17? | GDTI (document)
254 x1..20 | GLN extension
255 n13:check n1..12? | GCN (coupon)
30 n1..8 | Variable count
310n n6 | Net weight (kg)
311n n6 | Length (m)
312n n6 | Width (m)
313n n6 | Height (m)
314n n6 | Area (m2)
315n n6 | Net volume (l)
316n n6 | Net volume (m3)
320n n6 | Net weight (lb)
321n n6 | Length (in)
322n n6 | Length (ft)
323n n6 | Length (yd)
324n n6 | Width (in)
325n n6 | Width (ft)
326n n6 | Width (yd)
327n n6 | Height (in)
328n n6 | Height (ft)
329n n6 | Height (yd)
330n n6 | Gross weight (kg)
331n n6 | Logistic length (m)
332n n6 | Logistic width (m)
333n n6 | Logistic height (m)
334n n6 | Logistic area (m2)
335n n6 | Logistic volume (l)
336n n6 | Logistic volume (m3)
337n n6 | Kilograms per m2
340n n6 | Gross weight (lb)
341n n6 | Logistic length (in)
342n n6 | Logistic length (ft)
343n n6 | Logistic length (yd)
344n n6 | Logistic width (in)
345n n6 | Logistic width (ft)
346n n6 | Logistic width (yd)
347n n6 | Logistic height (in)
348n n6 | Logistic height (ft)
349n n6 | Logistic height (yd)
350n n6 | Area (in2)
351n n6 | Area (ft2)
352n n6 | Area (yd2)
353n n6 | Logistic area (in2)
354n n6 | Logistic area (ft2)
355n n6 | Logistic area (yd2)
356n n6 | Net weight (troy oz)
357n n6 | Net volume (oz)
360n n6 | Net volume (qt)
361n n6 | Net volume (gal)
362n n6 | Logistic volume (qt)
363n n6 | Logistic volume (gal)
364n n6 | Net volume (in3)
365n n6 | Net volume (ft3)
366n n6 | Net volume (yd3)
367n n6 | Logistic volume (in3)
368n n6 | Logistic volume (ft3)
369n n6 | Logistic volume (yd3)
37 n1..8 | Count of contained items
390N n1..15 | Amount payable or coupon value
391N n3:currency n1..15 | Amount payable, with currency
392N n1..15 | Price of this item
393N n3:currency n1..15 | Price of this item, with currency
394m n4 | Percent off
395n n6 | Price per unit of measure
400 x1..30 | Customer order number
401 x1..30:key | GINC (consignment)
402 n17:check | GSIN (shipment)
403 x1..30 | Routing code
410-413 n13:check | Location: ship to, bill to, purchased from, ship for
414 n13:check | GLN (location)
415 n13:check | GLN of the invoicing party
416 n13:check | GLN of production or service
417 n13:check | GLN of a party
420 x1..20 | Ship to postal code
421 n3:country x1..9 | Ship to postal code, with country
422 n3:country | Country of origin
423 n3..15:countries | Countries of initial processing
424 n3:country | Country of processing
425 n3..15:countries | Countries of disassembly
426 n3:country | Country of the whole process
427 x1..3 | Subdivision of origin
4300-4301 x1..35:percent | Ship to: company, contact
4302-4306 x1..70:percent | Ship to: address, suburb, locality, region
4307 x2:letters | Ship to country
4308 x1..30 | Ship to telephone
4309 n10:latitude n10:longitude | Ship to position
4310-4311 x1..35:percent | Return to: company, contact
4312-4316 x1..70:percent | Return to: address, suburb, locality, region
4317 x2:letters | Return to country
4318 x1..20 | Return to postal code
4319 x1..30 | Return to telephone
4320 x1..35:percent | Service description
4321 n1:flag | Dangerous goods
4322 n1:flag | Authority to leave
4323 n1:flag | Signature required
4324 n6:date0 n4:time | Not before delivery time
4325 n6:date0 n4:time | Not after delivery time
4326 n6:date | Release date
4330 n6 x1?:minus | Highest temperature (0.01 F)
4331 n6 x1?:minus | Highest temperature (0.01 C)
4332 n6 x1?:minus | Lowest temperature (0.01 F)
4333 n6 x1?:minus | Lowest temperature (0.01 C)
7001 n13 | NATO stock number
7002 x1..30 | Meat carcass and cuts
7003 n6:date n4:time | Expiry date and time
7004 n1..4 | Active potency
7005 x1..12 | Catch area
7006 n6:date | First freeze date
7007 n6:date n6?:date | Harvest date or period
7008 x1..3 | Aquatic species
7009 x1..10 | Fishing gear
7010 x1..2 | Production method
7011 n6:date n4?:time | Test by date
7020 x1..20 | Refurbishment lot
7021 x1..20 | Functional status
7022 x1..20 | Revision status
7023 x1..30:key | GIAI of an assembly
7030-7039 n3:processor x1..27 | Processor, with country
7040 n1 x1 x1 x1 | Unique id code with extensions
7041 x1..4 | Freight unit type
710-717 x1..20 | National healthcare number
7230-7239 x2 x1..28 | Certification reference
7240 x1..20 | Protocol id
7241 n2 | AIDC media type
7242 x1..25 | Version control number
7250 n8:birth | Date of birth
7251 n8:birth n4:time | Date and time of birth
7252 n1:sex | Biological sex
7253 x1..40:percent | Family name
7254 x1..40:percent | Given name
7255 x1..10 | Name suffix
7256 x1..90:percent | Full name
7257 x1..70:percent | Address of a person
7258 x3 | Birth sequence
7259 x1..40:percent | Baby of
8001 n4:nonzero n5:nonzero n3:nonzero n1 n1 | Roll dimensions
8002 x1..20 | Mobile phone id
8003 n1:zero n13:check x1..16? | GRAI (returnable asset)
8004 x1..30:key | GIAI (asset)
8005 n6 | Price per unit
8006 n14:check n4:pieces | ITIP (piece of an item)
8007 x1..34:iban | IBAN
8008 n8:datehour n2..4?:minutes | Production date and time
8009 x1..50 | Optical sensor
8010 y1..30:key | CPID (component)
8011 n1..12:nolead | CPID serial
8012 x1..20 | Software version
8013 x1..25:model | GMN (model)
8014 x1..25:model | MUDI (device)
8017 n18:check | GSRN of a provider
8018 n18:check | GSRN of a recipient
8019 n1..10 | Service relation instance
8020 x1..25 | Payment slip reference
8026 n14:check n4:pieces | ITIP of contained items
8030 z1..90 | Digital signature
8040 n15 | IMEI
8041 n15 | Second IMEI
8042 n32 | eSIM id
8043 n18 n1..2? | SIM id
8110 x1..70 | Coupon code (North America)
8111 n4 | Loyalty points of a coupon
8112 x1..70 | Coupon, positive offer file
8200 x1..70 | Extended packaging address
90 x1..30 | Agreed between partners
91-99 x1..90 | Internal to a company
"""

#: How many decimal digits each kind of last place allows.
_PLACES = {"n": range(6), "N": range(10), "m": range(4)}
_COMPONENT = re.compile(r"([nxyz])(\d+)(?:\.\.(\d+))?(\?)?(?::(\w+))?", re.ASCII)


def _components(spec: str) -> tuple[Component, ...]:
    parts = []
    for word in spec.split():
        match = _COMPONENT.fullmatch(word)
        if match is None:
            raise AssertionError(f"bad component {word!r} in the AI table")
        alphabet, low, high, optional, rule = match.groups()
        parts.append(Component(alphabet, int(low), int(high or low), optional is not None, rule or ""))
    return tuple(parts)


def _names(pattern: str) -> list[tuple[str, int | None]]:
    """Return the AIs that a pattern stands for, each with its number of decimals."""
    if pattern[-1] in _PLACES:
        return [(f"{pattern[:-1]}{places}", places) for places in _PLACES[pattern[-1]]]
    first, _, last = pattern.partition("-")
    return [(str(ai).zfill(len(first)), None) for ai in range(int(first), int(last or first) + 1)]


def _build() -> dict[str, Ai]:
    table = {}
    for line in _TABLE.strip().splitlines():
        left, title = line.split(" | ")
        pattern, spec = left.split(" ", 1)
        components = _components(spec)
        longest = sum(component.longest for component in components)
        for ai, decimals in _names(pattern):
            table[ai] = Ai(ai, title, components, decimals, longest)
    return table


#: Every known AI by its two to four digits; no AI is the beginning of another.
AIS: dict[str, Ai] = _build()
