"""One order's way in words: the journal's rows as a newcomer can read them, with their proof.

The journal says what happened, who did it, and on which rule and document. This adds nothing but
words, except for two looks elsewhere: the validation report of an invoice, and the SAF-T file that its
vouchers are found in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping

from formats.peppol.own_pack import ORIGIN as OWN
from gateway.demo.place import Place
from gateway.stages.desk import Desk
from gateway.store import invoices, journal, orders, outbox
from gateway.store.invoices import IssuedInvoice
from gateway.store.orders import StoredOrder


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. ``proof`` names the rule or the document (its SHA-256, shortened)."""

    at: datetime
    event: str
    title: str
    words: str
    actor: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """An order from the door to the tax office, and the files that were made or read on its way."""

    stored: StoredOrder
    moments: tuple[Moment, ...]
    files: tuple[tuple[str, Path], ...]


def way_of(desk: Desk, order_id: str, place: Place) -> Way:
    """The whole way of one order of the demo."""
    with desk.database.read() as connection:
        stored = orders.find(connection, desk.company_id, order_id)
        issued = invoices.of_order(connection, desk.company_id, order_id)
        rows = journal.timeline(connection, desk.company_id, order_id)
        sent = _sent_files(connection, desk, rows)
    by_number = {one.invoice.number: one for one in issued}
    moments = [_moment(row, by_number) for row in rows]
    files = [
        ("order", place.order_file(desk.company_id, stored.order.document_id)),
        *sent,
        *_bank_files(rows, desk, stored, place),
        ("SAF-T file", place.saft),
    ]
    moments += _vouchers(rows, place.saft, desk.clock.now())
    return Way(stored, tuple(moments), tuple(dict.fromkeys(files)))


def _moment(row: RowMapping, issued: Mapping[str, IssuedInvoice]) -> Moment:
    data = json.loads(row["data"])
    title, words = _WORDS[row["event"]](data) if row["event"] in _WORDS else (row["event"], "")
    if row["event"] == "InvoiceIssued":
        words += f". Checked before it was numbered: {_layers(issued[data['number']].report)}"
    return Moment(row["at"], row["event"], title, words, row["actor"], _proof(row, data))


def _proof(row: RowMapping, data: Mapping[str, Any]) -> str:
    if row["event"] == "PaymentApplied":  # what the match went by, not a rule of a file
        return str(data["rule"])
    rule = f"rule {data['rule']}" if data.get("rule") else ""
    document = f"file {row['document_sha256'][:10]}" if row["document_sha256"] else ""
    return rule or document


def _layers(report: str) -> str:
    """``XML schema valid, EN 16931 1.3.16 valid, Peppol 3.0.21 valid (own pack)``."""
    names = {"xsd": "XML schema", "en16931": "EN 16931", "peppol": "Peppol"}
    told = []
    for layer in json.loads(report)["layers"]:
        release = layer["release"] if layer["layer"] != "xsd" else None
        words = [names.get(layer["layer"], layer["layer"]), *([release] if release else []), layer["status"]]
        remark = " (its rules are not fetched)" if layer["status"] == "skipped" else ""
        if layer.get("origin") == OWN:
            remark = f" ({OWN})"
        told.append(" ".join(words) + remark)
    return ", ".join(told)


# --- the words -----------------------------------------------------------------------------------
def _received(data: Mapping[str, Any]) -> tuple[str, str]:
    how = {"peppol": "as a Peppol order (UBL)"}.get(data["source"], "as JSON")
    return "Order received", f"{data['value']} from {data['customer']}, {how}"


def _decided(title: str) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    def words(data: Mapping[str, Any]) -> tuple[str, str]:
        facts = data["facts"]
        say = data["say"] or "No rule lets it through, so a person decides"
        reason = f" ({data['reason']})" if "reason" in data else ""
        figures = f"exposure {facts['exposure']} with this order, limit {facts['credit_limit']}"
        return title, f"{say}{reason}: {figures}, overdue {facts['overdue_amount']}"

    return words


def _pieces(title: str) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    def words(data: Mapping[str, Any]) -> tuple[str, str]:
        told = []
        for line in data["lines"]:
            place = f" in {line['warehouse']}" if line.get("warehouse") else ""
            told.append(f"{line['quantity']} x {line.get('product') or 'line ' + line['line']}{place}")
        return title, ", ".join(told)

    return words


def _shipped(data: Mapping[str, Any]) -> tuple[str, str]:
    places = ", ".join(dict.fromkeys(line["warehouse"] for line in data["lines"] if line["warehouse"]))
    tracking = f", tracking {data['carrier']} {data['tracking']}" if data["tracking"] else ""
    return "Goods shipped", f"{len(data['lines'])} lines from {places}{tracking}"


