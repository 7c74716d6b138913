"""The rules that the schema cannot state, checked while the file is written (F01 to F14).

Governed by the Norwegian technical description; the ids are ours and public. What the caller can
mend (an unknown code, a date outside the selection) is ``Refused``; a ledger that does not add
up is ``Broken``. Nothing here is ever switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from formats.saft.chart import GROUPING_CATEGORIES, GROUPING_PAIRS, STANDARD_TAX_CODES
from formats.saft.records import AuditFile, GlAccount, Header, Line, Transaction
from formats.saft.text import amount
from o2c.errors import Broken, Refused
from o2c.money import minor_digits

JOURNAL_TYPES = frozenset({"GL", "AR", "AP", "A"})


def _signed(minor: int) -> str:
    return ("-" if minor < 0 else "") + amount(abs(minor))


class Proof:
    """Sees every transaction once and keeps one running balance per account and customer."""

    def __init__(self, of: AuditFile) -> None:
        self._file = of
        self._accounts = {account.account_id: account for account in of.accounts}
        self._journals = {journal.journal_id for journal in of.journals}
        self._tax_codes = {code.code for code in of.tax_codes}
        self._start, self._end = of.header.selection_start, of.header.selection_end
        self._account_minor = {account.account_id: account.opening_minor for account in of.accounts}
        self._customer_minor = {
            (customer.customer_id, each.account_id): each.opening_minor
            for customer in of.customers
            for each in customer.balances
        }
        self._moved: set[str] = set()
        self._transactions = self._debit = self._credit = 0
        self._check_master_files()

    def _check_master_files(self) -> None:
        of = self._file
        _unique("account", (account.account_id for account in of.accounts))
        _unique("customer", (customer.customer_id for customer in of.customers))
        _unique("tax code", (code.code for code in of.tax_codes))
        _unique("journal", (journal.journal_id for journal in of.journals))
        _check_header(of.header)
        for account in of.accounts:
            _check_grouping(account, of.grouping_pairs)
        for code in of.tax_codes:
            if code.standard_code not in STANDARD_TAX_CODES:
                message = f"tax code {code.code}: StandardTaxCode {code.standard_code!r} is not on the list."
                raise Refused("saft-F09", message, next_step="Map it to one of the standard tax codes.")
        for journal in of.journals:
            if journal.type not in JOURNAL_TYPES:
                raise Broken("saft-F05", f"journal {journal.journal_id}: type {journal.type!r} is unknown.")
        self._check_subledgers()

    def _check_subledgers(self) -> None:
        """F03: the customers of a sub-ledger account add up to it at both ends."""
        sums: dict[str, list[int]] = {a.account_id: [0, 0] for a in self._file.accounts if a.is_subledger}
        for customer in self._file.customers:
            for each in customer.balances:
                if each.account_id not in sums:
                    message = f"customer {customer.customer_id}: {each.account_id} is no sub-ledger account."
                    raise Broken("saft-F05", message)
                sums[each.account_id][0] += each.opening_minor
                sums[each.account_id][1] += each.closing_minor
        for account_id, (opening, closing) in sums.items():
            account = self._accounts[account_id]
            if (opening, closing) != (account.opening_minor, account.closing_minor):
                raise Broken(
                    "saft-F03",
                    f"account {account_id}: customers open at {_signed(opening)} and close at "
                    f"{_signed(closing)}, the account at {_signed(account.opening_minor)} and "
                    f"{_signed(account.closing_minor)}.",
                )

    def add(self, transaction: Transaction) -> None:
        """F02, F04 to F08, F10 and F14 for one transaction; raises with its id."""
        where = f"transaction {transaction.transaction_id}"
        if transaction.journal_id not in self._journals:
            raise Broken("saft-F05", f"{where}: journal {transaction.journal_id!r} is not in the file.")
        if not self._start <= transaction.posted_on <= self._end:
            message = f"{where} is posted on {transaction.posted_on}, outside {self._start} to {self._end}."
            raise Refused("saft-F10", message, next_step="Widen the selection or leave it out.")
        debit = credit = 0
        for line in transaction.lines:
            self._add_line(line, where)
            debit += line.debit_minor
            credit += line.credit_minor
        if debit != credit or not transaction.lines:
            raise Broken("saft-F02", f"{where}: debit {_signed(debit)}, credit {_signed(credit)}.")
        self._transactions += 1
        self._debit += debit
        self._credit += credit

    def _add_line(self, line: Line, where: str) -> None:
        debit, credit = line.debit_minor, line.credit_minor
        if debit < 0 or credit < 0 or (debit and credit):
            raise Broken("saft-F14", f"{where} line {line.record_id}: needs one side, not negative.")
        account = self._accounts.get(line.account_id)
        if account is None:
            raise Broken("saft-F05", f"{where} line {line.record_id}: unknown account {line.account_id!r}.")
        self._account_minor[line.account_id] += debit - credit
        if account.is_subledger or line.customer_id is not None:
            self._add_to_customer(line, account, where)
        if line.tax is not None:
            self._check_tax(line, account, where)
        if line.currency is not None:
            _check_currency(line, self._file.header, where)

    def _add_to_customer(self, line: Line, account: GlAccount, where: str) -> None:
        place = f"{where} line {line.record_id}"
        if not account.is_subledger:
            raise Broken(
                "saft-F07", f"{place}: a customer on {line.account_id}, which is no sub-ledger account."
            )
        if line.customer_id is None:
            raise Broken("saft-F07", f"{place}: no customer on sub-ledger account {line.account_id}.")
        key = (line.customer_id, line.account_id)
        if key not in self._customer_minor:
            raise Broken(
                "saft-F05", f"{place}: customer {line.customer_id} has no balance on {line.account_id}."
            )
        self._customer_minor[key] += line.debit_minor - line.credit_minor
        self._moved.add(line.customer_id)

    def _check_tax(self, line: Line, account: GlAccount, where: str) -> None:
        tax = line.tax
        if tax is None:
            return
        if account.is_tax:
            raise Broken("saft-F08", f"{where} line {line.record_id}: tax belongs on the base line.")
        if tax.code not in self._tax_codes:
            raise Broken("saft-F05", f"{where} line {line.record_id}: unknown tax code {tax.code!r}.")
        if tax.base_minor < 0 or tax.amount_minor < 0:
            raise Broken("saft-F14", f"{where} line {line.record_id}: negative tax; swap the sides.")

    def close(self) -> None:
        """F01, F03, F04 and F11 over the whole file."""
        totals = self._file.totals
        seen = (self._transactions, self._debit, self._credit)
        if seen != (totals.transactions, totals.debit_minor, totals.credit_minor):
            stated = f"{totals.transactions}, {amount(totals.debit_minor)}, {amount(totals.credit_minor)}"
            raise Broken(
                "saft-F01", f"stated {stated}; written {seen[0]}, {amount(seen[1])}, {amount(seen[2])}."
            )
        for account in self._file.accounts:
            reached = self._account_minor[account.account_id]
            if reached != account.closing_minor:
                raise Broken(
                    "saft-F03",
                    f"account {account.account_id}: opening {_signed(account.opening_minor)} and movements "
                    f"reach {_signed(reached)}, closing says {_signed(account.closing_minor)}.",
                )
        self._close_customers()

    def _close_customers(self) -> None:
        for customer in self._file.customers:
            for each in customer.balances:
                reached = self._customer_minor[customer.customer_id, each.account_id]
                if reached != each.closing_minor:
                    raise Broken(
                        "saft-F04",
                        f"customer {customer.customer_id} on {each.account_id}: opening and lines reach "
                        f"{_signed(reached)}, closing says {_signed(each.closing_minor)}.",
                    )
            has_balance = any(each.opening_minor or each.closing_minor for each in customer.balances)
            if not has_balance and customer.customer_id not in self._moved:
                message = f"customer {customer.customer_id} has neither a movement nor a balance."
                raise Broken("saft-F11", message)


def _unique(what: str, ids: Iterable[str]) -> None:
    twice = [each for each, count in Counter(ids).items() if count > 1]
    if twice:
        raise Broken("saft-F05", f"{what} {twice[0]!r} is in the file more than once.")


def _check_header(of: Header) -> None:
    """F10: a selection of at most one accounting year; amounts are written with two decimals."""
    month_a_year_on = of.selection_start.replace(year=of.selection_start.year + 1, day=1)
    first_day_after = month_a_year_on + timedelta(days=of.selection_start.day - 1)
    if not of.selection_start <= of.selection_end < first_day_after:
        message = f"the selection {of.selection_start} to {of.selection_end} is not within one year."
        raise Refused("saft-F10", message, next_step="Export each accounting year as a file of its own.")
    if minor_digits(of.currency) != 2:
        message = f"{of.currency} has not two decimals; the file cannot state its amounts."
        raise Refused("saft-currency", message, next_step="File in the currency of the books, NOK.")


def _check_grouping(account: GlAccount, pairs: frozenset[tuple[str, str]]) -> None:
    """F09. The full official list decides where the caller has given it, else the part we know."""
    pair = (account.grouping_category, account.grouping_code)
    known = pairs or GROUPING_PAIRS
    typed = {code for _, code in known}
    is_wrong = pair not in known and (bool(pairs) or account.grouping_code in typed)
    if is_wrong or account.grouping_category not in GROUPING_CATEGORIES:
        message = f"account {account.account_id}: grouping {pair[0]}/{pair[1]} is not an official pair."
        raise Refused("saft-F09", message, next_step="Correct the account's grouping in the company's chart.")


def _check_currency(line: Line, header: Header, where: str) -> None:
    """CurrencyAmount x ExchangeRate = Amount, within one per cent: catches a rate turned upside down."""
    place = f"{where} line {line.record_id}"
    if line.currency_minor is None or line.currency_minor < 0 or line.currency is None:
        raise Broken("saft-rate", f"{place}: the amount in {line.currency} is missing or negative.")
    if line.exchange_rate is None:
        return
    scale = 10 ** minor_digits(line.currency)
    reckoned = line.currency_minor * line.exchange_rate * 100 / scale
    booked = line.debit_minor or line.credit_minor
    if abs(reckoned - booked) > 1 + booked // 100:
        raise Broken(
            "saft-rate", f"{place}: {line.currency} at {line.exchange_rate} is not {amount(booked)}."
        )
