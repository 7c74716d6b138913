"""What the API shows of rule files: activations, proposals, findings, replays, explanations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.http.order_views import total
from gateway.http.schema import Sum
from gateway.stages.explained import Explained
from gateway.stages.rehearse import Rehearsal, Turn
from gateway.store.rulefiles import Activation, Proposal
from o2c.errors import Fault
from rules.difference import Change

_PLACE = re.compile(r"line (\d+), column (\d+)")


@dataclass(frozen=True, slots=True)
class ActivationView:
    """From `active_from` on, the file `sha256` decides. `number` counts the policy's activations;
    `reason` is that of a rollback; `withdrawn_at`: called off before its instant."""

    policy: str
    number: int
    sha256: str
    active_from: datetime
    live: bool
    activated_by: str
    activated_at: datetime
    proposal: str | None = None
    reason: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activations:
    """Oldest first, policy by policy."""

    items: list[ActivationView]


def activation(one: Activation, live: bool) -> ActivationView:
    """An entry of the history."""
    return ActivationView(
        one.policy,
        one.number,
        one.sha256,
        one.active_from,
        live,
        one.activated_by,
        one.activated_at,
        one.proposal_id,
        one.reason,
        one.withdrawn_at,
    )


@dataclass(frozen=True, slots=True)
class FindingView:
    """`severity`: a `fault` keeps the file from being used, a `remark` does not."""

    severity: str
    message: str
    code: str | None = None
    line: int | None = None
    column: int | None = None


def finding(severity: str, place: str, message: str, code: str | None = None) -> FindingView:
    """A fault or remark with its line and column."""
    match = _PLACE.fullmatch(place)
    line, column = (int(match[1]), int(match[2])) if match else (None, None)
    return FindingView(severity, message, code, line, column)


def fault(severity: str, one: Fault) -> FindingView:
    """The same of what a load has found."""
    return finding(severity, one.pointer, one.message, one.code)


@dataclass(frozen=True, slots=True)
class CheckView:
    """What a load says of a file: `fit` means that it may be proposed; its own tests have passed then."""

    fit: bool
    findings: list[FindingView]
    policy: str | None = None
    sha256: str | None = None
    currency: str | None = None
    rules: int | None = None
    tests: int | None = None


@dataclass(frozen=True, slots=True)
class ProposalView:
    """`state`: proposed, approved, shadow, scheduled, active, rejected, withdrawn, superseded. `replay` is
    what the approver was shown."""

    id: str
    policy: str
    state: str
    sha256: str
    base_sha256: str
    author: str
    note: str
    remarks: list[FindingView]
    proposed_at: datetime
    approver: str | None = None
    approved_at: datetime | None = None
    replay: Mapping[str, Any] | None = None
    shadow_from: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """One page. `next` is the `after` of the page that follows; absent on the last one."""

    items: list[ProposalView]
    next: str | None = None


def proposal(one: Proposal) -> ProposalView:
    """A proposal as it stands."""
    remarks = [finding("remark", remark["place"], remark["message"]) for remark in json.loads(one.remarks)]
    return ProposalView(
        one.proposal_id,
        one.policy,
        str(one.state),
        one.sha256,
        one.base_sha256,
        one.author,
        one.note,
        remarks,
        one.proposed_at,
        one.approver,
        one.approved_at,
        json.loads(one.replay) if one.replay else None,
        one.shadow_from,
        one.closed_by,
        one.closed_at,
        one.reason,
    )


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A difference in what two files say. `part`: setting, rule, derived, table, row, test; `kind`:
    added, removed, changed, moved."""

    part: str
    kind: str
    name: str
    field: str
    old: str | None = None
    new: str | None = None
    old_line: int | None = None
    new_line: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Every difference; none where the files say the same."""

    old_sha256: str
    new_sha256: str
    items: list[ChangeView]


def change(one: Change) -> ChangeView:
    """One difference."""
    names = ChangeView.__dataclass_fields__
    return ChangeView(**{name: getattr(one, name) for name in names})


@dataclass(frozen=True, slots=True)
class TurnView:
    """A past decision that comes out otherwise. `only_actions`: the outcome stays the same."""

    decision_id: str
    subject_id: str
    decided_at: datetime
    old_outcome: str
    new_outcome: str
    only_actions: bool
    line_id: str | None = None
    old_rule: str | None = None
    new_rule: str | None = None
    customer_id: str | None = None
    customer: str | None = None
    value: Sum | None = None


@dataclass(frozen=True, slots=True)
class TransitionView:
    """How many decisions go one way, and the value of their orders or invoices per currency."""

    old_outcome: str
    new_outcome: str
    count: int
    values: list[Sum]


@dataclass(frozen=True, slots=True)
class ReplayView:
    """`decisions` were replayed, `changed` of them come out otherwise; `changes` are the first of these,
    oldest first, as many as were asked for. `not_replayed` lacked a fact that the file reads."""

    policy: str
    old_sha256: str
    new_sha256: str
    since: datetime
    decisions: int
    changed: int
    not_replayed: int
    transitions: list[TransitionView]
    changes: list[TurnView]


def replay(done: Rehearsal, limit: int) -> ReplayView:
    """A replay and the first changes of it."""
    ways = [
        TransitionView(
            one.old_outcome, one.new_outcome, one.count, [total(v.minor, v.currency) for v in one.values]
        )
        for one in done.transitions
    ]
    return ReplayView(
        done.policy,
        done.old_sha256,
        done.new_sha256,
        done.since,
        done.decisions,
        len(done.turns),
        len(done.skipped),
        ways,
        [_turn(one) for one in done.turns[:limit]],
    )


def _turn(one: Turn) -> TurnView:
    return TurnView(
        one.decision_id,
        one.subject_id,
        one.decided_at,
        one.old_outcome,
        one.new_outcome,
        one.only_actions,
        one.line_id,
        one.old_rule,
        one.new_rule,
        one.customer_id,
        one.customer,
        total(one.value.minor, one.value.currency) if one.value else None,
    )


@dataclass(frozen=True, slots=True)
class HitView:
    """How often a rule decided and fired in the period. `live`: it is in the file that decides now."""

    policy: str
    rule: str
    decided: int
    fired: int
    live: bool
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Every rule of the live file in its order, `otherwise`, then rules of earlier files."""

    items: list[HitView]


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """What a shadow run would have decided otherwise. `alarm`: it failed there."""

    id: str
    subject_id: str
    live_outcome: str
    shadow_outcome: str
    facts: Mapping[str, Any]
    live_actions: Mapping[str, str]
    shadow_actions: Mapping[str, str]
    decided_at: datetime
    line_id: str | None = None
    live_rule: str | None = None
    shadow_rule: str | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class DifferencePage:
    """One page. `next` is the `after` of the page that follows; absent on the last one."""

    items: list[DifferenceView]
    next: str | None = None


