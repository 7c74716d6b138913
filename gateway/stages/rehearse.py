"""Try a rule file on the past before it decides anything: what would have come out otherwise?

Reads every stored decision of a period in one query and changes nothing. The list of changes says
whom they concern and what is at stake; the sums say it per transition (``approve -> refer``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.stages.desk import Desk
from gateway.stages.in_force import fitting, kept_book
from gateway.store import decisions, rulefiles
from gateway.store.decisions import Subject
from o2c.errors import NotFound, Refused
from o2c.money import Money
from rules.replay import Changed, Replay, replay
from rules.rulebook import Rulebook

PERIOD = timedelta(days=90)  # how far back a replay looks unless told otherwise


@dataclass(frozen=True, slots=True)
class Turn:
    """A past decision that comes out otherwise. ``only_actions``: the outcome stays, what is said or
    done with it does not. Customer and value are those of the order or invoice, where it is known."""

    decision_id: str
    subject_id: str
    line_id: str | None
    decided_at: datetime
    old_outcome: str
    old_rule: str | None
    new_outcome: str
    new_rule: str | None
    only_actions: bool
    customer_id: str | None = None
    customer: str | None = None
    value: Money | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """How many decisions go one way, and the value of their orders or invoices, per currency (one that
    is concerned by several lines counts once)."""

    old_outcome: str
    new_outcome: str
    count: int
    values: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """``decisions`` were replayed since an instant. ``skipped`` could not be, each with its reason."""

    policy: str
    old_sha256: str
    new_sha256: str
    since: datetime
    decisions: int
    turns: tuple[Turn, ...]
    transitions: tuple[Transition, ...]
    skipped: tuple[tuple[str, str], ...]


def live_content(desk: Desk, policy: str) -> bytes:
    """The bytes that decide ``policy`` now; ``NotFound('policy')``."""
    with desk.database.read() as connection:
        live = rulefiles.schedule(connection, desk.company_id).at(policy, desk.clock.now())
        if live is None:
            raise NotFound("policy", f"no file of policy {policy} is in force.")
        return rulefiles.contents(connection, desk.company_id, [live.sha256])[live.sha256]


def live_book(desk: Desk, policy: str) -> Rulebook:
    """The file that decides ``policy`` now; ``NotFound('policy')``."""
    return kept_book(policy, live_content(desk, policy))


def proposed_book(desk: Desk, proposal_id: str) -> Rulebook:
    """The file of a proposal; ``NotFound('rule-proposal')``."""
    with desk.database.read() as connection:
        found = rulefiles.find_proposal(connection, desk.company_id, proposal_id)
        content = rulefiles.contents(connection, desk.company_id, [found.sha256])[found.sha256]
    return kept_book(found.policy, content)


def stored_book(desk: Desk, name: str, policy: str | None = None) -> Rulebook:
    """A file that is kept, by the id of its proposal or the beginning of its SHA-256.

    Raises ``NotFound`` with the code ``rule-proposal`` or ``rule-file``, ``Refused('rule-file')``.
    """
    if name.startswith("rpr_"):
        return proposed_book(desk, name)
    with desk.database.read() as connection:
        found = rulefiles.find_file(connection, desk.company_id, name, policy)
    return kept_book(found.policy, found.content)


def rehearse(
    desk: Desk,
    new: Rulebook,
    since: datetime,
    *,
    old: Rulebook | None = None,
    advance: Callable[[int], None] = lambda _done: None,
) -> Rehearsal:
    """Both files on the facts of every decision since an instant. ``old`` is the live file unless given.

    ``Refused('rules-policy')`` for two policies.
    """
    old = old or live_book(desk, new.policy)
    if old.policy != new.policy:
        raise Refused("rules-policy", f"one file is about {old.policy}, the other about {new.policy}.")
    fitting(new, desk.company)
    with desk.database.read() as connection:
        past = decisions.past(connection, desk.company_id, new.policy, since, advance)
        played = replay(old, new, past)
        subjects = decisions.subjects(
            connection, desk.company_id, new.policy, [change.past.subject_id for change in played.changes]
        )
    turns = sorted(_turns(played, subjects), key=lambda turn: (turn.decided_at, turn.decision_id))
    return Rehearsal(
        new.policy,
        old.sha256,
        new.sha256,
        since,
        played.count,
        tuple(turns),
        tuple(_transitions(turns)),
        tuple((one.past.decision_id, one.reason) for one in played.skipped),
    )


def _turns(played: Replay, subjects: Mapping[str, Subject]) -> Iterator[Turn]:
    for change in played.changes:
        yield _turn(change, subjects.get(change.past.subject_id))


def _turn(change: Changed, subject: Subject | None) -> Turn:
    past = change.past
    return Turn(
        past.decision_id,
        past.subject_id,
        past.line_id,
        datetime.fromisoformat(past.decided_at),
        *change.old,
        *change.new,
        change.only_actions,
        subject.customer_id if subject else None,
        subject.customer if subject else None,
        subject.value if subject else None,
    )


def _transitions(turns: Iterable[Turn]) -> Iterator[Transition]:
    """The most frequent first."""
    ways: defaultdict[tuple[str, str], list[Turn]] = defaultdict(list)
    for turn in turns:
        ways[turn.old_outcome, turn.new_outcome].append(turn)
    for way, same in sorted(ways.items(), key=lambda item: (-len(item[1]), item[0])):
        values: defaultdict[str, int] = defaultdict(int)
        for value in {turn.subject_id: turn.value for turn in same if turn.value}.values():
            values[value.currency] += value.minor
        sums = tuple(Money.from_minor(minor, currency) for currency, minor in sorted(values.items()))
        yield Transition(*way, len(same), sums)


def summary(done: Rehearsal) -> dict[str, Any]:
    """What stays as evidence of a replay that somebody was shown."""
    return {
        "old": done.old_sha256,
        "new": done.new_sha256,
        "since": done.since,
        "decisions": done.decisions,
        "changed": len(done.turns),
        "not_replayed": len(done.skipped),
        "transitions": [
            {
                "from": one.old_outcome,
                "to": one.new_outcome,
                "count": one.count,
                "values": [str(value) for value in one.values],
            }
            for one in done.transitions
        ],
    }


def rehearse_proposal(desk: Desk, proposal_id: str, since: datetime | None = None) -> Rehearsal:
    """A proposal over the last 90 days, or since an instant."""
    book = proposed_book(desk, proposal_id)
    return rehearse(desk, book, since or desk.clock.now() - PERIOD)


# --- which rules still work ----------------------------------------------------------------------
def rule_hits(desk: Desk, policy: str | None, since: datetime) -> list[dict[str, Any]]:
    """How often each rule of the live files decided and fired since an instant; those that never did
    are there with zeros, those of earlier files too if they fired."""
    with desk.database.read() as connection:
        live = rulefiles.schedule(connection, desk.company_id).in_force(desk.clock.now())
        wanted = {name: one.sha256 for name, one in sorted(live.items()) if policy in (None, name)}
        contents = rulefiles.contents(connection, desk.company_id, wanted.values())
        rows: list[dict[str, Any]] = []
        for name, sha256 in wanted.items():
            book = kept_book(name, contents[sha256])
            counted = {hit.rule: hit for hit in decisions.hits(connection, desk.company_id, name, since)}
            ours = [*(step.id for step in book.program.steps), decisions.OTHERWISE]
            for rule in (*ours, *sorted(counted.keys() - set(ours))):
                hit = counted.get(rule)
                rows.append(
                    {
                        "policy": name,
                        "rule": rule,
                        "decided": hit.decided if hit else 0,
                        "fired": hit.fired if hit else 0,
                        "last_at": hit.last_at if hit else None,
                        "live": rule in ours,
                    }
                )
    return rows
