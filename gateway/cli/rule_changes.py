"""``o2c rules``: what people do about a change of a rule file, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import actor, choose, for_company, open_house
from gateway.cli.parameters import INSTANT
from gateway.cli.rule_files import POLICY, place_of
from o2c.errors import Refused

if TYPE_CHECKING:
    from gateway.stages.desk import Desk
    from gateway.store.rulefiles import Activation, Proposal

as_person = click.option("--as", "person", metavar="NAME", help="Who you are, where several share a user.")
_proposal = click.argument("proposal_id", metavar="ID")
_policy = click.argument("policy", type=POLICY, required=False)
_LONGEST = 2000  # characters of a note or reason


def words(value: str, option: str) -> str:
    """A note or reason: something, and not a book."""
    if not value.strip() or len(value) > _LONGEST:
        raise click.BadParameter(f"takes 1 to {_LONGEST} characters.", param_hint=option)
    return value


@contextmanager
def desk_of(code: str | None, person: str | None) -> Iterator[Desk]:
    """The desk of a person. On one machine with one user the journal says ``cli:USER as NAME``."""
    if person is not None and (not person.strip() or len(person) > 80 or not person.isprintable()):
        raise click.BadParameter("takes 1 to 80 characters.", param_hint="--as")
    with open_house() as house:
        name = f"{actor()} as {person.strip()}" if person else actor()
        yield house.desk(choose(house, code), name)


# --- how things stand ----------------------------------------------------------------------------
def activation_data(one: Activation, live: bool) -> dict[str, Any]:
    """An entry of the history, always with the same keys."""
    return {
        "policy": one.policy,
        "number": one.number,
        "sha256": one.sha256,
        "active_from": one.active_from,
        "live": live,
        "activated_by": one.activated_by,
        "activated_at": one.activated_at,
        "proposal": one.proposal_id,
        "reason": one.reason,
        "withdrawn_at": one.withdrawn_at,
    }


def proposal_data(one: Proposal) -> dict[str, Any]:
    """A proposal, always with the same keys."""
    import json

    return {
        "id": one.proposal_id,
        "policy": one.policy,
        "state": str(one.state),
        "sha256": one.sha256,
        "base_sha256": one.base_sha256,
        "author": one.author,
        "note": one.note,
        "remarks": json.loads(one.remarks),
        "proposed_at": one.proposed_at,
        "approver": one.approver,
        "approved_at": one.approved_at,
        "replay": json.loads(one.replay) if one.replay else None,
        "shadow_from": one.shadow_from,
        "closed_by": one.closed_by,
        "closed_at": one.closed_at,
        "reason": one.reason,
    }


@click.command(epilog=example("o2c rules show", "o2c rules show credit > credit.yaml"))
@_policy
@for_company
@answers_json
def show(policy: str | None, code: str | None, talk: Talk) -> None:
    """Which file decides each policy; with POLICY the exact bytes of it."""
    from gateway.store import rulefiles

    with desk_of(code, None) as desk, desk.database.read() as connection:
        live = rulefiles.schedule(connection, desk.company_id).in_force(desk.clock.now())
        if policy is None:
            rows = [_short(activation_data(one, True), talk) for _, one in sorted(live.items())]
            talk.table(rows, "policy", "sha256", "active_from", "activated_by")
            return
        one = live[policy]
        content = rulefiles.contents(connection, desk.company_id, [one.sha256])[one.sha256]
    if talk.in_json:
        talk.say(activation_data(one, True) | {"content": content.decode()})
    else:
        click.echo(content, nl=False)


def _short(row: dict[str, Any], talk: Talk) -> dict[str, Any]:
    """For people: the beginning of a SHA-256 and instants to the second."""
    if talk.in_json:
        return row
    shown = {name: f"{v:%Y-%m-%d %H:%M:%S}" if isinstance(v, datetime) else v for name, v in row.items()}
    return shown | {name: shown[name][:12] for name in ("sha256", "base_sha256") if shown.get(name)}


@click.command(epilog=example("o2c rules history credit"))
@_policy
@for_company
@answers_json
def history(policy: str | None, code: str | None, talk: Talk) -> None:
    """Which file was in force from when, by whom, and what is still to come."""
    from gateway.store import rulefiles

    with desk_of(code, None) as desk, desk.database.read() as connection:
        found = rulefiles.history(connection, desk.company_id, policy)
        live = rulefiles.Schedule(found).in_force(desk.clock.now()).values()
        rows = [_short(activation_data(one, one in live), talk) for one in found]
    columns = ("policy", "number", "sha256", "active_from", "live", "activated_by", "proposal", "reason")
    talk.table(rows, *columns, "withdrawn_at")


@click.command(epilog=example("o2c rules proposals"))
@_policy
@for_company
@answers_json
def proposals(policy: str | None, code: str | None, talk: Talk) -> None:
    """Every proposed rule file and how it stands, oldest first."""
    from gateway.store import rulefiles

    with desk_of(code, None) as desk, desk.database.read() as connection:
        schedule = rulefiles.schedule(connection, desk.company_id)
        now = desk.clock.now()
        rows = [
            _short(proposal_data(rulefiles.standing(one, schedule, now)), talk)
            for one in _every(connection, desk.company_id, policy)
        ]
    talk.table(rows, "id", "policy", "state", "sha256", "author", "approver", "note", empty="no proposals")


def _every(connection: Any, company_id: str, policy: str | None) -> Iterator[Proposal]:
    from gateway.store import rulefiles

    after = ""
    while some := rulefiles.proposals(connection, company_id, after, policy=policy):
        yield from some
        after = some[-1].proposal_id


# --- acts ----------------------------------------------------------------------------------------
@click.command(epilog=example("o2c rules propose credit.yaml --note 'limit down after two losses' --as anna"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", required=True, help="Why; a second person reads it.")
@as_person
@for_company
@answers_json
def propose(file: Path, note: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Ask for FILE to be put in force. It is checked and tested whole; its bytes are kept as they are."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        new = rulefiles.propose(desk, file.read_bytes(), words(note, "--note"), name=str(file))
    data = proposal_data(new)
    talk.say(data, f"{new.proposal_id}: {new.policy} {new.sha256[:12]} instead of {new.base_sha256[:12]}")
    for remark in data["remarks"]:
        line, column = place_of(remark["place"])
        talk.note(f"{file}:{line}:{column}: remark: {remark['message']}")
    talk.note(f"A second person looks at it (o2c rules replay {new.proposal_id}) and approves it.")


@click.command(epilog=example("o2c rules approve rpr_019... --as bo"))
@_proposal
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_person
@for_company
@answers_json
def approve(proposal_id: str, yes: bool, person: str | None, code: str | None, talk: Talk) -> None:
    """Agree to a proposal, as somebody else than its author. It is replayed over the last 90 days, and
    what you are shown stays beside your name."""
    from gateway.cli.rule_decisions import summary_words
    from gateway.stages import rehearse, rulefiles

    with desk_of(code, person) as desk:
        done = rehearse.rehearse_proposal(desk, proposal_id)
        talk.note("\n".join(summary_words(done)))
        if not (yes or talk.in_json) and sys.stdin.isatty():
            click.confirm(f"Approve {proposal_id}?", abort=True, err=True)
        agreed = rulefiles.approve(desk, proposal_id, rehearse.summary(done))
    talk.say(proposal_data(agreed), _now(agreed))


def _now(one: Proposal) -> str:
    return f"{one.proposal_id} is {one.state}"


@click.command(epilog=example("o2c rules reject rpr_019... --reason 'too strict for the fair' --as bo"))
@_proposal
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@as_person
@for_company
@answers_json
def reject(proposal_id: str, reason: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Turn a proposal down, as somebody else than its author."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        done = rulefiles.reject(desk, proposal_id, words(reason, "--reason"))
    talk.say(proposal_data(done), _now(done))


@click.command(epilog=example("o2c rules withdraw rpr_019... --as anna"))
@_proposal
@click.option("--reason", default="", help="Why; it stays in the journal.")
@as_person
@for_company
@answers_json
def withdraw(proposal_id: str, reason: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Take a proposal back, or call off a scheduled one before its instant."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        done = rulefiles.withdraw(desk, proposal_id, reason and words(reason, "--reason"))
    talk.say(proposal_data(done), _now(done))


@click.command(epilog=example("o2c rules shadow rpr_019..."))
@_proposal
@as_person
@for_company
@answers_json
def shadow(proposal_id: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Let an approved file decide beside the live one. It changes nothing; see `o2c rules shadowed`."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        done = rulefiles.shadow(desk, proposal_id)
    talk.say(proposal_data(done), _now(done))


@click.command(
    epilog=example("o2c rules activate rpr_019...", "o2c rules activate rpr_019... --at 2026-04-01")
)
@_proposal
@click.option("--at", type=INSTANT, help="From when on, UTC unless it says otherwise. [default: now]")
@as_person
@for_company
@answers_json
def activate(proposal_id: str, at: datetime | None, person: str | None, code: str | None, talk: Talk) -> None:
    """Put an approved file in force, now or from an instant on. Servers that run follow within ten seconds;
    one that comes later is in force everywhere at its instant."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        done = rulefiles.activate(desk, proposal_id, at)
        live = done.active_from <= desk.clock.now()
    talk.say(
        activation_data(done, live),
        f"{done.sha256[:12]} decides {done.policy} from {done.active_from:%Y-%m-%d %H:%M:%S} UTC on",
    )


@click.command(epilog=example("o2c rules rollback credit 1f3a9c --reason 'good customers are referred'"))
@click.argument("policy", type=POLICY)
@click.argument("sha256", metavar="SHA")
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@as_person
@for_company
@answers_json
def rollback(policy: str, sha256: str, reason: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Put a file that was in force before in force again, at once: the same bytes.

    One person may do this. What is scheduled for the policy is called off; the finance desk is told."""
    from gateway.stages import rulefiles

    with desk_of(code, person) as desk:
        if len(sha256) < 6:
            raise Refused("rule-file", "six signs of a SHA-256 are the least.", next_step="Give more of it.")
        done = rulefiles.rollback(desk, policy, sha256, words(reason, "--reason"))
    talk.say(activation_data(done, True), f"{done.sha256[:12]} decides {done.policy} again")


VERBS = (show, history, proposals, propose, approve, reject, withdraw, shadow, activate, rollback)
