"""``o2c import``: files of customers, products, stock, receipts, orders, bank statements and rates.

Each record stands or falls alone and is named by file and line. A repeat changes nothing, so a file
that was stopped in the middle is simply imported again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings, following, problem_data
from gateway.cli.office import at_desk, for_company
from gateway.cli.statement import statement
from o2c.errors import O2CError, Refused

if TYPE_CHECKING:
    from gateway.cli.records import Record
    from gateway.stages.desk import Desk

_GROUP, _CUSTOMERS = 200, 5_000  # records that share one commit
_files = click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, path_type=Path),
)


@dataclass(frozen=True, slots=True)
class StockCount:
    """A line of a stock file: what is on hand in one warehouse."""

    product_id: str
    warehouse: str
    on_hand: Decimal
    rank: int = 0
    next_receipt_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A line of a receipts file: goods that are expected in one warehouse."""

    reference: str
    product_id: str
    warehouse: str
    quantity: Decimal
    expected_on: date


@dataclass(frozen=True, slots=True)
class RateLine:
    """A line of a rates file."""

    currency: str
    valid_on: date
    rate: Decimal


@dataclass(slots=True)
class _Tally:
    """What became of the records, told as they come."""

    talk: Talk
    counts: Counter[str] = field(default_factory=Counter)

    def told(self, path: Path, line: int | None, result: str, **data: Any) -> None:
        """One record that was taken."""
        self.counts[result] += 1
        self.talk.say({"file": str(path), "line": line, "result": result, **data})

    def refused(self, path: Path, line: int | None, error: O2CError) -> None:
        """One record that was not."""
        self.counts["refused"] += 1
        place = str(path) if line is None else f"{path}:{line}"
        self.talk.say(
            {"file": str(path), "line": line, "result": "refused", "problem": problem_data(error)},
            f"{place}: {error}",
        )

    def close(self) -> None:
        """The sum; exit code 1 if anything was refused."""
        words = ", ".join(f"{count} {result}" for result, count in self.counts.items())
        self.talk.note(words or "nothing to import")
        if self.counts["refused"]:
            findings()


@dataclass(frozen=True, slots=True)
class _Read:
    """A record as a value, or why it is none."""

    path: Path
    line: int
    value: Any = None
    error: O2CError | None = None


@click.group("import")
def imports() -> None:
    """Read files in. Repeating an import changes nothing."""


imports.add_command(statement)


