"""What orders, customers and products must satisfy before a stage sees them.

The codec proves their shape; this proves that they mean something and fit the columns they go to,
so that both databases treat them alike. All faults are collected. The limits are also in the
published schema (``schema.LIMITS``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from gateway.http.fields import EXTERNAL_LIMIT, ID_LIMIT
from gateway.store.customers import keys_of
from o2c.errors import Fault, Refused
from o2c.money import Money, minor_digits
from o2c.order import AllowanceCharge, Customer, Order, OrderLine, Product
from o2c.party import Address, Identifier, Party
from o2c.stock import PRIORITIES

MOST = Decimal(10) ** 12  # of a price, a quantity, an amount: far below what the columns hold
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_KEY_LIMIT = 200  # customer_key.key
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,39}\Z", re.ASCII)
_LONGEST_TERM = 3650  # days to pay
_LONGEST_GRACE = 365


def order(one: Order) -> None:
    """Raises ``Refused('order-invalid')`` with every fault of the order."""
    _refuse("order-invalid", _order_faults(one))


def customer(one: Customer, currency: str) -> None:
    """Raises ``Refused('customer-invalid')``; ``currency`` is that of the company's books."""
    _refuse("customer-invalid", _customer_faults(one, currency))


def product(one: Product) -> None:
    """Raises ``Refused('product-invalid')`` with every fault of the product."""
    _refuse("product-invalid", _product_faults(one))


def limit_faults(limit: Money, currency: str, pointer: str) -> Iterator[Fault]:
    """A credit limit is kept in minor units of the company's currency."""
    if limit.currency != currency:
        yield Fault(f"{pointer}/currency", "currency", f"must be {currency}, the currency of the books.")
    scaled = limit.amount.scaleb(minor_digits(currency))
    if not 0 <= limit.amount <= MOST or scaled != int(scaled):
        yield Fault(f"{pointer}/amount", "number", f"must be 0 to {MOST:f}, no finer than {currency} is.")


def amount(asked: Money, pointer: str) -> None:
    """Raises ``Refused('request-invalid')`` for an amount no currency unit can carry."""
    scaled = (
        asked.amount.scaleb(minor_digits(asked.currency)) if abs(asked.amount) <= MOST else Decimal("0.5")
    )
    if not 0 < asked.amount <= MOST or scaled != int(scaled):
        told = f"must be above 0, at most {MOST:f}, no finer than {asked.currency} is."
        _refuse("request-invalid", [Fault(f"{pointer}/amount", "number", told)])


def _refuse(code: str, found: Iterable[Fault]) -> None:
    faults = list(found)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused(code, f"{faults[0].pointer}: {faults[0].message}{more}", faults=faults)


def _order_faults(one: Order) -> Iterator[Fault]:
    yield from _length(one.source, "/source", ID_LIMIT)
    yield from _length(one.external_id, "/external_id", EXTERNAL_LIMIT)
    yield from _length(one.document_id, "/document_id", EXTERNAL_LIMIT)
    if one.customer_id is not None:
        yield from _length(one.customer_id, "/customer_id", ID_LIMIT)
    if not _CURRENCY.match(one.currency):
        yield Fault("/currency", "currency", "must be an ISO 4217 code such as EUR.")
    yield from _party(one.buyer, "/buyer")
    yield from _party(one.seller, "/seller")
    yield from _party(one.invoicee, "/invoicee")
    yield from _address(one.delivery.address, "/delivery/address")
    yield from _identifier(one.delivery.location_id, "/delivery/location_id")
    if not one.lines:
        yield Fault("/lines", "missing", "the order has no lines.")
    known: set[str] = set()
    for place, line in enumerate(one.lines):
        yield from _line(line, f"/lines/{place}")
        if line.line_id in known:
            yield Fault(f"/lines/{place}/line_id", "repeated", f"line {line.line_id} is there twice.")
        known.add(line.line_id)
    yield from _amounts(one.allowance_charges, "/allowance_charges")


