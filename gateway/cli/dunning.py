"""``o2c dunning``: today's letters, blocks, and what letters have claimed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.invoices import amount
from gateway.cli.office import at_desk, for_company
from gateway.cli.order import data
from gateway.cli.parameters import DAY

if TYPE_CHECKING:
    from gateway.stages.desk import Desk
    from gateway.stages.plan import Case

_limit = click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
_after = click.option("--after", default="", metavar="ID", help="Only those after this one.")
_reason = click.option("--reason", required=True, help="Why; it stays in the journal.")


@click.group()
def dunning() -> None:
    """Reminders."""


@dunning.command(epilog=example("o2c dunning run --dry-run"))
@click.option("--dry-run", is_flag=True, help="Say what would be said to whom, and why; do nothing.")
@for_company
@answers_json
def run(dry_run: bool, code: str | None, talk: Talk) -> None:
    """Decide every open invoice on the dunning rules now; says nothing twice."""
    from gateway.stages.remind import run_reminders

    with at_desk(code) as (_house, desk):
        if dry_run:
            _preview(desk, talk)
            return
        letters = desk.database.write(lambda connection: run_reminders(desk, connection))
        day = desk.clock.today()
    later = " They leave with the running server, or now with: o2c jobs run" if letters else ""
    talk.say({"letters": letters, "day": day}, f"{letters} letters for {day}.{later}")


def _preview(desk: Desk, talk: Talk) -> None:
    from gateway.stages import plan

    with desk.database.read() as connection:
        cases = plan.of_today(desk, connection, lock=False)
    letters = [case for case in cases if case.letter is not None]
    for case in cases:
        row = _said(desk, case)
        talk.say(row, "\n".join(_lines(row)))
    talk.note(f"{len(letters)} letters for {desk.clock.today()}; nothing was done.")


def _said(desk: Desk, case: Case) -> dict[str, Any]:
    """What would be said to one customer, and why."""
    from gateway.stages import charge, remind

    letter = case.letter
    words = None
    if letter is not None:
        claims = charge.made(desk, case.charged.claims, case.customer.customer_id, "", desk.clock.today())
        words = remind.written(desk, case, letter, claims)
    return {
        "customer_id": case.customer.customer_id,
        "letter": letter.letter if letter else None,
        "level": letter.level if letter else None,
        "language": case.customer.language,
        "subject": words.subject if words else None,
        "body": words.body if words else None,
        "invoices": [item.invoice_number for item in letter.items] if letter else [],
        "claims": [
            {
                "invoice": one.invoice_number,
                "kind": one.kind,
                "amount": amount(one.amount.minor, one.amount.currency),
                "words": one.words,
            }
            for one in case.charged.claims
        ],
        "broken_promises": [one.promise_id for one in case.broken],
        "decisions": [_decided(case, one) for one in case.rulings],
    }


def _decided(case: Case, ruling: Any) -> dict[str, Any]:
    from gateway.stages import plan

    item = ruling.receivable.item
    return {
        "invoice": item.invoice_number,
        "disputed": ruling.receivable.disputed,
        "open": amount(item.open, item.currency),
        "outcome": ruling.outcome,
        "decided": ruling.decision.outcome,
        "rule": ruling.decision.rule,
        "why": plan.why(ruling),
        "reason": case.reason(ruling),
    }


def _lines(row: dict[str, Any]) -> list[str]:
    head = f"{row['letter']} ({row['level']}), {row['language']}" if row["letter"] else "nothing to say"
    lines = [f"{row['customer_id']}: {head}"]
    for one in row["decisions"]:
        what = f"{one['open']['amount']} {one['open']['currency']}{' disputed' if one['disputed'] else ''}"
        more = f" - {one['reason']}" if one["reason"] else ""
        lines.append(f"  {one['invoice']} {what}: {one['outcome']} by {one['why']}{more}")
    for one in row["claims"]:
        value = f"{one['amount']['amount']} {one['amount']['currency']}"
        lines.append(f"  {one['invoice']} {one['kind']} {value}: {one['words']}")
    lines += [f"  promise {one} is broken" for one in row["broken_promises"]]
    return lines + [f"  | {line}".rstrip() for line in (row["body"] or "").splitlines()]


@dunning.group()
def blocks() -> None:
    """Invoices and customers that are left alone until a day."""


@blocks.command("list", epilog=example("o2c dunning blocks list"))
@_limit
@_after
@for_company
@answers_json
def list_blocks(limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List dunning blocks, oldest first."""
    from gateway.http.dunning import block_view
    from gateway.store import blocks as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(connection, desk.company_id, after, limit)
        today = desk.clock.today()
    talk.table(
        [data(block_view(one, today)) for one in found],
        *("id", "customer_id", "invoice", "until_on", "holds", "reason"),
        empty="no blocks",
    )