def _issued(data: Mapping[str, Any]) -> tuple[str, str]:
    return (
        f"Invoice {data['number']}",
        f"{data['amount']}, due {data['due_on']}, reference {data['reference']}",
    )


def _reviewed(data: Mapping[str, Any]) -> tuple[str, str]:
    found = "; ".join(point["message"] for point in data["findings"])
    return "Early review", found or f"{data['number']}: nothing found that could delay its payment"


def _noticed(data: Mapping[str, Any]) -> tuple[str, str]:
    return "Customer told", f'"{data["subject"]}" ({data["channel"]}, to {data["to"]})'


def _applied(data: Mapping[str, Any]) -> tuple[str, str]:
    return "Payment applied", f"{data['amount']} to {data['number']} by {data['rule']}"


def _stopped(data: Mapping[str, Any]) -> tuple[str, str]:
    return "Billing stopped", " ".join(f"{one['rule']}: {one['message']}" for one in data["findings"])


_CODES = {"AP": "accepted", "CA": "accepted with changes", "RE": "not accepted"}
_WORDS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "OrderReceived": _received,
    "OrderApproved": _decided("Approved"),
    "OrderReferred": _decided("A person must decide"),
    "OrderHeld": _decided("Held"),
    "OrderRefused": _decided("Refused"),
    "OrderCancelled": lambda d: ("Order cancelled", d["reason"]),
    "StockReserved": _pieces("Stock reserved"),
    "LineBackordered": _pieces("To follow later"),
    "LineCancelled": _pieces("Not supplied"),
    "OrderAnswered": lambda d: ("Order answered", f"{_CODES[d['code']]}, {len(d['lines'])} lines"),
    "GoodsShipped": _shipped,
    "BillingStopped": _stopped,
    "InvoiceIssued": _issued,
    "AnswerSent": lambda d: ("Answer sent", f"as a Peppol order response ({d['channel']}, to {d['to']})"),
    "InvoiceSent": lambda d: ("Invoice sent", f"{d['about']} ({d['channel']}, to {d['to']})"),
    "InvoiceFlagged": lambda d: ("Day 14", f"{d['number']} is unpaid and due {d['due_on']}"),
    "InvoiceReviewed": _reviewed,
    "NoticeSent": _noticed,
    "EntryBooked": lambda d: ("Bank line booked", f"{d['amount']} from {d['from']} on {d['booked_on']}"),
    "PaymentApplied": _applied,
    "InvoicePaid": lambda d: ("Invoice paid", f"{d['number']}: nothing is open, so no letter follows"),
    "AccountFlagged": lambda d: ("Account flagged", f"overdue: {', '.join(d['invoices'])}"),
    "CreditHeld": lambda d: ("Credit on hold", "new orders wait until the overdue invoices are paid"),
    "CreditReleased": lambda d: ("Credit released", d["reason"]),
}


# --- the files -----------------------------------------------------------------------------------
def _sent_files(connection: Connection, desk: Desk, rows: list[RowMapping]) -> list[tuple[str, Path]]:
    """Where the folder channel put each message; its evidence is the path."""
    found = []
    for row in rows:
        if row["event"] in ("AnswerSent", "InvoiceSent", "NoticeSent"):
            data = json.loads(row["data"])
            delivery = outbox.find_delivery(connection, desk.company_id, data["message"])
            named = {"AnswerSent": "order response", "InvoiceSent": f"invoice {data['about']}"}
            name = named.get(row["event"]) or f"notice: {data.get('kind', '')}"
            found.append((name, Path(delivery.evidence)))
    return found


def _bank_files(
    rows: list[RowMapping], desk: Desk, stored: StoredOrder, place: Place
) -> Iterator[tuple[str, Path]]:
    for row in rows:
        if row["event"] == "EntryBooked":
            day = date.fromisoformat(json.loads(row["data"])["booked_on"])
            yield "bank statement", place.statement_file(desk.company_id, stored.order.currency, day)


def _vouchers(rows: list[RowMapping], path: Path, at: datetime) -> Iterator[Moment]:
    """Where the order's ledger entries stand in the SAF-T file: each is one voucher there."""
    content = path.read_bytes()
    lines = content.decode().splitlines()
    proof = f"file {hashlib.sha256(content).hexdigest()[:10]}"
    for row in rows:
        for entry_id in json.loads(row["data"]).get("ledger", {}):
            places = [number for number, line in enumerate(lines, 1) if entry_id in line]
            what = "invoice" if row["event"] == "InvoiceIssued" else "payment"
            where = f"voucher of the {what} on line {places[0]}" if places else f"no voucher of the {what}"
            yield Moment(
                at, "ReportIssued", "In the tax file", f"SAF-T of March: {where}", "accountant", proof
            )
