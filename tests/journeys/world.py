"""A small world to tell a journey in: one company, a hand-turned clock, a bank and a warehouse.

Everything in it is real: the database (SQLite or PostgreSQL), the rule files, the validator, the
folder that invoices are dropped into and the SMTP server that letters go to.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import event, select

from connectors.mail import Mail, MailServer
from connectors.memory import SteppedClock
from formats import canonical
from formats.ubl.read_order import read_order
from gateway import jobs
from gateway.settings import Settings
from gateway.stages import audit, fulfil, receive, rulefiles, settle
from gateway.stages.desk import Desk
from gateway.stages.fulfil import Despatch
from gateway.stages.receive import Incoming, Received
from gateway.stages.settle import Imported
from gateway.store import catalogue, companies, customers, invoices, items
from gateway.store.archive import Document
from gateway.store.companies import BankAccount, Company, Profile
from gateway.store.invoices import IssuedInvoice
from gateway.store.schema import journal
from gateway.wiring import House, open_house
from o2c.money import Money, Quantity
from o2c.order import Customer, CustomerId, Order, OrderLine, Product, ProductId, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party
from tests.journeys.bank_file import Line, statement

SELLER = Party(
    "The Supplier AS",
    Address("NO", street="Harbour street 45", city="Bergen", postcode="5005"),
    legal_id=Identifier("987654325", "0192"),
    vat_id="NO987654325MVA",
    tax_registration="Foretaksregisteret",
    endpoint=Identifier("987654325", "0192"),
    contact=Contact("Accounts", "+47 55 00 00 00", "accounts@supplier.example"),
)
BUYER = Party(
    "Fjord Hotel AS",
    Address("NO", street="Strandgaten 1", city="Bergen", postcode="5013"),
    legal_id=Identifier("910825518", "0192"),
    endpoint=Identifier("910825518", "0192"),
    contact=Contact("Kari", None, "kari@fjordhotel.example"),
)
IBAN = "NO9386011117947"
STANDARD = Tax(VatCategory.STANDARD, Decimal(25))


@dataclass(slots=True)
class World:
    """One company and what happens to it."""

    house: House
    company_id: str
    clock: SteppedClock
    outbox: Path
    mails: list[Any] = field(default_factory=list)
    statements: int = 0
    balance: Decimal = Decimal("1000.00")
    _seen: int = 0

    @property
    def desk(self) -> Desk:
        """The company's desk at this instant."""
        return self.house.desk(self.company_id)

    # --- given -----------------------------------------------------------------------------------
    def given_customer(self, name: str = "C-1", **changes: Any) -> Customer:
        """A known customer: valid approval and a limit of 10,000 unless told otherwise."""
        who = Customer(
            CustomerId(name),
            changes.pop("party", BUYER),
            credit_limit=Money(Decimal(10_000), self.desk.company.currency),
            approval_until=date(2030, 1, 1),
        )
        who = replace(who, **changes)
        self.house.database.write(lambda c: customers.save(c, self.company_id, who, self.clock.now()))
        return who

    def given_profile(self, **changes: Any) -> None:
        """The company says something else about itself: addresses of its desks, amounts."""
        company = self.desk.company
        changed = replace(company, profile=replace(company.profile, **changes))
        self.house.database.write(lambda c: companies.describe(c, changed))
        self.house.forget(self.company_id)

    def given_stock(self, levels: Mapping[str, Mapping[str, int]], **products: Any) -> None:
        """``{"SN-33": {"BERGEN": 6, "OSLO": 3}}``: products with pieces per warehouse, ship-from order."""
        for name, per_warehouse in levels.items():
            item = products.get(name) or Product(ProductId(name), f"Item {name}", "C62", STANDARD)
            self.house.database.write(lambda c, item=item: catalogue.save(c, self.company_id, item))
            for rank, (warehouse, pieces) in enumerate(per_warehouse.items()):
                fulfil.count_stock(self.desk, name, warehouse, Decimal(pieces), rank=rank)

    def given_rules(self, content: bytes) -> None:
        """A rule file is in force from now on, let in by two people."""
        anna, bo = (self.house.desk(self.company_id, f"key:{who}") for who in ("anna", "bo"))
        new = rulefiles.propose(anna, content, "for this journey")
        rulefiles.approve(bo, new.proposal_id, {})
        rulefiles.activate(bo, new.proposal_id)
        self.house.forget(self.company_id)

    # --- what people and systems do --------------------------------------------------------------
    def orders(
        self, external_id: str, *lines: tuple[str, int, str], customer: str = "C-1", **more: Any
    ) -> Received:
        """An order of (item, pieces, price) lines comes in as our JSON; what follows is run."""
        order = Order(
            source="api",
            external_id=external_id,
            document_id=more.pop("document_id", f"PO-{external_id}"),
            ordered_on=self.clock.today(),
            currency=more.pop("currency", "EUR"),
            buyer=BUYER,
            customer_id=customer,
            lines=tuple(
                OrderLine(str(place), f"Item {item}", Quantity(Decimal(pieces), "C62"), Decimal(price),
                          tax=STANDARD, seller_item_id=item)
                for place, (item, pieces, price) in enumerate(lines, start=1)
            ),
            **more,
        )  # fmt: skip
        raw = canonical.dumps(canonical.encode(order))
        return self.receives(Incoming(order, Document("order", "application/json", raw)))

    def orders_xml(self, content: bytes, key: str | None = None) -> Received:
        """A Peppol BIS Order comes in; what follows is run."""
        order = read_order(content, "peppol")
        return self.receives(Incoming(order, Document("order", "application/xml", content), key))

    def receives(self, incoming: Incoming) -> Received:
        """An order through the door, and everything it sets in motion."""
        received = receive.receive_order(self.desk, incoming)
        self.run()
        return received

    def ships(self, order_id: str, external_id: str = "D-1") -> None:
        """The warehouse reports that everything reserved has left."""
        fulfil.ship(self.desk, order_id, Despatch(external_id))
        self.run()

    def bank_sends(self, *lines: Line, on: date | None = None) -> list[Imported]:
        """A statement with these payments is imported."""
        return self.imports(self.bank_file(*lines, on=on))

    def bank_file(self, *lines: Line, on: date | None = None) -> bytes:
        """The next statement of our account."""
        self.statements += 1
        opening = self.balance
        self.balance += sum((Decimal(line.amount) for line in lines), Decimal(0))
        currency = next(a.currency for a in self.desk.company.bank_accounts if a.account == IBAN)
        return statement(
            IBAN,
            lines,
            number=self.statements,
            on=on or self.clock.today(),
            opening=f"{opening:.2f}",
            currency=currency,
        )

    def imports(self, content: bytes) -> list[Imported]:
        """A bank file through the door."""
        done = settle.import_statements(self.desk, content)
        self.run()
        return done

    def run(self) -> None:
        """Everything that is due is done, as workers would do it."""
        jobs.run_due(self.house)

    def turns_to(self, day: str) -> None:
        """The clock goes on day by day; each day has its reminder run."""
        target = date.fromisoformat(day)
        while self.clock.today() < target:
            self.clock.turn_to(
                datetime.combine(self.clock.today() + timedelta(days=1), datetime.min.time(), UTC)
            )
            jobs.start_day(self.house)
            self.run()

    # --- what can be seen ------------------------------------------------------------------------
    def events(self) -> list[str]:
        """What happened since the last look, in order: the event and what tells it apart."""
        with self.house.database.read() as connection:
            mine = select(journal).where(journal.c.company_id == self.company_id)
            rows = connection.execute(
                mine.where(journal.c.entry_no > self._seen).order_by(journal.c.entry_no)
            ).all()
        self._seen = rows[-1].entry_no if rows else self._seen
        return [_line(row.event, json.loads(row.data)) for row in rows]

    def invoice(self, number: str) -> IssuedInvoice:
        """An issued invoice."""
        with self.house.database.read() as connection:
            return invoices.find(connection, self.company_id, number)

    def open(self, number: str) -> str:
        """What is still to be paid on an invoice."""
        with self.house.database.read() as connection:
            found = items.find(connection, self.company_id, number).item
        return str(Money.from_minor(found.open, found.currency))

    def faults(self) -> list[str]:
        """What the audit finds."""
        return [words for checked in audit.verify(self.desk) for words in checked.wrong]

    def sent_files(self, kind: str = "xml") -> list[Path]:
        """Files in the outbox folder, oldest first."""
        return sorted(self.outbox.rglob(f"*.{kind}"), key=lambda path: path.name)


