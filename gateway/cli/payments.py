"""``o2c payments``: what has come in, what became of it and why, and what a person makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import NUMBER

if TYPE_CHECKING:
    from gateway.stages.foureyes import Answer

_COLUMNS = (
    *("payment_id", "booked_on", "amount", "currency", "state", "decision", "rule", "customer_id"),
    *("counterparty", "reason"),
)


@click.group()
def payments() -> None:
    """Payments from bank files: what became of them, and what you make of them."""


@payments.command(
    "list",
    epilog=example("o2c payments list --unmatched", "o2c payments list --file SHA256 --json"),
)
@click.option("--unmatched", is_flag=True, help="Only those that wait for a person.")
@click.option("--statement", "statement_id", metavar="ID", help="Every payment of this statement.")
@click.option("--file", "sha256", metavar="SHA256", help="Every payment of this file.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def list_payments(
    unmatched: bool,
    statement_id: str | None,
    sha256: str | None,
    limit: int,
    after: str,
    code: str | None,
    talk: Talk,
) -> None:
    """List payments, one line each. Of a statement or a file all of them, without a limit."""
    from gateway.stages import shown
    from gateway.store import bank
    from gateway.store import payments as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        if statement_id or sha256:
            ids = [statement_id] if statement_id else shown.of_file(connection, desk.company_id, str(sha256))
            rows: Any = bank.rows_of_statements(connection, desk.company_id, ids)
        else:
            state = "unmatched" if unmatched else None
            rows = store.page(connection, desk.company_id, after, limit, state=state)
        lines = shown.lines(connection, desk.company_id, rows)
        if talk.in_json:
            for line in lines:
                talk.say(line)
        else:
            talk.table(list(lines), *_COLUMNS, empty="no payments")


@payments.command(epilog=example("o2c payments explain pay_019ab4..."))
@click.argument("payment_id")
@click.option("--language", type=click.Choice(["en", "de", "nb"]), default="en", show_default=True)
@for_company
@answers_json
def explain(payment_id: str, language: str, code: str | None, talk: Talk) -> None:
    """Say why a payment was decided as it was: evidence, allocations, cash rules, other explanations."""
    from gateway.stages import shown

    with at_desk(code) as (_house, desk):
        told = shown.explain(desk, payment_id, language)
    data = told.line | {"allocations": told.allocations, "decisions": told.decisions}
    talk.say(data, "\n".join(_words(data)))


def _words(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['payment_id']}  {data['booked_on']}  {data['amount']} {data['currency']}"
    yield f"  from {data['counterparty'] or 'unknown'}: {data['text'] or 'no text'}"
    yield f"  {data['state']}: {data['decision']} by {data['rule']}"
    if data["words"]:
        yield f"  {data['words']}"
    for one in data["evidence"]:
        yield f"  - {one['field']}: {one['words']}"
    for part in data["allocations"]:
        closes = ", which closes it" if part["closes"] else ""
        yield f"  {part['amount']} {part['currency']} for {part['number']}{closes} ({part['rule']})"
    for made in data["decisions"]:
        yield f"  cash rules: {made.get('headline', made['outcome'])}"
    for place, other in enumerate(data.get("suggestions", ()), start=1):
        named = ", ".join(f"{number} {amount}" for number, amount, _ in other["alloc"])
        yield f"  {place}. {other['customer_id']}: {named} (score {other['score']})"


@payments.command(
    epilog=example(
        "o2c payments apply pay_019ab4... --item INV-00017",
        "o2c payments apply pay_019ab4... --item INV-00017=80.00 --item INV-00018 --on-account C-1",
    )
)
@click.argument("payment_id")
@click.option("--item", "items", multiple=True, metavar="NUMBER[=AMOUNT]", help="What it is for; repeat it.")
@click.option("--write-off", type=NUMBER, metavar="AMOUNT", help="Close the last item, or drop a surplus.")
@click.option("--discount", type=NUMBER, metavar="AMOUNT", help="Discount given on the last item.")
@click.option("--on-account", metavar="CUSTOMER", help="Who keeps what is left over.")
@for_company
@answers_json
def apply(
    payment_id: str,
    items: tuple[str, ...],
    write_off: Decimal | None,
    discount: Decimal | None,
    on_account: str | None,
    code: str | None,
    talk: Talk,
) -> None:
    """Say what a payment is for. It may be split, and closed by a write-off or a discount."""
    from gateway.stages import foureyes
    from gateway.stages.apply import Wish

    wish = Wish(tuple(_share(one) for one in items), write_off, discount, on_account)
    with at_desk(code) as (_house, desk):
        _said(talk, foureyes.ask(desk, payment_id, foureyes.Action.APPLY, wish))


def _share(text: str) -> Any:
    from gateway.stages.apply import Share
    from o2c.money import parse_decimal

    number, _, amount = text.partition("=")
    return Share(number, parse_decimal(amount, what=number) if amount else None)


def _said(talk: Talk, answer: Answer) -> None:
    payment = answer.payment
    data: dict[str, Any] = {
        "payment_id": payment.payment_id,
        "result": "waits for a second person" if answer.waits else "done",
        "state": payment.state,
        "unallocated": _amount(payment.unallocated, payment.details.amount.currency),
    }
    if answer.request:
        data["request_id"] = answer.request.request_id
    if answer.undone:
        data["allocations_taken_back"] = answer.undone.allocations
    asked = f", request {answer.request.request_id}" if answer.request and answer.waits else ""
    talk.say(data, f"{payment.payment_id}: {data['result']}{asked}; it is {payment.state}")


def _amount(minor: int, currency: str) -> str:
    from gateway.stages.shown import text

    return text(minor, currency)


@payments.command(epilog=example("o2c payments undo pay_019ab4...", "o2c payments undo --file SHA256"))
@click.argument("payment_id", required=False)
@click.option("--statement", "statement_id", metavar="ID", help="A whole statement, the bank's lines too.")
@click.option("--file", "sha256", metavar="SHA256", help="Every statement of a file.")
@for_company
@answers_json
def undo(
    payment_id: str | None, statement_id: str | None, sha256: str | None, code: str | None, talk: Talk
) -> None:
    """Take back what was made of a payment (its money waits then), of a statement or of a file."""
    from gateway.stages import foureyes
    from gateway.stages import undo as stage

    if sum(1 for one in (payment_id, statement_id, sha256) if one) != 1:
        raise click.UsageError("Name one payment, one --statement or one --file.")
    with at_desk(code) as (_house, desk):
        if payment_id:
            _said(talk, foureyes.ask(desk, payment_id, foureyes.Action.UNDO))
            return
        done = (
            stage.undo_statement(desk, statement_id) if statement_id else stage.undo_file(desk, str(sha256))
        )
    data = {"payments": done.payments, "allocations": done.allocations, "statements": list(done.statements)}
    talk.say(data, f"{done.payments} payments and {done.allocations} allocations taken back")


@payments.command(epilog=example("o2c payments requests"))
@click.option("--all", "every", is_flag=True, help="Those that are decided too.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--after", default="", metavar="ID", help="Only those after this one.")
@for_company
@answers_json
def requests(every: bool, limit: int, after: str, code: str | None, talk: Talk) -> None:
    """List what waits for a second person."""
    from gateway.stages import foureyes
    from gateway.store import requests as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        state = None if every else "open"
        found = store.page(connection, desk.company_id, after, limit, state=state)
    currency = desk.company.currency
    rows = [
        {
            "request_id": one.request_id,
            "payment_id": one.payment_id,
            "action": one.action,
            "amount": _amount(one.amount, currency),
            "currency": currency,
            "requested_by": one.requested_by,
            "requested_at": one.requested_at,
            "state": one.state.value,
            "decided_by": one.decided_by,
            "wish": foureyes.wish_of(one),
        }
        for one in found
    ]
    talk.table(rows, *("request_id", "payment_id", "action", "amount", "requested_by", "state"))


@payments.command(epilog=example("o2c payments approve csh_019ab4..."))
@click.argument("request_id")
@for_company
@answers_json
def approve(request_id: str, code: str | None, talk: Talk) -> None:
    """Agree to what somebody else wants done; it is done at once."""
    _decide(request_id, True, code, talk)


@payments.command(epilog=example("o2c payments refuse csh_019ab4..."))
@click.argument("request_id")
@for_company
@answers_json
def refuse(request_id: str, code: str | None, talk: Talk) -> None:
    """Do not agree to what somebody else wants done."""
    _decide(request_id, False, code, talk)


def _decide(request_id: str, approve_: bool, code: str | None, talk: Talk) -> None:
    from gateway.stages import foureyes

    with at_desk(code) as (_house, desk):
        answer = foureyes.decide(desk, request_id, approve=approve_)
    if not approve_:
        talk.say({"request_id": request_id, "result": "refused"}, f"{request_id}: refused")
        return
    _said(talk, answer)
