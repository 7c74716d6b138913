"""The small words of UBL as text: one element, one identifier, one amount.

Governed by UBL 2.1 and EN 16931-1 section 6 (decimals). Each function gives the text of an
element and its line end, or nothing where there is nothing to say: an empty element is an error
of its own (PEPPOL-EN16931-R008). Text is always escaped here, so callers cannot forget it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from formats.ubl.paths import CAC, CBC, ubl_namespace
from formats.xml import attribute, text
from o2c.errors import Refused
from o2c.money import plain
from o2c.order import Tax, VatCategory
from o2c.party import Identifier

VAT_SCHEME = "<cac:TaxScheme>\n<cbc:ID>VAT</cbc:ID>\n</cac:TaxScheme>\n"


def document(root: str, body: str) -> bytes:
    """The whole document: declaration, root element with its namespaces, ``body``."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{ubl_namespace(root)}" '
        f'xmlns:cac="{CAC}" xmlns:cbc="{CBC}">\n{body}</{root}>\n'
    ).encode()


def element(name: str, value: str | None) -> str:
    """``<cbc:name>value</cbc:name>``; nothing for None or blank text."""
    if not value or value.isspace():
        return ""
    return f"<cbc:{name}>{text(value)}</cbc:{name}>\n"


def needed(name: str, value: str, what: str) -> str:
    """The element, which must be there: raises ``Refused('missing')`` naming ``what``."""
    found = element(name, value)
    if not found:
        raise Refused("missing", f"{what} is missing: the document cannot be written without it.")
    return found


def wrapped(name: str, body: str) -> str:
    """``<cac:name>body</cac:name>``; nothing around nothing."""
    return f"<cac:{name}>\n{body}</cac:{name}>\n" if body else ""


def identifier(name: str, value: Identifier | None) -> str:
    """An identifier with its scheme."""
    if value is None or not value.value or value.value.isspace():
        return ""
    scheme = f' schemeID="{attribute(value.scheme)}"' if value.scheme else ""
    return f"<cbc:{name}{scheme}>{text(value.value)}</cbc:{name}>\n"


def checked_currency(currency: str) -> str:
    """The ISO 4217 code, safe to write anywhere; raises ``Refused('currency')``."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise Refused("currency", f"{currency!r} is no ISO 4217 currency code such as EUR.")
    return currency


def amount(name: str, value: Decimal, currency: str) -> str:
    """An amount with its currency (one that ``checked_currency`` let pass)."""
    return f'<cbc:{name} currencyID="{currency}">{two_decimals(value)}</cbc:{name}>\n'


def two_decimals(value: Decimal) -> str:
    """An amount with two decimals, never rounded: a finer one is ``Refused('amount-digits')``."""
    written = format(value, "f")
    if written[-3:-2] == ".":  # by far the most amounts come this way
        return written
    whole, _, fraction = written.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > 2 or not value.is_finite():
        raise Refused("amount-digits", f"{written} has more than two decimals; EN 16931 allows two (BR-DEC).")
    return f"{whole}.{fraction:0<2}"


def number(value: Decimal) -> str:
    """A price, quantity or percentage in its shortest plain form; ``Refused('number')`` for NaN."""
    if not value.is_finite():
        raise Refused("number", f"{value} is not a number a document can carry.")
    return plain(value)


@lru_cache(maxsize=256)  # a company uses a handful of rates, an invoice repeats one on every line
def tax_category(
    name: str, tax: Tax, reason_code: str | None = None, reason: str | None = None, *, rated: bool = False
) -> str:
    """A VAT category (BG-23, BG-30). Category O carries no rate (BR-O-05) unless it is to be ``rated``."""
    unrated = tax.category is VatCategory.OUTSIDE_SCOPE and not rated
    rate = "" if unrated else element("Percent", number(tax.rate))
    why = element("TaxExemptionReasonCode", reason_code) + element("TaxExemptionReason", reason)
    return wrapped(name, element("ID", tax.category.value) + rate + why + VAT_SCHEME)
