"""The way a rule file is changed: proposed, approved by a second person, tried beside the live one,
activated from an instant on, and rolled back.

Nothing here decides anything about an order. A file that does not load, or whose own tests fail,
gets no further than its message. Every act is an event on the stream ``rules:POLICY``; acts of one
company come one after the other. Who wants a file cannot be the one who lets it in (four eyes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import tell
from gateway.stages.desk import Desk
from gateway.stages.in_force import fitting
from gateway.store import companies, rulefiles
from gateway.store.journal import Event
from gateway.store.rows import pack
from gateway.store.rulefiles import PENDING, Activation, Proposal, Schedule, State, standing
from gateway.store.schema import stamp
from o2c.errors import Conflict, NotFound, Refused
from rules.rulebook import load


def rules_stream(policy: str) -> str:
    """The stream of what happened to a policy's files."""
    return f"rules:{policy}"


# --- propose, approve ----------------------------------------------------------------------------
def propose(desk: Desk, content: bytes, note: str, *, name: str = "rule file") -> Proposal:
    """Ask for another rule file. It is loaded whole and its tests are run before anything is kept.

    Raises ``Refused('rulebook-invalid')`` with every fault, ``Refused('rulebook-currency')``, and
    ``Conflict('rules-unchanged')`` for the bytes that are in force already.
    """
    book = fitting(load(content, name=name), desk.company)

    def unit(connection: Connection) -> Proposal:
        now = desk.clock.now()
        live = _live(_schedule(desk, connection), book.policy, now)
        if live.sha256 == book.sha256:
            raise Conflict("rules-unchanged", f"these bytes decide {book.policy} already.")
        new = Proposal(
            proposal_id=new_id("rpr", now),
            policy=book.policy,
            sha256=book.sha256,
            base_sha256=live.sha256,
            state=State.PROPOSED,
            author=desk.actor,
            note=note,
            remarks=pack([{"place": r.pointer, "message": r.message} for r in book.remarks]),
            proposed_at=now,
        )
        rulefiles.keep(connection, desk.company_id, book.policy, book.sha256, content, now)
        rulefiles.propose(connection, desk.company_id, new)
        told = {"base": new.base_sha256, "note": note, "remarks": len(book.remarks)}
        _record(desk, connection, "RulesProposed", new, told)
        return new

    return desk.database.write(unit)


def approve(desk: Desk, proposal_id: str, shown: Mapping[str, Any]) -> Proposal:
    """A second person agrees. ``shown`` is the replay the approver was shown; it stays as evidence.

    Raises ``Refused('four-eyes')`` for the author, ``Conflict('rules-state')`` and
    ``Conflict('rules-moved-on')``.
    """
    now = desk.clock.now()
    values = {"approver": desk.actor, "approved_at": now, "replay": pack(shown)}
    return _step(desk, proposal_id, (State.PROPOSED,), State.APPROVED, "RulesApproved", values, shown)


def reject(desk: Desk, proposal_id: str, reason: str) -> Proposal:
    """A second person says no. ``Refused('four-eyes')``: the author withdraws instead."""
    values = {"closed_by": desk.actor, "closed_at": desk.clock.now(), "reason": reason}
    return _step(desk, proposal_id, PENDING, State.REJECTED, "RulesRejected", values, {"reason": reason})


def shadow(desk: Desk, proposal_id: str) -> Proposal:
    """Let an approved file decide beside the live one, for comparison only."""
    values = {"shadow_from": desk.clock.now()}
    return _step(desk, proposal_id, (State.APPROVED,), State.SHADOW, "RulesShadowed", values)


def withdraw(desk: Desk, proposal_id: str, reason: str = "") -> Proposal:
    """Take back a proposal, or call off a scheduled file before its instant.

    ``Conflict('rules-state')`` once it is in force: that is undone by a rollback.
    """

    def unit(connection: Connection) -> Proposal:
        schedule, now = _schedule(desk, connection), desk.clock.now()
        stored = rulefiles.find_proposal(connection, desk.company_id, proposal_id)
        found = standing(stored, schedule, now)
        overtaken = (State.SUPERSEDED,) if stored.state in PENDING else ()  # it never was in force
        _allow(found, (*PENDING, State.SCHEDULED, *overtaken))
        if found.state is State.SCHEDULED:
            rulefiles.call_off(connection, desk.company_id, found.policy, now)
        values = {"closed_by": desk.actor, "closed_at": now, "reason": reason or None}
        return _store(desk, connection, found, State.WITHDRAWN, "RulesWithdrawn", values, {"reason": reason})

    return desk.database.write(unit)


