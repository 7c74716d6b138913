"""A shadow run: a proposed rule file decides beside the one in force and changes nothing.

It is given the facts of each decision; only what it would have decided otherwise is kept, in one
statement. Whatever goes wrong with it is noted or logged and never reaches the live decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.store import rulefiles
from gateway.store.orders import Decided
from gateway.store.rows import pack
from o2c.decision import Decision, person_of
from o2c.ports import Decider

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shadow:
    """A proposed file at work. It is compared only while the file it would replace is in force."""

    proposal_id: str
    policy: str
    base_sha256: str
    decider: Decider


def compare(
    connection: Connection,
    company_id: str,
    at: datetime,
    shadows: Sequence[Shadow],
    decided: Sequence[Decided],
) -> None:
    """Keep what the shadows would have decided otherwise. Without a shadow this costs nothing."""
    if not shadows:
        return
    try:
        rows = [row for one in decided for shadow in shadows for row in _difference(shadow, one, at)]
        if rows:
            with connection.begin_nested():  # else a failed insert would take the decisions along
                rulefiles.add_differences(connection, company_id, rows)
    except Exception:  # a comparison is never worth an order
        _log.exception("a shadow run failed", company=company_id)


def _difference(shadow: Shadow, one: Decided, at: datetime) -> Iterator[dict[str, Any]]:
    live = one.decision
    by_rules = person_of(live) is None and live.alarm is None  # a person's word is nothing to compare with
    if not by_rules or (live.policy, live.rulebook_sha) != (shadow.policy, shadow.base_sha256):
        return
    other = shadow.decider.decide(live.policy, live.facts)
    if other.alarm is None and _is_same(live, other):
        return
    body = {"facts": live.facts, "live": live.actions, "shadow": other.actions, "alarm": other.alarm}
    yield {
        "proposal_id": shadow.proposal_id,
        "difference_id": new_id("shd", at),
        "subject_id": one.subject_id,
        "line_id": one.line_id,
        "live_outcome": live.outcome,
        "live_rule": live.rule,
        "shadow_outcome": other.outcome,
        "shadow_rule": other.rule,
        "body": pack({name: value for name, value in body.items() if value}),
        "decided_at": at,
    }


def _is_same(live: Decision, other: Decision) -> bool:
    """A stage adds to what a rule says (``Settle first: INV-7``); the shadow's words are the rule's alone."""
    said = live.say == other.say or live.say.startswith(f"{other.say}: ")
    return said and live.outcome == other.outcome and dict(live.actions) == dict(other.actions)
