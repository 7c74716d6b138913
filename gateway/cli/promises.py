"""``o2c promises``: by when customers say that they pay."""

from __future__ import annotations

from datetime import date

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.order import data
from gateway.cli.parameters import AMOUNT, DAY
from o2c.money import Money
from o2c.promise import PromiseState


@click.group()
def promises() -> None:
    """Promises to pay: letters wait until the day."""


@promises.command("list", epilog=example("o2c promises list --state broken"))
@click.option("--state", type=click.Choice([state.value for state in PromiseState]))
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_promises(state: str | None, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List promises, oldest first."""
    from gateway.http.promises import view
    from gateway.store import promises as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(connection, desk.company_id, after, limit, state=state)
    talk.table(
        [data(view(one)) for one in found],
        *("id", "customer_id", "invoices", "amount", "promised_on", "state", "ended_on"),
        empty="no promises",
    )


@promises.command(
    epilog=example("o2c promises add INV-00001 INV-00004 --on 2026-04-20 --note 'Kari by phone'")
)
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@click.option("--on", "promised_on", type=DAY, required=True, help="The last day on which it is kept.")
@click.option("--amount", type=AMOUNT, help="[default: all that is open and undisputed]")
@click.option("--note", help="Who said so, and how.")
@for_company
@answers_json
def add(
    numbers: tuple[str, ...],
    promised_on: date,
    amount: Money | None,
    note: str | None,
    code: str | None,
    talk: Talk,
) -> None:
    """Record a promise to pay these invoices."""
    from gateway.http.promises import view
    from gateway.stages.promise import Word, make_promise

    with at_desk(code) as (_house, desk):
        made, known = make_promise(desk, Word(numbers, promised_on, amount, note))
    before = " (known already)" if known else ""
    talk.say(data(view(made)), f"{made.promise_id}: {made.amount} by {made.promised_on}{before}")


@promises.command(epilog=example("o2c promises withdraw prm_01k... --reason 'called again, cannot pay'"))
@click.argument("promise_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@for_company
@answers_json
def withdraw(promise_id: str, reason: str, code: str | None, talk: Talk) -> None:
    """Let a promise fall; letters go on."""
    from gateway.http.promises import view
    from gateway.stages.promise import withdraw_promise

    with at_desk(code) as (_house, desk):
        ended = withdraw_promise(desk, promise_id, reason)
    talk.say(data(view(ended)), f"{promise_id} is {ended.state}")
