"""``o2c invoices``: what was issued."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company

_limit = click.option("--limit", type=click.IntRange(1), default=100, show_default=True)


@click.group()
def invoices() -> None:
    """Issued invoices."""


@invoices.command("list", epilog=example("o2c invoices list --order ord_01k..."))
@_limit
@click.option("--after", type=click.IntRange(0), default=0, help="Only those after this place in the series.")
@click.option("--order", "order_id", metavar="ID", help="Only those of this order.")
@for_company
@answers_json
def list_invoices(limit: int, after: int, order_id: str | None, code: str | None, talk: Talk) -> None:
    """List invoices by number."""
    from gateway.store import invoices as store
    from gateway.store import items

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.page(connection, desk.company_id, after, limit, order_id=order_id)
        unpaid = items.open_amounts(connection, desk.company_id, [one.invoice.number for one in found])
        rows = [_row(one, unpaid.get(one.invoice.number, 0)) for one in found]
    talk.table(
        rows, "number", "customer_id", "gross", "open", "issued_on", "due_on", "level", empty="no invoices"
    )


def _row(issued: Any, unpaid: int) -> dict[str, Any]:
    invoice = issued.invoice
    return {
        "number": invoice.number,
        "order_id": issued.order_id,
        "shipment_id": issued.shipment_id,
        "customer_id": issued.customer_id,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "gross": amount(issued.gross, invoice.currency),
        "open": amount(unpaid, invoice.currency),
        "reference": invoice.payment.reference,
        "level": issued.level,
        "document_sha256": issued.document_sha256,
        "message_id": issued.message_id,
        "settled_at": issued.settled_at,
    }


def amount(minor: int, currency: str) -> dict[str, str]:
    """Minor units as amount and currency, the amount as text."""
    from o2c.money import Money

    return {"amount": format(Money.from_minor(minor, currency).amount, "f"), "currency": currency}


@invoices.command(epilog=example("o2c invoices show INV-00001"))
@click.argument("number")
@for_company
@answers_json
def show(number: str, code: str | None, talk: Talk) -> None:
    """Show an invoice: its figures, its payments and how its delivery stands."""
    from formats import canonical
    from gateway.store import bank, items, outbox
    from gateway.store import invoices as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        issued = store.find(connection, desk.company_id, number)
        row = _row(issued, items.open_amount(connection, desk.company_id, number))
        sends = outbox.deliveries_of(connection, desk.company_id, [number])
        paid = bank.of_invoice(connection, desk.company_id, number)
    currency = issued.invoice.currency
    row["deliveries"] = [_delivery(one) for one in sends]
    row["payments"] = [
        {
            "payment_id": one.payment_id,
            "booked_on": one.booked_on,
            "amount": amount(one.amount_minor, currency),
            "rule": one.rule,
        }
        for one in paid
    ]
    row["invoice"] = canonical.encode(issued.invoice)
    talk.say(row, "\n".join(_lines(row)))


def _delivery(row: Any) -> dict[str, Any]:
    names = (
        "message_id",
        "kind",
        "channel",
        "recipient",
        "state",
        "attempts",
        "sent_at",
        "evidence",
        "last_error",
    )
    return {name: getattr(row, name) for name in names}


def _lines(row: dict[str, Any]) -> list[str]:
    def words(sum_: dict[str, str]) -> str:
        return f"{sum_['amount']} {sum_['currency']}"

    lines = [
        f"{row['number']}  {words(row['gross'])}, open {words(row['open'])}, due {row['due_on']}",
        f"  customer {row['customer_id']}, order {row['order_id']}, reference {row['reference']}",
    ]
    for one in row["deliveries"]:
        error = f": {one['last_error']}" if one["last_error"] else ""
        lines.append(f"  {one['kind']} by {one['channel']} to {one['recipient']}: {one['state']}{error}")
    return lines + [f"  paid {words(p['amount'])} on {p['booked_on']} ({p['rule']})" for p in row["payments"]]


@invoices.command(epilog=example("o2c invoices document INV-00001 --out INV-00001.xml"))
@click.argument("number")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")
@for_company
@answers_json
def document(number: str, out: Path | None, code: str | None, talk: Talk) -> None:
    """The exact bytes that were sent, from the archive. With --json only what they are."""
    from gateway.store import archive
    from gateway.store import invoices as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        issued = store.find(connection, desk.company_id, number)
        kept = archive.fetch(connection, desk.company_id, issued.document_sha256)
    if out is not None:
        out.write_bytes(kept.content)
    elif not talk.in_json:
        sys.stdout.buffer.write(kept.content)
    told = {
        "number": number,
        "media_type": kept.media_type,
        "sha256": issued.document_sha256,
        "bytes": len(kept.content),
        "file": out and str(out),
    }
    talk.say(told, f"{out}: {len(kept.content)} bytes, SHA-256 {issued.document_sha256}" if out else None)
