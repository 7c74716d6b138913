"""A fact: its type, its unit, its words in three languages, and the integer the engine sees.

Money becomes thousandths, percent hundredths, quantities millionths, days stay as they are, yes/no
becomes 1/0 and a choice its place in the list. Money has three decimals inside so that currencies
of 0, 2 and 3 minor digits (ISO 4217) are all exact. Never a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context, Decimal, DecimalException, Inexact, InvalidOperation
from enum import StrEnum

from o2c.country import COUNTRIES, UNKNOWN
from o2c.decision import FactValue
from o2c.errors import Refused
from rules.spans import LIMIT

# Sixty digits hold every figure we accept; anything longer traps instead of being rounded.
_EXACT = Context(prec=60, traps=[InvalidOperation, Inexact])
_FEW = 12  # more words than this are not listed in a message

Labels = Mapping[str, str]  # language code (en, de, nb) -> words


def labels(en: str, de: str, nb: str) -> Labels:
    """The words of one thing in our three languages."""
    return {"en": en, "de": de, "nb": nb}


class Kind(StrEnum):
    """The type of a fact."""

    BOOL = "yes/no"
    DAYS = "days"
    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    QUANTITY = "quantity"
    CHOICE = "choice"


WHOLE = frozenset({Kind.DAYS, Kind.COUNT})  # figures without decimals
SCALE = {Kind.DAYS: 0, Kind.COUNT: 0, Kind.MONEY: 3, Kind.PERCENT: 2, Kind.QUANTITY: 6}
UNIT = {
    Kind.BOOL: "",
    Kind.CHOICE: "",
    Kind.DAYS: "days",
    Kind.COUNT: "whole numbers",
    Kind.MONEY: "the file's currency",
    Kind.PERCENT: "%",
    Kind.QUANTITY: "the order line's unit",
}
YES_NO = ("no", "yes")  # the index is the integer the engine sees
_YES_NO_LABELS = {"no": labels("no", "nein", "nei"), "yes": labels("yes", "ja", "ja")}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact a rule may read. ``neutral`` is what a file's test assumes where it is silent.

    ``choices`` are the words a file may use; ``unknown`` is one more that the fact may have although
    no file may say it. ``least`` is the lowest integer it can be, where there is one. ``meant`` are the
    words of a choice in three languages, where they are not their own.
    """

    name: str
    kind: Kind
    neutral: FactValue
    en: str
    de: str
    nb: str
    choices: tuple[str, ...] = ()
    unknown: str | None = None
    least: int | None = None
    meant: Mapping[str, Labels] = field(default_factory=dict)

    @property
    def labels(self) -> Labels:
        """Label by language code."""
        return labels(self.en, self.de, self.nb)

    @property
    def unit(self) -> str:
        """The unit in words, empty for yes/no and choices."""
        return UNIT[self.kind]

    @property
    def words(self) -> tuple[str, ...]:
        """The words a cell may use, in the order of their integers; empty for numbers."""
        return YES_NO if self.kind is Kind.BOOL else self.choices

    @property
    def every_word(self) -> tuple[str, ...]:
        """The words the fact may have: those a cell may use, and ``unknown``."""
        return (*self.words, self.unknown) if self.unknown else self.words

    def word_labels(self, word: str) -> Labels:
        """One of its words in three languages: ``yes`` is ``ja``, a country stays its code."""
        meant = _YES_NO_LABELS if self.kind is Kind.BOOL else self.meant
        return meant.get(word) or labels(word, word, word)

    def encode(self, value: object) -> int:
        """The integer the engine sees; ``Refused('fact')`` for another type or too fine a figure."""
        if self.kind is Kind.BOOL and isinstance(value, bool):
            return int(value)
        if self.kind is Kind.CHOICE and isinstance(value, str) and value in self.every_word:
            return self.every_word.index(value)
        if self.kind in SCALE and isinstance(value, int | Decimal) and not isinstance(value, bool):
            return self._scaled(value)
        raise Refused("fact", f"fact {self.name} must be {self._wanted()}, not {value!r:.60}.")

    def _wanted(self) -> str:
        if len(self.choices) > _FEW:
            return f"a word such as {self.choices[0]}"
        return f"one of {', '.join(self.choices)}" if self.choices else self.kind.value

    def _scaled(self, value: int | Decimal) -> int:
        scale = SCALE[self.kind]
        try:
            exact = _EXACT.scaleb(Decimal(value), scale)
            # A share such as exposure / limit seldom ends: a hair above 100 % counts as above it.
            code = int(exact.to_integral_value(ROUND_CEILING)) if exact.copy_abs() <= LIMIT else None
        except (DecimalException, ValueError):
            raise Refused("fact", f"fact {self.name} is no usable number: {value!r:.60}.") from None
        if code is None:
            raise Refused("fact", f"fact {self.name} is beyond what the rule engine takes: {value:.3E}.")
        if code != exact and self.kind is not Kind.PERCENT:
            raise Refused("fact", f"fact {self.name} has more than {scale} decimals: {value!s:.60}.")
        return code

    def show(self, code: int, money_digits: int = 2) -> str:
        """The figure as a person reads it: ``yes``, ``B``, ``3``, ``105 %``, ``1200.00``."""
        if self.words:
            return self.every_word[code]
        scale = SCALE[self.kind]
        whole, part = divmod(abs(code), 10**scale)
        decimals = f"{part:0{scale}d}".rstrip("0") if scale else ""
        if self.kind is Kind.MONEY:
            decimals = decimals.ljust(money_digits, "0")
        number = f"{'-' if code < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"
        return f"{number} %" if self.kind is Kind.PERCENT else number


def flag(name: str, en: str, de: str, nb: str, *, neutral: bool = False) -> Fact:
    """A yes/no fact."""
    return Fact(name, Kind.BOOL, neutral, en, de, nb)


def days(name: str, en: str, de: str, nb: str, *, neutral: int = 0, least: int | None = 0) -> Fact:
    """A number of days."""
    return Fact(name, Kind.DAYS, neutral, en, de, nb, least=least)


def count(name: str, en: str, de: str, nb: str, *, neutral: int = 0) -> Fact:
    """How many of something."""
    return Fact(name, Kind.COUNT, neutral, en, de, nb, least=0)


def figure(
    name: str, kind: Kind, en: str, de: str, nb: str, *, neutral: str = "0", least: int | None = None
) -> Fact:
    """An amount, a share or a quantity."""
    return Fact(name, kind, Decimal(neutral), en, de, nb, least=least)


def choice(name: str, en: str, de: str, nb: str, words: Mapping[str, Labels], *, neutral: str) -> Fact:
    """One of a few words, given with what they mean."""
    return Fact(name, Kind.CHOICE, neutral, en, de, nb, tuple(words), meant=words)


RISK_CLASS = Fact(
    "risk_class", Kind.CHOICE, "A", "risk class", "Risikoklasse", "risikoklasse", ("A", "B", "C")
)
# Neutral is ZZ, a country nobody is in: a test that names no country meets no rule about one.
COUNTRY = Fact(
    "country", Kind.CHOICE, UNKNOWN, "the customer's country", "Land des Kunden", "kundens land",
    COUNTRIES, UNKNOWN, None, {UNKNOWN: labels("unknown", "unbekannt", "ukjent")},
)  # fmt: skip
CONSUMER = flag("consumer", "the customer is a consumer", "Verbraucher", "forbruker")
