"""Parameter types that more than one verb takes: days, decimals, amounts, codes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import click

from gateway.cli.codes import COUNTRIES, CURRENCIES
from o2c.errors import Refused
from o2c.money import Money, parse_decimal


class Day(click.ParamType[date]):
    """``2026-03-01``."""

    name = "day"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """How help shows it."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day."""
        try:
            if isinstance(value, str) and len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        return value if isinstance(value, date) else self.fail(f"{value!r} is no day such as 2026-03-01.")


class Number(click.ParamType[Decimal]):
    """A plain decimal."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The decimal."""
        try:
            return value if isinstance(value, Decimal) else parse_decimal(value)
        except Refused as refused:
            self.fail(refused.message)


class Amount(click.ParamType[Money]):
    """``"10000 EUR"``."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        """The money."""
        try:
            return value if isinstance(value, Money) else Money.parse(value)
        except Refused as refused:
            self.fail(refused.message)


class Code(click.ParamType[str]):
    """A code of a closed list, in capital letters."""

    def __init__(self, name: str, known: frozenset[str], words: str) -> None:
        self.name = name
        self._known = known
        self._words = words

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The code."""
        return value if value in self._known else self.fail(f"{value!r} is no {self._words}.")


class Instant(click.ParamType[datetime]):
    """``2026-04-01T00:00+02:00``; without an offset it is UTC, a day alone is its first moment."""

    name = "instant"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """How help shows it."""
        return "YYYY-MM-DD[THH:MM[+HH:MM]]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant, in UTC."""
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-04-01T00:00+02:00.")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


DAY, INSTANT, NUMBER, AMOUNT = Day(), Instant(), Number(), Amount()
COUNTRY = Code("CC", COUNTRIES, "ISO 3166-1 country code such as NO")
CURRENCY = Code("CUR", CURRENCIES, "ISO 4217 currency code such as EUR")