@imports.command(
    epilog=example("o2c import customers customers.csv", "o2c import customers customers.jsonl --json")
)
@_files
@for_company
@answers_json
def customers(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Customers, as JSON or as CSV with columns such as party.name and credit_limit.amount, or plainly as
    {id, name, postcode, ibans}: then a customer who is here keeps the rest."""
    from gateway.cli.opening import is_plain, plain_customer
    from gateway.http import acceptable
    from gateway.stages import enrol
    from gateway.stages.bill import bill_again
    from o2c import leitweg
    from o2c.order import Customer

    def check(who: Customer) -> None:
        acceptable.customer(who, desk.company.currency)
        doubt = leitweg.doubt(who.leitweg_id) if who.leitweg_id else None
        if doubt:
            talk.note(f"customer {who.customer_id}: {doubt}")

    with at_desk(code) as (_house, desk):
        tally = _Tally(talk)
        whole = _decoding(Customer, "customer-invalid", check)

        def decode(record: Record) -> enrol.Named:
            if not is_plain(record.data):
                return enrol.Named(whole(record))
            who = plain_customer(record, desk.company.country)
            check(who)
            return enrol.Named(who, in_part=True)

        read = _read(paths, Customer, decode)
        _save_all(tally, read, lambda good: enrol.save_customers(desk, good), _CUSTOMERS)
        if tally.counts["updated"]:
            bill_again(desk)  # what stopped an invoice may be mended now
    tally.close()


@imports.command("open-items", epilog=example("o2c import open-items items.jsonl"))
@_files
@for_company
@answers_json
def open_items(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Open items of a former system, a JSON object a line: number, kind, customer, issued, due, open,
    currency, discount {percent, until}, reference. They are booked against the opening balance."""
    from gateway.cli.opening import import_items

    with at_desk(code) as (_house, desk):
        if not import_items(desk, talk, paths):
            findings()


@imports.command(epilog=example("o2c import products products.csv"))
@_files
@for_company
@answers_json
def products(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Products, as JSON or as CSV with columns such as product_id, name, unit, tax.category, tax.rate."""
    from gateway.http import acceptable
    from gateway.store import catalogue
    from o2c.order import Product

    with at_desk(code) as (_house, desk):
        tally = _Tally(talk)

        def save(connection: Any, good: Sequence[Any]) -> list[str]:
            return [
                "created" if catalogue.save(connection, desk.company_id, item) else "updated" for item in good
            ]

        read = _read(paths, Product, _decoding(Product, "product-invalid", acceptable.product))
        _save_all(tally, read, lambda good: desk.database.write(partial(save, good=good)), _GROUP)
    tally.close()


def _decoding(
    kind: type[Any], code: str, check: Callable[[Any], None] = lambda _value: None
) -> Callable[[Record], Any]:
    """Reads a record as our own JSON of ``kind``; raises ``Refused(code)``."""
    from formats import canonical

    def decode(record: Record) -> Any:
        value = canonical.decode(kind, record.data, code=code)
        check(value)
        return value

    return decode


def _read(paths: tuple[Path, ...], kind: type[Any], decode: Callable[[Record], Any]) -> Iterator[_Read]:
    from gateway.cli.records import records

    for path in paths:
        try:
            for record in records(path, kind):
                try:
                    value = decode(record)
                except Refused as error:
                    yield _Read(path, record.line, error=error)
                else:
                    yield _Read(path, record.line, value)
        except Refused as error:
            yield _Read(path, 0, error=error)


def _save_all(
    tally: _Tally, read: Iterator[_Read], save: Callable[[list[Any]], Sequence[str]], size: int
) -> None:
    """Save the good ones in groups with one commit each."""
    source = following("importing", read)
    while group := list(islice(source, size)):
        good = [one.value for one in group if one.error is None]
        results = iter(save(good) if good else ())
        for one in group:
            if one.error is not None:
                tally.refused(one.path, one.line or None, one.error)
            else:
                tally.told(one.path, one.line, next(results), id=_name_of(one.value))


def _name_of(value: Any) -> str:
    return str(getattr(value, "customer_id", None) or value.product_id)


@imports.command(epilog=example("o2c import stock stock.csv   # product_id,warehouse,on_hand"))
@_files
@for_company
@answers_json
def stock(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Stock counts: product_id, warehouse, on_hand, and if you like rank and next_receipt_on."""
    from gateway.stages.fulfil import count_stock

    def each(desk: Desk, count: StockCount) -> str:
        count_stock(
            desk,
            count.product_id,
            count.warehouse,
            count.on_hand,
            rank=count.rank,
            next_receipt_on=count.next_receipt_on,
        )
        return f"{count.product_id} {count.warehouse}"

    _one_by_one(paths, StockCount, code, talk, each)


@imports.command(
    epilog=example("o2c import receipts receipts.csv   # reference,product_id,warehouse,quantity,expected_on")
)
@_files
@for_company
@answers_json
def receipts(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Goods that are expected. A known reference changes, as long as its goods have not come."""
    from gateway.http.acceptable import MOST
    from gateway.stages import restock
    from gateway.store.receipts import Receipt

    def each(desk: Desk, line: ReceiptLine) -> str:
        if not 0 < line.quantity <= MOST or "/" in line.reference or not line.reference:
            raise Refused("receipt", "the quantity must be above 0, and the reference without a slash.")
        expected = Receipt(line.reference, line.product_id, line.warehouse, line.quantity, line.expected_on)
        restock.announce(desk, expected)
        return line.reference

    _one_by_one(paths, ReceiptLine, code, talk, each)


@imports.command(epilog=example("o2c import rates rates.csv   # currency,valid_on,rate"))
@_files
@for_company
@answers_json
def rates(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Exchange rates: currency, valid_on, rate in the company's currency for one."""
    from gateway.cli.rates import check
    from gateway.store import companies

    def each(desk: Desk, one: RateLine) -> str:
        check(one.currency, one.rate, desk.company.currency)
        desk.database.write(
            lambda c: companies.put_rate(c, desk.company_id, one.currency, one.valid_on, one.rate)
        )
        return f"{one.currency} {one.valid_on}"

    _one_by_one(paths, RateLine, code, talk, each)


def _one_by_one(
    paths: tuple[Path, ...], kind: type, code: str | None, talk: Talk, each: Callable[[Desk, Any], str]
) -> None:
    tally = _Tally(talk)
    with at_desk(code) as (_house, desk):
        for one in following("importing", _read(paths, kind, _decoding(kind, "record-invalid"))):
            try:
                if one.error is not None:
                    raise one.error
                tally.told(one.path, one.line, "stored", id=each(desk, one.value))
            except Refused as error:
                tally.refused(one.path, one.line or None, error)
    tally.close()


@imports.command(epilog=example("o2c import orders inbox/", "o2c import orders orders.ndjson order.xml"))
@_files
@for_company
@answers_json
def orders(paths: tuple[Path, ...], code: str | None, talk: Talk) -> None:
    """Orders: Peppol BIS Order (.xml), our JSON (.json, .ndjson), or folders of such files."""
    from gateway.cli.incoming import accept, readings

    tally = _Tally(talk)
    with at_desk(code) as (_house, desk):
        source = following("importing", readings(desk, paths))
        while group := list(islice(source, _GROUP)):
            for one, result in accept(desk, group):
                if isinstance(result, O2CError):
                    tally.refused(one.path, one.line, result)
                else:
                    stored = result.stored
                    tally.told(
                        one.path,
                        one.line,
                        "known" if result.replayed else "stored",
                        id=stored.order_id,
                        state=stored.state,
                        external_id=stored.order.external_id,
                    )
                    if not result.replayed:
                        tally.counts[stored.state] += 1
    tally.close()
