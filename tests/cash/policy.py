"""The default cash rule file as one small function, so that the matcher is measured without an engine."""

from __future__ import annotations

from o2c.matching import CashOutcome, Difference, Treatment


def policy(difference: Difference) -> Treatment:
    """What ``rules/cash.yaml`` says, in minor units of a currency with cents."""
    amount, due = difference.amount, difference.due
    late = difference.discount_days_late
    offered = difference.discount_offered and late is not None and difference.discount_gap <= 2
    if not difference.overpaid and offered and late is not None and late <= 3:
        return Treatment(CashOutcome.TAKE_DISCOUNT, "K10/1")
    if not difference.overpaid and difference.bank_charges:
        return Treatment(CashOutcome.CHARGES if amount <= 2500 else CashOutcome.REVIEW, "K10/2")
    if amount <= 100 and amount * 100 <= due:
        return Treatment(CashOutcome.WRITE_OFF, "K10/4")
    if difference.overpaid:
        return Treatment(CashOutcome.ON_ACCOUNT, "K10/5")
    return Treatment(CashOutcome.KEEP_OPEN, "otherwise")
