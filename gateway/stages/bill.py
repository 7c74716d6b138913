"""Bill: a shipment becomes a validated, numbered, archived and posted invoice.

The draft carries a stand-in number and is judged by every layer that is live. Only a document that
no layer calls invalid gets a number, in one short transaction with its bytes, its ledger entry and
its delivery. What stops an invoice is kept with the rule id and the party, and no number is spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection

from formats import canonical
from formats.explanations import explanation
from formats.findings import Finding, Report, Severity
from formats.ubl.origin import Source, origin
from formats.ubl.terms import TERMS
from formats.ubl.write_invoice import write_invoice
from gateway.stages import fulfil, tell
from gateway.stages.desk import Desk
from gateway.store import (
    archive,
    catalogue,
    companies,
    customers,
    invoices,
    items,
    jobs,
    ledger,
    numbers,
    orders,
    outbox,
)
from gateway.store.archive import Document
from gateway.store.customers import Movement
from gateway.store.invoices import IssuedInvoice
from gateway.store.jobs import Job
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder, StoredShipment
from gateway.store.outbox import Delivery
from o2c.billing import build_invoice, numbered
from o2c.errors import Refused, Unavailable
from o2c.invoice import Invoice
from o2c.ledger import Account, ItemKind, LedgerEntry, OpenItem
from o2c.money import Money
from o2c.order import Customer, InvoiceProfile
from o2c.party import Party
from o2c.posting import invoice_entry
from o2c.reference import rf_reference
from o2c.xrechnung import as_xrechnung, leitweg_doubt, unmet

_TRIES = 5  # of a draft whose order changes meanwhile


@dataclass(frozen=True, slots=True)
class Case:
    """Everything one invoice is made of."""

    stored: StoredOrder
    shipment: StoredShipment
    customer: Customer
    others: tuple[StoredShipment, ...]
    rate: Decimal


def bill_shipment(desk: Desk, job: Job) -> None:
    """Job handler: issue the invoice of one shipment, or say what stops it.

    ``Unavailable('order-busy')`` if the order keeps changing under our hands.
    """
    for _ in range(_TRIES):
        if _bill(desk, job):
            return
    raise Unavailable("order-busy", f"order {job.payload['order']} changed while it was billed.")


def _bill(desk: Desk, job: Job) -> bool:
    """One try; False if the order was shipped, billed or cancelled further while we drafted."""
    order_id, shipment_id = job.payload["order"], job.payload["shipment"]
    with desk.database.read() as connection:
        goods = _goods(desk, connection, order_id, shipment_id)
        case = _case(desk, connection, *goods)
        draft, problems, report = _draft(desk, connection, case)

    def unit(connection: Connection) -> bool:
        # Shares of allowances and the claim on the credit account depend on the other shipments.
        if _goods(desk, connection, order_id, shipment_id, lock=True) != goods:
            return False
        if case.shipment.billing != "done":
            if draft is None or problems:
                _stop(desk, connection, case, problems)
            else:
                _post(desk, connection, case, draft, report)
        jobs.done(connection, job)
        return True

    return desk.database.write(unit)


_Goods = tuple[StoredOrder, StoredShipment, tuple[StoredShipment, ...]]


def _goods(
    desk: Desk, connection: Connection, order_id: str, shipment_id: str, *, lock: bool = False
) -> _Goods:
    """The order, the shipment to bill, and its other shipments."""
    stored = orders.find(connection, desk.company_id, order_id, lock=lock)
    everything = {
        s.shipment.shipment_id: s for s in orders.shipments_of(connection, desk.company_id, order_id)
    }
    return stored, everything.pop(shipment_id), tuple(everything.values())


def _case(
    desk: Desk,
    connection: Connection,
    stored: StoredOrder,
    shipment: StoredShipment,
    others: tuple[StoredShipment, ...],
) -> Case:
    return Case(
        stored,
        shipment,
        customers.find(connection, desk.company_id, stored.customer_id),
        others,
        companies.rate_on(connection, desk.company, stored.order.currency, desk.clock.today()),
    )


def _draft(
    desk: Desk, connection: Connection, case: Case
) -> tuple[Invoice | None, list[dict[str, str]], str]:
    """The draft, what is wrong with it (in words for people), and its validation report as JSON."""
    try:
        draft = _build(desk, connection, case)
        _address(case.customer)
        report = desk.validator.validate(write_invoice(draft))
    except Refused as refused:
        return None, [{"rule": refused.code, "message": refused.message, "fix": refused.next_step}], ""
    report = _with_own_findings(report, draft)
    problems = [_problem(desk, case, draft, finding) for finding in report.errors]
    return draft, problems, canonical.dumps(report.as_json()).decode()


def _with_own_findings(report: Report, draft: Invoice) -> Report:
    """The report, and what we know of an XRechnung without the official rules: it may not leave unfit."""
    if draft.profile is not InvoiceProfile.XRECHNUNG:
        return report
    told = {finding.rule for finding in report.findings}
    own = [
        _own_finding(one.rule, Severity.ERROR, one.term, one.message)
        for one in unmet(draft)
        if one.rule not in told
    ]
    doubt = leitweg_doubt(draft)
    if doubt:
        own.append(_own_finding("O2C-LEITWEG-ID", Severity.WARNING, "BT-10", doubt))
    return replace(report, findings=(*report.findings, *own))


def _own_finding(rule: str, severity: Severity, term: str, message: str) -> Finding:
    words = explanation(rule)
    path = f"/Invoice/{TERMS[term].path}"
    return Finding("own", rule, severity, path, message, fix=words.advice if words else None, term=term)


def _problem(desk: Desk, case: Case, draft: Invoice, finding: Finding) -> dict[str, str]:
    """What stops the invoice, and the place in our own data that it comes from."""
    order_id, customer_id = case.stored.order_id, case.customer.customer_id
    place = origin(finding, Source(draft, order_id, customer_id, desk.company_id))
    party = f"customer {customer_id} ({case.customer.party.name})"
    return {
        "layer": finding.layer,
        "rule": finding.rule,
        "message": f"{finding.message} [{party}, order {order_id}]",
        "fix": finding.fix or "",
        "where": str(place or ""),
    }


def _build(desk: Desk, connection: Connection, case: Case) -> Invoice:
    stand_in = desk.company.number(10**desk.company.profile.number_width - 1)
    account = desk.company.account_in(case.stored.order.currency)
    shipment = case.shipment.shipment
    available = catalogue.available(connection, desk.company_id, case.stored.order.lines)
    draft = build_invoice(
        order=case.stored.order,
        shipped=shipment.lines,
        seller=desk.company.profile.party,
        buyer=buyer_of(case.stored, case.customer),
        number=stand_in,
        reference=rf_reference(stand_in),
        issued_on=desk.clock.today(),
        terms_days=case.customer.terms_days,
        products=available.products,
        delivered_on=shipment.shipped_on,
        despatch_reference=shipment.external_id,
        iban=account.account if account else None,
        bic=account.bic if account else None,
        account_name=desk.company.name,
        billed=_billed(case.others),
    )
    wanted = case.stored.order.profile or case.customer.profile
    return as_xrechnung(draft, case.customer.leitweg_id) if wanted is InvoiceProfile.XRECHNUNG else draft


def buyer_of(stored: StoredOrder, customer: Customer) -> Party:
    """Who is invoiced: the invoicee the order names, else the customer as we know it today."""
    return stored.order.invoicee or customer.party


def _billed(others: Sequence[StoredShipment]) -> dict[str, Decimal]:
    quantities: dict[str, Decimal] = {}
    for one in others:
        if one.billing == "done":
            for line in one.shipment.lines:
                quantities[line.line_id] = quantities.get(line.line_id, Decimal(0)) + line.quantity
    return quantities


def _address(customer: Customer) -> str:
    """Where the invoice goes; ``Refused('mail-address-missing')`` before a number is spent."""
    if customer.channel != "mail":
        return customer.customer_id
    address = customer.email or customer.party.contact.email
    if not address:
        raise Refused(
            "mail-address-missing",
            f"customer {customer.customer_id} ({customer.party.name}) wants invoices by mail and has no"
            " address.",
            next_step='Give the customer an e-mail address or the channel "folder".',
        )
    return address


def _stop(desk: Desk, connection: Connection, case: Case, problems: Sequence[dict[str, str]]) -> None:
    shipment_id = case.shipment.shipment.shipment_id
    findings = canonical.dumps(list(problems)).decode()
    orders.bill_shipment(connection, desk.company_id, shipment_id, billing="stopped", findings=findings)
    event = Event(
        order_stream(case.stored.order_id), "BillingStopped", {"shipment": shipment_id, "findings": problems}
    )
    words = "; ".join(f"{p['rule']}: {p['message']} {p['fix']}".strip() for p in problems)
    work = tell.finance(desk, connection, case.stored, f"Billing of {shipment_id} stopped. {words}")
    desk.record(connection, desk.clock.now(), [event], work)


def _post(desk: Desk, connection: Connection, case: Case, draft: Invoice, report: str) -> None:
    company, now = desk.company, desk.clock.now()
    stored, shipment = case.stored, case.shipment.shipment
    sequence = numbers.take(connection, company.company_id, company.profile.series)
    number = company.number(sequence)
    invoice = numbered(draft, number, rf_reference(number))
    sha256 = archive.keep(
        connection, company.company_id, now, Document("invoice", "application/xml", write_invoice(invoice))
    )
    entry = invoice_entry(
        invoice, customer_id=stored.customer_id, base_currency=company.currency, rate=case.rate
    )
    (posted,) = ledger.post(connection, company.company_id, now, [entry])
    gross = Money(invoice.totals.payable, invoice.currency).minor
    item = _item(invoice, entry, case.customer)
    base_gross = item.base_open
    message = Delivery(
        tell.message_id(desk),
        "invoice",
        number,
        case.customer.channel,
        _address(case.customer),
        stored.order_id,
        sha256,
    )
    issued = IssuedInvoice(
        invoice,
        company.profile.series,
        sequence,
        stored.order_id,
        shipment.shipment_id,
        stored.customer_id,
        gross,
        base_gross,
        report,
        sha256,
        message.message_id,
    )
    invoices.add(connection, company.company_id, issued, now)
    items.add(connection, company.company_id, [(item, stored.order_id)], now)
    if str(sequence).strip("0") == "1":  # 1, 10, 100 ...: the first of a series, or of a greater length
        items.learn_shapes(connection, company.company_id, "item", [number])
    orders.bill_shipment(
        connection, company.company_id, shipment.shipment_id, billing="done", invoice_number=number
    )
    unbilled = [line for one in case.others if one.billing != "done" for line in one.shipment.lines]
    claimed = fulfil.claim_of(desk, connection, stored, stored.parts, unbilled)
    orders.release_claim(connection, company.company_id, stored.order_id, claimed)
    moved = Movement(stored.customer_id, orders=claimed - stored.claimed, invoices=base_gross)
    customers.move(connection, company.company_id, [moved])
    outbox.add_deliveries(connection, company.company_id, now, [message])
    event = Event(
        order_stream(stored.order_id),
        "InvoiceIssued",
        {
            "number": number,
            "amount": str(Money(invoice.totals.payable, invoice.currency)),
            "due_on": invoice.due_on,
            "reference": invoice.payment.reference,
            "shipment": shipment.shipment_id,
            "message": message.message_id,
            "ledger": {posted.entry_id: posted.sha256},
        },
        document_sha256=sha256,
    )
    desk.record(connection, now, [event], [tell.send_job(message.message_id)])


def _item(invoice: Invoice, entry: LedgerEntry, customer: Customer) -> OpenItem:
    """What the invoice's own entry opens."""
    owed = [line for line in entry.lines if line.account is Account.RECEIVABLE]
    left = sum(line.amount for line in owed)
    return OpenItem(
        invoice.number,
        customer.customer_id,
        customer.party.name,
        invoice.payment.reference,
        entry.currency,
        left,
        entry.base_currency,
        sum(line.base_amount for line in owed),
        invoice.issued_on,
        invoice.due_on,
        left,
        ItemKind.CREDIT_NOTE if left < 0 else ItemKind.INVOICE,
    )


def bill_again(desk: Desk, customer_id: str | None = None) -> int:
    """Try every stopped shipment again (of one customer, if named); returns how many."""

    def unit(connection: Connection) -> int:
        stopped = orders.unbilled(connection, desk.company_id, "stopped")
        if customer_id is not None:
            mine = orders.customers_of(connection, desk.company_id, [s.shipment.order_id for s in stopped])
            stopped = [s for s in stopped if mine[s.shipment.order_id] == customer_id]
        stamp = desk.clock.now().isoformat(timespec="microseconds")
        work = [fulfil.bill_job(s.shipment, f":{stamp}") for s in stopped]
        jobs.enqueue(connection, desk.company_id, work)
        return len(work)

    return desk.database.write(unit)
