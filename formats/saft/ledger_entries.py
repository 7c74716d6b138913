"""``GeneralLedgerEntries``: the transactions, streamed.

Governed by the Norwegian SAF-T Financial schema 1.30 and 1.40, written in its order by plain
templates (ten times an XML builder). Transactions arrive grouped by journal; memory does not
grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from formats.saft.proof import Proof
from formats.saft.records import AuditFile, Journal, Line, LineTax, Transaction, Version
from formats.saft.text import LONG, LONGEST, MIDDLE, SHORT, Texts, amount, percentage
from o2c.errors import Broken, Refused
from o2c.money import minor_digits, plain


def ledger_entries(
    of: AuditFile, transactions: Iterable[Transaction], proof: Proof, texts: Texts
) -> Iterator[str]:
    """Each transaction is proved, then written; a journal may not come back once it is closed."""
    totals = of.totals
    yield (
        f"<GeneralLedgerEntries><NumberOfEntries>{totals.transactions}</NumberOfEntries>"
        f"<TotalDebit>{amount(totals.debit_minor)}</TotalDebit>"
        f"<TotalCredit>{amount(totals.credit_minor)}</TotalCredit>\n"
    )
    writer = _TransactionWriter(of, texts)
    waiting = {journal.journal_id: journal for journal in of.journals}
    current: str | None = None
    for transaction in transactions:
        proof.add(transaction)
        if transaction.journal_id != current:
            if current is not None:
                yield "</Journal>\n"
            current = transaction.journal_id
            yield _journal(waiting.pop(current, None), current, texts)
        yield writer.write(transaction)
    yield "</Journal>\n</GeneralLedgerEntries>\n" if current is not None else "</GeneralLedgerEntries>\n"


def _journal(of: Journal | None, journal_id: str, texts: Texts) -> str:
    if of is None:
        raise Broken("saft-order", f"journal {journal_id} comes back: sort the transactions by journal.")
    where = f"journal {journal_id}"
    return (
        f"<Journal><JournalID>{texts.identifier(journal_id, SHORT, where)}</JournalID>"
        f"<Description>{texts.words(of.description, LONGEST, where)}</Description><Type>{of.type}</Type>\n"
    )


class _TransactionWriter:
    """Writes transactions; identifiers that repeat are escaped once, up front."""

    def __init__(self, of: AuditFile, texts: Texts) -> None:
        self._texts = texts
        self._version = of.header.version
        self._first_month = of.header.fiscal_year_start_month
        self._accounts = {
            each.account_id: texts.identifier(each.account_id, LONG, "AccountID") for each in of.accounts
        }
        self._customers = {
            each.customer_id: texts.identifier(each.customer_id, MIDDLE, "CustomerID")
            for each in of.customers
        }
        self._tax_codes = {each.code: texts.identifier(each.code, LONG, "TaxCode") for each in of.tax_codes}

    def write(self, of: Transaction) -> str:
        texts, where = self._texts, f"transaction {of.transaction_id}"
        year, period = self._period(of.posted_on)
        voucher = (
            f"<VoucherType>{texts.words(of.voucher_type, LONG, where)}</VoucherType>"
            if of.voucher_type
            else ""
        )
        if of.voucher_description:
            text = texts.words(of.voucher_description, LONG, where)
            voucher += f"<VoucherDescription>{text}</VoucherDescription>"
        modified = f"<ModificationDate>{of.modified_on}</ModificationDate>" if of.modified_on else ""
        lines = "".join([self._line(line, where) for line in of.lines])
        return (
            f"<Transaction><TransactionID>{texts.identifier(of.transaction_id, LONG, where)}</TransactionID>"
            f"<Period>{period}</Period><PeriodYear>{year}</PeriodYear>"
            f"<TransactionDate>{of.on}</TransactionDate>{voucher}"
            f"<Description>{texts.words(of.description, LONGEST, where)}</Description>"
            f"<SystemEntryDate>{of.entered_on}</SystemEntryDate>"
            f"<GLPostingDate>{of.posted_on}</GLPostingDate>{modified}{lines}</Transaction>\n"
        )

    def _period(self, posted_on: date) -> tuple[int, int]:
        """Fiscal year and its month, 1 to 12 (F10)."""
        months = posted_on.month - self._first_month
        return (posted_on.year, months + 1) if months >= 0 else (posted_on.year - 1, months + 13)

    def _line(self, of: Line, where: str) -> str:
        texts = self._texts
        side = "Credit" if of.credit_minor else "Debit"
        currency = self._currency(of, where) if of.currency is not None else ""
        tax = self._tax(of.tax, side) if of.tax is not None else ""
        customer = f"<CustomerID>{self._customers[of.customer_id]}</CustomerID>" if of.customer_id else ""
        value = amount(of.debit_minor or of.credit_minor)
        return (
            f"<Line><RecordID>{texts.identifier(of.record_id, SHORT, where)}</RecordID>"
            f"<AccountID>{self._accounts[of.account_id]}</AccountID>{customer}"
            f"<Description>{texts.words(of.description, LONGEST, where)}</Description>"
            f"<{side}Amount><Amount>{value}</Amount>{currency}</{side}Amount>"
            f"{tax}{self._references(of, where)}</Line>"
        )

    def _references(self, of: Line, where: str) -> str:
        """Invoice number, payment reference and what is settled: identifiers, so never cut."""
        out, identifier = "", self._texts.identifier
        if of.reference_number:
            out = f"<ReferenceNumber>{identifier(of.reference_number, MIDDLE, where)}</ReferenceNumber>"
        if of.cid:
            out += f"<CID>{identifier(of.cid, MIDDLE, where)}</CID>"
        if of.due_on:
            out += f"<DueDate>{of.due_on}</DueDate>"
        if of.cross_reference:
            out += f"<CrossReference>{identifier(of.cross_reference, MIDDLE, where)}</CrossReference>"
        return out

    def _tax(self, of: LineTax, side: str) -> str:
        percent = f"<TaxPercentage>{percentage(of.rate)}</TaxPercentage>" if of.rate is not None else ""
        return (
            f"<TaxInformation><TaxType>MVA</TaxType><TaxCode>{self._tax_codes[of.code]}</TaxCode>{percent}"
            f"<Country>NO</Country><TaxBase>{amount(of.base_minor)}</TaxBase>"
            f"<{side}TaxAmount><Amount>{amount(of.amount_minor)}</Amount></{side}TaxAmount></TaxInformation>"
        )

    def _currency(self, of: Line, where: str) -> str:
        """CurrencyCode, CurrencyAmount, ExchangeRate; 1.30 allows 2 and 8 decimals, 1.40 18."""
        currency, minor = of.currency or "", of.currency_minor or 0
        digits = minor_digits(currency)
        if digits > 2 and self._version is Version.V1_30:
            message = f"{where}: {currency} has {digits} decimals, SAF-T 1.30 allows two."
            raise Refused("saft-currency", message, next_step="Export as version 1.40.")
        whole, rest = divmod(minor, 10**digits)
        text = f"{whole}.{rest:0{digits}d}" if digits else str(whole)
        rate = ""
        if of.exchange_rate is not None:
            places = 8 if self._version is Version.V1_30 else 18
            rate = f"<ExchangeRate>{plain(round(of.exchange_rate, places))}</ExchangeRate>"
        return f"<CurrencyCode>{currency}</CurrencyCode><CurrencyAmount>{text}</CurrencyAmount>{rate}"
