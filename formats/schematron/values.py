"""XPath 2.0 values: what casts, comparisons and arithmetic make of them.

Governed by XPath 2.0 and XQuery/XPath Functions and Operators (second edition); where these leave a
choice (digits of a quotient, the implicit time zone) we do as Saxon does, since its verdict is the
official one. Values are str, bool, int, Decimal, float, ``Day`` and, where the static type is not known,
``Untyped``. Nothing here rounds except where the standard says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import (
    ROUND_FLOOR,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import lru_cache
from typing import Any

_DIGITS = 1_000  # of a number; more is no business figure, and exact arithmetic needs a bound

# Arithmetic is exact: a figure that would be rounded is an error, never a wrong verdict.
EXACT = Context(
    prec=3 * _DIGITS,
    rounding=ROUND_FLOOR,
    Emin=-999_999,
    Emax=999_999,
    traps=[InvalidOperation, DivisionByZero, Overflow, Inexact],
)
# Most quotients are short; the general way is five times slower.
_SHORT = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
_HALF = Decimal("0.5")
_QUOTIENT_PLACES = 18  # decimals of a quotient, as Saxon has it

_decimal_form = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
_integer_form = re.compile(r"[+-]?[0-9]+").fullmatch
_double_form = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_day_form = re.compile(r"(-?)([0-9]{4,9})-([0-9]{2})-([0-9]{2})(Z|([+-])([0-9]{2}):([0-9]{2}))?").fullmatch
_SPACE = " \t\r\n"


class Failure(Exception):
    """A dynamic error of XPath: ``code`` is the official one."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{words} ({code})")
        self.code = code


class Untyped(str):
    """xs:untypedAtomic where only the running program knows it: the value of a node."""

    __slots__ = ()


class Day:
    """xs:date. ``instant`` is its start in minutes; without a time zone it is taken as UTC."""

    __slots__ = ("instant", "text")

    def __init__(self, instant: int, text: str) -> None:
        self.instant = instant
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Day) and other.instant == self.instant

    def __hash__(self) -> int:
        return hash(self.instant)

    def __lt__(self, other: Day) -> bool:
        return self.instant < other.instant

    def __le__(self, other: Day) -> bool:
        return self.instant <= other.instant

    def __gt__(self, other: Day) -> bool:
        return self.instant > other.instant

    def __ge__(self, other: Day) -> bool:
        return self.instant >= other.instant


# --- casts from text --------------------------------------------------------------------------------


@lru_cache(4096)
def _short_decimal(text: str) -> Decimal:
    text = text.strip(_SPACE)
    if not _decimal_form(text):
        raise Failure("FORG0001", f"{text[:40]!r} is no decimal number")
    if len(text) > _DIGITS:
        raise Failure("FOAR0002", f"a number of {len(text)} digits")
    return Decimal(text)


def decimal_of(text: str) -> Decimal:
    """xs:decimal from text."""
    return _short_decimal(text) if len(text) < 40 else _short_decimal.__wrapped__(text)


def integer_of(text: str) -> int:
    """xs:integer from text."""
    text = text.strip(_SPACE)
    if not _integer_form(text):
        raise Failure("FORG0001", f"{text[:40]!r} is no whole number")
    if len(text) > _DIGITS:
        raise Failure("FOAR0002", f"a number of {len(text)} digits")
    return int(text)


@lru_cache(4096)
def _short_double(text: str) -> float:
    text = text.strip(_SPACE)
    if _double_form(text):
        return float(text)
    try:
        return {"INF": math.inf, "-INF": -math.inf, "+INF": math.inf, "NaN": math.nan}[text]
    except KeyError:
        raise Failure("FORG0001", f"{text[:40]!r} is no number") from None


def double_of(text: str) -> float:
    """xs:double from text."""
    return _short_double(text) if len(text) < 40 else _short_double.__wrapped__(text)


def boolean_of(text: str) -> bool:
    """xs:boolean from text."""
    text = text.strip(_SPACE)
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise Failure("FORG0001", f"{text[:40]!r} is no truth value")


@lru_cache(1024)
def _short_day(text: str) -> Day:
    text = text.strip(_SPACE)
    match = _day_form(text)
    if not match:
        raise Failure("FORG0001", f"{text[:40]!r} is no date")
    sign, year_text, month, day, zone, east, hours, minutes = match.groups()
    year = int(year_text) * (-1 if sign else 1)
    # XML Schema 1.1 has a year 0000, and Saxon goes by it.
    if (len(year_text) > 4 and year_text[0] == "0") or not _exists(year, int(month), int(day)):
        raise Failure("FORG0001", f"{text!r} is no date")
    offset = int(hours or 0) * 60 + int(minutes or 0)
    if offset > 14 * 60 or int(minutes or 0) > 59:
        raise Failure("FORG0001", f"{text!r} has no time zone that exists")
    del zone
    return Day(_days(year, int(month), int(day)) * 1440 - (offset if east != "-" else -offset), text)


