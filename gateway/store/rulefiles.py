"""Rule files: their bytes (kept once), what is in force from when, proposals, and shadow runs.

What is in force is never stored as a state: it follows from the history and an instant, so that
every process that has read the history switches at the same moment, by its own clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from gateway.store.rows import chunks
from gateway.store.schema import rule_file, rule_proposal, rulebook, shadow_difference
from o2c.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class Activation:
    """From ``active_from`` on, ``policy`` is decided by the file ``sha256``, until the next one.

    ``number`` counts the policy's activations. ``reason`` is that of a rollback; without reason and
    proposal the file came with the company.
    """

    policy: str
    number: int
    sha256: str
    active_from: datetime
    activated_by: str
    activated_at: datetime
    reason: str | None = None
    proposal_id: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        """From when on it decides. What came with the company decides from ever: another machine's clock
        may be behind the one that wrote it down."""
        return _EVER if self.number == 1 and self.proposal_id is None else self.active_from


_EVER = datetime.min.replace(tzinfo=UTC)


class Schedule:
    """Every activation of a company that was not called off: what is in force at any instant."""

    def __init__(self, activations: Iterable[Activation] = ()) -> None:
        self._by_policy: dict[str, list[Activation]] = {}
        for one in activations:
            if one.withdrawn_at is None:
                self._by_policy.setdefault(one.policy, []).append(one)
        for rows in self._by_policy.values():
            rows.sort(key=lambda one: (one.begins, one.number))

    @property
    def policies(self) -> Collection[str]:
        """Those that any file decides or will decide."""
        return self._by_policy.keys()

    def at(self, policy: str, instant: datetime) -> Activation | None:
        """What decides ``policy`` at that instant; None where nothing does."""
        rows = self._by_policy.get(policy, ())
        return next((one for one in reversed(rows) if one.begins <= instant), None)

    def without(self, sha256s: Collection[str]) -> Schedule:
        """The same without these files."""
        every = (one for rows in self._by_policy.values() for one in rows)
        return Schedule(one for one in every if one.sha256 not in sha256s)

    def was_in_force(self, policy: str, sha256: str, instant: datetime) -> bool:
        """Whether this file decides at that instant or did before."""
        rows = self._by_policy.get(policy, ())
        return any(one.sha256 == sha256 and one.begins <= instant for one in rows)

    def in_force(self, instant: datetime) -> dict[str, Activation]:
        """policy -> what decides it at that instant."""
        return {policy: one for policy in self._by_policy if (one := self.at(policy, instant))}

    def coming(self, instant: datetime, policy: str | None = None) -> list[Activation]:
        """What will decide later, the next one first."""
        rows = (one for rows in self._by_policy.values() for one in rows)
        later = [one for one in rows if one.begins > instant and policy in (None, one.policy)]
        return sorted(later, key=lambda one: one.active_from)


class State(StrEnum):
    """How a proposal stands. Stored is what people did; what the clock did to it is worked out."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SHADOW = "shadow"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


