"""``TxDtls`` -> ``TransactionDetails``: what one payment says, and who the other side is.

``InstdAmt`` (what the payer's bank was told) is evidence, never the amount. The key of a payment is
stored: what it is made of may never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

from formats.camt.layout import Texts
from formats.camt.parts import NOTHING, Part, PartPlan, read_charges
from formats.camt.values import compact, parse_money
from o2c.money import Money
from o2c.statement import Charge, ReferredDocument, TransactionDetails

_UNSTATED = frozenset({"NOTPROVIDED", "NOTAVAILABLE", ""})
_UNSPECIFIED_REASON = "MS03"  # ISO 20022 ExternalReturnReason1Code: reason not specified


def bank_code(domain: str, family: str, sub_family: str, own: str) -> str | None:
    """``PMNT/RDDT/UPDD``, or the bank's own code where it states no other."""
    if domain and family and sub_family:
        return f"{domain}/{family}/{sub_family}"
    return "/".join(code for code in (domain, family, sub_family) if code) or own or None


class Occurrences:
    """How often each key of a statement occurred, to tell equal payments apart.

    The keys themselves would be most of the memory that a large file takes, so eight bytes stand for each.
    """

    __slots__ = ("_repeated", "_seen")

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._repeated: dict[bytes, int] = {}

    def count(self, key: str) -> int:
        """Which occurrence this one is, from 1."""
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            return 1
        times = self._repeated[digest] = self._repeated.get(digest, 1) + 1
        return times


@dataclass(slots=True)
class OfEntry:
    """What a payment takes from the entry it is part of."""

    account: str
    place: str
    status: str  # "" if booked, else as in ``EntryStatus``
    booked_on: date
    value_on: date | None
    is_reversal: bool
    bank_reference: str
    bank_code: str | None
    text: str
    charges: tuple[Charge, ...]
    instructed: Money | None
    parts: int  # how many TxDtls the entry has
    keys: Occurrences


class Booked(NamedTuple):
    """What was booked of a payment: its amount, the same in minor units, and its direction."""

    amount: Money
    minor: int
    is_credit: bool


def payment_of(parts: Sequence[Part], booked: Booked, index: int, entry: OfEntry) -> TransactionDetails:
    """One payment from its ``TxDtls``: none if the entry has none, several if they are not told apart."""
    plan, texts = parts[0] if len(parts) == 1 else (None, [])
    end_to_end_id, bank_reference, transaction_id, mandate_id, *codes, reason, additional = (
        plan.single(texts) if plan else NOTHING
    )
    references, text, squeezed = _remittance(parts)
    if not squeezed:
        text = squeezed = additional or entry.text
    is_return = plan is not None and plan.is_return
    name, iban, postcode, payer = None, None, None, None
    if plan is not None:
        is_from_debtor = booked.is_credit != (entry.is_reversal or is_return)
        name, iban, postcode, payer = _counterparty(plan, texts, is_from_debtor, entry.account)
    if end_to_end_id in _UNSTATED:
        end_to_end_id = ""
    said = (end_to_end_id, name or "", iban or "", squeezed, *references)
    instructed, charges, documents = _more(parts, index, entry)
    return TransactionDetails(
        key=_key(bank_reference, said, booked, index, entry),
        amount=booked.amount,
        is_credit=booked.is_credit,
        references=references,
        text=text,
        text_squeezed=squeezed,
        end_to_end_id=end_to_end_id or None,
        counterparty=name,
        counterparty_iban=iban,
        counterparty_postcode=postcode,
        instructed=instructed,
        return_reason=(reason or _UNSPECIFIED_REASON) if is_return else None,
        bank_reference=bank_reference or entry.bank_reference or None,
        transaction_id=transaction_id or None,
        mandate_id=mandate_id or None,
        payer=payer,
        charges=charges,
        documents=documents,
        bank_code=bank_code(*codes) or entry.bank_code,
    )


def _remittance(parts: Sequence[Part]) -> tuple[tuple[str, ...], str, str]:
    """The references, each once, and the lines of text joined with a blank and, within a part, without."""
    references: dict[str, None] = {}
    spaced, squeezed = [], []
    for plan, texts in parts:
        for slot in plan.references:
            references[texts[slot]] = None
        if plan.lines:
            lines = [texts[slot] for slot in plan.lines]
            spaced.append(" ".join(lines))
            squeezed.append("".join(lines))
    return tuple(references), " ".join(spaced), " ".join(squeezed)


_More: TypeAlias = tuple[Money | None, tuple[Charge, ...], tuple[ReferredDocument, ...]]


def _more(parts: Sequence[Part], index: int, entry: OfEntry) -> _More:
    """Instructed amount, charges and documents; those of the entry are its only payment's."""
    instructed, charges = (entry.instructed, entry.charges) if entry.parts <= 1 else (None, ())
    if len(parts) != 1 or not parts[0][0].has_more:
        return instructed, charges, ()
    ((plan, texts),) = parts
    place = f"{entry.place}/TxDtls[{index}]"
    if plan.instructed:
        slot, currency, path = plan.instructed[0]
        instructed = parse_money(texts[slot], currency, f"{place}/{path}")
    charges = read_charges(plan.charges, texts, place) or charges
    return instructed, charges, tuple(_referred(plan, texts, place))


def _referred(plan: PartPlan, texts: Texts, place: str) -> Iterator[ReferredDocument]:
    for number, at in plan.documents:
        amount = parse_money(texts[at[0]], at[1], f"{place}/RmtInf/Strd/{at[2]}") if at else None
        yield ReferredDocument(texts[number], amount)


def _counterparty(
    plan: PartPlan, texts: Texts, is_from_debtor: bool, own: str
) -> tuple[str | None, str | None, str | None, str | None]:
    """Name, IBAN and postcode of the other side, and who paid for it if that is somebody else.

    A return or reversal keeps the roles of the payment it undoes, so the other side changes;
    and a side that bears our own account is never the other one.
    """
    for side in (plan.debtor, plan.creditor) if is_from_debtor else (plan.creditor, plan.debtor):
        iban = compact(texts[side.iban])
        name = texts[side.name]
        if (name or iban) and not (iban and iban == own):
            payer = texts[side.direct]
            postcode = texts[side.postcode]
            return name or None, iban or None, postcode or None, payer if payer != name else None
    return None, None, None, None


def _key(of_part: str, said: tuple[str, ...], booked: Booked, index: int, entry: OfEntry) -> str:
    """What tells this payment apart for ever: see ``TransactionDetails.key``.

    Direction and amount stand in it because banks reuse a reference for the reversal. A
    reference that the bank merely repeats from the entry in each detail says nothing of it.
    """
    if of_part and (of_part != entry.bank_reference or entry.parts == 1):
        reference = of_part
    elif entry.bank_reference:
        reference = f"{entry.bank_reference}/{index}"
    else:
        reference = _fingerprint(said, entry)
    status = f"{entry.status}:" if entry.status else ""
    sign = "C" if booked.is_credit else "D"
    key = f"{entry.account}:{status}{reference}:{sign}{booked.minor}"
    times = entry.keys.count(key)
    return key if times == 1 else f"{key}#{times}"


def _fingerprint(said: tuple[str, ...], entry: OfEntry) -> str:
    """A hash of what the payment says. Its list of fields may never change: keys are stored."""
    value_on = entry.value_on.isoformat() if entry.value_on else ""
    fields = (entry.booked_on.isoformat(), value_on, str(entry.is_reversal), *said)
    return "sha256-" + hashlib.sha256("\x1f".join(fields).encode()).hexdigest()[:32]