def day_of(text: str) -> Day:
    """xs:date from text."""
    return _short_day(text) if len(text) < 40 else _short_day.__wrapped__(text)


def _exists(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 28 + leap if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))
    return 1 <= day <= longest


def _days(year: int, month: int, day: int) -> int:
    """Days since 0000-03-01 of the proleptic Gregorian calendar."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day


# --- any value ----------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """The value as xs:string."""
    if isinstance(value, str):
        return str(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, float):
        return _double_text(value)
    return str(value.text)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    digits = Decimal(repr(value))
    if 1e-6 <= abs(value) < 1e6:
        return _plain(digits)
    mantissa, exponent = digits.normalize().as_tuple().digits, digits.adjusted()
    rest = "".join(map(str, mantissa[1:])) or "0"
    return f"{'-' if value < 0 else ''}{mantissa[0]}.{rest}E{exponent}"


def is_number(value: Any) -> bool:
    """Whether the value is numeric."""
    return isinstance(value, int | Decimal | float) and value is not True and value is not False


def number_of(value: Any) -> float:
    """fn:number of one atomic value: NaN where it is no number."""
    try:
        return double(value)
    except Failure:
        return math.nan


def double(value: Any) -> float:
    """Any atomic value as xs:double."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return double_of(value)
    if isinstance(value, int | Decimal):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    raise Failure("XPTY0004", f"{type(value).__name__} is no number")


def decimal(value: Any) -> Decimal:
    """Any atomic value as xs:decimal."""
    if isinstance(value, str):
        return decimal_of(value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(int(value))
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            raise Failure("FOCA0002", f"{value} is no decimal number")
        return Decimal(value)
    raise Failure("XPTY0004", f"{type(value).__name__} is no number")


def integer(value: Any) -> int:
    """Any atomic value as xs:integer; fractions are cut off."""
    if isinstance(value, str):
        return integer_of(value)
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)):
        raise Failure("FOCA0002", f"{value} is no whole number")
    if isinstance(value, int | Decimal | float):
        return int(value)
    raise Failure("XPTY0004", f"{type(value).__name__} is no number")


def boolean(value: Any) -> bool:
    """Any atomic value as xs:boolean (a cast, not the effective boolean value)."""
    if isinstance(value, str):
        return boolean_of(value)
    if isinstance(value, int | Decimal | float):
        return bool(value) and value == value
    raise Failure("XPTY0004", "a date is no truth value")


def day(value: Any) -> Day:
    """Any atomic value as xs:date."""
    if isinstance(value, str):
        return day_of(value)
    if isinstance(value, Day):
        return value
    raise Failure("XPTY0004", f"{type(value).__name__} is no date")


# --- comparison -----------------------------------------------------------------------------------------

Compare = Callable[[Any, Any], bool]

