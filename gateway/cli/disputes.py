"""``o2c disputes``: what customers question, until when we must answer, and our answers."""

from __future__ import annotations

from datetime import date

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.order import data
from gateway.cli.parameters import AMOUNT, DAY
from o2c.dispute import RESOLUTIONS, DisputeState, Reason
from o2c.money import Money


@click.group()
def disputes() -> None:
    """Disputes about invoices: the disputed part is not reminded of."""


@disputes.command("list", epilog=example("o2c disputes list --late"))
@click.option("--state", type=click.Choice([state.value for state in DisputeState]))
@click.option("--late", is_flag=True, help="Only those that should have been answered by now.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_disputes(
    state: str | None, late: bool, limit: int, after: str, code: str | None, talk: Talk
) -> None:
    """List disputes, oldest first."""
    from gateway.http.disputes import view
    from gateway.store import disputes as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        today = desk.clock.today()
        found = store.page(
            connection, desk.company_id, after, limit, state=state, late_on=today if late else None
        )
    talk.table(
        [data(view(one, today)) for one in found],
        *("id", "invoice", "customer_id", "amount", "reason", "state", "answer_by", "late"),
        empty="no disputes",
    )


@disputes.command(
    "open",
    epilog=example("o2c disputes open INV-00001 --reason price --amount '40.00 EUR' --text 'agreed 3.20'"),
)
@click.argument("number")
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), required=True)
@click.option("--amount", type=AMOUNT, help="The disputed part. [default: all that is open]")
@click.option("--text", default="", help="What the customer says.")
@click.option("--answer-by", type=DAY, help="The last day for our answer. [default: in two weeks]")
@for_company
@answers_json
def open_dispute(
    number: str,
    reason: str,
    amount: Money | None,
    text: str,
    answer_by: date | None,
    code: str | None,
    talk: Talk,
) -> None:
    """Record that a customer disputes an invoice or part of it."""
    from gateway.http.disputes import view
    from gateway.stages import dispute

    with at_desk(code) as (_house, desk):
        question = dispute.Question(Reason(reason), text, amount, answer_by)
        made, known = dispute.open_dispute(desk, number, question)
        row = data(view(made, desk.clock.today()))
    before = " (known already)" if known else ""
    talk.say(row, f"{made.dispute_id}: {made.amount} of {number}, answer by {made.answer_by}{before}")


@disputes.command(epilog=example("o2c disputes close dsp_01k... --as rejected --note 'price as ordered'"))
@click.argument("dispute_id", metavar="ID")
@click.option("--as", "resolution", type=click.Choice([one.value for one in RESOLUTIONS]), required=True)
@click.option("--note", required=True, help="Why; it stays in the journal.")
@for_company
@answers_json
def close(dispute_id: str, resolution: str, note: str, code: str | None, talk: Talk) -> None:
    """Answer a dispute. What is accepted is never asked for: credit it or write it off."""
    from gateway.http.disputes import view
    from gateway.stages import dispute

    with at_desk(code) as (_house, desk):
        closed = dispute.close_dispute(desk, dispute_id, DisputeState(resolution), note)
        row = data(view(closed, desk.clock.today()))
    talk.say(row, f"{dispute_id} is {closed.state}")
