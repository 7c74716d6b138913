"""``Ntry`` and ``TxDtls`` -> ``Entry``: which payments a booking holds, and what they say.

A payment is a ``TxDtls``; an entry without any is its own payment. Amounts of the details are
believed only where they add up to the entry: the booked amount always wins, and ``InstdAmt``
(what the payer's bank was told) is evidence, never the amount.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from formats.camt.values import ASK_BANK, Values, compact, date_at, first, is_credit_at, money_at, refused
from o2c.money import Money
from o2c.statement import Entry, EntryStatus, TransactionDetails

_UNSTATED = frozenset({"NOTPROVIDED", "NOTAVAILABLE"})
_REFERENCES = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
_TEXT = ("RmtInf/Ustrd", "RmtInf/Strd/AddtlRmtInf", "RmtInf/Strd/RfrdDocInf/Nb")
_UNSPECIFIED_REASON = "MS03"  # ISO 20022 ExternalReturnReason1Code: reason not specified


def _party_paths(role: str, field: str) -> tuple[str, ...]:
    """The ultimate party before the direct one; ``Pty`` wraps both from version 07 on."""
    parties = (f"Ultmt{role}/Pty", f"Ultmt{role}", f"{role}/Pty", role)
    return tuple(f"RltdPties/{party}/{field}" for party in parties)


_NAMES = {
    role: (*_party_paths(role, "Nm"), f"RltdPties/{role}/Agt/FinInstnId/Nm") for role in ("Dbtr", "Cdtr")
}
_POSTCODES = {role: _party_paths(role, "PstlAdr/PstCd") for role in ("Dbtr", "Cdtr")}


@dataclass(slots=True)
class Context:
    """What an entry needs to know of its statement, and what it reports back."""

    account: str
    currency: str
    dated_on: date | None
    place: str
    keys: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    undated: int = 0
    without_status: int = 0


def read_entry(found: Values, parts: Sequence[Values], position: int, context: Context) -> Entry:
    """One ``Ntry``: ``found`` its own values, ``parts`` those of its ``TxDtls``."""
    return _EntryReader(found, parts, position, context).read()


class _EntryReader:
    """Reads one entry: first what was booked, then the payments it is made of."""

    __slots__ = (
        "amount", "booked_on", "context", "found", "is_credit", "is_reversal", "parts", "place",
        "position", "status", "text", "value_on",
    )  # fmt: skip

    def __init__(self, found: Values, parts: Sequence[Values], position: int, context: Context) -> None:
        self.found = found
        self.parts = parts
        self.position = position
        self.context = context
        self.place = f"{context.place}/Ntry[{position}]"
        self.amount = self._booked_amount()
        self.is_credit = is_credit_at(found, self.place)
        self.is_reversal = first(found, "RvslInd") in ("true", "1")
        self.status = self._booking_status()
        self.value_on = date_at(found, self.place, "ValDt/Dt", "ValDt/DtTm")
        self.booked_on = self._booking_date()
        self.text = first(found, "AddtlNtryInf") or ""

    def read(self) -> Entry:
        return Entry(
            position=self.position,
            amount=self.amount,
            is_credit=self.is_credit,
            status=self.status,
            booked_on=self.booked_on,
            details=self._payments(),
            value_on=self.value_on,
            is_reversal=self.is_reversal,
            is_unresolved_batch=self._is_unresolved_batch(),
            text=self.text,
        )

    def _booked_amount(self) -> Money:
        amount = money_at(self.found, "Amt", self.place)
        if amount is None:
            raise refused("amount", self.place, "the entry has no Amt.", ASK_BANK)
        if amount.currency != self.context.currency:
            message = f"the entry is in {amount.currency}, the account in {self.context.currency}."
            raise refused("currency", f"{self.place}/Amt", message, ASK_BANK)
        return amount

    def _booking_status(self) -> EntryStatus:
        code = first(self.found, "Sts", "Sts/Cd", "Sts/Prtry")
        if code == "BOOK":
            return EntryStatus.BOOKED
        if code is None:  # a statement reports booked entries; the balance proof must agree
            self.context.without_status += 1
            return EntryStatus.BOOKED
        if code == "PDNG":
            return EntryStatus.PENDING
        if code != "INFO":
            note = f"{self.place}: status {code!r} is not BOOK; the entry is shown, never posted."
            self.context.warnings.append(note)
        return EntryStatus.INFORMATION

    def _booking_date(self) -> date:
        booked_on = date_at(self.found, self.place, "BookgDt/Dt", "BookgDt/DtTm")
        if booked_on is not None:
            return booked_on
        self.context.undated += 1
        fallback = self.value_on or self.context.dated_on
        if fallback is None:
            message = "neither the entry nor its statement carries a date."
            raise refused("malformed", self.place, message, ASK_BANK)
        return fallback

    def _is_unresolved_batch(self) -> bool:
        """Several payments announced, none told apart: details absent, or one that repeats the total."""
        count = first(self.found, "NtryDtls/Btch/NbOfTxs")
        if not self.parts:
            announced = any(path.startswith("NtryDtls/Btch/") for path in self.found)
            return announced and count != "1"
        return len(self.parts) == 1 and count is not None and count.isdecimal() and int(count) > 1

    def _payments(self) -> tuple[TransactionDetails, ...]:
        """One payment per ``TxDtls`` if they add up to the entry, else one for the whole of it."""
        if not self.parts:
            return (self._payment((), self.amount, self.is_credit, 1),)
        split = [self._priced(part, index) for index, part in enumerate(self.parts, 1)]
        total = sum(
            amount.minor if credit == self.is_credit else -amount.minor for amount, credit in split if amount
        )
        if total == self.amount.minor and all(amount for amount, _ in split):
            return tuple(
                self._payment((part,), amount, is_credit, index)
                for index, (part, (amount, is_credit)) in enumerate(zip(self.parts, split, strict=True), 1)
                if amount
            )
        stated = Money.from_minor(total, self.context.currency)
        note = f"the details add up to {stated}, the entry to {self.amount}; kept as one payment."
        self.context.warnings.append(f"{self.place}: {note}")
        return (self._payment(self.parts, self.amount, self.is_credit, 1),)

    def _priced(self, part: Values, index: int) -> tuple[Money | None, bool]:
        """Amt, else AmtDtls/TxAmt, in the account's currency; else the entry's if it is the only one."""
        place = f"{self.place}/TxDtls[{index}]"
        is_credit = is_credit_at(part, place, default=self.is_credit)
        for path in ("Amt", "AmtDtls/TxAmt/Amt"):
            amount = money_at(part, path, place)
            if amount is not None and amount.currency == self.amount.currency:
                return amount, is_credit
        return self.amount if len(self.parts) == 1 else None, is_credit

    def _payment(
        self, parts: Sequence[Values], amount: Money, is_credit: bool, index: int
    ) -> TransactionDetails:
        """One payment from the details ``parts``; several only where they could not be told apart."""
        part = parts[0] if len(parts) == 1 else {}
        lines = [_lines(each) for each in parts]
        squeezed = " ".join("".join(each) for each in lines if each)
        reason = _return_reason(part)
        name, iban, postcode = self._counterparty(part, is_credit != (self.is_reversal or reason is not None))
        end_to_end_id = first(part, "Refs/EndToEndId")
        other_text = "" if squeezed else first(part, "AddtlTxInf") or self.text
        payment = TransactionDetails(
            key="",
            amount=amount,
            is_credit=is_credit,
            references=_references(parts),
            text=" ".join(line for each in lines for line in each) or other_text,
            text_squeezed=squeezed or other_text,
            end_to_end_id=None if end_to_end_id in _UNSTATED else end_to_end_id,
            counterparty=name,
            counterparty_iban=iban,
            counterparty_postcode=postcode,
            instructed=money_at(part, "AmtDtls/InstdAmt/Amt", f"{self.place}/TxDtls[{index}]"),
            return_reason=reason,
        )
        # The key needs the other fields; the value is still ours alone here, so set it in place.
        object.__setattr__(payment, "key", self._key(payment, part, index))
        return payment

    def _counterparty(self, part: Values, is_from_debtor: bool) -> tuple[str | None, str | None, str | None]:
        """Name, IBAN and postcode of the other side.

        A return or reversal keeps the roles of the payment it undoes, so the other side changes;
        and a side that bears our own account is never the other one.
        """
        for role in ("Dbtr", "Cdtr") if is_from_debtor else ("Cdtr", "Dbtr"):
            iban = first(part, f"RltdPties/{role}Acct/Id/IBAN")
            if iban is not None and compact(iban) == self.context.account:
                continue
            name = first(part, *_NAMES[role])
            if name or iban:
                return name, compact(iban) if iban else None, first(part, *_POSTCODES[role])
        return None, None, None

    def _key(self, payment: TransactionDetails, part: Values, index: int) -> str:
        """What tells this payment apart for ever: see ``TransactionDetails.key``.

        Direction and amount stand in it because banks reuse a reference for the reversal. A
        reference that the bank merely repeats from the entry in each detail says nothing of it.
        """
        of_entry = first(self.found, "AcctSvcrRef")
        of_part = first(part, "Refs/AcctSvcrRef")
        if of_part is not None and (of_part != of_entry or len(self.parts) == 1):
            reference = of_part
        elif of_entry is not None:
            reference = f"{of_entry}/{index}"
        else:
            reference = self._fingerprint(payment)
        sign = "C" if payment.is_credit else "D"
        status = "" if self.status is EntryStatus.BOOKED else f"{self.status}:"
        key = f"{self.context.account}:{status}{reference}:{sign}{payment.amount.minor}"
        self.context.keys[key] += 1
        return key if self.context.keys[key] == 1 else f"{key}#{self.context.keys[key]}"

    def _fingerprint(self, payment: TransactionDetails) -> str:
        """A hash of what the payment says. Its list of fields may never change: keys are stored."""
        fields = (
            self.booked_on.isoformat(),
            self.value_on.isoformat() if self.value_on else "",
            str(self.is_reversal),
            payment.end_to_end_id or "",
            payment.counterparty or "",
            payment.counterparty_iban or "",
            payment.text_squeezed,
            *payment.references,
        )
        return "sha256-" + hashlib.sha256("\x1f".join(fields).encode()).hexdigest()[:32]


def _lines(part: Values) -> list[str]:
    return [line for path in _TEXT if path in part for line in part[path] if line]


def _references(parts: Sequence[Values]) -> tuple[str, ...]:
    """The structured creditor references, each once, in document order."""
    found = [ref for part in parts for path in _REFERENCES if path in part for ref in part[path] if ref]
    return tuple(dict.fromkeys(found)) if found else ()


def _return_reason(part: Values) -> str | None:
    for path in part:
        if path.startswith("RtrInf/"):
            return first(part, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/RtrRsn/Cd") or _UNSPECIFIED_REASON
    return None
