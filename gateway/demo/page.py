"""What the demo shows: progress, one order's way, a table of the companies, and what to try next.

Coloured on a terminal, plain text anywhere else. It reads what the stages and the API read too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select

from formats.peppol.own_pack import ORIGIN as OWN
from gateway.demo.story import FIRST_DAY, LAST_DAY
from gateway.demo.timeline import Way
from gateway.stages import audit, report
from gateway.stages.desk import Desk
from gateway.store import bank, invoices, orders
from gateway.store.orders import StoredOrder
from gateway.store.schema import journal
from o2c.errors import Fault
from o2c.money import Money

_PLAIN_WIDTH = 100  # of text that goes into a file or a pipe
_QUIET = {"NoticeSent", "EntryBooked"}  # of lesser weight than the lines beside them
_OWN_PACK = (
    "Peppol's official rules are not on this machine: rules of our own stand in, and every report says so."
    "\nTo have the official ones decide: ./run o2c rulesets fetch"
)


def console() -> Console:
    """The terminal, or plain text of a fixed width."""
    screen = Console(highlight=False, record=True)
    return screen if screen.is_terminal else Console(highlight=False, record=True, width=_PLAIN_WIDTH)


def heading(screen: Console, words: str) -> None:
    """A heading with air around it."""
    screen.print()
    screen.print(Text(words, style="bold cyan"))


# --- the eight stages ---------------------------------------------------------------------------
_STAGES = (
    ("receive", (("{} orders", "OrderReceived"),)),
    (
        "approve",
        (
            ("{} approved", "OrderApproved"),
            ("{} held", "OrderHeld"),
            ("{} referred to a person", "OrderReferred"),
            ("{} refused", "OrderRefused"),
        ),
    ),
    (
        "fulfil",
        (
            ("{} shipments", "GoodsShipped"),
            ("{} times a line waited for stock", "LineBackordered"),
            ("{} times a line was not supplied", "LineCancelled"),
        ),
    ),
    (
        "bill",
        (
            ("{} invoices, each validated before it was numbered", "InvoiceIssued"),
            ("{} stopped until mended", "BillingStopped"),
        ),
    ),
    (
        "send",
        (
            ("{} invoices", "InvoiceSent"),
            ("{} order responses", "AnswerSent"),
            ("{} notices", "NoticeSent"),
        ),
    ),
    (
        "settle",
        (
            ("{} bank files", "StatementImported"),
            ("{} payments applied", "PaymentApplied"),
            ("{} left to a person", "PaymentUnmatched"),
        ),
    ),
    (
        "remind",
        (
            ("{} reviews on day 14", "InvoiceReviewed"),
            ("{} accounts put on hold", "CreditHeld"),
            ("{} released by payment", "CreditReleased"),
        ),
    ),
    ("report", (("{} SAF-T file", "ReportIssued"),)),
)


def show_stages(screen: Console, desks: Sequence[Desk]) -> None:
    """What each of the eight stages did, counted in the journals."""
    counts: Counter[str] = Counter()
    for desk in desks:
        with desk.database.read() as connection:
            query = select(journal.c.event, func.count()).where(journal.c.company_id == desk.company_id)
            for event, count in connection.execute(query.group_by(journal.c.event)):
                counts[event] += count
    heading(screen, "What the eight stages did")
    for place, (stage, told) in enumerate(_STAGES, start=1):
        words = ", ".join(text.format(counts[event]) for text, event in told)
        screen.print(Text(f"  {place} {stage:<9}", "bold").append(words, "not bold"))


# --- one order -----------------------------------------------------------------------------------
def show_way(screen: Console, desk: Desk, way: Way, folder: Path) -> None:
    """The timeline of one order and the files on its way."""
    order = way.stored.order
    heading(screen, f"One order from the door to the tax office: {order.document_id} of {order.buyer.name}")
    screen.print(f"From the journal of {desk.company.name}. The proof is the rule that decided,")
    screen.print("or the document with the first digits of its SHA-256.\n")
    table = _table("when (UTC)", "step", "in words", "who", "proof")
    for moment in way.moments:
        quiet = "dim" if moment.event in _QUIET else ""
        step = Text(moment.title, quiet or "bold")
        table.add_row(f"{moment.at:%d %b %H:%M}", step, Text(moment.words, quiet), moment.actor, moment.proof)
    screen.print(table)
    if any(OWN in moment.words for moment in way.moments):
        screen.print(Text(_OWN_PACK, "dim"))
    screen.print(Text("\nFiles of this order, in ", "bold").append(str(folder)).append(":"))
    width = max(len(name) for name, _ in way.files)
    for name, path in way.files:
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        screen.print(
            Text(f"  {name:<{width}}  ").append(str(shown), style="cyan"),
            overflow="ignore",
            no_wrap=True,
            crop=False,
        )


def _table(*columns: str, header: bool = True) -> Table:
    """Columns side by side without lines; the one that is called ``in words`` takes the room."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=header, header_style="dim")
    for name in columns:
        table.add_column(name, ratio=1 if name == "in words" else None, no_wrap=name != "in words")
    return table


