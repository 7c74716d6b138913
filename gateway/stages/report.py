"""Report: what the tax office reads, and the figures of the month.

Both come from the same ledger and journal that made the invoices, on one read snapshot. The SAF-T
file is streamed and proved while it is written; making it is itself an event.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Connection

from formats.saft import audit_file
from formats.saft.chart import DEFAULT_CHART, tax_code
from formats.saft.records import (
    AccountBalance,
    AuditFile,
    Contact,
    CustomerBalance,
    Header,
    Journal,
    Line,
    LineTax,
    TaxCode,
    Totals,
    Transaction,
    Version,
)
from gateway.stages.desk import Desk
from gateway.store import bank, customers, figures, items, ledger, orders
from gateway.store.journal import Event
from o2c import dunning, kpi
from o2c.errors import Refused
from o2c.kpi import StageTime
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine
from o2c.money import Money, convert, round_half_up
from o2c.order import Tax

_JOURNALS = {
    EntryKind.INVOICE: Journal("INV", "Sales invoices"),
    EntryKind.CREDIT_NOTE: Journal("CRN", "Credit notes"),
    EntryKind.PAYMENT: Journal("BNK", "Incoming payments"),
    EntryKind.ALLOCATION: Journal("ALC", "Allocations"),
    EntryKind.REVERSAL: Journal("REV", "Reversals"),
    EntryKind.OPENING: Journal("OPN", "Opening balances"),
}
_SUBLEDGER = (Account.RECEIVABLE, Account.ADVANCES)
_RATE_DIGITS = 8  # as many decimals as version 1.30 takes
_SALES_DAYS = 90  # the window of days sales outstanding


def software_version() -> str:
    """The release that is running."""
    try:
        return version("o2c")
    except PackageNotFoundError:
        return "0.1.0"


# --- SAF-T ---------------------------------------------------------------------------------------
def saft(desk: Desk, first: date, last: date, saft_version: str = "1.40") -> tuple[str, Iterator[bytes]]:
    """(file name, chunks) of the SAF-T Financial file of the days ``first`` to ``last``.

    Raises ``Refused`` (``saft-*``) before or while it is read; what was received until then is to be
    thrown away. When the last chunk is out, ``ReportIssued`` is journalled with the file's SHA-256.
    """
    party = desk.company.profile.party
    if party.legal_id is None:
        raise Refused(
            "saft-F12",
            f"{desk.company_id} has no registration number.",
            next_step="Give the company its organisation number: o2c company describe",
        )
    name = audit_file.file_name(party.legal_id.value, desk.clock.now())
    return name, _stream(desk, first, last, Version(saft_version), name)


def _stream(desk: Desk, first: date, last: date, of: Version, name: str) -> Iterator[bytes]:
    digest, notes = hashlib.sha256(), list[str]()
    with desk.database.read() as connection:
        head = _audit_file(desk, connection, first, last, of)
        rows = ledger.raw_entries(connection, desk.company_id, first, last, by_kind=True)
        vouchers = (
            _transaction(
                header.entry_id, datetime.fromisoformat(header.posted_at), ledger.read_entry(header, lines)
            )
            for header, lines in rows
        )
        for chunk in audit_file.write(head, vouchers, notes=notes):
            digest.update(chunk)
            yield chunk
    data = {"file": name, "sha256": digest.hexdigest(), "from": first, "to": last, "notes": notes}
    event = Event("company", "ReportIssued", data)
    desk.database.write(lambda connection: desk.record(connection, desk.clock.now(), [event]))


def _audit_file(desk: Desk, connection: Connection, first: date, last: date, of: Version) -> AuditFile:
    """Everything that precedes the vouchers: one pass over the period's lines, and balances."""
    opening = ledger.balances(connection, desk.company_id, first)
    closing = ledger.balances(connection, desk.company_id, last + timedelta(days=1))
    used: dict[Tax, TaxCode] = {}
    totals = Totals(0, 0, 0)
    kinds: set[EntryKind] = set()
    for header, lines in ledger.raw_entries(connection, desk.company_id, first, last):
        entry = ledger.read_entry(header, lines)
        kinds.add(entry.kind)
        used |= {line.tax: tax_code(line.tax) for line in entry.lines if line.tax}
        totals = Totals(
            totals.transactions + 1,
            totals.debit_minor + sum(line.base_debit for line in entry.lines),
            totals.credit_minor + sum(line.base_credit for line in entry.lines),
        )
    return AuditFile(
        header=_header(desk, first, last, of),
        accounts=tuple(
            row.with_balances(opening.get(role, 0), closing.get(role, 0))
            for role, row in DEFAULT_CHART.items()
        ),
        customers=tuple(_customers(desk, connection, first, last)),
        tax_codes=tuple({code.code: code for code in used.values()}.values()),
        journals=tuple(journal for kind, journal in _JOURNALS.items() if kind in kinds),
        totals=totals,
    )