def _step(
    desk: Desk,
    proposal_id: str,
    from_: tuple[State, ...],
    to: State,
    event: str,
    values: Mapping[str, Any],
    told: Mapping[str, Any] | None = None,
) -> Proposal:
    def unit(connection: Connection) -> Proposal:
        schedule = _schedule(desk, connection)
        found = _find(desk, connection, proposal_id, schedule, desk.clock.now())
        _allow(found, from_)
        if to in (State.APPROVED, State.REJECTED):
            _second_person(desk, found)
        return _store(desk, connection, found, to, event, values, told or {})

    return desk.database.write(unit)


def _store(
    desk: Desk,
    connection: Connection,
    found: Proposal,
    to: State,
    event: str,
    values: Mapping[str, Any],
    told: Mapping[str, Any],
) -> Proposal:
    rulefiles.change(connection, desk.company_id, found.proposal_id, state=to.value, **values)
    _record(desk, connection, event, found, told)
    return replace(found, state=to, **values)


def person(actor: str) -> str:
    """Who stands behind a name in the journal: ``key:Anna``, ``cli:root as anna`` are one person."""
    return actor.rpartition(" as ")[2].removeprefix("cli:").removeprefix("key:").strip().casefold()


def _second_person(desk: Desk, found: Proposal) -> None:
    if person(desk.actor) == person(found.author):
        raise Refused(
            "four-eyes",
            f"{found.author} proposed {found.proposal_id}; somebody else must decide about it.",
            next_step="Ask a second person, or withdraw it.",
        )


def _allow(found: Proposal, states: tuple[State, ...]) -> None:
    if found.state in states:
        return
    if found.state is State.SUPERSEDED and State.SCHEDULED not in states:
        raise Conflict(
            "rules-moved-on",
            f"another {found.policy} file is in force than the one {found.proposal_id} was made from.",
            next_step="Compare with the live file (o2c rules diff live FILE) and propose it again.",
        )
    raise Conflict(
        "rules-state",
        f"{found.proposal_id} is {found.state}; this needs one that is {' or '.join(states)}.",
        next_step="See: o2c rules proposals",
    )


# --- activate, roll back -------------------------------------------------------------------------
def activate(desk: Desk, proposal_id: str, at: datetime | None = None) -> Activation:
    """An approved file decides from ``at`` on, or from now.

    Raises ``Refused('rules-past')`` for an instant that has gone by, ``Conflict('rules-scheduled')``
    where another file waits for its instant, and what ``approve`` raises for the state.
    """

    def unit(connection: Connection) -> Activation:
        schedule, now = _schedule(desk, connection), desk.clock.now()
        found = _find(desk, connection, proposal_id, schedule, now)
        _allow(found, (State.APPROVED, State.SHADOW))
        instant = now if at is None else at
        if instant < now:
            raise Refused(
                "rules-past",
                f"{instant.isoformat()} has gone by: it is {now.isoformat()}. What is decided is decided.",
                next_step="Give a later instant, or none for now.",
            )
        _nothing_scheduled(schedule, found.policy, now)
        _load_again(desk, connection, found.sha256, found.policy)
        new = _activation(desk, connection, found.policy, found.sha256, instant, now)
        new = replace(new, proposal_id=proposal_id)
        rulefiles.activate(connection, desk.company_id, new)
        rulefiles.change(connection, desk.company_id, proposal_id, state=State.SCHEDULED.value)
        event = "RulesActivated" if instant == now else "RulesScheduled"
        _record(desk, connection, event, found, _of_activation(new))
        return new

    return desk.database.write(unit)