_DETAIL: dict[str, Callable[[dict[str, Any]], str]] = {
    "OrderReceived": lambda d: d["value"],
    "OrderApproved": lambda d: d["rule"] or "by hand",
    "OrderReferred": lambda d: d["rule"] or "otherwise",
    "OrderHeld": lambda d: d["rule"],
    "OrderAnswered": lambda d: f"{d['code']} {' '.join(d['lines'].values())}".strip(),
    "InvoiceIssued": lambda d: f"{d['number']} {d['amount']}",
    "InvoiceSent": lambda d: d["about"],
    "InvoicePaid": lambda d: d["number"],
    "InvoiceFlagged": lambda d: d["number"],
    "InvoiceReviewed": lambda d: f"{d['number']} {len(d['findings'])} findings",
    "PaymentApplied": lambda d: f"{d['number']} {d['amount']} by {d['rule']}",
    "PaymentUnmatched": lambda d: d["reason"],
    "EntryBooked": lambda d: d["amount"],
    "NoticeSent": lambda d: d["kind"],
    "AccountFlagged": lambda d: " ".join(d["invoices"]),
    "CreditHeld": lambda d: " ".join(d["invoices"]),
    "ApprovalRecorded": lambda d: d["reason"],
    "ReferralLate": lambda d: f"{d['queue']} after {d['waits']}",
    "CreditLimitGranted": lambda d: f"{d['kind']} {d['amount']}",
    "CreditLimitEnded": lambda d: f"{d['kind']} {d['valid_until']}",
    "ReceiptAnnounced": lambda d: f"{d['receipt']} {d['quantity']} on {d['expected_on']}",
    "GoodsReceived": lambda d: f"{d['receipt']} {d['quantity']}",
    "ReceiptCancelled": lambda d: d["receipt"],
    "StockReallocated": lambda d: f"+{len(d['gains'])} -{len(d['losses'])}",
    "DisputeOpened": lambda d: f"{d['number']} {d['amount']}",
    "DisputeClosed": lambda d: f"{d['number']} {d['resolution']}",
    "DisputeLate": lambda d: d["number"],
    "PromiseMade": lambda d: f"{' '.join(d['invoices'])} {d['amount']} by {d['promised_on']}",
    "PromiseKept": lambda d: " ".join(d["invoices"]),
    "PromiseBroken": lambda d: " ".join(d["invoices"]),
    "DunningBlocked": lambda d: f"{d['invoice'] or 'all'} until {d['until_on']}",
    "LateChargeClaimed": lambda d: f"{d['number']} {d['kind']} {d['amount']}",
    "LateChargeCancelled": lambda d: f"{d['number']} {d['kind']} {d['amount']} {d['cause']}",
    "OpenItemsTakenOver": lambda d: str(d["items"]),
    "BillingStopped": lambda d: " ".join(f["rule"] for f in d["findings"]),
}


