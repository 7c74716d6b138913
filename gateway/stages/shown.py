"""What became of each payment, as plain data: one line each, with rule, evidence and allocations.

Amounts are text in major units ("12.34"): those of allocations in the items' currency, the rest in
the payment's. Read only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row

from gateway.stages.batch import UNDONE
from gateway.stages.desk import Desk
from gateway.stages.explained import Explained, as_data, decisions_about
from gateway.store import allocations, bank, cash, statements
from gateway.store.allocations import Standing
from o2c.errors import NotFound
from o2c.matching.model import Outcome
from o2c.money import Money

_PIECE = 1000
_KEEPS = (Outcome.MATCH, Outcome.UNAPPLIED)


def lines(connection: Connection, company_id: str, rows: Iterable[Row[Any]]) -> Iterator[dict[str, Any]]:
    """One line for each stored payment, read some at a time."""
    source = iter(rows)
    while some := list(islice(source, _PIECE)):
        ids = [row.payment_id for row in some]
        standing = allocations.of_payments(connection, company_id, ids)
        numbers = {part.number for parts in standing.values() for part in parts}
        currencies = cash.currencies(connection, company_id, numbers)
        before = [row.of_payment_id for row in some if row.of_payment_id]
        marks = bank.transaction_marks(connection, company_id, before) if before else {}
        for row in some:
            parts = () if row.state == UNDONE else standing.get(row.payment_id, ())
            yield _line(row, parts, currencies, marks)


def of_file(connection: Connection, company_id: str, sha256: str) -> list[str]:
    """The statements of a file: those that stand, or all where every one is undone. ``NotFound('file')``."""
    rows = statements.statements_of_file(connection, company_id, sha256)
    if not rows:
        raise NotFound("file", f"no statement came in with a file of SHA-256 {sha256}.")
    standing = [row.statement_id for row in rows if row.undone_at is None]
    return standing or [row.statement_id for row in rows]


def _line(
    row: Row[Any], parts: Sequence[Standing], currencies: Mapping[str, str], marks: Mapping[str, str]
) -> dict[str, Any]:
    body, told = json.loads(row.body), json.loads(row.explanation or "{}")
    currency = row.currency
    theirs = currencies.get(parts[0].number, currency) if parts else currency
    left = row.unallocated_minor if row.decision in _KEEPS else 0
    if row.state == "returned":
        left = told.get("unapplied", 0)
    line = {
        "tx": row.bank_reference,
        "decision": row.decision,
        "rule": row.rule,
        "evidence": told.get("evidence", []),
        "alloc": [[part.number, text(part.amount, theirs), part.closes] for part in parts],
        "discount": text(row.discount_minor, theirs),
        "writeoff": text(row.write_off_minor, theirs),
        "charges": text(row.charges_minor, theirs),
        "unapplied": text(left, currency),
        "of": marks.get(row.of_payment_id) if row.decision == Outcome.RETURN else None,
        "payment_id": row.payment_id,
        "statement_id": row.statement_id,
        "account": row.account,
        "booked_on": row.booked_on,
        "amount": text(row.amount_minor, currency),
        "currency": currency,
        "items_currency": theirs,
        "is_credit": bool(row.is_credit),
        "unallocated": text(row.unallocated_minor, currency),
        "state": row.state,
        "customer_id": row.customer_id,
        "counterparty": body.get("counterparty"),
        "text": body.get("text"),
        "reason": row.reason,
        "words": told.get("words"),
        "of_payment_id": row.of_payment_id,
        "part_of": row.part_of_payment_id,
    }
    suggestions = [_suggestion(one, currency) for one in told.get("suggestions", ())]
    return line | ({"suggestions": suggestions} if suggestions and row.state == "unmatched" else {})


def _suggestion(one: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "customer_id": one["customer"],
        "score": one["score"],
        "alloc": [[number, text(minor, currency), closes] for number, minor, closes in one["parts"]],
        "evidence": one["evidence"],
    }


def text(minor: int, currency: str) -> str:
    """Minor units as plain text: ``12.34``."""
    return format(Money.from_minor(minor, currency).amount, "f")


@dataclass(frozen=True, slots=True)
class Told:
    """A payment explained: its line, each allocation with its evidence, and the rules' decisions."""

    line: dict[str, Any]
    allocations: list[dict[str, Any]]
    made: list[Explained]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """The rules' decisions as plain data."""
        return [dict(as_data(one)) for one in self.made]


def explain(desk: Desk, payment_id: str, language: str = "en") -> Told:
    """Everything about one payment; ``NotFound('payment')``."""
    with desk.database.read() as connection:
        row = bank.row(connection, desk.company_id, payment_id)
        (line,) = lines(connection, desk.company_id, [row])
        rows = allocations.rows_of(connection, desk.company_id, payment_id)
        currencies = cash.currencies(connection, desk.company_id, [one.invoice_number for one in rows])
    made = decisions_about(desk, payment_id, language)
    return Told(line, [_allocation(one, currencies) for one in rows], made)


def _allocation(row: Row[Any], currencies: Mapping[str, str]) -> dict[str, Any]:
    currency = currencies[row.invoice_number]
    return {
        "number": row.invoice_number,
        "amount": text(row.amount_minor, currency),
        "discount": text(row.discount_minor, currency),
        "writeoff": text(row.write_off_minor, currency),
        "charges": text(row.charges_minor, currency),
        "currency": currency,
        "closes": bool(row.closes),
        "rule": row.rule,
        "evidence": json.loads(row.evidence),
        "allocated_at": row.allocated_at,
        "entry_id": row.entry_id,
    }
