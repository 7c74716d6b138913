"""Changes of rule files: proposed, approved by a second person, tried, activated, rolled back."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages, rule_views
from gateway.http.fields import Day, FileText, Id, Instant, Paging, Query, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, door, operation
from gateway.http.rule_views import (
    ActivationView,
    Changes,
    DifferencePage,
    ProposalPage,
    ProposalView,
    ReplayView,
)
from gateway.http.rules import MOST_CHANGES, changes, first_instant, policy_of
from gateway.stages import rehearse, rulefiles
from gateway.stages.desk import Desk
from gateway.store import rulefiles as store
from gateway.store.rulefiles import Activation, Proposal, standing

blueprint = APIBlueprint("rule_changes", __name__, tag="Rules")
_CONFLICT = "Not as it stands: `rules-state`, `rules-moved-on`, `rules-scheduled`, `rules-unchanged`."


class ProposalBody(Strict):
    """A rule file as text, and why."""

    content: FileText
    note: Words


class ReasonBody(Strict):
    """Why."""

    reason: Words


class WithdrawalBody(Strict):
    """Why, if anybody should know."""

    reason: Words | None = None


class ActivationBody(Strict):
    """From when on; without it from now."""

    at: Instant | None = None


class RollbackBody(ReasonBody):
    """Which file: its SHA-256, or at least six signs of its beginning."""

    sha256: Id = Field(min_length=6)


class Since(Query):
    """The first day (default: 90 days back), and how many changes to show."""

    since: Day | None = None
    limit: int = Field(500, ge=0, le=MOST_CHANGES)


def _as_it_stands(desk: Desk, found: Proposal) -> ProposalView:
    with desk.database.read() as connection:
        schedule = store.schedule(connection, desk.company_id)
    return rule_views.proposal(standing(found, schedule, desk.clock.now()))


def _changed(desk: Desk, found: Proposal, status: int = 200) -> Response:
    door().house.forget(desk.company_id)
    return answer(_as_it_stands(desk, found), status)


def _activated(desk: Desk, done: Activation) -> Response:
    door().house.forget(desk.company_id)
    return answer(rule_views.activation(done, done.active_from <= desk.clock.now()))


@blueprint.post("/v1/rules/proposals")
@operation(
    "rules:write",
    {201: answers(ProposalView, "Checked, tested and kept; it decides nothing yet.")},
    reads={JSON: ProposalBody},
    conflicts=_CONFLICT,
)
def propose_rules(desk: Desk) -> Response:
    """Propose a rule file

    A file with a fault is refused, each fault with line and column."""
    asked = messages.body(ProposalBody)
    return _changed(desk, rulefiles.propose(desk, asked.content.encode(), asked.note), 201)


@blueprint.get("/v1/rules/proposals")
@operation("rules:read", {200: answers(ProposalPage, "One page, oldest first.")}, query=Paging)
def list_proposals(desk: Desk) -> Response:
    """List proposed rule files"""
    asked, now = messages.query(Paging), desk.clock.now()
    with desk.database.read() as connection:
        schedule = store.schedule(connection, desk.company_id)
        found = store.proposals(connection, desk.company_id, asked.after, asked.limit + 1)
    page = [rule_views.proposal(standing(one, schedule, now)) for one in found[: asked.limit]]
    return answer(ProposalPage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/rules/proposals/<proposal_id>")
@operation("rules:read", {200: answers(ProposalView, "As it stands.")})
def show_proposal(desk: Desk, proposal_id: str) -> Response:
    """Show a proposed rule file"""
    with desk.database.read() as connection:
        found = store.find_proposal(connection, desk.company_id, proposal_id)
    return answer(_as_it_stands(desk, found))


@blueprint.get("/v1/rules/proposals/<proposal_id>/difference")
@operation("rules:read", {200: answers(Changes, "By meaning, not by spelling.")})
def compare_proposal(desk: Desk, proposal_id: str) -> Response:
    """Compare a proposal with the file it was made from"""
    new = rehearse.proposed_book(desk, proposal_id)
    with desk.database.read() as connection:
        base = store.find_proposal(connection, desk.company_id, proposal_id).base_sha256
    return answer(changes(rehearse.stored_book(desk, base, new.policy), new))


@blueprint.get("/v1/rules/proposals/<proposal_id>/replay")
@operation("rules:read", {200: answers(ReplayView, "The live file against the proposed one.")}, query=Since)
def replay_proposal(desk: Desk, proposal_id: str) -> Response:
    """Try a proposal on past decisions"""
    asked = messages.query(Since)
    done = rehearse.rehearse_proposal(desk, proposal_id, first_instant(desk, asked.since))
    return answer(rule_views.replay(done, asked.limit))


@blueprint.post("/v1/rules/proposals/<proposal_id>/approval")
@operation(
    "rules:approve", {200: answers(ProposalView, "Approved, with the replay you see.")}, conflicts=_CONFLICT
)
def approve_proposal(desk: Desk, proposal_id: str) -> Response:
    """Approve a proposal, as somebody else than its author

    It is replayed over the last 90 days; the figures of that stay beside the approver's name."""
    done = rehearse.rehearse_proposal(desk, proposal_id)
    return _changed(desk, rulefiles.approve(desk, proposal_id, rehearse.summary(done)))


