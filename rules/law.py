"""The law of late payment as a data file: read, checked, and turned into ``o2c.law``.

``law.yaml`` is ours and dated; a new half-year is some lines in it. Whatever is wrong with the file is
named with line and column, as in a rule file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

from o2c.country import COUNTRIES
from o2c.errors import Refused
from o2c.law import EU, CountryLaw, DayCount, LateRate, Law, LumpSum, ReminderFee, Validity
from o2c.money import Money, parse_decimal
from rules.document import Entries, Faults, Shape, Text, read

_DATED = ("valid_from", "valid_until", "source", "checked")
# Of each list: the keys of its own, the first ones needed.
_KEYS = {
    "rates": (("percent", "for"), ()),
    "lump_sums": (("amount",), ()),
    "fees": (("cap",), ("most", "first_day", "gap_days", "if_agreed")),
}
_T = TypeVar("_T")


@lru_cache(maxsize=1)
def default_law() -> Law:
    """The law as this release knows it."""
    return load_law(files("rules").joinpath("law.yaml").read_bytes(), name="law.yaml")


def load_law(content: bytes, *, name: str) -> Law:
    """The law in these bytes; ``Refused('rulebook-invalid')`` with one fault per mistake."""
    faults = Faults(name)
    law = _Reader(Shape(faults)).law(read(content, faults))
    faults.refuse_if_any()
    return law


class _Reader:
    """Reads one law file; what it cannot read is noted and left out."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._faults = shape.faults

    def law(self, top: Entries) -> Law:
        self._shape.only(top, ("members", "countries"), ("members", "countries"))
        members = self._shape.items(top, "members")
        texts = [text for node in members if (text := self._shape.as_text(node))]
        countries = [self._country(one) for one in self._shape.mappings(top, "countries")]
        return Law({one.country: one for one in countries if one}, frozenset(text.value for text in texts))

    def _country(self, entries: Entries) -> CountryLaw | None:
        keys = ("country", "currency", "day_count")
        self._shape.only(entries, (*keys, "notice_days", *_KEYS), keys)
        code = self._shape.word(entries, "country", (EU, *COUNTRIES), "country")
        currency = self._shape.text(entries, "currency")
        count = self._shape.word(entries, "day_count", tuple(DayCount), "day count")
        if code is None or currency is None or count is None:
            return None

        def dated(kind: str, read: Callable[[Entries, str, Validity], _T | None]) -> tuple[_T, ...]:
            return tuple(self._dated(entries, kind, currency.value, read))

        return CountryLaw(
            code.value,
            currency.value,
            DayCount(count.value),
            dated("rates", self._rate),
            dated("lump_sums", self._lump_sum),
            dated("fees", self._fee),
            self._number(entries, "notice_days"),
        )

    def _dated(
        self,
        entries: Entries,
        kind: str,
        currency: str,
        read: Callable[[Entries, str, Validity], _T | None],
    ) -> Iterator[_T]:
        needed, more = _KEYS[kind]
        for figure in self._shape.mappings(entries, kind):
            self._shape.only(figure, (*needed, *more, *_DATED), (*needed, "valid_from", "source"))
            validity = self._validity(figure)
            found = read(figure, currency, validity) if validity else None
            if found is not None:
                yield found

    def _validity(self, figure: Entries) -> Validity | None:
        first, source = self._day(figure, "valid_from"), self._shape.text(figure, "source")
        checked = self._shape.word(figure, "checked", ("yes", "no"), "value")
        if first is None or source is None:
            return None
        sure = checked is None or checked.value == "yes"
        return Validity(first, self._day(figure, "valid_until"), source.value, sure)

    def _rate(self, figure: Entries, _: str, validity: Validity) -> LateRate | None:
        whom = self._shape.word(figure, "for", ("business", "consumer"), "value")
        percent = self._decimal(figure, "percent")
        if whom is None or percent is None:
            return None
        return LateRate(percent, whom.value == "consumer", validity)

    def _lump_sum(self, figure: Entries, currency: str, validity: Validity) -> LumpSum | None:
        amount = self._decimal(figure, "amount")
        return None if amount is None else LumpSum(Money(amount, currency), validity)

    def _fee(self, figure: Entries, currency: str, validity: Validity) -> ReminderFee | None:
        cap = self._decimal(figure, "cap")
        agreed = self._shape.word(figure, "if_agreed", ("yes", "no"), "value")
        if cap is None:
            return None
        return ReminderFee(
            Money(cap, currency),
            self._number(figure, "most"),
            self._number(figure, "first_day") or 0,
            self._number(figure, "gap_days") or 0,
            agreed is not None and agreed.value == "yes",
            validity,
        )

    def _day(self, entries: Entries, key: str) -> date | None:
        return self._taken(self._shape.text(entries, key), date.fromisoformat, "a day such as 2026-01-31")

    def _number(self, entries: Entries, key: str) -> int | None:
        return self._taken(self._shape.text(entries, key), int, "a whole number")

    def _decimal(self, entries: Entries, key: str) -> Decimal | None:
        return self._taken(self._shape.text(entries, key), parse_decimal, "a number such as 35.00")

    def _taken(self, text: Text | None, make: Callable[[str], _T], wanted: str) -> _T | None:
        if text is None:
            return None
        try:
            return make(text.value)
        except (ValueError, Refused):
            self._faults.add(text.place, "wrong-type", f"{wanted} belongs here, not {text.value[:60]!r}.")
            return None