COMPARE: dict[str, Compare] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class _Above:
    """The text NaN beside a number: Saxon has it greater than every number that is one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return bool(other == other)

    __hash__ = object.__hash__
    __le__ = __lt__
    __ge__ = __gt__


_ABOVE = _Above()
_BELOW_ZERO = -5e-324  # stands for -0.0, which Saxon has less than 0.0


def signed(number: float) -> float:
    """A double that compares as Saxon compares it with text: -0.0 is less than 0.0."""
    return number if number or math.copysign(1.0, number) > 0 else _BELOW_ZERO


@lru_cache(4096)
def _short_beside(text: str) -> Any:
    number = double_of(text)
    return signed(number) if number == number else _ABOVE


def beside_double(text: str) -> Any:
    """Untyped text in a general comparison with a double or a decimal number."""
    return _short_beside(text) if len(text) < 40 else _short_beside.__wrapped__(text)


def beside_whole(text: str) -> Any:
    """The same with a whole number, beside which a whole -0 is 0."""
    number = beside_double(text)
    return 0.0 if number == _BELOW_ZERO and _integer_form(text.strip(_SPACE)) else number


def _alike(a: Any, b: Any, *, general: bool) -> tuple[Any, Any]:
    """Both values as of one type that compares; a general comparison casts untyped ones to the other."""
    if type(a) is Untyped:
        if general and not isinstance(b, str):
            return _cast_like(a, b)
        a = str(a)
    if type(b) is Untyped:
        if general and not isinstance(a, str):
            one, other = _cast_like(b, a)
            return other, one
        b = str(b)
    if isinstance(a, str) and isinstance(b, str):
        return a, b
    if is_number(a) and is_number(b):
        return (double(a), double(b)) if isinstance(a, float) or isinstance(b, float) else (a, b)
    if type(a) is type(b) and isinstance(a, bool | Day):
        return a, b
    raise Failure("XPTY0004", f"{_kind(a)} does not compare with {_kind(b)}")


def _cast_like(untyped: str, other: Any) -> tuple[Any, Any]:
    if isinstance(other, bool):
        return boolean_of(untyped), other
    if isinstance(other, Day):
        return day_of(untyped), other
    beside = beside_whole if isinstance(other, int) else beside_double
    return beside(untyped), signed(double(other))


def _kind(value: Any) -> str:
    names: dict[type, str] = {str: "text", bool: "a truth value", Day: "a date"}
    return names.get(type(value), "a number")


def general(op: str, left: Iterable[Any], right: Iterable[Any]) -> bool:
    """A general comparison of two atomised sequences."""
    others = list(right)
    compare = COMPARE[op]
    return any(compare(*_alike(a, b, general=True)) for a in left for b in others)


def value(op: str, left: Any, right: Any) -> bool:
    """A value comparison of two atomic values."""
    return COMPARE[op](*_alike(left, right, general=False))


# --- arithmetic ------------------------------------------------------------------------------------------


def divide(a: Decimal | int, b: Decimal | int) -> Decimal:
    """The decimal quotient."""
    a, b = Decimal(a), Decimal(b)
    if not b:
        raise Failure("FOAR0001", "division by zero")
    try:
        quotient = _SHORT.divide(a, b)
    except Inexact:
        return _long_quotient(a, b)
    return quotient if _exponent(quotient) >= -_QUOTIENT_PLACES else _long_quotient(a, b)


def _long_quotient(a: Decimal, b: Decimal) -> Decimal:
    places = max(_QUOTIENT_PLACES, -_exponent(a), -_exponent(b))
    whole, rest = EXACT.divmod(a.scaleb(places, EXACT), b)
    if 2 * abs(rest) > abs(b):  # half is rounded towards zero
        whole = whole + (1 if (a > 0) == (b > 0) else -1)
    return whole.scaleb(-places, EXACT)


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def round_half_up(number: Any) -> Any:
    """fn:round: halves go towards positive infinity."""
    if isinstance(number, Decimal):
        return (number + _HALF).to_integral_value(ROUND_FLOOR)
    if isinstance(number, float):
        if math.isnan(number) or math.isinf(number) or number == 0 or abs(number) > 2**52:
            return number
        rounded = float(math.floor(number + 0.5)) if abs(number) != 0.49999999999999994 else 0.0
        return math.copysign(rounded, number) if rounded == 0 else rounded
    return number


def _operand(value: Any) -> Any:
    if isinstance(value, str):
        if type(value) is not Untyped:
            raise Failure("XPTY0004", "text is no number")
        return double_of(value)
    if not is_number(value):
        raise Failure("XPTY0004", f"{_kind(value)} is no number")
    return value


def arithmetic(op: str, a: Any, b: Any) -> Any:
    """An operation on two atomic values."""
    a, b = _operand(a), _operand(b)
    if isinstance(a, float) or isinstance(b, float):
        return _double_arithmetic(op, double(a), double(b))
    return _exact_arithmetic(op, a, b)


def _exact_arithmetic(op: str, a: Any, b: Any) -> Any:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "div":
        return divide(a, b)
    if not b:
        raise Failure("FOAR0001", "division by zero")
    whole = _cut(a, b)
    return whole if op == "idiv" else a - b * whole


def _cut(a: Any, b: Any) -> int:
    whole = abs(a) // abs(b)
    return int(whole) if (a >= 0) == (b >= 0) else -int(whole)


def _double_arithmetic(op: str, a: float, b: float) -> float | int:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "div":
        return _double_quotient(a, b)
    if op == "mod":
        return math.fmod(a, b) if b and not math.isinf(a) else math.nan
    if not b or math.isnan(a) or math.isnan(b) or math.isinf(a):
        raise Failure("FOAR0001" if not b else "FOAR0002", "no whole quotient")
    return int(a / b)


def _double_quotient(a: float, b: float) -> float:
    if b:
        return a / b
    if not a or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1, b)


def total(values: Iterable[Any]) -> Any:
    """fn:sum of atomised values; the whole number 0 of none."""
    result: Any = 0
    for number, item in enumerate(values):
        result = _operand(item) if not number else arithmetic("+", result, item)
    return result


def failed(error: Exception) -> str:
    """What went wrong, in words; for errors of the standard and of Python's arithmetic alike."""
    if isinstance(error, Failure):
        return str(error)
    if isinstance(error, DecimalException):
        return f"a figure of more than {_DIGITS} digits (FOAR0002)"
    if isinstance(error, RecursionError):
        return "a function that calls itself too often (XTDE0000)"
    return f"{type(error).__name__}: {error}"
