"""One ``Stmt``, ``Rpt`` or ``Ntfctn`` while its entries pass by, and the proof that it adds up.

Governed by ISO 20022 AccountStatement: ``Acct``, ``Bal`` and ``TxsSummry`` come before the
entries. Nothing leaves here unproved: opening balance + booked entries = closing balance, and
the bank's own totals agree with the entries. Where the bank states no balances, a warning says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lxml import etree

from formats.camt.entries import Context, EntryPlan, read_entry
from formats.camt.parts import Part
from formats.camt.values import (
    ASK_BANK,
    Values,
    compact,
    date_at,
    first,
    is_credit_code,
    local_name,
    masked,
    money_at,
    parse_money,
    refused,
    values,
)
from o2c.errors import Refused
from o2c.money import Money
from o2c.statement import Entry, MessageKind, Statement

_ACCOUNTS = ("Acct/Id/IBAN", "Acct/Id/BBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id")
_OVERRIDE = "Ask the bank for a corrected file, or have a person override it; nothing was posted."


@dataclass(frozen=True, slots=True)
class Head:
    """Whose statement it is; known before its first entry. ``account`` is written as configured."""

    kind: MessageKind
    statement_id: str
    account: str
    currency: str
    sequence: int | None
    dated_on: date | None  # the day of the closing balance, else of the statement itself
    from_on: date | None
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What follows the last entry: the statement adds up, or a warning says what could not be proved.

    ``credits`` and ``debits`` are the sums of the booked entries.
    """

    opening: Money | None
    closing: Money | None
    credits: Money
    debits: Money
    entries: int
    warnings: tuple[str, ...]


def whole(head: Head, entries: Sequence[Entry], proof: Proof) -> Statement:
    """The statement of what passed by."""
    return Statement(
        statement_id=head.statement_id,
        account=head.account,
        currency=head.currency,
        entries=tuple(entries),
        opening=proof.opening,
        closing=proof.closing,
        sequence=head.sequence,
        from_on=head.from_on,
        to_on=head.to_on,
        warnings=proof.warnings,
        kind=head.kind,
        dated_on=head.dated_on,
    )