@blueprint.post("/v1/rules/proposals/<proposal_id>/rejection")
@operation("rules:approve", {200: answers(ProposalView, "Rejected.")}, reads={JSON: ReasonBody})
def reject_proposal(desk: Desk, proposal_id: str) -> Response:
    """Turn a proposal down, as somebody else than its author"""
    return _changed(desk, rulefiles.reject(desk, proposal_id, messages.body(ReasonBody).reason))


@blueprint.post("/v1/rules/proposals/<proposal_id>/withdrawal")
@operation("rules:write", {200: answers(ProposalView, "Withdrawn.")}, reads={JSON: WithdrawalBody})
def withdraw_proposal(desk: Desk, proposal_id: str) -> Response:
    """Take a proposal back, or call off a scheduled one"""
    reason = messages.body(WithdrawalBody).reason
    return _changed(desk, rulefiles.withdraw(desk, proposal_id, reason or ""))


@blueprint.post("/v1/rules/proposals/<proposal_id>/shadow")
@operation("rules:approve", {200: answers(ProposalView, "It decides beside.")}, conflicts=_CONFLICT)
def shadow_proposal(desk: Desk, proposal_id: str) -> Response:
    """Let an approved file decide beside the live one

    It changes nothing; what it would have decided otherwise is kept."""
    return _changed(desk, rulefiles.shadow(desk, proposal_id))


@blueprint.get("/v1/rules/proposals/<proposal_id>/shadow")
@operation("rules:read", {200: answers(DifferencePage, "One page, oldest first.")}, query=Paging)
def list_shadow_differences(desk: Desk, proposal_id: str) -> Response:
    """List what a shadow run would have decided otherwise"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        store.find_proposal(connection, desk.company_id, proposal_id)
        rows = store.differences(connection, desk.company_id, proposal_id, asked.after, asked.limit + 1)
    page = [rule_views.shadow_difference(row) for row in rows[: asked.limit]]
    return answer(DifferencePage(page, page[-1].id if len(rows) > asked.limit else None))


@blueprint.post("/v1/rules/proposals/<proposal_id>/activation")
@operation(
    "rules:approve", {200: answers(ActivationView, "In force, or scheduled.")}, reads={JSON: ActivationBody}
)
def activate_proposal(desk: Desk, proposal_id: str) -> Response:
    """Put an approved file in force, now or from an instant on

    Other processes follow within ten seconds; what is scheduled later than that switches everywhere at its
    instant."""
    return _activated(desk, rulefiles.activate(desk, proposal_id, messages.body(ActivationBody).at))


@blueprint.post("/v1/rules/policies/<policy>/rollback")
@operation("rules:approve", {200: answers(ActivationView, "It decides again.")}, reads={JSON: RollbackBody})
def roll_back_rules(desk: Desk, policy: str) -> Response:
    """Put a file that was in force before in force again, at once

    One person may do this. What is scheduled for the policy is called off; the finance desk is told."""
    asked = messages.body(RollbackBody)
    return _activated(desk, rulefiles.rollback(desk, policy_of(policy), asked.sha256, asked.reason))
