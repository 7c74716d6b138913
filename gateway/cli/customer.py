"""``o2c customers``: whom we know, what they may owe, and whose credit is due for review."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.order import data
from gateway.cli.parameters import AMOUNT, DAY
from o2c.credit import LimitKind
from o2c.errors import Refused
from o2c.money import Money


@click.group()
def customers() -> None:
    """Customers and their credit."""


@customers.command("list", epilog=example("o2c customers list --json"))
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_customers(limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List customers by id."""
    from gateway.store import customers as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        rows = [_row(one) for one in store.page(connection, desk.company_id, after, limit)]
    talk.table(
        rows,
        *("customer_id", "name", "country", "risk_class", "credit_limit", "terms_days", "channel"),
        empty="no customers",
    )


def _row(who: Any) -> dict[str, Any]:
    from formats import canonical

    row: dict[str, Any] = canonical.encode(who)
    return row | {"name": who.party.name, "country": who.party.address.country}


@customers.command(epilog=example("o2c customers reviews"))
@for_company
@answers_json
def reviews(code: str | None, talk: Talk) -> None:
    """List customers whose credit is due for review, the longest due first."""
    from gateway.store import customers as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        rows = [_row(one) for one in store.due_for_review(connection, desk.company_id, desk.clock.today())]
    talk.table(
        rows,
        *("customer_id", "name", "review_on", "risk_class", "credit_limit", "approval_until"),
        empty="no review is due",
    )


@customers.command(
    epilog=example(
        "o2c customers grant C-1 --kind temporary --amount '50000 NOK' --until 2026-06-30 --note 'fair'",
        "o2c customers grant --group FJORD --amount '900000 NOK' --note 'parent guarantee'",
    )
)
@click.argument("customer_id", metavar="[ID]", required=False)
@click.option("--group", "group_id", metavar="GROUP", help="Grant it to this group instead.")
@click.option("--kind", type=click.Choice(["own", "insured", "temporary"]), help="Of a customer's limit.")
@click.option("--amount", type=AMOUNT, required=True)
@click.option("--from", "valid_from", type=DAY, help="[default: today]")
@click.option("--until", "valid_until", type=DAY, help="Its last day. [default: until further notice]")
@click.option("--note", required=True, help="Why; it stays in the journal.")
@for_company
@answers_json
def grant(
    customer_id: str | None,
    group_id: str | None,
    kind: str | None,
    amount: Money,
    valid_from: date | None,
    valid_until: date | None,
    note: str,
    code: str | None,
    talk: Talk,
) -> None:
    """Grant a dated credit limit. Limits never add up: the highest in force counts."""
    from gateway.http import acceptable
    from gateway.http.credit import limit_view
    from gateway.stages.grant import Grant, grant_limit

    if (customer_id is None) == (group_id is None) or (group_id is None) != (kind is not None):
        raise click.UsageError("Name a customer and a --kind, or a --group.")
    with at_desk(code) as (_house, desk):
        wrong = list(acceptable.limit_faults(amount, desk.company.currency, "--amount"))
        if wrong:
            raise Refused("credit-limit", f"the amount {wrong[0].message}", faults=wrong)
        wanted = Grant(
            LimitKind(kind or "group"), amount, note, valid_from, valid_until, customer_id, group_id
        )
        seen = data(limit_view(desk, grant_limit(desk, wanted)))
    talk.say(seen, f"{seen['id']} {_words(seen)}")


@customers.command(
    "end-limit", epilog=example("o2c customers end-limit lim_01k... --on 2026-03-31 --note repaid")
)
@click.argument("limit_id", metavar="ID")
@click.option("--on", "last_day", type=DAY, required=True, help="Its last day; before its first: taken back.")
@click.option("--note", required=True, help="Why; it stays in the journal.")
@for_company
@answers_json
def end_limit(limit_id: str, last_day: date, note: str, code: str | None, talk: Talk) -> None:
    """End a dated credit limit. What it was stays on record."""
    from gateway.http.credit import limit_view
    from gateway.stages.grant import end_limit as record

    with at_desk(code) as (_house, desk):
        seen = data(limit_view(desk, record(desk, limit_id, last_day, note)))
    talk.say(seen, f"{seen['id']} {_words(seen)}")


@customers.command(epilog=example("o2c customers limits C-1", "o2c customers limits --group FJORD"))
@click.argument("customer_id", metavar="[ID]", required=False)
@click.option("--group", "group_id", metavar="GROUP", help="Those of this group.")
@for_company
@answers_json
def limits(customer_id: str | None, group_id: str | None, code: str | None, talk: Talk) -> None:
    """List the dated credit limits of a customer or a group."""
    from gateway.http.credit import limit_view
    from gateway.store import customers as store
    from gateway.store import limits as dated

    if (customer_id is None) == (group_id is None):
        raise click.UsageError("Name a customer or a --group.")
    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        if customer_id is not None:
            store.find(connection, desk.company_id, customer_id)
        else:
            dated.members(connection, desk.company_id, group_id or "")
        found = dated.standing(
            connection, desk.company_id, desk.company.currency, customer_id=customer_id, group_id=group_id
        )
        rows = [data(limit_view(desk, one)) for one in found]
    talk.table(
        rows,
        *("id", "kind", "amount", "valid_from", "valid_until", "in_force", "note"),
        empty="no dated limits",
    )


@customers.command(epilog=example("o2c customers group FJORD"))
@click.argument("group_id", metavar="GROUP")
@for_company
@answers_json
def group(group_id: str, code: str | None, talk: Talk) -> None:
    """Show a group: its members, what they owe together, and its limit."""
    from gateway.http.credit import group_view

    with at_desk(code) as (_house, desk):
        seen = data(group_view(desk, group_id))
    limit = f"limit {_sum(seen['limit'])}" if "limit" in seen else "no limit in force"
    lines = [f"{group_id}  {_sum(seen['exposure'])}, {limit}"]
    lines += [f"  {one['customer_id']} {one['name']}: {_sum(one['exposure'])}" for one in seen["members"]]
    talk.say(seen, "\n".join(lines))


def _sum(amount: dict[str, str]) -> str:
    return f"{amount['amount']} {amount['currency']}"


def _words(seen: dict[str, Any]) -> str:
    until = f" to {seen['valid_until']}" if "valid_until" in seen else " on"
    return f"{seen['kind']} {_sum(seen['amount'])} from {seen['valid_from']}{until}"
