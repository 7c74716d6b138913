"""``o2c payments``: what has come in."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.invoices import amount
from gateway.cli.office import at_desk, for_company


@click.group()
def payments() -> None:
    """Payments from bank files."""


@payments.command("list", epilog=example("o2c payments list --unmatched"))
@click.option("--unmatched", is_flag=True, help="Only those that wait for a person.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_payments(unmatched: bool, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List payments and what became of them."""
    from gateway.store import bank

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        if unmatched:
            found = [p for p in bank.unmatched(connection, desk.company_id) if p.payment_id > after][:limit]
        else:
            found = bank.page(connection, desk.company_id, after, limit)
    talk.table(
        [_row(one) for one in found],
        *("payment_id", "booked_on", "amount", "state", "customer_id", "counterparty", "reason"),
        empty="no payments",
    )


def _row(stored: Any) -> dict[str, Any]:
    details = stored.details
    return {
        "payment_id": stored.payment_id,
        "statement_id": stored.statement_id,
        "account": stored.account,
        "booked_on": stored.booked_on,
        "amount": amount(details.amount.minor, details.amount.currency),
        "is_credit": details.is_credit,
        "unallocated": amount(stored.unallocated, details.amount.currency),
        "state": stored.state,
        "customer_id": stored.customer_id,
        "reason": stored.reason,
        "counterparty": details.counterparty,
        "text": details.text,
    }