def _header(desk: Desk, first: date, last: date, of: Version) -> Header:
    party = desk.company.profile.party
    assert party.legal_id is not None
    contact = party.contact
    return Header(
        registration_number=party.legal_id.value,
        company_name=party.name,
        contact=Contact(contact.name or party.name, phone=contact.phone, email=contact.email),
        created_on=desk.clock.today(),
        selection_start=first,
        selection_end=last,
        software_company="o2c",
        software_id="o2c",
        software_version=software_version(),
        version=of,
        currency=desk.company.currency,
        address=party.address,
        vat_number=party.vat_id.removeprefix("NO") if party.vat_id else None,
        comment="Receivables sub-ledger: sales invoices and incoming payments",
        other_criteria=("Accounts receivable sub-ledger",),
    )


def _customers(desk: Desk, connection: Connection, first: date, last: date) -> Iterator[CustomerBalance]:
    """Customers with a balance or a movement (F11)."""
    opening = ledger.customer_balances(connection, desk.company_id, _SUBLEDGER, first)
    closing = ledger.customer_balances(connection, desk.company_id, _SUBLEDGER, last + timedelta(days=1))
    moved = ledger.customers_moved(connection, desk.company_id, first, last)
    accounts: dict[str, list[AccountBalance]] = {}
    for name, role in sorted(opening.keys() | closing.keys()):
        before, after = opening.get((name, role), 0), closing.get((name, role), 0)
        if before or after or (name, role) in moved:
            row = AccountBalance(DEFAULT_CHART[Account(role)].account_id, before, after)
            accounts.setdefault(name, []).append(row)
    for who in customers.named(connection, desk.company_id, accounts):
        yield CustomerBalance(
            who.customer_id,
            who.party.name,
            tuple(accounts[who.customer_id]),
            who.party.address,
            who.party.legal_id.value if who.party.legal_id else None,
            who.terms_days,
        )


def _transaction(entry_id: str, posted_at: datetime, entry: LedgerEntry) -> Transaction:
    vat = {line.tax: line for line in entry.lines if line.account is Account.VAT_OUTPUT}
    return Transaction(
        transaction_id=entry_id,
        journal_id=_JOURNALS[entry.kind].journal_id,
        on=entry.booked_on,
        entered_on=posted_at.date(),
        posted_on=entry.booked_on,
        description=entry.text or entry.document,
        lines=tuple(_line(entry, line, place, vat) for place, line in enumerate(entry.lines, start=1)),
    )


def _line(entry: LedgerEntry, line: LedgerLine, place: int, vat: Mapping[Tax | None, LedgerLine]) -> Line:
    foreign = entry.currency != entry.base_currency and line.amount != 0
    return Line(
        record_id=str(place),
        account_id=DEFAULT_CHART[line.account].account_id,
        description=entry.text or entry.document,
        debit_minor=line.base_debit,
        credit_minor=line.base_credit,
        customer_id=line.customer_id,
        tax=_line_tax(line, vat) if line.tax and line.account is not Account.VAT_OUTPUT else None,
        reference_number=line.invoice_number,
        currency=entry.currency if foreign else None,
        currency_minor=abs(line.amount) if foreign else None,
        exchange_rate=_line_rate(entry, line) if foreign else None,
    )


