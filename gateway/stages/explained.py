"""Why a decision came out as it did: every stored decision about an order or invoice, in words.

Told from the rule file and the facts that were stored with it, never from what is in force now. It
says also whether the decision, made again from them, is byte for byte what was stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.stages.desk import Desk
from gateway.stages.in_force import kept_book
from gateway.store import invoices, orders, rulefiles
from gateway.store.rows import pack
from o2c.decision import Decision
from o2c.errors import O2CError
from rules.explain import Explanation, explain
from rules.rederive import rederive
from rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision and its explanation. ``explanation`` is None, with the reason in ``trouble``, where the
    stored rule file cannot be read; ``same`` says whether it was made again byte for byte."""

    decision_id: str
    line_id: str | None
    decided_at: datetime
    decided_by: str
    reason: str | None
    decision: Decision
    explanation: Explanation | None
    same: bool
    trouble: str = ""


def order_explained(desk: Desk, order_id: str, language: str = "en") -> list[Explained]:
    """The decisions about an order and its lines; ``NotFound('order')``, ``Refused('language')``."""
    with desk.database.read() as connection:
        orders.find(connection, desk.company_id, order_id)
    return _explained(desk, order_id, language)


def invoice_explained(desk: Desk, number: str, language: str = "en") -> list[Explained]:
    """The decisions about an invoice; ``NotFound('invoice')``, ``Refused('language')``."""
    with desk.database.read() as connection:
        invoices.find(connection, desk.company_id, number)
    return _explained(desk, number, language)


def decisions_about(desk: Desk, subject_id: str, language: str = "en") -> list[Explained]:
    """The decisions about whatever has this id; none where there is nothing; ``Refused('language')``."""
    return _explained(desk, subject_id, language)


def _explained(desk: Desk, subject_id: str, language: str) -> list[Explained]:
    with desk.database.read() as connection:
        made = orders.decisions(connection, desk.company_id, subject_id)
        used = {decision.rulebook_sha for _, decision in made}
        contents = rulefiles.contents(connection, desk.company_id, used)
    policies = {decision.rulebook_sha: decision.policy for _, decision in made}
    books = {sha256: _read(policies[sha256], content) for sha256, content in contents.items()}
    found = []
    for row, decision in made:
        book = books.get(decision.rulebook_sha, "its rule file is not stored.")
        told, same, trouble = _told(desk, book, decision, row.body, language)
        who = (row.decision_id, row.line_id, row.decided_at, row.actor, row.reason)
        found.append(Explained(*who, decision, told, same, trouble))
    return found


def _read(policy: str, content: bytes) -> Rulebook | str:
    try:
        return kept_book(policy, content)
    except O2CError as error:
        return error.message


def _told(
    desk: Desk, book: Rulebook | str, decision: Decision, stored: str, language: str
) -> tuple[Explanation | None, bool, str]:
    if isinstance(book, str):
        return None, False, book
    told = explain(book, decision, language, currency=desk.company.currency)
    try:
        return told, pack(rederive(book, decision)) == stored, ""
    except O2CError as error:
        return told, False, error.message


def as_data(one: Explained) -> Mapping[str, object]:
    """Plain data of an explained decision; what is absent is left out."""
    told, made = one.explanation, one.decision
    data: dict[str, object] = {
        "decision_id": one.decision_id,
        "policy": made.policy,
        "line_id": one.line_id,
        "outcome": made.outcome,
        "rule": made.rule,
        "decided_at": one.decided_at,
        "decided_by": one.decided_by,
        "reason": one.reason,
        "rulebook_sha256": made.rulebook_sha,
        "rederived": one.same,
        "trouble": one.trouble or None,
    }
    if told is not None:
        data |= {
            "language": told.language,
            "headline": told.headline,
            "because": list(told.because),
            "others": [{"rule": rule, "conditions": list(words)} for rule, words in told.others],
            "facts": [{"name": name, "label": label, "value": value} for name, label, value in told.facts],
        }
    return {name: value for name, value in data.items() if value is not None}