def shadow_difference(row: Any) -> DifferenceView:
    """One stored difference."""
    body = json.loads(row.body)
    return DifferenceView(
        row.difference_id,
        row.subject_id,
        row.live_outcome,
        row.shadow_outcome,
        body.get("facts", {}),
        body.get("live", {}),
        body.get("shadow", {}),
        row.decided_at,
        row.line_id,
        row.live_rule,
        row.shadow_rule,
        body.get("alarm"),
    )


@dataclass(frozen=True, slots=True)
class UnmetView:
    """A rule that did not fire, and its conditions that were not true."""

    rule: str
    conditions: list[str]


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A figure that was decided on, as the language writes it."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """A decision in words. `rederived`: made again from its stored file and facts it is byte for byte the
    same; `trouble` says why it is not."""

    decision_id: str
    policy: str
    outcome: str
    headline: str
    because: list[str]
    others: list[UnmetView]
    facts: list[ShownFact]
    decided_at: datetime
    decided_by: str
    rulebook_sha256: str
    rederived: bool
    line_id: str | None = None
    rule: str | None = None
    reason: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Explanations:
    """Every decision, in the order they were made."""

    items: list[ExplanationView]


def explanation(one: Explained) -> ExplanationView:
    """An explained decision."""
    told, made = one.explanation, one.decision
    return ExplanationView(
        one.decision_id,
        made.policy,
        made.outcome,
        told.headline if told else "",
        list(told.because) if told else [],
        [UnmetView(rule, list(words)) for rule, words in told.others] if told else [],
        [ShownFact(*fact) for fact in told.facts] if told else [],
        one.decided_at,
        one.decided_by,
        made.rulebook_sha,
        one.same,
        one.line_id,
        made.rule,
        one.reason,
        one.trouble or None,
    )
