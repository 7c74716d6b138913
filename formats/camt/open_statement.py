"""One ``Stmt`` while its entries pass by, and the proof that it adds up.

Governed by ISO 20022 AccountStatement: ``Acct``, ``Bal`` and ``TxsSummry`` come before the
entries. Nothing leaves here unproved: opening balance + booked entries = closing balance, and
the bank's own totals agree with the entries. Where the bank states no balances, a warning says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from lxml import etree

from formats.camt.entries import Context, read_entry
from formats.camt.values import (
    ASK_BANK,
    Values,
    compact,
    date_at,
    first,
    is_credit_at,
    local_name,
    masked,
    money_at,
    parse_money,
    refused,
    values,
)
from o2c.errors import Refused
from o2c.money import Money
from o2c.statement import Entry, EntryStatus, Statement


def drop(element: etree._Element) -> None:
    """Frees what was read. The element itself stays: the parser still hangs its tail on it."""
    element.clear()
    previous = element.getprevious()
    if previous is not None and previous.tag == element.tag:
        element.getparent().remove(previous)  # type: ignore[union-attr]


class OpenStatement:
    """One ``Stmt`` while its entries pass by."""

    def __init__(self, element: etree._Element, place: str, own: Mapping[str, str]) -> None:
        self._element = element
        self._place = place
        self._own = own
        self._context: Context | None = None
        self._account = ""
        self._parts: list[Values] = []
        self._entries: list[Entry] = []

    def add_details(self, element: etree._Element) -> None:
        self._parts.append(values(element))
        drop(element)

    def add_entry(self, element: etree._Element) -> None:
        found = values(element)
        context = self._context or self._open(found)
        self._entries.append(read_entry(found, self._parts, len(self._entries) + 1, context))
        self._parts = []
        drop(element)

    def _header(self) -> dict[str, list[str]]:
        """The values of ``Stmt`` outside its balances and entries."""
        found: dict[str, list[str]] = {}
        for child in self._element:
            name = local_name(str(child.tag))
            if name in ("Bal", "Ntry"):
                continue
            for path, texts in values(child).items():
                found.setdefault(f"{name}/{path}", []).extend(texts)
            if not len(child):
                found.setdefault(name, []).append((child.text or "").strip())
        return found

    def _open(self, entry: Values) -> Context:
        """Whose statement it is, in which currency; read before the first entry."""
        header = self._header()
        number = first(header, "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id") or ""
        account = compact(number)
        if account not in self._own:
            raise _foreign(account, f"{self._place}/Acct")
        self._account = self._own[account]
        closing = self._dated_balances().get("CLBD")
        currency = first(header, "Acct/Ccy") or self._balance_currency() or first(entry, "Amt@Ccy")
        if currency is None:
            raise refused("currency", self._place, "no currency is stated (Acct/Ccy, Bal, Ntry).", ASK_BANK)
        self._context = Context(
            account=account,
            currency=currency,
            dated_on=closing or date_at(header, self._place, "FrToDt/ToDtTm", "FrToDt/ToDt", "CreDtTm"),
            place=self._place,
        )
        return self._context

    def _balances(self) -> Iterator[tuple[str, Values]]:
        for child in self._element:
            if local_name(str(child.tag)) == "Bal":
                found = values(child)
                yield first(found, "Tp/CdOrPrtry/Cd", "Tp/Cd") or "", found

    def _dated_balances(self) -> dict[str, date | None]:
        place = f"{self._place}/Bal"
        return {code: date_at(found, place, "Dt/Dt", "Dt/DtTm") for code, found in self._balances()}

    def _balance_currency(self) -> str | None:
        booked = (found for code, found in self._balances() if code in ("OPBD", "PRCD", "CLBD"))
        return next((ccy for found in booked if (ccy := first(found, "Amt@Ccy"))), None)

    def _balance(self, context: Context, *codes: str) -> Money | None:
        """The first balance of the first of ``codes``, negative if the account is overdrawn."""
        for wanted in codes:
            for code, found in self._balances():
                if code == wanted:
                    return self._signed_balance(context, f"{self._place}/Bal[{code}]", found)
        return None

    def _signed_balance(self, context: Context, place: str, found: Values) -> Money:
        amount = money_at(found, "Amt", place)
        if amount is None:
            raise refused("amount", place, "the balance has no Amt.", ASK_BANK)
        if amount.currency != context.currency:
            raise refused(
                "currency",
                place,
                f"the balance is in {amount.currency}, the account in {context.currency}.",
                ASK_BANK,
            )
        if "CdtDbtInd" not in found:
            context.warnings.append(f"{place}: no CdtDbtInd; read as a credit balance.")
        return amount if is_credit_at(found, place, default=True) else -amount

    def close(self) -> Statement:
        """The statement, after the proof."""
        context = self._context or self._open({})
        opening = self._balance(context, "OPBD", "PRCD")
        closing = self._balance(context, "CLBD")
        header = self._header()
        self._prove_totals(header, context, self._prove_balance(context, opening, closing))
        sequence = first(header, "ElctrncSeqNb", "LglSeqNb") or ""
        return Statement(
            statement_id=first(header, "Id") or "",
            account=self._account,
            currency=context.currency,
            entries=tuple(self._entries),
            opening=opening,
            closing=closing,
            sequence=int(sequence) if sequence.isdecimal() else None,
            from_on=date_at(header, self._place, "FrToDt/FrDtTm", "FrToDt/FrDt"),
            to_on=date_at(header, self._place, "FrToDt/ToDtTm", "FrToDt/ToDt"),
            warnings=tuple(context.warnings + _counted_warnings(context)),
        )

    def _prove_balance(self, context: Context, opening: Money | None, closing: Money | None) -> bool:
        if opening is None or closing is None:
            missing = "opening (OPBD, PRCD)" if opening is None else "closing (CLBD)"
            context.warnings.append(f"{self._place}: no {missing} balance, so none proves the entries.")
            return False
        booked = self._sum(context, is_credit=True) - self._sum(context, is_credit=False)
        if opening + booked != closing:
            sums = f"opening {opening} + booked entries {booked} = {opening + booked}"
            raise refused("balance", self._place, f"{sums}, but the closing balance is {closing}.", ASK_BANK)
        return True

    def _prove_totals(self, header: Values, context: Context, is_proved: bool) -> None:
        """``TxsSummry``: some banks total the booked entries, some all of them; either agrees.

        The balances are the stronger proof: where they hold, a wrong summary is only a warning.
        """
        for side, is_credit in (("TtlCdtNtries", True), ("TtlDbtNtries", False)):
            text = first(header, f"TxsSummry/{side}/Sum")
            if text is None:
                continue
            place = f"{self._place}/TxsSummry/{side}"
            booked = self._sum(context, is_credit=is_credit)
            every = self._sum(context, is_credit=is_credit, booked_only=False)
            if parse_money(text, context.currency, place) in (booked, every):
                continue
            message = f"the bank totals {text} {context.currency}, the booked entries are {booked}."
            if not is_proved:
                raise refused("balance", place, message, ASK_BANK)
            context.warnings.append(f"{place}: {message}")

    def _sum(self, context: Context, *, is_credit: bool, booked_only: bool = True) -> Money:
        minor = sum(
            entry.amount.minor
            for entry in self._entries
            if entry.is_credit == is_credit and (entry.status is EntryStatus.BOOKED or not booked_only)
        )
        return Money.from_minor(minor, context.currency)


def _foreign(account: str, place: str) -> Refused:
    """The number is masked: a message travels further than the file may."""
    message = f"the statement is of account {masked(account)}, which is not one of ours."
    return refused(
        "account",
        place,
        message if account else "the statement names no account.",
        "Add the account to the company or remove the file; nothing of it was posted.",
    )


def _counted_warnings(context: Context) -> list[str]:
    notes = []
    if context.undated:
        notes.append(
            f"{context.place}: {context.undated} entries carry no booking date; their value date or "
            "the statement's date is used."
        )
    if context.without_status:
        notes.append(f"{context.place}: {context.without_status} entries carry no status; read as booked.")
    return notes