PENDING = (State.PROPOSED, State.APPROVED, State.SHADOW)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule file that somebody wants in force instead of the file ``base_sha256``.

    ``remarks`` (JSON) is what the load had to say, ``replay`` (JSON) what the approver was shown.
    ``closed_by`` rejected or withdrew it, for that ``reason``.
    """

    proposal_id: str
    policy: str
    sha256: str
    base_sha256: str
    state: State
    author: str
    note: str
    remarks: str
    proposed_at: datetime
    approver: str | None = None
    approved_at: datetime | None = None
    replay: str | None = None
    shadow_from: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    reason: str | None = None


def standing(found: Proposal, schedule: Schedule, instant: datetime) -> Proposal:
    """The proposal as it stands at that instant: a scheduled file becomes active by the clock, and
    what waits is superseded once another file than its base is in force."""
    live = schedule.at(found.policy, instant)
    if found.state in PENDING and (live is None or live.sha256 != found.base_sha256):
        return replace(found, state=State.SUPERSEDED)
    if found.state is not State.SCHEDULED:
        return found
    if live is not None and live.proposal_id == found.proposal_id:
        return replace(found, state=State.ACTIVE)
    waits = any(one.proposal_id == found.proposal_id for one in schedule.coming(instant, found.policy))
    return found if waits else replace(found, state=State.SUPERSEDED)


# --- bytes ---------------------------------------------------------------------------------------
def keep(
    connection: Connection, company_id: str, policy: str, sha256: str, content: bytes, at: datetime
) -> None:
    """Keep the bytes of a checked file; the same bytes are kept once."""
    mine = (rule_file.c.company_id == company_id) & (rule_file.c.sha256 == sha256)
    if connection.execute(select(rule_file.c.sha256).where(mine)).one_or_none() is None:
        row = {"company_id": company_id, "sha256": sha256, "policy": policy, "content": content}
        connection.execute(insert(rule_file), row | {"stored_at": at})


def contents(connection: Connection, company_id: str, wanted: Iterable[str]) -> dict[str, bytes]:
    """sha256 -> bytes, of the files that are there."""
    found: dict[str, bytes] = {}
    for some in chunks(sorted(set(wanted))):
        query = select(rule_file.c.sha256, rule_file.c.content).where(
            rule_file.c.company_id == company_id, rule_file.c.sha256.in_(some)
        )
        found |= {row.sha256: row.content for row in connection.execute(query)}
    return found


def find_file(connection: Connection, company_id: str, prefix: str, policy: str | None = None) -> Row[Any]:
    """The file whose SHA-256 begins with ``prefix``: sha256, policy, content.

    ``NotFound('rule-file')``; ``Refused('rule-file')`` where several begin so.
    """
    query = select(rule_file).where(
        rule_file.c.company_id == company_id, rule_file.c.sha256.startswith(prefix, autoescape=True)
    )
    if policy is not None:
        query = query.where(rule_file.c.policy == policy)
    found = connection.execute(query.order_by(rule_file.c.sha256).limit(2)).all()
    if not prefix or not found:
        of = f" of policy {policy}" if policy else ""
        raise NotFound(
            "rule-file", f"there is no rule file{of} {prefix}.", next_step="See: o2c rules history"
        )
    if len(found) > 1:
        raise Refused("rule-file", f"several rule files begin with {prefix}.", next_step="Give more of it.")
    return found[0]


# --- what is in force ----------------------------------------------------------------------------
_ACTIVATION = tuple(rulebook.c[name] for name in Activation.__dataclass_fields__)


def history(connection: Connection, company_id: str, policy: str | None = None) -> list[Activation]:
    """Every activation, newest last, those called off too."""
    query = select(*_ACTIVATION).where(rulebook.c.company_id == company_id)
    if policy is not None:
        query = query.where(rulebook.c.policy == policy)
    rows = connection.execute(query.order_by(rulebook.c.policy, rulebook.c.number))
    return [Activation(*row) for row in rows]


def schedule(connection: Connection, company_id: str) -> Schedule:
    """What decides when."""
    return Schedule(history(connection, company_id))


def active_rulebooks(connection: Connection, company_id: str, at: datetime) -> dict[str, bytes]:
    """policy -> the bytes in force at ``at``."""
    live = schedule(connection, company_id).in_force(at)
    found = contents(connection, company_id, (one.sha256 for one in live.values()))
    return {policy: found[one.sha256] for policy, one in live.items()}


def next_number(connection: Connection, company_id: str, policy: str) -> int:
    """The number that the policy's next activation takes."""
    last = connection.execute(
        select(func.max(rulebook.c.number)).where(
            rulebook.c.company_id == company_id, rulebook.c.policy == policy
        )
    ).scalar()
    return (last or 0) + 1


def activate(connection: Connection, company_id: str, new: Activation) -> None:
    """Write an activation into the history. Its bytes must be kept already."""
    values = {name: getattr(new, name) for name in Activation.__dataclass_fields__}
    connection.execute(insert(rulebook), {"company_id": company_id, **values})


