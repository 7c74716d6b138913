"""Whether unmatched money may be meant for some items: asked before a reminder, where any hint counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from o2c.ledger import OpenItem
from o2c.matching.names import parsed
from o2c.statement import TransactionDetails

_GAP = r"[\s\-./_]*"
_LOOKALIKES = str.maketrans("OQILSBZ", "0011582")
_FEWEST_DIGITS = 5  # fewer are found in any text


def plausible(payment: TransactionDetails, items: Iterable[OpenItem], today: date) -> tuple[str, ...]:
    """Hints that unmatched money is meant for these items of one customer; empty means none.

    Used to hold a reminder back, so one hint is enough: an amount, the payer's name, or a number
    that is right once letters are read as the digits they look like.
    """
    owed = tuple(item for item in items if item.open > 0)
    if not payment.is_credit or not owed:
        return ()
    return (*_same_amounts(payment, owed, today), *_same_name(payment, owed), *_near_numbers(payment, owed))


def _same_amounts(payment: TransactionDetails, items: Sequence[OpenItem], today: date) -> list[str]:
    money = payment.amount
    mine = [item for item in items if item.currency == money.currency]
    hints = [f"{money} is open on {item.invoice_number}" for item in mine if item.open == money.minor]
    overdue = [item for item in mine if item.due_on < today]
    for what, group in (("all open items", mine), ("all overdue items", overdue)):
        if len(group) > 1 and sum(item.open for item in group) == money.minor:
            hints.append(f"{money} is the sum of {what}")
    return hints


def _same_name(payment: TransactionDetails, items: Sequence[OpenItem]) -> list[str]:
    payer = parsed(payment.counterparty or "").words
    names = dict.fromkeys(item.customer_name for item in items)
    return [f"the payer is called {name}" for name in names if any(payer) and parsed(name).words == payer]


def _near_numbers(payment: TransactionDetails, items: Sequence[OpenItem]) -> list[str]:
    runs = re.findall(r"\d+", re.sub(_GAP, "", payment.text.upper().translate(_LOOKALIKES)))
    hints = []
    for item in items:
        digits = re.sub(r"\D", "", item.invoice_number)
        if len(digits) >= _FEWEST_DIGITS and any(digits in run for run in runs):
            hints.append(f"the text nearly names {item.invoice_number}")
    return hints