def _line(name: str, data: dict[str, Any]) -> str:
    detail = _DETAIL[name](data) if name in _DETAIL else ""
    return f"{name} {detail}".strip()


class _Letters(Message):
    def __init__(self, letters: list[Any]) -> None:
        super().__init__()
        self._letters = letters

    def handle_message(self, message: Any) -> None:
        self._letters.append(message)


@contextmanager
def post_office(letters: list[Any]) -> Iterator[MailServer]:
    """A real SMTP server on loopback that keeps what it is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(_Letters(letters), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield MailServer("127.0.0.1", "accounts@supplier.example", port=port)
    finally:
        controller.stop()


def open_world(
    database_url: str,
    folder: Path,
    rules_cache: Path,
    *,
    currency: str = "EUR",
    at: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC),
    mail: MailServer | None = None,
    accounts: Sequence[BankAccount] | None = None,
) -> World:
    """A fresh installation with one Norwegian seller."""
    outbox = folder / "outbox"
    house = open_house(Settings(database_url=database_url, outbox_dir=outbox, rules_cache=rules_cache))
    clock = SteppedClock(at)
    house.clock = clock
    if mail is not None:
        house.channels = {**house.channels, "mail": Mail(mail, clock)}
    bank_accounts = tuple(accounts or (BankAccount(IBAN, currency, "DNBANOKK"),))
    house.add_company(Company("NO1", "The Supplier AS", "NO", currency, Profile(SELLER), bank_accounts))
    return World(house, "NO1", clock, outbox)


def count_statements(house: House) -> Callable[[], list[str]]:
    """Start counting SQL statements (transaction control aside); the result empties the count."""
    seen: list[str] = []

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def executed(_c: Any, _cursor: Any, words: str, *_rest: Any) -> None:
        if not words.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(" ".join(words.split())[:100])

    def taken() -> list[str]:
        found, seen[:] = list(seen), []
        return found

    return taken
