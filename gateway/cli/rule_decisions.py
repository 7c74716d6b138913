"""``o2c rules``: what looks at decisions. Why one came out as it did, what another file would have
said, what a shadow run saw, and which rules still work."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, progress
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import DAY
from gateway.cli.rule_files import POLICY, books, of_policy

if TYPE_CHECKING:
    from gateway.stages.rehearse import Rehearsal


@click.command(
    epilog=example(
        "o2c rules explain --order ord_01k...", "o2c rules explain --invoice INV-00001 --language de"
    )
)
@click.option("--order", "order_id", metavar="ID")
@click.option("--invoice", "number", metavar="NUMBER")
@click.option("--language", type=click.Choice(["en", "de", "nb"]), default="en", show_default=True)
@for_company
@answers_json
def explain(order_id: str | None, number: str | None, language: str, code: str | None, talk: Talk) -> None:
    """Why every decision about an order or invoice came out as it did, and why not otherwise."""
    from gateway.stages import explained
    from rules.explain import as_text

    if (order_id is None) == (number is None):
        raise click.UsageError("Give --order ID or --invoice NUMBER.")
    with at_desk(code) as (_house, desk):
        found = (
            explained.order_explained(desk, order_id, language)
            if order_id is not None
            else explained.invoice_explained(desk, number or "", language)
        )
    for one in found:
        line = f" line {one.line_id}" if one.line_id else ""
        told = as_text(one.explanation) if one.explanation else ""
        same = "yes" if one.same else f"no. {one.trouble}".strip()
        head = f"{one.decided_at:%Y-%m-%d %H:%M}{line}  {one.decided_by}"
        talk.say(explained.as_data(one), f"{head}\n{told}made again, byte for byte: {same}\n")
    if not found:
        talk.note("nothing was decided about it")


# --- replay --------------------------------------------------------------------------------------
@click.command(
    epilog=example(
        "o2c rules replay credit.yaml --since 2026-01-01",
        "o2c rules replay rpr_019...",
        "o2c rules replay default --policy cash",
    )
)
@click.argument("file", metavar="FILE|PROPOSAL")
@click.option("--since", type=DAY, help="The first day. [default: 90 days back]")
@of_policy
@for_company
@answers_json
def replay(file: str, since: date | None, policy: str | None, code: str | None, talk: Talk) -> None:
    """Which past decisions a file would have made otherwise than the live one: whose, about what amounts.

    The file may also be named by its SHA-256, or be the `default` one. In JSON each change is a line, then
    each transition, then one line for all."""
    from gateway.stages import rehearse
    from gateway.store import decisions

    [new] = books(code, policy, file)
    with at_desk(code) as (_house, desk):
        start = datetime.combine(since, time(), UTC) if since else desk.clock.now() - rehearse.PERIOD
        with desk.database.read() as connection:
            total = decisions.count(connection, desk.company_id, new.policy, start)
        with progress("replaying", total) as advance:
            done = rehearse.rehearse(desk, new, start, advance=advance)
    if talk.in_json:
        _say_all(done, talk)
    else:
        _table(done, talk)


def _say_all(done: Rehearsal, talk: Talk) -> None:
    from gateway.stages.rehearse import summary

    for turn in done.turns:
        value = str(turn.value) if turn.value else None
        talk.say({"kind": "change", **asdict(turn), "value": value})
    for way in done.transitions:
        data = {"from": way.old_outcome, "to": way.new_outcome, "count": way.count}
        talk.say({"kind": "transition", **data, "values": [str(value) for value in way.values]})
    for decision_id, reason in done.skipped:
        talk.say({"kind": "skipped", "decision_id": decision_id, "reason": reason})
    whole = {name: value for name, value in summary(done).items() if name != "transitions"}
    talk.say({"kind": "replay", "policy": done.policy, **whole})


def _table(done: Rehearsal, talk: Talk) -> None:
    rows = [
        {
            "decided": f"{turn.decided_at:%Y-%m-%d}",
            "about": turn.subject_id + (f" line {turn.line_id}" if turn.line_id else ""),
            "customer": f"{turn.customer_id} {turn.customer}" if turn.customer_id else None,
            "value": str(turn.value) if turn.value else None,
            "from": f"{turn.old_outcome} ({turn.old_rule or 'otherwise'})",
            "to": f"{turn.new_outcome} ({turn.new_rule or 'otherwise'})",
        }
        for turn in done.turns
    ]
    if rows:
        talk.table(rows, *rows[0])
        talk.note("")
    talk.note("\n".join(summary_words(done)))


def summary_words(done: Rehearsal) -> list[str]:
    """``7 of 412 decisions change``, and each transition with its sums."""
    since = f"{done.since:%Y-%m-%d}"
    lines = [f"{len(done.turns)} of {done.decisions} decisions since {since} change"]
    for way in done.transitions:
        values = f"  {', '.join(map(str, way.values))}" if way.values else ""
        same = "only what is said or done" if way.old_outcome == way.new_outcome else ""
        lines.append(f"  {way.count} {way.old_outcome} -> {way.new_outcome}{values}  {same}".rstrip())
    if done.skipped:
        reasons = dict.fromkeys(reason for _, reason in done.skipped)
        lines.append(f"  {len(done.skipped)} could not be replayed: {'; '.join(list(reasons)[:3])}")
    return lines


# --- what runs show ------------------------------------------------------------------------------
@click.command(epilog=example("o2c rules shadowed rpr_019..."))
@click.argument("proposal_id", metavar="ID")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def shadowed(proposal_id: str, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """What a shadow run has decided otherwise than the live file, oldest first."""
    from gateway.store import rulefiles

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        rulefiles.find_proposal(connection, desk.company_id, proposal_id)
        rows = [
            difference_data(row)
            for row in rulefiles.differences(connection, desk.company_id, proposal_id, after, limit)
        ]
        counts = list(rulefiles.difference_counts(connection, desk.company_id, proposal_id))
    columns = ("decided_at", "subject_id", "line_id", "live_outcome", "live_rule", "shadow_outcome")
    talk.table(rows, *columns, "shadow_rule", empty="no differences")
    for way in counts:
        talk.note(f"{way.decisions} {way.live_outcome} -> {way.shadow_outcome}")


def difference_data(row: Any) -> dict[str, Any]:
    """One difference of a shadow run, always with the same keys."""
    import json

    body = json.loads(row.body)
    return {
        "id": row.difference_id,
        "proposal": row.proposal_id,
        "subject_id": row.subject_id,
        "line_id": row.line_id,
        "live_outcome": row.live_outcome,
        "live_rule": row.live_rule,
        "shadow_outcome": row.shadow_outcome,
        "shadow_rule": row.shadow_rule,
        "live_actions": body.get("live", {}),
        "shadow_actions": body.get("shadow", {}),
        "alarm": body.get("alarm"),
        "facts": body.get("facts", {}),
        "decided_at": row.decided_at,
    }


@click.command(epilog=example("o2c rules hits", "o2c rules hits credit --days 365"))
@click.argument("policy", type=POLICY, required=False)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@for_company
@answers_json
def hits(policy: str | None, days: int, code: str | None, talk: Talk) -> None:
    """How often each rule of the live files has decided, and fired at all: which ones never do?"""
    from gateway.stages.rehearse import rule_hits

    with at_desk(code) as (_house, desk):
        rows = rule_hits(desk, policy, desk.clock.now() - timedelta(days=days))
    for row in rows:
        last = row["last_at"]
        row["told"] = f"last {last:%Y-%m-%d}" if last else f"not fired for {days} days"
    shown = rows if not talk.in_json else [{n: v for n, v in row.items() if n != "told"} for row in rows]
    talk.table(shown, "policy", "rule", "decided", "fired", "told", empty="no rules")


VERBS = (explain, replay, shadowed, hits)
