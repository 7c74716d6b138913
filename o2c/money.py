"""Money, quantities, and the one rounding function.

Governed by ISO 4217 (minor digits) and EN 16931-1 section 6 (rounding half up).
Never a float; money never without its currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from o2c.errors import Broken, Refused

# ISO 4217 exponents that are not 2.
_MINOR_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def minor_digits(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217), 2 unless listed."""
    return _MINOR_DIGITS.get(currency, 2)


def document_digits(currency: str) -> int:
    """Decimal places of an amount on an EN 16931 document: never more than two (BR-DEC-*)."""
    return min(minor_digits(currency), 2)


def round_half_up(value: Decimal, digits: int) -> Decimal:
    """``value`` rounded half up (away from zero) to ``digits`` decimals: the only rounding in the house."""
    return value.quantize(_unit(digits), rounding=ROUND_HALF_UP)


@lru_cache(maxsize=32)
def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def parse_decimal(text: str, *, what: str = "number") -> Decimal:
    """A plain decimal such as ``-12.50``; raises ``Refused('number')`` for exponents, NaN or words."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Refused("number", f"{what} is not a decimal number: {text!r}.") from None
    if not value.is_finite() or "e" in text.lower() or "_" in text:
        raise Refused("number", f"{what} must be a plain decimal without exponent: {text!r}.")
    return value


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one currency (ISO 4217 alpha code). Mixing currencies is ``Broken``."""

    amount: Decimal
    currency: str

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """``12345`` minor units of EUR -> 123.45 EUR."""
        return cls(Decimal(minor).scaleb(-minor_digits(currency)), currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """``"120.00 EUR"`` -> Money; raises ``Refused('number')``."""
        amount, _, currency = text.strip().partition(" ")
        if len(currency) != 3:
            raise Refused("number", f"an amount reads like '120.00 EUR', not {text!r}.")
        return cls(parse_decimal(amount, what="amount"), currency)

    @property
    def minor(self) -> int:
        """The amount in minor units; ``Broken`` if it is finer than the currency allows."""
        scaled = self.amount.scaleb(minor_digits(self.currency))
        whole = int(scaled)
        if whole != scaled:
            raise Broken("money-digits", f"{self} is finer than the minor unit of {self.currency}.")
        return whole

    def rounded(self) -> Money:
        """Rounded half up to the currency's minor unit."""
        return Money(round_half_up(self.amount, minor_digits(self.currency)), self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise Broken("money-currency", f"cannot combine {self} with {other}.")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __str__(self) -> str:
        return f"{round_half_up(self.amount, minor_digits(self.currency))} {self.currency}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A count or measure with its UN/ECE Recommendation 20 unit code, e.g. ``10 C62``."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}"


def plain(value: Decimal) -> str:
    """The shortest plain text of a decimal: ``Decimal('1E+1')`` -> ``'10'``, ``2.50`` -> ``'2.5'``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def convert(minor: int, currency: str, rate: Decimal, to_currency: str) -> int:
    """Minor units of ``currency`` -> minor units of ``to_currency`` at ``rate`` (units of the
    second for one of the first), rounded half up once."""
    if rate == 1 and minor_digits(currency) == minor_digits(to_currency):
        return minor
    amount = Money.from_minor(minor, currency).amount * rate
    return int(round_half_up(amount, minor_digits(to_currency)).scaleb(minor_digits(to_currency)))
