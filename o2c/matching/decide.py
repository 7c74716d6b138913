"""What one payment is for: ordered rules, each of which answers or passes on.

A wrong posting is worse than ten payments left to a person: solutions are counted and two mean review.
Nothing here reads or writes anything but the book it is given.
"""

from __future__ import annotations

from o2c.ledger import ItemKind
from o2c.matching.book import Book
from o2c.matching.by_number import by_settled, by_strong, by_weak
from o2c.matching.by_payer import by_payer
from o2c.matching.case import Case
from o2c.matching.keys import Keys
from o2c.matching.model import Answer, Outcome, Part, Policy
from o2c.matching.review import review
from o2c.statement import Entry, TransactionDetails

_UNDOES = ("/UPDD", "/RRTN", "/RPCR", "/ARET", "/PRDD")
_RULES = (by_strong, by_weak, by_settled, by_payer)


def decide(entry: Entry, payment: TransactionDetails, keys: Keys, book: Book, policy: Policy) -> Answer:
    """The one explanation of a payment, or why there is none.

    A return is only recognised: its original is found by who knows the earlier payments. On a match the
    parts' cash, ``unapplied`` and ``write_off`` make up what was paid, in the answer's currency.
    """
    early = _not_a_receipt(entry, payment)
    if early is not None:
        return early
    case = Case(entry, payment, keys, book, policy)
    if not payment.is_credit:
        return _money_out(case)
    for rule in _RULES:
        answer = rule(case)
        if answer is not None:
            return answer
    return _left(case)


def _not_a_receipt(entry: Entry, payment: TransactionDetails) -> Answer | None:
    currency = payment.amount.currency
    code = payment.bank_code or ""
    if entry.is_reversal or payment.return_reason or code.endswith(_UNDOES):
        words = "The bank undoes an earlier payment."
        return Answer(Outcome.RETURN, "return", currency=currency, reason="reversal", words=words)
    if payment.is_credit and entry.is_unresolved_batch:
        words = "Several payments in one sum; it waits for their camt.054."
        return Answer(Outcome.REVIEW, "batch", currency=currency, reason="batch", words=words)
    if payment.amount.amount <= 0:
        words = "The payment has no amount."
        return Answer(Outcome.UNRELATED, "no-amount", currency=currency, reason="no-amount", words=words)
    return None


def _money_out(case: Case) -> Answer:
    """Money went out: it pays back the credit note it names, to the cent, or is none of our business."""
    currency = case.payment.amount.currency
    notes = [item for item in case.strong.values() if item.kind is ItemKind.CREDIT_NOTE]
    paid = case.payment.amount.minor
    if len(notes) == 1 == len(case.strong) and case.book.open(notes[0]) == -paid:
        note = notes[0]
        return Answer(
            Outcome.MATCH,
            "refund-exact",
            (case.why[note.invoice_number],),
            (Part(note.invoice_number, -paid, True),),
            customer_id=note.customer_id,
            currency=note.currency,
        )
    if case.strong:
        return review(case, "debit", "Money went out, and it names items of ours.")
    words = "Money went out; it settles nothing of ours."
    return Answer(Outcome.UNRELATED, "debit", currency=currency, reason="debit", words=words)


def _left(case: Case) -> Answer:
    """No rule explains it: the customer's money on account, a task for a person, or none of ours."""
    currency = case.payment.amount.currency
    if case.shared or case.weak or case.unknown:
        return review(case, "not-open", "It names numbers of ours that explain nothing.")
    if len(case.payer.customers) == 1 and case.payer.is_known:
        return Answer(
            Outcome.UNAPPLIED,
            "payer-on-account",
            case.payer.evidence,
            unapplied=case.payment.amount.minor,
            customer_id=case.payer.customers[0],
            currency=currency,
            reason="no-key",
            words="The payer is known, but nothing open of theirs explains the amount.",
        )
    if case.payer.named:
        return review(
            case, "payer-in-doubt", "The payer may be a customer; nothing open explains the amount."
        )
    words = "Nothing ties it to a customer or an item."
    return Answer(Outcome.UNRELATED, "no-tie", currency=currency, reason="no-key", words=words)
