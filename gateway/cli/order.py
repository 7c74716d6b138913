"""``o2c orders``: look at orders, decide those that wait, ship and cancel."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, as_json, example, plain
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import AMOUNT, DAY
from o2c.errors import Refused
from o2c.money import Money, parse_decimal

_STATES = ("approved", "referred", "held", "refused", "cancelled")


@click.group()
def orders() -> None:
    """Orders."""


@orders.command("list", epilog=example("o2c orders list --state referred"))
@click.option("--state", type=click.Choice(_STATES))
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_orders(state: str | None, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List orders, oldest first."""
    from gateway.http.order_views import summary
    from gateway.store import orders as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(connection, desk.company_id, after, limit, state=state)
        rows = [data(summary(one)) for one in found]
    talk.table(rows, "id", "state", "customer_id", "value", "source", "external_id", empty="no orders")


def data(view: Any) -> dict[str, Any]:
    """A view of the API as plain data."""
    found: dict[str, Any] = json.loads(as_json(view))
    return found


@orders.command(epilog=example("o2c orders queue", "o2c orders queue --queue 'credit team' --json"))
@click.option("--queue", "name", metavar="NAME", help="Only those of this queue.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@for_company
@answers_json
def queue(name: str | None, limit: int, code: str | None, talk: Talk) -> None:
    """List orders that wait for a person, the nearest deadline first."""
    from gateway.http.credit import questions

    with at_desk(code) as (_house, desk):
        rows = [data(one) for one in questions(desk, name, limit)]
    talk.table(
        rows,
        *("order_id", "state", "queue", "answer_by", "late", "customer_id", "amount", "reason"),
        empty="nothing waits",
    )


@orders.command(epilog=example("o2c orders show ord_01k..."))
@click.argument("order_id", metavar="ID")
@for_company
@answers_json
def show(order_id: str, code: str | None, talk: Talk) -> None:
    """Show an order with its decision, its parts and its invoices."""
    with at_desk(code) as (_house, desk):
        whole = _whole(desk, order_id)
    talk.say(whole, "\n".join(_lines(whole)))


def _whole(desk: Any, order_id: str) -> dict[str, Any]:
    from gateway.http.order_views import whole
    from gateway.store import orders as store

    with desk.database.read() as connection:
        return data(whole(desk, connection, store.find(connection, desk.company_id, order_id)))


def _lines(whole: dict[str, Any]) -> list[str]:
    value, decision = whole["value"], whole.get("decision")
    lines = [
        f"{whole['id']}  {whole['status']}",
        f"  {whole['source']} {whole['external_id']}, customer {whole['customer_id']}, "
        f"{value['amount']} {value['currency']}",
    ]
    if decision:
        by = decision.get("rule") or "otherwise"
        lines.append(f"  credit: {decision['outcome']} by {by} ({decision['decided_by']}): {decision['say']}")
    for part in whole["parts"]:
        where = f" from {part['warehouse']}" if part.get("warehouse") else ""
        why = f" ({part['reason']})" if part.get("reason") else ""
        lines.append(f"  line {part['line_id']}: {part['quantity']} {part['state']}{where}{why}")
    return lines + [f"  invoice {number}" for number in whole.get("invoices") or ()]


_as = click.option(
    "--as", "person", metavar="NAME", help="Who says so, where several people share this user."
)


@orders.command(
    epilog=example("o2c orders approve ord_01k... --reason 'called, pays Friday' --limit '50000 NOK'")
)
@click.argument("order_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@click.option("--limit", type=AMOUNT, help="The customer's credit limit from now on.")
@click.option("--until", type=DAY, help="The last day of the customer's approval.")
@_as
@for_company
@answers_json
def approve(
    order_id: str,
    reason: str,
    limit: Money | None,
    until: date | None,
    person: str | None,
    code: str | None,
    talk: Talk,
) -> None:
    """Approve an order that waits for a person. Above the company's amount it takes two."""
    _decide(order_id, True, reason, person, code, talk, limit, until)


@orders.command(epilog=example("o2c orders refuse ord_01k... --reason 'no credit after two returns'"))
@click.argument("order_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@_as
@for_company
@answers_json
def refuse(order_id: str, reason: str, person: str | None, code: str | None, talk: Talk) -> None:
    """Refuse an order that waits for a person."""
    _decide(order_id, False, reason, person, code, talk)


def _decide(
    order_id: str,
    approved: bool,
    reason: str,
    person: str | None,
    code: str | None,
    talk: Talk,
    limit: Money | None = None,
    until: date | None = None,
) -> None:
    from gateway.http import acceptable
    from gateway.stages.approve import Approval, resolve_order

    with at_desk(code) as (_house, desk):
        wrong = list(acceptable.limit_faults(limit, desk.company.currency, "--limit")) if limit else []
        if wrong:
            raise Refused("credit-limit", f"the limit {wrong[0].message}", faults=wrong)
        who = desk.acting_as(f"{desk.actor} as {person}") if person else desk
        done = resolve_order(who, order_id, Approval(approved, reason, limit, until))
        whole = _whole(desk, order_id)
    second = "" if done else ": approved once, a second person must approve it too"
    talk.say(whole, f"{order_id} is {whole['status']}{second}")


@orders.command(
    epilog=example(
        "o2c orders ship ord_01k... --external-id PS-77",
        "o2c orders ship ord_01k... --external-id PS-78 --line 1=4",
    )
)
@click.argument("order_id", metavar="ID")
@click.option(
    "--external-id", required=True, help="The warehouse's own number: given twice, it is one shipment."
)
@click.option(
    "--line", "lines", multiple=True, metavar="LINE=QUANTITY", help="What left. [default: all reserved]"
)
@click.option("--on", "shipped_on", type=DAY, help="[default: today]")
@click.option("--carrier")
@click.option("--tracking", help="The carrier's number.")
@for_company
@answers_json
def ship(
    order_id: str,
    external_id: str,
    lines: tuple[str, ...],
    shipped_on: date | None,
    carrier: str | None,
    tracking: str | None,
    code: str | None,
    talk: Talk,
) -> None:
    """Record that goods have left; the invoice follows by itself."""
    from gateway.stages.fulfil import Despatch
    from gateway.stages.fulfil import ship as record

    despatch = Despatch(external_id, tuple(map(_shipped, lines)), shipped_on, carrier, tracking)
    with at_desk(code) as (_house, desk):
        done = record(desk, order_id, despatch)
    left = {line.line_id: line.quantity for line in done.shipment.lines}
    words = ", ".join(f"line {line}: {plain(quantity)}" for line, quantity in left.items())
    row = {
        "shipment_id": done.shipment.shipment_id,
        "order_id": order_id,
        "external_id": external_id,
        "shipped_on": done.shipment.shipped_on,
        "lines": left,
        "replayed": done.replayed,
    }
    known = "known already: " if done.replayed else ""
    talk.say(json.loads(as_json(row)), f"{known}{done.shipment.shipment_id} {words}")


def _shipped(text: str) -> Any:
    from o2c.shipment import ShipmentLine

    line, _, quantity = text.rpartition("=")
    if not line:
        raise click.BadParameter("must be LINE=QUANTITY, e.g. 1=4.", param_hint="--line")
    return ShipmentLine(line, parse_decimal(quantity, what=f"the quantity of line {line}"))


@orders.command(epilog=example("o2c orders cancel ord_01k... --line 2 --reason 'ordered twice'"))
@click.argument("order_id", metavar="ID")
@click.option("--line", "lines", multiple=True, metavar="LINE", help="[default: all that is not shipped]")
@click.option("--reason", required=True, help="Why; the customer is told.")
@for_company
@answers_json
def cancel(order_id: str, lines: tuple[str, ...], reason: str, code: str | None, talk: Talk) -> None:
    """Cancel what has not been shipped."""
    from gateway.stages.fulfil import cancel as record

    with at_desk(code) as (_house, desk):
        record(desk, order_id, lines, reason)
        whole = _whole(desk, order_id)
    talk.say(whole, f"{order_id} is {whole['status']}")


@orders.command(epilog=example("o2c orders timeline ord_01k..."))
@click.argument("order_id", metavar="ID")
@for_company
@answers_json
def timeline(order_id: str, code: str | None, talk: Talk) -> None:
    """Everything that happened to an order, oldest first, from the journal."""
    from gateway.store import journal
    from gateway.store import orders as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        store.find(connection, desk.company_id, order_id)
        rows = journal.timeline(connection, desk.company_id, order_id)
    for row in rows:
        event = {name: row[name] for name in _TIMELINE} | {"data": json.loads(row["data"])}
        told = ", ".join(f"{name}: {_short(value)}" for name, value in event["data"].items() if value)
        talk.say(event, f"{row['at']:%Y-%m-%d %H:%M}  {row['event']:<20} {told}".rstrip())


_TIMELINE = (
    "at",
    "event",
    "actor",
    "stream",
    "seq",
    "rulebook_sha256",
    "document_sha256",
    "previous",
    "sha256",
)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else as_json(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
