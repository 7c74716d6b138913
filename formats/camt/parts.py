"""Where the fields of a ``TxDtls`` stand in its layout, and of ``Chrgs``, which an ``Ntry`` has too.

Governed by ISO 20022 EntryTransaction, in all its shapes from version 01 on: ``Pty`` and ``Agt`` around a
party, ``Rcrd`` in the charges, ``RtrRsn`` for ``Rsn``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from lxml import etree

from formats.camt.layout import NOWHERE, Layouts, Slots, Texts, children, first_slot, picker, slot_of, slots
from formats.camt.values import parse_money
from o2c.statement import Charge

_REFERENCES = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
_TEXT = ("RmtInf/Ustrd", "RmtInf/Strd/AddtlRmtInf", "RmtInf/Strd/RfrdDocInf/Nb")
_RETURN_REASONS = ("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/RtrRsn/Cd", "RtrInf/RtrRsn/Prtry")
_CODES = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt")
INSTRUCTED = ("AmtDtls/InstdAmt/Amt",)

PricedAt: TypeAlias = tuple[int, str, str]  # slot of the amount, its Ccy, its path


class ChargeAt(NamedTuple):
    """Where one ``Chrgs`` record stands."""

    amount: PricedAt
    side: int
    included: int


class _Side(NamedTuple):
    """Where one side of a payment stands: ``direct`` is the name of the party without its ultimate one."""

    iban: int
    name: int
    postcode: int
    direct: int


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Where the fields of a ``TxDtls`` stand in its texts."""

    single: Callable[[Texts], tuple[str, ...]]  # the texts at ``_SINGLE``
    side: int
    amounts: tuple[PricedAt, ...]
    instructed: tuple[PricedAt, ...]
    references: tuple[int, ...]
    lines: tuple[int, ...]
    debtor: _Side
    creditor: _Side
    charges: tuple[ChargeAt, ...]
    documents: tuple[tuple[int, PricedAt | None], ...]
    is_return: bool
    has_more: bool  # instructed, charges or documents


# One ``TxDtls`` as it passed by. A plain pair: there are as many as payments.
Part: TypeAlias = tuple[PartPlan, Texts]


def part_layouts() -> Layouts[PartPlan]:
    """A memory for the layouts of one file's details."""
    return Layouts(_plan)


# The fields of which a ``TxDtls`` has at most one, in the order in which ``payment_of`` takes them.
_SINGLE = (
    ("Refs/EndToEndId",), ("Refs/AcctSvcrRef",), ("Refs/TxId",), ("Refs/MndtId",),
    _CODES[:1], _CODES[1:2], _CODES[2:], ("BkTxCd/Prtry/Cd",), _RETURN_REASONS, ("AddtlTxInf",),
)  # fmt: skip
NOTHING = ("",) * len(_SINGLE)


def _plan(element: etree._Element) -> PartPlan:
    found = slots(element)
    instructed, charges = priced_at(element, *INSTRUCTED), charges_at(element)
    documents = tuple(_documents(element))
    return PartPlan(
        single=picker(found, _SINGLE),
        side=first_slot(found, "CdtDbtInd"),
        amounts=priced_at(element, *AMOUNTS),
        instructed=instructed,
        references=_all(found, _REFERENCES),
        lines=_all(found, _TEXT),
        debtor=_side_plan(found, "Dbtr"),
        creditor=_side_plan(found, "Cdtr"),
        charges=charges,
        documents=documents,
        is_return=any(path.startswith("RtrInf/") for path in found),
        has_more=bool(instructed or charges or documents),
    )


def _all(found: Slots, paths: Iterable[str]) -> tuple[int, ...]:
    return tuple(slot for path in paths for slot in found.get(path, ()) if slot != NOWHERE)


def _side_plan(found: Slots, role: str) -> _Side:
    """The ultimate party before the direct one; ``Pty`` or ``Agt`` wraps them from version 07 on."""

    def of(what: str, *parties: str) -> int:
        return first_slot(found, *(f"RltdPties/{party}/{what}" for party in parties))

    both = (f"Ultmt{role}/Pty", f"Ultmt{role}", f"{role}/Pty", role)
    bank = f"RltdPties/{role}/Agt/FinInstnId/Nm"
    name, direct = of("Nm", *both), of("Nm", *both[2:])
    return _Side(
        iban=first_slot(found, f"RltdPties/{role}Acct/Id/IBAN"),
        name=first_slot(found, bank) if name == NOWHERE else name,
        postcode=of("PstlAdr/PstCd", *both),
        direct=first_slot(found, bank) if direct == NOWHERE else direct,
    )


def priced_at(element: etree._Element, *paths: str) -> tuple[PricedAt, ...]:
    """Where the amounts at ``paths`` stand, the first of each path, with their currencies."""
    found = ((path, next(children(element, *path.split("/")), None)) for path in paths)
    return tuple((slot_of(one), one.get("Ccy", ""), path) for path, one in found if one is not None)


def charges_at(element: etree._Element) -> tuple[ChargeAt, ...]:
    """Both shapes: ``Chrgs/Amt`` repeated (to version 03) and one ``Chrgs`` with its ``Rcrd`` (since)."""
    found = []
    for charge in children(element, "Chrgs"):
        for record in tuple(children(charge, "Rcrd")) or (charge,):
            here = slots(record)
            stated = priced_at(record, "Amt") or priced_at(record, "TtlChrgsAndTaxAmt")
            for slot, currency, path in stated:
                at = (slot, currency, f"Chrgs/{path}")
                found.append(ChargeAt(at, first_slot(here, "CdtDbtInd"), first_slot(here, "ChrgInclInd")))
    return tuple(found)


def _documents(element: etree._Element) -> Iterable[tuple[int, PricedAt | None]]:
    """An amount belongs to a document only where its ``Strd`` names no other."""
    for structured in children(element, "RmtInf", "Strd"):
        numbers = [slot_of(one) for one in children(structured, "RfrdDocInf", "Nb")]
        amounts = priced_at(structured, "RfrdDocAmt/RmtdAmt", "RfrdDocAmt/DuePyblAmt")
        for number in numbers:
            if number != NOWHERE:
                yield number, amounts[0] if amounts and len(numbers) == 1 else None


def read_charges(plan: Sequence[ChargeAt], texts: Texts, place: str) -> tuple[Charge, ...]:
    """The charges as the bank states them; a charge without its side is one that we pay."""
    found = []
    for (slot, currency, path), side, included in plan:
        amount = parse_money(texts[slot], currency, f"{place}/{path}")
        is_included = {"true": True, "1": True, "false": False, "0": False}.get(texts[included])
        found.append(Charge(amount, is_credit=texts[side] == "CRDT", is_included=is_included))
    return tuple(charge for charge in found if charge.amount.amount)