def _line(line: OrderLine, at: str) -> Iterator[Fault]:
    if not 0 < len(line.line_id) <= ID_LIMIT:
        yield from _length(line.line_id, f"{at}/line_id", ID_LIMIT)
    if not line.name:
        yield Fault(f"{at}/name", "missing", "the line does not say what is ordered.")
    if not 0 < line.quantity.value <= MOST:
        yield Fault(f"{at}/quantity/value", "number", "must be above 0 and not beyond all measure.")
    if not 0 < len(line.quantity.unit) <= 3:
        yield Fault(f"{at}/quantity/unit", "unit", "must be a UN/ECE Recommendation 20 code such as C62.")
    if not 0 <= line.net_price <= MOST:
        yield Fault(f"{at}/net_price", "number", f"must be 0 to {MOST:f}.")
    if not 0 < line.price_base <= MOST:
        yield Fault(f"{at}/price_base", "number", f"must be above 0, at most {MOST:f}.")
    if line.standard_item_id is not None:
        yield from _identifier(line.standard_item_id, f"{at}/standard_item_id")
    if line.allowance_charges:
        yield from _amounts(line.allowance_charges, f"{at}/allowance_charges")


def _amounts(extras: Iterable[AllowanceCharge], at: str) -> Iterator[Fault]:
    for place, extra in enumerate(extras):
        if not 0 <= extra.amount <= MOST:
            yield Fault(f"{at}/{place}/amount", "number", f"must be 0 to {MOST:f}.")


def _party(who: Party | None, at: str) -> Iterator[Fault]:
    if who is None:
        return
    if not who.name:
        yield Fault(f"{at}/name", "missing", "the party has no name.")
    yield from _address(who.address, f"{at}/address")
    yield from _identifier(who.endpoint, f"{at}/endpoint")
    yield from _identifier(who.legal_id, f"{at}/legal_id")
    for place, identifier in enumerate(who.identifiers):
        yield from _identifier(identifier, f"{at}/identifiers/{place}")
    if any(len(key) > _KEY_LIMIT for key in keys_of(who)):
        yield Fault(at, "too-long", f"an identifier is longer than {_KEY_LIMIT - 20} characters.")


def _address(where: Address | None, at: str) -> Iterator[Fault]:
    if where is not None and not _COUNTRY.match(where.country):
        yield Fault(f"{at}/country", "country", "must be an ISO 3166-1 code such as NO.")


def _identifier(identifier: Identifier | None, at: str) -> Iterator[Fault]:
    if identifier is not None and not identifier.value:
        yield Fault(f"{at}/value", "missing", "the identifier is empty.")


def _length(value: str, at: str, limit: int) -> Iterator[Fault]:
    if not value:
        yield Fault(at, "missing", "must not be empty.")
    elif len(value) > limit:
        yield Fault(at, "too-long", f"has {len(value)} characters; at most {limit} are kept.")


def _customer_faults(one: Customer, currency: str) -> Iterator[Fault]:
    yield from _length(one.customer_id, "/customer_id", ID_LIMIT)
    yield from _party(one.party, "/party")
    if one.channel not in ("folder", "mail"):
        yield Fault("/channel", "choice", f'must be "folder" or "mail", not {one.channel[:40]!r}.')
    if one.risk_class not in ("A", "B", "C"):
        yield Fault("/risk_class", "choice", f"must be A, B or C, not {one.risk_class[:40]!r}.")
    if one.priority not in PRIORITIES:
        yield Fault("/priority", "choice", f"must be high, normal or low, not {one.priority[:40]!r}.")
    if one.group_id is not None:
        yield from _length(one.group_id, "/group_id", ID_LIMIT)
    if not 0 <= one.terms_days <= _LONGEST_TERM:
        yield Fault("/terms_days", "number", f"must be 0 to {_LONGEST_TERM}.")
    if not 0 <= one.grace_days <= _LONGEST_GRACE:
        yield Fault("/grace_days", "number", f"must be 0 to {_LONGEST_GRACE}.")
    for place, account in enumerate(one.ibans):
        if not ACCOUNT.match(account):
            yield Fault(f"/ibans/{place}", "account", "must be an IBAN, or the bank's own account number.")
    if one.credit_limit is not None:
        yield from limit_faults(one.credit_limit, currency, "/credit_limit")


def _product_faults(one: Product) -> Iterator[Fault]:
    yield from _length(one.product_id, "/product_id", ID_LIMIT)
    if not one.name:
        yield Fault("/name", "missing", "the product has no name.")
    if not 0 < len(one.unit) <= 3:
        yield Fault("/unit", "unit", "must be a UN/ECE Recommendation 20 code such as C62.")
    yield from _identifier(one.standard_id, "/standard_id")
    if one.standard_id is not None and len(_key(one.standard_id)) > ID_LIMIT:
        yield Fault("/standard_id", "too-long", f"scheme and value have more than {ID_LIMIT - 1} characters.")


def _key(identifier: Identifier) -> str:
    return f"{identifier.scheme or ''}:{identifier.value}"
