"""``o2c stock``: goods on their way in, and the sharing out of what is scarce."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.order import data
from gateway.cli.parameters import NUMBER
from o2c.money import plain


@click.group()
def stock() -> None:
    """Goods on their way in, and who gets what is scarce."""


@stock.command(epilog=example("o2c stock receipts --open", "o2c stock receipts --product P-1"))
@click.option("--product", "product_id", metavar="ID", help="Only of this product.")
@click.option("--open", "open_only", is_flag=True, help="Only those that have not come yet.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="REFERENCE", help="Only those after this one.")
@for_company
@answers_json
def receipts(
    product_id: str | None, open_only: bool, limit: int, after: str, code: str | None, talk: Talk
) -> None:
    """List announced goods by reference (o2c import receipts announces them)."""
    from gateway.http.receipts import receipt_view
    from gateway.store import receipts as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(
            connection, desk.company_id, after, limit, product_id=product_id, open_only=open_only
        )
        rows = [_numbers(data(receipt_view(one))) for one in found]
    talk.table(
        rows,
        *("reference", "product_id", "warehouse", "quantity", "expected_on", "state", "received"),
        empty="no receipts",
    )


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Quantities without their empty decimals."""
    return row | {name: plain(Decimal(row[name])) for name in ("quantity", "received") if name in row}


@stock.command(epilog=example("o2c stock receive PO-7", "o2c stock receive PO-7 --quantity 4"))
@click.argument("reference")
@click.option("--quantity", type=NUMBER, help="What came in. [default: what was announced]")
@for_company
@answers_json
def receive(reference: str, quantity: Decimal | None, code: str | None, talk: Talk) -> None:
    """Book announced goods in; they go to the orders that wait, oldest first."""
    from gateway.http.receipts import receipt_view
    from gateway.stages import restock

    if quantity is not None and quantity <= 0:
        raise click.BadParameter("must be above 0.", param_hint="--quantity")
    with at_desk(code) as (_house, desk):
        seen = _numbers(data(receipt_view(restock.arrive(desk, reference, quantity))))
    words = f"{seen['received']} of {seen['product_id']} are in {seen['warehouse']}"
    talk.say(seen, f"{reference}: {words}")


@stock.command("call-off", epilog=example("o2c stock call-off PO-7 --reason 'the ship sank'"))
@click.argument("reference")
@click.option("--reason", required=True, help="Why; it stays in the journal.")
@for_company
@answers_json
def call_off(reference: str, reason: str, code: str | None, talk: Talk) -> None:
    """Announced goods will not come."""
    from gateway.http.receipts import receipt_view
    from gateway.stages import restock

    with at_desk(code) as (_house, desk):
        seen = _numbers(data(receipt_view(restock.call_off(desk, reference, reason))))
    talk.say(seen, f"{reference} is called off")


@stock.command(epilog=example("o2c stock reallocate P-1 --dry-run", "o2c stock reallocate"))
@click.argument("product_id", metavar="[PRODUCT]", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@for_company
@answers_json
def reallocate(product_id: str | None, dry_run: bool, code: str | None, talk: Talk) -> None:
    """Share out anew what has not left yet, by the customer's priority, then by the day of the order.

    Without PRODUCT: every product that some order waits for. Whoever gains or loses is told."""
    from gateway.stages import restock

    rows: list[dict[str, Any]] = []
    with at_desk(code) as (_house, desk):
        for name in [product_id] if product_id else restock.scarce(desk):
            for one in restock.reallocate(desk, name, dry_run=dry_run):
                row = data(one)
                row |= {figure: plain(getattr(one, figure)) for figure in ("wanted", "before", "after")}
                rows.append(row | {"change": plain(one.after - one.before)})
    talk.table(
        rows,
        *("product_id", "order_id", "line_id", "customer_id", "priority"),
        *("wanted", "before", "after", "change"),
        empty="nothing is scarce",
    )