def _nothing_scheduled(schedule: Schedule, policy: str, now: datetime) -> None:
    for one in schedule.coming(now, policy):
        raise Conflict(
            "rules-scheduled",
            f"another {policy} file ({one.proposal_id}) is scheduled for {one.active_from.isoformat()}.",
            next_step=f"Wait for it, or call it off: o2c rules withdraw {one.proposal_id}",
        )


def rollback(desk: Desk, policy: str, sha256: str, reason: str) -> Activation:
    """A file that was in force before decides again, at once: the same bytes. ``sha256`` may be cut short.

    One person may do this, in an emergency; the journal and the finance desk are told. What is
    scheduled for the policy is called off. Raises ``NotFound('rule-file')`` for a file that never was
    in force, ``Conflict('rules-unchanged')`` for the one that is.
    """

    def unit(connection: Connection) -> Activation:
        schedule, now = _schedule(desk, connection), desk.clock.now()
        file = rulefiles.find_file(connection, desk.company_id, sha256, policy)
        if not schedule.was_in_force(policy, file.sha256, now):
            raise NotFound(
                "rule-file",
                f"{file.sha256} was never in force for {policy}.",
                next_step=f"See: o2c rules history {policy}",
            )
        if _live(schedule, policy, now).sha256 == file.sha256:
            raise Conflict("rules-unchanged", f"{file.sha256} decides {policy} already.")
        _load_again(desk, connection, file.sha256, policy)
        off = [one.proposal_id for one in schedule.coming(now, policy) if one.proposal_id]
        rulefiles.call_off(connection, desk.company_id, policy, now)
        for proposal_id in off:
            scheduled = _find(desk, connection, proposal_id, schedule, now)
            closed = {"closed_by": desk.actor, "closed_at": now, "reason": reason}
            _store(desk, connection, scheduled, State.WITHDRAWN, "RulesWithdrawn", closed, {"reason": reason})
        new = replace(_activation(desk, connection, policy, file.sha256, now, now), reason=reason)
        rulefiles.activate(connection, desk.company_id, new)
        told = {"by": desk.actor, "reason": reason, "called_off": off, **_of_activation(new)}
        event = Event(rules_stream(policy), "RulesRolledBack", told, rulebook_sha256=new.sha256)
        work = tell.rolled_back(desk, connection, policy, new.sha256, reason)
        desk.record(connection, now, [event], work)
        return new

    return desk.database.write(unit)


def _activation(
    desk: Desk, connection: Connection, policy: str, sha256: str, instant: datetime, now: datetime
) -> Activation:
    number = rulefiles.next_number(connection, desk.company_id, policy)
    return Activation(policy, number, sha256, instant, desk.actor, now)


def _of_activation(new: Activation) -> dict[str, Any]:
    return {
        "policy": new.policy,
        "number": new.number,
        "sha256": new.sha256,
        "active_from": stamp(new.active_from),
    }


def _load_again(desk: Desk, connection: Connection, sha256: str, policy: str) -> None:
    """A file that was good when it was kept may be refused today: laws and checks change."""
    content = rulefiles.contents(connection, desk.company_id, [sha256])[sha256]
    fitting(load(content, name=f"{policy}.yaml"), desk.company)


# --- common --------------------------------------------------------------------------------------
def _schedule(desk: Desk, connection: Connection) -> Schedule:
    """What decides when, held still until we commit."""
    companies.lock(connection, desk.company_id)
    return rulefiles.schedule(connection, desk.company_id)


def _live(schedule: Schedule, policy: str, now: datetime) -> Activation:
    live = schedule.at(policy, now)
    if live is None:
        raise NotFound("policy", f"no file of policy {policy} is in force.", next_step="See: o2c rules show")
    return live


def _find(
    desk: Desk, connection: Connection, proposal_id: str, schedule: Schedule, now: datetime
) -> Proposal:
    return standing(rulefiles.find_proposal(connection, desk.company_id, proposal_id), schedule, now)


def _record(desk: Desk, connection: Connection, event: str, about: Proposal, told: Mapping[str, Any]) -> None:
    data = {"proposal": about.proposal_id, "sha256": about.sha256, "by": desk.actor, **told}
    happened = Event(rules_stream(about.policy), event, data, rulebook_sha256=about.sha256)
    desk.record(connection, desk.clock.now(), [happened])