def _line_rate(entry: LedgerEntry, line: LedgerLine) -> Decimal:
    """The entry's rate, or the one at which this line was booked: a receivable leaves the books at
    the rate it came in with, whatever the rate of the day it is paid."""
    amount, base = abs(line.amount), abs(line.base_amount)
    if convert(amount, entry.currency, entry.rate, entry.base_currency) == base:
        return entry.rate
    booked = Money.from_minor(base, entry.base_currency).amount
    return round_half_up(booked / Money.from_minor(amount, entry.currency).amount, _RATE_DIGITS)


def _line_tax(line: LedgerLine, vat: Mapping[Tax | None, LedgerLine]) -> LineTax:
    assert line.tax is not None
    code = tax_code(line.tax)
    amount = abs(vat[line.tax].base_amount) if line.tax in vat else 0
    return LineTax(code.code, abs(line.base_amount), amount, code.rate)


# --- the figures of the month --------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage begins with one event of an order and ends with the first of some others."""

    name: str
    begins: str
    ends: frozenset[str]


_STAGES = (
    _Stage("approve", "OrderReceived", frozenset({"OrderApproved", "OrderRefused", "OrderCancelled"})),
    _Stage("fulfil", "StockReserved", frozenset({"GoodsShipped", "OrderCancelled"})),
    _Stage("bill", "GoodsShipped", frozenset({"InvoiceIssued"})),
    _Stage("send", "InvoiceIssued", frozenset({"InvoiceSent"})),
    _Stage("settle", "InvoiceSent", frozenset({"InvoicePaid"})),
)
_BY_HAND = frozenset({"BillingStopped", "SendFailed"})


def kpi_report(desk: Desk, first: date, last: date) -> dict[str, Any]:
    """The figures of orders received from ``first`` to ``last``; each definition is in ``o2c.kpi``.

    Amounts are text with their currency; times are whole seconds; None means nothing to measure.
    """
    today, currency = desk.clock.today(), desk.company.currency
    with desk.database.read() as connection:
        events = figures.order_events(connection, desk.company_id, first, last)
        decided = figures.human_decisions(connection, desk.company_id, first, last)
        unpaid = [one.item for one in items.open_items(connection, desk.company_id)]
        sales = figures.sales(connection, desk.company_id, today - timedelta(days=_SALES_DAYS), today)
        unbilled = orders.unbilled(connection, desk.company_id)
        payments = bank.counts(connection, desk.company_id)
    stages = kpi.stage_figures(_stage_times(events), desk.clock.now())
    worst = kpi.worst_queue(stages)
    receivables = sum(item.base_open for item in unpaid)
    received = payments.get("applied", 0) + payments.get("unmatched", 0)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "orders": len(events),
        "touchless_percent": _text(kpi.touchless_share(_touches(events, decided))),
        "matched_percent": _text(
            kpi.touchless_share([0] * payments.get("applied", 0) + [1] * payments.get("unmatched", 0))
        ),
        "payments": received,
        "stages": [asdict(stage) for stage in stages],
        "worst_queue": worst.stage if worst else None,
        "receivables": str(Money.from_minor(receivables, currency)),
        "ageing": {
            code: {bucket: str(Money.from_minor(minor, code)) for bucket, minor in asdict(buckets).items()}
            for code, buckets in dunning.ageing(unpaid, today).items()
        },
        "dso_days": kpi.days_sales_outstanding(receivables, sales, _SALES_DAYS),
        "shipped_not_invoiced": [
            {"shipment": one.shipment.shipment_id, "order": one.shipment.order_id, "billing": one.billing}
            for one in unbilled
        ],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


OrderEvents = Mapping[str, list[tuple[str, datetime]]]


def _touches(events: OrderEvents, decided: Counter[str]) -> Iterable[int]:
    """Human actions of each invoiced order between acceptance and delivery."""
    for order_id, happened in events.items():
        names = [name for name, _ in happened]
        if "InvoiceIssued" in names:
            yield decided[order_id] + sum(1 for name in names if name in _BY_HAND)


def _stage_times(events: OrderEvents) -> Iterator[StageTime]:
    for order_id, happened in events.items():
        for stage in _STAGES:
            entered = next((at for name, at in happened if name == stage.begins), None)
            if entered is not None:
                left = next((at for name, at in happened if name in stage.ends and at >= entered), None)
                yield StageTime(order_id, stage.name, entered, left)