@blocks.command(
    "add", epilog=example("o2c dunning blocks add --invoice INV-00001 --until 2026-04-30 --reason 'in court'")
)
@click.option("--invoice", "number", metavar="NUMBER", help="This invoice, or:")
@click.option("--customer", "customer_id", metavar="ID", help="All that this customer owes.")
@click.option("--until", "until_on", type=DAY, required=True, help="The last day.")
@_reason
@for_company
@answers_json
def add_block(
    number: str | None, customer_id: str | None, until_on: date, reason: str, code: str | None, talk: Talk
) -> None:
    """Keep an invoice or a customer from being reminded until a day."""
    from gateway.http.dunning import block_view
    from gateway.stages.block import block

    with at_desk(code) as (_house, desk):
        made, known = block(desk, customer_id=customer_id, number=number, reason=reason, until_on=until_on)
        row = data(block_view(made, desk.clock.today()))
    what = made.invoice_number or f"all that {made.customer_id} owes"
    talk.say(row, f"{made.block_id}: {what} until {made.until_on}{' (known already)' if known else ''}")


@blocks.command("lift", epilog=example("o2c dunning blocks lift blk_01k... --reason 'settled in court'"))
@click.argument("block_id", metavar="ID")
@_reason
@for_company
@answers_json
def lift_block(block_id: str, reason: str, code: str | None, talk: Talk) -> None:
    """Lift a block before its day."""
    from gateway.http.dunning import block_view
    from gateway.stages.block import unblock

    with at_desk(code) as (_house, desk):
        row = data(block_view(unblock(desk, block_id, reason), desk.clock.today()))
    talk.say(row, f"{block_id} is lifted")


@dunning.group()
def charges() -> None:
    """Fees, interest and lump sums that letters have claimed."""


@charges.command("list", epilog=example("o2c dunning charges list --invoice INV-00001"))
@click.option("--invoice", "number", metavar="NUMBER", help="Only those of this invoice.")
@_limit
@_after
@for_company
@answers_json
def list_charges(number: str | None, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List late charges with their calculation, and what was taken back."""
    from gateway.http.dunning import charge_view
    from gateway.store import charges as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(connection, desk.company_id, after, limit, number=number)
    talk.table(
        [data(charge_view(one)) for one in found],
        *("id", "invoice", "kind", "cause", "amount", "charged_on", "words"),
        empty="no late charges",
    )


@charges.command(epilog=example("o2c dunning charges waive chg_01k... --reason 'our bank was late'"))
@click.argument("charge_id", metavar="ID")
@_reason
@for_company
@answers_json
def waive(charge_id: str, reason: str, code: str | None, talk: Talk) -> None:
    """Let a late charge go, for ever."""
    from gateway.http.dunning import charge_view
    from gateway.stages.charge import waive as let_go

    with at_desk(code) as (_house, desk):
        row = let_go(desk, charge_id, reason)
    talk.say(data(charge_view(row)), f"{charge_id} is let go: {row.amount}")
