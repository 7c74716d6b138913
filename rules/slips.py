"""What people write into a cell by habit, and what to write instead.

A decimal comma, a euro sign, ``=>``, ``Ja``, a range with a dash: each is recognised and answered with
the text that would be right. Only for messages: nothing here makes a wrong cell mean something.
"""

from __future__ import annotations

import re

from o2c.country import COUNTRIES
from o2c.money import minor_digits
from rules.document import unknown
from rules.vocabulary import Fact, Kind

_SIGNS = {"=>": ">=", "=<": "<=", "==": "=", "≥": ">=", "≤": "<=", "≧": ">=", "≦": "<="}
_UNEQUAL = ("!=", "<>", "≠")
_YES = frozenset("yes y ja j true oui sim on 1 x".split())
_NO = frozenset("no n nein nei false non off 0".split())
_QUOTES = "“”„‟«»‘’‚‹›\"'`´"
_FIGURE = r"-?[0-9]+(?:[.,][0-9]+)*(?: ?(?:%|d|days?|[A-Z]{3}|€))?"
_DASH = r"(?:\.{2,}| - |-|–|—| to | bis | til | and | und | og )"
_RANGE = re.compile(rf"\s*({_FIGURE})\s*{_DASH}\s*({_FIGURE})\s*")
_LIST = re.compile(rf"[\[(]\s*({_FIGURE})\s*(?:{_DASH}|,)\s*({_FIGURE})\s*[\])]")
_INTERVAL = re.compile(r"[\[(][^.]*(?:\.[^.]+)*\.\.[^.].*[\])]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}")
_NUMBER = re.compile(r"(-?)\D{0,4}?([0-9](?:[0-9., '’\u00a0\u202f]*[0-9])?)\s*(\D*)")
_LIKE = {
    Kind.DAYS: "a number of days like 14",
    Kind.MONEY: "an amount like 500.00",
    Kind.PERCENT: "a share like 110 %",
    Kind.QUANTITY: "a quantity like 10 or 2.5",
    Kind.COUNT: "a whole number like 3",
}


def cell(fact: Fact, text: str, currency: str | None) -> str | None:
    """What is wrong with a whole cell whose form is a known slip; None where it is none."""
    if text.strip(_QUOTES) != text:
        bare = text.strip(_QUOTES + " ")
        return f'{text!r} carries quotation marks of its own; write it between straight ones: "{bare}".'
    sign = next((wrong for wrong in (*_SIGNS, *_UNEQUAL) if text.startswith(wrong)), None)
    if sign:
        rest = text.removeprefix(sign).strip()
        right = f"{_SIGNS[sign]} {rest}" if sign in _SIGNS else f"not {rest}"
        return f'{sign} is no sign here: write "{right}".'
    between = _RANGE.fullmatch(text) or (None if _INTERVAL.fullmatch(text) else _LIST.fullmatch(text))
    if between and not fact.words:
        ends = (_mended(fact, end, currency) or end for end in between.groups())
        return f'{text!r}: a range is written "[{" .. ".join(ends)}]".'
    return None


def comma(fact: Fact, text: str, currency: str | None) -> str:
    """What to write instead of a cell with a comma that parts nothing."""
    if fact.words:
        return f"{text!r}: alternatives are parted by a comma and a blank: {', '.join(text.split(','))}."
    sign, figure = _parted(text)
    mended = _mended(fact, figure, currency)
    if mended is None:
        return f"{text!r}: alternatives are parted by a comma and a blank; numbers have no comma."
    why = "a decimal point and no thousands separator"
    return f"{text!r}: {fact.name} takes numbers with {why}: write {_quoted(sign, mended)}."


def wanted(fact: Fact, text: str, currency: str | None) -> str:
    """``an amount like 500.00, not 'much'``, and the right text where it can be guessed."""
    start = f"{_LIKE[fact.kind]}, not {text[:60]!r}"
    if _DATE.fullmatch(text):
        return f"{start}, which is a date"
    mended = _mended(fact, text, currency)
    return f"{start}: write {mended}" if mended and mended != text else start


def unit(fact: Fact, text: str, currency: str | None) -> str:
    """What to write instead of a figure with a wrong unit or none."""
    if _DATE.fullmatch(text):
        return f"{fact.name} takes {_LIKE[fact.kind]}, not {text!r}, which is a date."
    named = re.search(r"[A-Z]{3}$", text)
    if fact.kind is Kind.MONEY and named and named[0] != currency:
        if currency is None:
            tell = f"write 'currency: {named[0]}' at the top of the file, or the amount alone"
            return f"{fact.name}: {text!r} names a currency and the file names none; {tell}."
        tell = f"amounts here are in {currency}, the currency at the top of the file"
        return f"{fact.name}: {text!r} is in {named[0]}; {tell}."
    mended = _mended(fact, text, currency)
    example = {Kind.DAYS: "14 or 14 d", Kind.MONEY: "500.00", Kind.PERCENT: "110 %", Kind.QUANTITY: "10",
               Kind.COUNT: "3"}  # fmt: skip
    measure = {Kind.DAYS: "in days", Kind.MONEY: f"in {currency or fact.unit}", Kind.PERCENT: "in %",
               Kind.QUANTITY: f"in {fact.unit}", Kind.COUNT: f"in {fact.unit}"}[fact.kind]  # fmt: skip
    return f"{fact.name} is {measure}: write {mended or example[fact.kind]}, not {text[:60]!r}."


def word(fact: Fact, text: str) -> str:
    """What to write instead of a word that the fact does not have."""
    if fact.kind is Kind.BOOL:
        low = text.lower()
        guess = "yes" if low in _YES else "no" if low in _NO else None
        return f"write {guess}, not {text[:60]!r}." if guess else unknown(text, "value", fact.words)
    if fact.choices == COUNTRIES:
        code = text.upper()
        hint = (
            f"did you mean {code}?" if code in COUNTRIES else "write its two letters, such as NO for Norway."
        )
        return f"{text[:60]!r} is no country code; {hint}"
    return unknown(text, "value", fact.words)


def _parted(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(<=|>=|<|>|=)?\s*(.+)", text)
    return (match[1] or "", match[2]) if match else ("", text)


def _quoted(sign: str, figure: str) -> str:
    return f'"{sign} {figure}"' if sign else figure


def _mended(fact: Fact, text: str, currency: str | None) -> str | None:
    """The figure as it should be written, if it is clear which one was meant."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or fact.kind not in _LIKE:
        return None
    whole, decimals = _split(re.sub(r"[ '’\u00a0\u202f]", "", match[2]))
    if fact.kind is Kind.DAYS:
        return f"{match[1]}{whole} d" if not decimals.strip("0") else None
    if fact.kind is Kind.MONEY:
        digits = minor_digits(currency) if currency else 2
        decimals = decimals.ljust(digits, "0") if len(decimals) <= digits else decimals
    number = f"{match[1]}{whole}{'.' if decimals else ''}{decimals}"
    return f"{number} %" if fact.kind is Kind.PERCENT else number


def _split(number: str) -> tuple[str, str]:
    """Whole part and decimals: the last of ``.`` and ``,`` is the decimal sign unless it parts thousands."""
    at = max(number.rfind("."), number.rfind(","))
    if at < 0:
        return number, ""
    mark, tail = number[at], number[at + 1 :]
    other = "," if mark == "." else "."
    thousands = len(tail) == 3 and other not in number and (mark == "," or number.count(mark) > 1)
    if thousands:
        return re.sub(r"[.,]", "", number), ""
    return re.sub(r"[.,]", "", number[:at]), tail
