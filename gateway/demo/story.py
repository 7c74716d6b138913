"""The demo's story: three months of trade as text tables, read into steps on days.

Nothing here is random: the same tables give the same orders, figures and documents on each run. What
happens to an order is decided by the product; the tables only say what customers, warehouses, banks and
controllers do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

FIRST_DAY, LAST_DAY = date(2026, 1, 5), date(2026, 4, 1)
TAX_MONTH = (date(2026, 3, 1), date(2026, 3, 31))
CHOSEN = ("NO1", "8021")  # the order whose whole way is told at the end

# day | order | customer | product:pieces[@price] ... | what others do about it, days after the order:
#   xml               it comes as a Peppol order (else as JSON)
#   approve:LIMIT, refuse   a controller decides          cancel   the customer changes its mind
#   ship              everything reserved leaves
#   pay               paid in full, by reference          text     by the invoice number in the text
#   part:AMOUNT       a part of it, by reference          vague    in full, but naming nothing of ours
_TRADE = {
    "NO1": """
        01-05 | 8001 | N-101 | KB-1:20 KF-90:4       | ship+1 pay+23
        01-06 | 8002 | N-105 | KM-3:1 KB-2:5         | ship+1 pay+41
        01-07 | 8003 | N-102 | KB-2:12               | ship+1 pay+20
        01-08 | 8004 | N-103 | KB-1:10 KF-90:2       | ship+1 text+26
        01-12 | 8005 | N-107 | KM-3:1 KR-6:4         | ship+1 vague+30
        01-13 | 8006 | N-104 | KB-1:15               | ship+2 pay+22
        01-14 | 8007 | N-109 | KM-3:1 KB-1:6         | approve:30000+1 ship+2 pay+28
        01-15 | 8008 | N-108 | KM-3:2                | refuse+1
        01-19 | 8009 | N-106 | KM-3:2 KB-1:30        | ship+1 pay+27
        01-21 | 8010 | N-101 | KV-1:10               | ship+1 ship+9 pay+35
        01-22 | 8011 | N-104 | KR-5:6 KB-1:5         | ship+1 pay+25
        01-26 | 8012 | N-110 | KB-1:40@17.20 KM-3:1@690.00 | ship+2 pay+24
        01-27 | 8013 | N-102 | KX-9:1                |
        02-02 | 8014 | N-101 | KB-1:25 KB-2:25       | ship+1 pay+26
        02-04 | 8015 | N-103 | KB-2:10 KF-90:6       | ship+1 pay+24
        02-09 | 8016 | N-105 | KB-1:8                | ship+9 pay+35
        02-10 | 8017 | N-104 | KP-2:5                | ship+7 pay+29
        02-12 | 8018 | N-106 | KM-3:1 KB-1:20        | ship+1 part:6000.00+28
        02-16 | 8019 | N-110 | KB-2:30@18.60         | ship+1 pay+27
        02-19 | 8020 | N-102 | KB-1:12 KR-6:4        | ship+1 text+25
        03-02 | 8021 | N-101 | KB-1:30 KB-2:20 KM-3:2 | xml ship+1 pay+22
        03-04 | 8022 | N-103 | KB-2:14               | xml ship+1 pay+24
        03-09 | 8023 | N-104 | KB-1:20 KF-90:3       | ship+1 pay+21
        03-11 | 8024 | N-109 | KB-1:10               | ship+1
        03-16 | 8025 | N-102 | KM-3:3                |
        03-18 | 8026 | N-101 | KB-1:20               | ship+1
        03-23 | 8027 | N-108 | KB-1:4                |
        03-25 | 8028 | N-106 | KB-2:30               |
        03-26 | 8029 | N-104 | KB-2:6                | xml ship+1
        03-30 | 8030 | N-105 | KB-1:6                | ship+1
        """,
    "DE1": """
        01-05 | 5001 | D-201 | BT-10:4 BS-20:4       | ship+1 pay+24
        01-06 | 5002 | D-203 | BR-40:6 BF-60:10      | ship+2 pay+27
        01-08 | 5003 | D-202 | BS-20:6               | ship+1 pay+40
        01-12 | 5004 | D-205 | BT-10:2 BL-30:6       | ship+1 pay+35
        01-13 | 5005 | D-206 | BL-30:40              | ship+1 pay+25
        01-15 | 5006 | D-204 | BS-20:3 BL-30:3       | ship+1 text+28
        01-19 | 5007 | D-207 | BT-10:7 BS-20:2       | approve:6000+1 ship+2 pay+29
        01-20 | 5008 | D-208 | BL-30:4               | ship+1 pay+20
        01-22 | 5009 | D-209 | BT-10:3               | refuse+1
        01-26 | 5010 | D-203 | BR-40:18              | ship+1 ship+11 pay+38
        02-02 | 5011 | D-201 | BC-50:5 BL-30:5       | ship+1 pay+23
        02-04 | 5012 | D-204 | BX-90:2               |
        02-10 | 5013 | D-202 | BL-30:6               | ship+9 pay+36
        02-12 | 5014 | D-206 | BS-20:10 BR-40:3      | ship+1 pay+29
        02-16 | 5015 | D-205 | BS-20:4               | ship+1 pay+30
        02-18 | 5016 | D-207 | BS-20:2               | ship+1 pay+26
        02-24 | 5017 | D-203 | BF-60:25 BL-30:10     | ship+2 pay+28
        03-03 | 5018 | D-201 | BT-10:6               | xml ship+1 pay+21
        03-05 | 5019 | D-208 | BS-20:1               | ship+1 vague+22
        03-09 | 5020 | D-204 | BT-10:4               | ship+1 part:1000.00+20
        03-12 | 5021 | D-206 | BL-30:20              | ship+1
        03-17 | 5022 | D-202 | BT-10:12              |
        03-19 | 5023 | D-205 | BC-50:4               | ship+1
        03-24 | 5024 | D-201 | BS-20:8               | xml ship+1
        03-26 | 5025 | D-207 | BT-10:8 BR-40:4       | ship+1
        """,
    "CH1": """
        01-06 | 3001 | C-301 | GA-1:20 GW-2:30       | ship+1 pay+22
        01-07 | 3002 | C-302 | GE-3:40 GG-4:10       | ship+1 pay+25
        01-09 | 3003 | C-303 | GW-2:60               | ship+1 pay+27
        01-13 | 3004 | C-304 | GA-1:30               | ship+1 pay+39
        01-14 | 3005 | C-306 | GW-2:100 GA-1:20      | ship+2 text+24
        01-19 | 3006 | C-305 | GE-3:20               | ship+1 pay+28
        01-20 | 3007 | C-307 | GK-5:2 GG-4:20        | ship+1 pay+26
        01-26 | 3008 | C-308 | GW-2:20               | ship+1 pay+20
        01-28 | 3009 | C-302 | GK-5:10               | ship+1 pay+26
        02-03 | 3010 | C-301 | GH-6:4                |
        02-05 | 3011 | C-303 | GA-1:40 GE-3:10       | ship+1 pay+23
        02-10 | 3012 | C-306 | GW-2:120              | ship+1 pay+25
        02-16 | 3013 | C-304 | GA-1:10               | ship+9 pay+36
        02-18 | 3014 | C-305 | GE-3:30 GW-2:20       | ship+1 pay+27
        02-24 | 3015 | C-307 | GG-4:40               | ship+1 pay+24
        03-02 | 3016 | C-302 | GE-3:60 GA-1:60       | xml ship+1 pay+23
        03-04 | 3017 | C-301 | GW-2:80               | ship+1 part:300.00+24
        03-10 | 3018 | C-308 | GA-1:10               | ship+1
        03-12 | 3019 | C-303 | GW-2:50               | ship+1
        03-17 | 3020 | C-306 | GA-1:30               | ship+1
        03-19 | 3021 | C-305 | GK-5:4                |
        03-24 | 3022 | C-304 | GE-3:12               | cancel+2
        03-26 | 3023 | C-307 | GA-1:25 GG-4:5        | ship+1
        03-30 | 3024 | C-302 | GW-2:200              |
        """,
}
# company | day | what | about whom or what | how much
_BESIDES = """
    NO1 | 01-28 | stock | KV-1/0  | 20
    NO1 | 02-16 | stock | KP-2/0  | 40
    DE1 | 02-04 | stock | BR-40/0 | 20
    DE1 | 01-16 | mend  | D-205   | DE942090711
    NO1 | 01-30 | fee   | NOK     | 45.00
    NO1 | 02-27 | fee   | NOK     | 45.00
    NO1 | 03-31 | fee   | NOK     | 45.00
    DE1 | 03-31 | fee   | EUR     | 12.50
    CH1 | 03-31 | fee   | CHF     | 15.00
    """

# The hours of a business day, UTC: the bank's file is in before anybody is reminded.
_HOURS = {
    **dict.fromkeys(("pay", "text", "part", "vague", "fee"), 5),
    "order": 9,
    "approve": 10,
    "refuse": 10,
    "stock": 11,
    "mend": 12,
    "ship": 14,
    "cancel": 15,
}
REMINDERS_AT = 6
BANK = frozenset(verb for verb, hour in _HOURS.items() if hour == 5)


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order of the story: (product, pieces, price of its own or None) a line."""

    number: str
    customer_id: str
    lines: tuple[tuple[str, Decimal, Decimal | None], ...]
    as_xml: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody outside does on a day: ``verb`` about ``subject``."""

    verb: str
    subject: str
    argument: str = ""
    order: Ordered | None = None

    @property
    def hour(self) -> int:
        """When in the day, UTC."""
        return _HOURS[self.verb]


def steps(company_id: str) -> Mapping[date, list[Step]]:
    """Day -> what happens at this company, in the order of the day. Every day has a reminder run besides."""
    days: defaultdict[date, list[Step]] = defaultdict(list)
    for day, step in (*_traded(company_id), *_besides(company_id)):
        days[day].append(step)
    return {day: sorted(done, key=lambda step: step.hour) for day, done in sorted(days.items())}


def _traded(company_id: str) -> Iterator[tuple[date, Step]]:
    for row in _TRADE[company_id].strip().splitlines():
        day, number, customer, lines, acts = (cell.strip() for cell in row.split("|"))
        ordered_on = _day(day)
        words = acts.split()
        order = Ordered(number, customer, tuple(map(_line, lines.split())), "xml" in words)
        yield ordered_on, Step("order", number, order=order)
        for word in words:
            if word != "xml":
                what, _, days = word.partition("+")
                verb, _, argument = what.partition(":")
                yield _workday(ordered_on + timedelta(int(days))), Step(verb, number, argument)


def _line(text: str) -> tuple[str, Decimal, Decimal | None]:
    product, _, rest = text.partition(":")
    pieces, _, price = rest.partition("@")
    return product, Decimal(pieces), Decimal(price) if price else None


def _besides(company_id: str) -> Iterator[tuple[date, Step]]:
    for row in _BESIDES.strip().splitlines():
        company, day, verb, subject, argument = (cell.strip() for cell in row.split("|"))
        if company == company_id:
            yield _day(day), Step(verb, subject, argument)


def _day(text: str) -> date:
    return date.fromisoformat(f"{FIRST_DAY.year}-{text}")


def _workday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(max(7 - day.weekday(), 0) if day.weekday() > 4 else 0)