class OpenStatement:
    """One ``Stmt`` while its entries pass by: ``head``, then ``add`` each entry, then ``close``."""

    def __init__(
        self, element: etree._Element, kind: MessageKind, place: str, own: Mapping[str, str], override: bool
    ) -> None:
        self._element = element
        self._place = place
        self._override = override
        self._header = self._header_values()
        account, configured = self._own_account(own)
        closing = self._dated_balances().get("CLBD")
        currency = first(self._header, "Acct/Ccy") or self._balance_currency() or self._entry_currency()
        dated_on = closing or self._date("FrToDt/ToDtTm", "FrToDt/ToDt", "CreDtTm")
        self._context = Context(account, currency, dated_on, place)
        self._count = 0
        self.head = self._read_head(kind, configured)

    def add(self, plan: EntryPlan, texts: list[str], parts: Sequence[Part]) -> Entry:
        """The next entry."""
        self._count += 1
        return read_entry(plan, texts, parts, self._count, self._context)

    def _header_values(self) -> dict[str, list[str]]:
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

    def _own_account(self, own: Mapping[str, str]) -> tuple[str, str]:
        account = compact(first(self._header, *_ACCOUNTS) or "")
        if account not in own:
            raise _foreign(account, f"{self._place}/Acct")
        return account, own[account]

    def _read_head(self, kind: MessageKind, configured: str) -> Head:
        sequence = first(self._header, "ElctrncSeqNb", "LglSeqNb") or ""
        is_number = sequence.isascii() and sequence.isdecimal() and len(sequence) <= 18
        return Head(
            kind=kind,
            statement_id=first(self._header, "Id") or "",
            account=configured,
            currency=self._context.currency,
            sequence=int(sequence) if is_number else None,
            dated_on=self._context.dated_on,
            from_on=self._date("FrToDt/FrDtTm", "FrToDt/FrDt"),
            to_on=self._date("FrToDt/ToDtTm", "FrToDt/ToDt"),
        )

    def _date(self, *paths: str) -> date | None:
        return date_at(self._header, self._place, *paths)

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

    def _entry_currency(self) -> str:
        """A notification often states the currency in its entries alone."""
        amounts = self._element.findall("{*}Ntry/{*}Amt")
        currency = next((ccy for each in amounts if (ccy := each.get("Ccy"))), None)
        if currency is None:
            raise refused("currency", self._place, "no currency is stated (Acct/Ccy, Bal, Ntry).", ASK_BANK)
        return currency

    def _balance(self, *codes: str) -> Money | None:
        """The first balance of the first of ``codes``, negative if the account is overdrawn."""
        for wanted in codes:
            for code, found in self._balances():
                if code == wanted:
                    return self._signed_balance(f"{self._place}/Bal[{code}]", found)
        return None

    def _signed_balance(self, place: str, found: Values) -> Money:
        currency = self._context.currency
        amount = money_at(found, "Amt", place)
        if amount is None:
            raise refused("amount", place, "the balance has no Amt.", ASK_BANK)
        if amount.currency != currency:
            message = f"the balance is in {amount.currency}, the account in {currency}."
            raise refused("currency", place, message, ASK_BANK)
        if "CdtDbtInd" not in found:
            self._context.warn(f"{place}: no CdtDbtInd; read as a credit balance.")
        return amount if is_credit_code(first(found, "CdtDbtInd"), place, default=True) else -amount

    def close(self) -> Proof:
        """The proof; raises ``Refused('balance')`` unless a person overrides it."""
        opening, closing = self._balance("OPBD", "PRCD"), self._balance("CLBD")
        self._header = self._header_values()  # also what a bank writes after the entries
        self._prove_totals(self._prove_balance(opening, closing))
        return Proof(
            opening=opening,
            closing=closing,
            credits=self._money(self._context.booked[True]),
            debits=self._money(self._context.booked[False]),
            entries=self._count,
            warnings=self._context.all_warnings(),
        )

    def _money(self, minor: int) -> Money:
        return Money.from_minor(minor, self._context.currency)

    def _prove_balance(self, opening: Money | None, closing: Money | None) -> bool:
        if opening is None or closing is None:
            if self.head.kind is not MessageKind.NOTIFICATION:  # which has no balances
                missing = "opening (OPBD, PRCD)" if opening is None else "closing (CLBD)"
                self._warn(f"no {missing} balance, so none proves the entries.")
            return False
        booked = self._money(self._context.booked[True] - self._context.booked[False])
        if opening + booked != closing:
            sums = f"opening {opening} + booked entries {booked} = {opening + booked}"
            self._doubt(self._place, f"{sums}, but the closing balance is {closing}.")
            return False
        return True

    def _doubt(self, place: str, message: str) -> None:
        """Sums that differ: a refusal, or a warning where a person has taken it upon himself."""
        if not self._override:
            raise refused("balance", place, message, _OVERRIDE)
        self._context.warn(f"{place}: {message} Overridden by a person.")

    def _warn(self, message: str) -> None:
        self._context.warn(f"{self._place}: {message}")

    def _prove_totals(self, is_proved: bool) -> None:
        """``TxsSummry``: some banks total the booked entries, some all of them; either agrees.

        The balances are the stronger proof: where they hold, a wrong summary is only a warning.
        """
        for side, is_credit in (("TtlCdtNtries", True), ("TtlDbtNtries", False)):
            place = f"{self._place}/TxsSummry/{side}"
            text = first(self._header, f"TxsSummry/{side}/Sum")
            if text is not None:
                self._prove_sum(place, text, is_credit, is_proved)
            self._compare_number(place, first(self._header, f"TxsSummry/{side}/NbOfNtries"), is_credit)

    def _prove_sum(self, place: str, text: str, is_credit: bool, is_proved: bool) -> None:
        booked = self._money(self._context.booked[is_credit])
        stated = parse_money(text, self._context.currency, place)
        if stated in (booked, self._money(self._context.every[is_credit])):
            return
        message = f"the bank totals {stated}, the booked entries are {booked}."
        if is_proved:
            self._context.warn(f"{place}: {message}")
        else:
            self._doubt(place, message)

    def _compare_number(self, place: str, text: str | None, is_credit: bool) -> None:
        """Only a warning: some banks count payments here, not entries."""
        booked, every = self._context.numbers[is_credit, True], self._context.numbers[is_credit, True]
        every += self._context.numbers[is_credit, False]
        if text is not None and text.lstrip("0") not in (str(booked).lstrip("0"), str(every).lstrip("0")):
            self._context.warn(f"{place}: the bank counts {text[:20]} entries, the file holds {every}.")


def _foreign(account: str, place: str) -> Refused:
    """The number is masked: a message travels further than the file may."""
    message = f"the statement is of account {masked(account)}, which is not one of ours."
    return refused(
        "account",
        place,
        message if account else "the statement names no account.",
        "Add the account to the company or remove the file; nothing of it was posted.",
    )