# --- the companies -------------------------------------------------------------------------------
def show_companies(screen: Console, desks: Sequence[Desk]) -> None:
    """The figures of each company, then what waits for a person and why."""
    heading(screen, f"The three companies, {FIRST_DAY:%d %B} to {LAST_DAY:%d %B %Y}")
    table = _table("", "orders", "invoices", "open", "overdue", "touchless", "matched", "DSO")
    for column in table.columns[1:]:
        column.justify = "right"
    for desk in desks:
        table.add_row(*_figures(desk))
    screen.print(table)
    screen.print(Text(
        "touchless: invoiced without a person's hand; matched: payments that explained themselves by a key;\n"
        "DSO: days sales outstanding. All from the KPI report of each company.", style="dim"))  # fmt: skip
    heading(screen, "Waiting for a person, with the reason")
    waiting = _table("company", "what", "in words", header=False)
    waiting.columns[1].style = "yellow"
    for desk in desks:
        for what, why in _waiting(desk):
            waiting.add_row(desk.company_id, what, why)
    screen.print(waiting)


def _figures(desk: Desk) -> tuple[str, ...]:
    figures = report.kpi_report(desk, FIRST_DAY, max(LAST_DAY, desk.clock.today()))
    with desk.database.read() as connection:
        count = len(invoices.page(connection, desk.company_id, 0, 10_000))
    overdue = [
        f"{Money.parse(amount)}"
        for buckets in figures["ageing"].values()
        for amount in [_sum(buckets, "days_1_30", "days_31_60", "days_61_90", "over_90")]
    ]
    return (
        desk.company_id,
        str(figures["orders"]),
        str(count),
        figures["receivables"],
        ", ".join(overdue) or "none",
        f"{figures['touchless_percent']} %",
        f"{figures['matched_percent']} %",
        f"{figures['dso_days']} days",
    )


def _sum(buckets: dict[str, str], *names: str) -> str:
    amounts = [Money.parse(buckets[name]) for name in names]
    total = amounts[0]
    for amount in amounts[1:]:
        total = total + amount
    return str(total)


def _waiting(desk: Desk) -> Iterator[tuple[str, str]]:
    with desk.database.read() as connection:
        for state in ("referred", "held"):
            for stored in orders.page(connection, desk.company_id, "", 1000, state=state):
                found = orders.latest_credit(connection, desk.company_id, stored.order_id)
                yield (
                    f"{stored.order.document_id} {state}",
                    _reason(stored, json.loads(found.body) if found else {}),
                )
        for shipment in orders.unbilled(connection, desk.company_id, "stopped"):
            findings = json.loads(shipment.findings or "[]")
            yield "billing stopped", f"{findings[0]['rule']}: {findings[0]['message']}" if findings else ""
        for payment in bank.unmatched(connection, desk.company_id):
            details = payment.details
            said = f'{details.amount} of {payment.booked_on} from {details.counterparty}: "{details.text}"'
            yield "bank payment", f"{said} names no invoice. Reminders to this payer are held back meanwhile"


def _reason(stored: StoredOrder, decision: dict[str, object]) -> str:
    facts = decision.get("facts")
    figures = (
        f"; exposure {_plain(facts['exposure'])}, limit {_plain(facts['credit_limit'])}"
        if isinstance(facts, dict)
        else ""
    )
    rule = f"rule {decision['rule']}" if decision.get("rule") else "no rule fits"
    return f"{stored.order.buyer.name}: {decision.get('say') or 'A person must decide'} ({rule}{figures})"


def _plain(value: object) -> str:
    return str(value["decimal"]) if isinstance(value, dict) else str(value)


# --- the proof -----------------------------------------------------------------------------------
def show_proof(screen: Console, desks: Sequence[Desk], faults: Sequence[Fault]) -> bool:
    """Verify every archive and say how the tax file fared; True if nothing is wrong."""
    heading(screen, "Proved at the end")
    wrong: list[str] = []
    table = _table("company", "in words", header=False)
    for desk in desks:
        checked = list(audit.verify(desk))
        wrong += [words for one in checked for words in one.wrong]
        table.add_row(desk.company_id, Text(", ".join(f"{one.records} {one.what}" for one in checked), "dim"))
    screen.print(table)
    verdict = "nothing is missing or changed" if not wrong else f"{len(wrong)} records are wrong"
    screen.print(f"Every hash and sum computed anew: {verdict}.")
    for words in wrong:
        screen.print(Text(f"  {words}", style="red"))
    told = f"{len(faults)} findings" if faults else "no finding"
    screen.print(f"SAF-T of March for NO1: {told} in its sums, keys, dates and codes.")
    return not wrong and not faults