def call_off(connection: Connection, company_id: str, policy: str, at: datetime) -> None:
    """Withdraw what was to decide ``policy`` later than ``at``."""
    connection.execute(
        update(rulebook)
        .where(
            rulebook.c.company_id == company_id,
            rulebook.c.policy == policy,
            rulebook.c.active_from > at,
            rulebook.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
    )


# --- proposals -----------------------------------------------------------------------------------
_PROPOSAL = tuple(rule_proposal.c[name] for name in Proposal.__dataclass_fields__)


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(**{**row._mapping, "state": State(row.state)})


def propose(connection: Connection, company_id: str, new: Proposal) -> None:
    """Insert a proposal. Its bytes must be kept already."""
    values = {name: getattr(new, name) for name in Proposal.__dataclass_fields__}
    connection.execute(insert(rule_proposal), {"company_id": company_id, **values, "state": new.state.value})


def find_proposal(connection: Connection, company_id: str, proposal_id: str) -> Proposal:
    """One proposal as stored; ``NotFound('rule-proposal')``."""
    query = select(*_PROPOSAL).where(
        rule_proposal.c.company_id == company_id, rule_proposal.c.proposal_id == proposal_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            "rule-proposal", f"there is no proposal {proposal_id}.", next_step="See: o2c rules proposals"
        )
    return _proposal(row)


def proposals(
    connection: Connection, company_id: str, after: str = "", limit: int = 500, policy: str | None = None
) -> list[Proposal]:
    """Proposals as stored, oldest first, after the id ``after``."""
    query = select(*_PROPOSAL).where(
        rule_proposal.c.company_id == company_id, rule_proposal.c.proposal_id > after
    )
    if policy is not None:
        query = query.where(rule_proposal.c.policy == policy)
    rows = connection.execute(query.order_by(rule_proposal.c.proposal_id).limit(limit))
    return [_proposal(row) for row in rows]


def change(connection: Connection, company_id: str, proposal_id: str, **values: Any) -> None:
    """Store what somebody did to a proposal."""
    mine = (rule_proposal.c.company_id == company_id) & (rule_proposal.c.proposal_id == proposal_id)
    connection.execute(update(rule_proposal).where(mine).values(**values))


_SHADOWS = select(rule_proposal.c.proposal_id, rule_proposal.c.policy, rule_proposal.c.sha256,
                  rule_proposal.c.base_sha256).where(
    rule_proposal.c.company_id == bindparam("of"), rule_proposal.c.state == State.SHADOW.value
)  # fmt: skip


def shadows(connection: Connection, company_id: str) -> list[Row[Any]]:
    """Proposals that decide beside the files in force: proposal_id, policy, sha256, base_sha256."""
    return list(connection.execute(_SHADOWS, {"of": company_id}))


# --- shadow runs ---------------------------------------------------------------------------------
def add_differences(connection: Connection, company_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a shadow would have decided otherwise, in one statement."""
    connection.execute(insert(shadow_difference), [{"company_id": company_id, **row} for row in rows])


def differences(
    connection: Connection, company_id: str, proposal_id: str, after: str = "", limit: int = 100
) -> list[Row[Any]]:
    """What a proposal's shadow run would have decided otherwise, oldest first."""
    query = select(shadow_difference).where(
        shadow_difference.c.company_id == company_id,
        shadow_difference.c.proposal_id == proposal_id,
        shadow_difference.c.difference_id > after,
    )
    return list(connection.execute(query.order_by(shadow_difference.c.difference_id).limit(limit)))


def difference_counts(connection: Connection, company_id: str, proposal_id: str) -> Iterator[Row[Any]]:
    """live_outcome, shadow_outcome, decisions: most first."""
    live, shadow = shadow_difference.c.live_outcome, shadow_difference.c.shadow_outcome
    count = func.count().label("decisions")
    query = select(live, shadow, count).where(
        shadow_difference.c.company_id == company_id, shadow_difference.c.proposal_id == proposal_id
    )
    yield from connection.execute(query.group_by(live, shadow).order_by(count.desc(), live, shadow))
