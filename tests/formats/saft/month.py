"""A company's March as a SAF-T file: invoices, payments and a credit note, made by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

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
    Totals,
    Transaction,
    Version,
)
from o2c.order import Tax, VatCategory
from o2c.party import Address

RECEIVABLE, BANK, SALES, VAT = "1500", "1920", "3000", "2740"
JOURNALS = (Journal("SALES", "Utgående faktura"), Journal("BANK", "Innbetalinger", "GL"))
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def header(version: Version = Version.V1_40) -> Header:
    return Header(
        registration_number="999999999",
        company_name="Fjord & Fjell AS",
        contact=Contact("Nordmann", "Kari", "+47 22 00 00 00", "kari@example.no"),
        created_on=date(2026, 4, 2),
        selection_start=MARCH[0],
        selection_end=MARCH[1],
        software_company="o2c",
        software_id="o2c gateway",
        software_version="0.1.0",
        version=version,
        address=Address("NO", street="Storgata 1", city="Oslo", postcode="0155"),
        vat_number="999999999MVA",
        comment="Receivables sub-ledger only",
        other_criteria=("Sub-ledger of one system",),
    )


def invoice(number: int, customer: str, net: int, on: date = MARCH[0]) -> Transaction:
    """Net plus 25 % VAT, in øre."""
    tax = (net * 25 + 50) // 100
    name = f"INV-{number}"
    return Transaction(
        name, "SALES", on, on, on, f"Faktura {number} <Ωμέγα> & 東京",
        (
            Line("1", RECEIVABLE, name, debit_minor=net + tax, customer_id=customer, reference_number=name,
                 cid=f"{number:07d}", due_on=date(2026, 4, 14)),
            Line("2", SALES, name, credit_minor=net, tax=LineTax("3", net, tax, Decimal(25))),
            Line("3", VAT, name, credit_minor=tax),
        ),
        voucher_type="Faktura",
    )  # fmt: skip


def swapped(transaction: Transaction) -> Transaction:
    """The credit note of an invoice (F14): the same lines on the other side."""
    lines = tuple(
        replace(line, debit_minor=line.credit_minor, credit_minor=line.debit_minor)
        for line in transaction.lines
    )
    return replace(transaction, transaction_id=f"CN-{transaction.transaction_id}", lines=lines)


def payment(number: int, customer: str, amount: int, on: date = MARCH[1]) -> Transaction:
    return Transaction(
        f"PAY-{number}", "BANK", on, on, on, "Innbetaling",
        (
            Line("1", BANK, "Innbetaling", debit_minor=amount),
            Line("2", RECEIVABLE, "Innbetaling", credit_minor=amount, customer_id=customer,
                 cross_reference=f"INV-{number}"),
        ),
    )  # fmt: skip


def payment_in_euro(customer: str) -> Transaction:
    """100.00 EUR at 11.7325 is 1173.25 NOK."""
    bank = Line(
        "1", BANK, "EUR", debit_minor=117_325, currency="EUR", currency_minor=10_000,
        exchange_rate=Decimal("11.7325"),
    )  # fmt: skip
    claim = Line("2", RECEIVABLE, "EUR", credit_minor=117_325, customer_id=customer)
    return Transaction("PAY-EUR", "BANK", MARCH[1], MARCH[1], MARCH[1], "Innbetaling", (bank, claim))


def month(
    transactions: Sequence[Transaction],
    *,
    opening: dict[str, int] | None = None,
    version: Version = Version.V1_40,
) -> AuditFile:
    """The file whose totals and balances are those of ``transactions``; ``opening`` by customer."""
    opening = opening or {}
    lines = [line for transaction in transactions for line in transaction.lines]
    customers = sorted({line.customer_id for line in lines if line.customer_id} | set(opening))
    accounts = []
    for row in DEFAULT_CHART.values():
        start = sum(opening.values()) * {RECEIVABLE: 1, SALES: -1}.get(row.account_id, 0)
        moved = sum(
            line.debit_minor - line.credit_minor for line in lines if line.account_id == row.account_id
        )
        accounts.append(row.with_balances(start, start + moved))
    return AuditFile(
        header=header(version),
        accounts=tuple(accounts),
        customers=tuple(_customer(each, opening.get(each, 0), lines) for each in customers),
        tax_codes=(
            tax_code(Tax(VatCategory.STANDARD, Decimal(25))),
            tax_code(Tax(VatCategory.OUTSIDE_SCOPE)),
        ),
        journals=JOURNALS,
        totals=Totals(
            len(transactions),
            sum(each.debit_minor for each in lines),
            sum(each.credit_minor for each in lines),
        ),
    )


def _customer(customer_id: str, opening: int, lines: Sequence[Line]) -> CustomerBalance:
    moved = sum(line.debit_minor - line.credit_minor for line in lines if line.customer_id == customer_id)
    return CustomerBalance(
        customer_id,
        f"Kunde {customer_id}",
        (AccountBalance(RECEIVABLE, opening, opening + moved),),
        Address("NO", city="Bergen"),
        payment_days=14,
    )


def march() -> list[Transaction]:
    """Three invoices, a credit note, a payment in kroner and one in euro."""
    invoices = [invoice(1, "C-1", 10_000), invoice(2, "C-2", 123_457), invoice(3, "C-1", 1)]
    return [*invoices, swapped(invoices[2]), payment(1, "C-1", 12_500), payment_in_euro("C-2")]
