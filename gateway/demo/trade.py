"""Carries the story out on the product's own stages, as the API and the workers would.

Every step turns the sandbox clock, calls a public function of a stage and runs the jobs that follow.
It keeps copies of what came in (orders, bank files) in the demo's folder; it never writes a row itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection

from formats import canonical
from formats.ubl.read_order import read_order
from gateway import jobs
from gateway.demo.companies import Market
from gateway.demo.papers import BankLine, bank_file, peppol_order
from gateway.demo.place import Place
from gateway.demo.story import BANK, FIRST_DAY, LAST_DAY, REMINDERS_AT, TAX_MONTH, Ordered, Step, steps
from gateway.stages import approve, bill, fulfil, receive, report, settle
from gateway.stages.answer import PEPPOL
from gateway.stages.approve import Approval
from gateway.stages.desk import Desk
from gateway.stages.fulfil import Despatch
from gateway.stages.receive import Incoming
from gateway.store import catalogue, companies, customers, invoices, items
from gateway.store.archive import Document
from gateway.store.invoices import IssuedInvoice
from gateway.wiring import House
from o2c.money import Money, Quantity
from o2c.order import Order, OrderLine, Tax, VatCategory

_CURRENCIES = {"FI": "EUR"}  # the Norwegian seller's customer abroad pays in euro, without Norwegian VAT
_OPENING = Decimal("250000.00")


@dataclass(slots=True)
class Trade:
    """One company's life in the demo."""

    house: House
    market: Market
    place: Place
    orders: dict[str, str] = field(default_factory=dict)  # number in the story -> order id
    shipped: Counter[str] = field(default_factory=Counter)
    statements: Counter[str] = field(default_factory=Counter)  # by account
    balances: dict[str, Decimal] = field(default_factory=dict)

    @property
    def company_id(self) -> str:
        """The company's code."""
        return self.market.company.company_id

    def desk(self, actor: str = "o2c") -> Desk:
        """The company's desk at the instant its clock shows."""
        return self.house.desk(self.company_id, actor)

    # --- the first day ---------------------------------------------------------------------------
    def open(self) -> None:
        """The company with its customers, products and stock."""
        self.house.add_company(self.market.company)
        desk, market = self.desk(), self.market
        now = desk.clock.now()

        def master_data(connection: Connection) -> None:
            for who in market.customers:
                customers.save(connection, self.company_id, who, now)
            for currency, valid_on, rate in market.rates:
                companies.set_rate(connection, self.company_id, currency, valid_on, rate)
            for item in market.items:
                catalogue.save(connection, self.company_id, item.product)

        desk.database.write(master_data)
        for item in market.items:
            for rank, (warehouse, pieces) in enumerate(zip(market.warehouses, item.stock, strict=True)):
                fulfil.count_stock(
                    desk,
                    item.product.product_id,
                    warehouse,
                    Decimal(pieces),
                    rank=rank,
                    next_receipt_on=item.next_receipt_on,
                )

    # --- a day -----------------------------------------------------------------------------------
    def bank_opens(self, day: date, todays: Sequence[Step]) -> None:
        """The bank's files of the day come in, before anybody is reminded; the clock then shows six."""
        bank = [step for step in todays if step.verb in BANK]
        if bank:
            self._turn(day, bank[0].hour, 30)
            self._bank(day, bank)
            jobs.run_due(self.house)
        self._turn(day, REMINDERS_AT)

    def works(self, day: date, todays: Sequence[Step]) -> None:
        """Everything else that happens on ``day``, each step at its hour."""
        doing: dict[str, Callable[[Step], None]] = {
            "order": self._orders,
            "approve": self._approves,
            "refuse": self._refuses,
            "stock": self._stocks,
            "mend": self._mends,
            "ship": self._ships,
            "cancel": self._cancels,
        }
        for minute, step in enumerate(step for step in todays if step.verb not in BANK):
            self._turn(day, step.hour, minute)
            doing[step.verb](step)
            jobs.run_due(self.house)

    def _turn(self, day: date, hour: int, minute: int = 0) -> None:
        to = datetime.combine(day, time(hour, minute), UTC)
        self.house.database.write(lambda c: companies.turn_clock(c, self.company_id, to))

    # --- what customers do -----------------------------------------------------------------------
    def _orders(self, step: Step) -> None:
        assert step.order is not None
        order = self._order(step.order)
        incoming = self._as_xml(order) if step.order.as_xml else self._as_json(order)
        received = receive.receive_order(self.desk("Peppol" if step.order.as_xml else "web shop"), incoming)
        self.orders[step.subject] = received.stored.order_id

    def _order(self, wanted: Ordered) -> Order:
        who = next(c for c in self.market.customers if c.customer_id == wanted.customer_id)
        currency = _CURRENCIES.get(who.party.address.country, self.market.company.currency)
        export = None if currency == self.market.company.currency else Tax(VatCategory.EXPORT)
        lines = tuple(
            self._line(str(place), *line, export) for place, line in enumerate(wanted.lines, start=1)
        )
        today = self.desk().clock.today()
        return Order(
            "shop",
            wanted.number,
            f"PO-{wanted.number}",
            today,
            currency,
            who.party,
            lines,
            who.customer_id,
            buyer_reference=who.party.contact.name,
            valid_until=today + timedelta(30),
        )

    def _line(
        self, line_id: str, code: str, pieces: Decimal, price: Decimal | None, tax: Tax | None
    ) -> OrderLine:
        item = next(item for item in self.market.items if item.product.product_id == code)
        product = item.product
        return OrderLine(
            line_id,
            product.name,
            Quantity(pieces, product.unit),
            item.price if price is None else price,
            tax=tax or product.tax,
            seller_item_id=code,
        )

    def _as_json(self, order: Order) -> Incoming:
        content = canonical.dumps(canonical.encode(order))
        return Incoming(order, Document("order", "application/json", content))

    def _as_xml(self, order: Order) -> Incoming:
        content = peppol_order(order, self.market.company.profile.party)
        self._keep(self.place.order_file(self.company_id, order.document_id), content)
        return Incoming(read_order(content, PEPPOL), Document("order", "application/xml", content))

    def _cancels(self, step: Step) -> None:
        fulfil.cancel(
            self.desk("customer service"), self.orders[step.subject], (), "the customer changed its mind"
        )

    # --- what we do ------------------------------------------------------------------------------
    def _approves(self, step: Step) -> None:
        limit = Money(Decimal(step.argument), self.market.company.currency)
        self._decides(step, Approval(True, "References are good; limit raised", limit, date(2026, 12, 31)))

    def _refuses(self, step: Step) -> None:
        self._decides(step, Approval(False, "No references and a high risk; cash in advance only"))

    def _decides(self, step: Step, approval: Approval) -> None:
        approve.resolve_order(self.desk(self.market.controller), self.orders[step.subject], approval)

    def _ships(self, step: Step) -> None:
        self.shipped[step.subject] += 1
        note = f"{step.subject}-{self.shipped[step.subject]}"
        fulfil.ship(
            self.desk("warehouse"),
            self.orders[step.subject],
            Despatch(f"DN-{note}", carrier="Rask Frakt", tracking_id=f"RF{note}"),
        )

    def _stocks(self, step: Step) -> None:
        code, _, place = step.subject.partition("/")
        warehouse = self.market.warehouses[int(place)]
        with self.house.database.read() as connection:
            levels = catalogue.levels(connection, self.company_id, code)
        on_hand = next(level["on_hand"] for level in levels if level["warehouse"] == warehouse)
        assert isinstance(on_hand, Decimal)
        fulfil.count_stock(self.desk("warehouse"), code, warehouse, on_hand + Decimal(step.argument))

    def _mends(self, step: Step) -> None:
        """A clerk corrects a customer's VAT id, and what it stopped is billed again."""
        desk = self.desk(self.market.controller)
        with desk.database.read() as connection:
            who = customers.find(connection, self.company_id, step.subject)
        right = replace(who, party=replace(who.party, vat_id=step.argument))
        desk.database.write(lambda c: customers.save(c, self.company_id, right, desk.clock.now()))
        bill.bill_again(desk, step.subject)

    # --- what the bank says ----------------------------------------------------------------------
    def _bank(self, day: date, todays: Sequence[Step]) -> None:
        """One statement for each account that moved."""
        by_account: defaultdict[tuple[str, str], list[BankLine]] = defaultdict(list)
        for step in todays:
            for currency, line in self._bank_lines(step):
                paid_to = self.market.company.account_in(currency)
                assert paid_to is not None
                by_account[paid_to.account, currency].append(line)
        for (account, currency), lines in by_account.items():
            self.statements[account] += 1
            opening = self.balances.get(account, _OPENING)
            self.balances[account] = opening + sum((line.amount for line in lines), Decimal(0))
            content = bank_file(account, currency, day, self.statements[account], opening, lines)
            self._keep(self.place.statement_file(self.company_id, currency, day), content)
            settle.import_statements(self.desk("bank"), content)

    def _bank_lines(self, step: Step) -> Iterator[tuple[str, BankLine]]:
        if step.verb == "fee":
            yield step.subject, BankLine(-Decimal(step.argument), "Bank fees", text="Account fees")
            return
        for issued, still_open in self._open_invoices(self.orders[step.subject]):
            invoice = issued.invoice
            amount = Decimal(step.argument) if step.verb == "part" else still_open.amount
            yield (
                invoice.currency,
                {
                    "text": BankLine(amount, invoice.buyer.name, text=f"Invoice {invoice.number}, thank you"),
                    "vague": BankLine(amount, "Treasury Services Ltd", text="as agreed on the phone"),
                }.get(step.verb, BankLine(amount, invoice.buyer.name, invoice.payment.reference)),
            )

    def _open_invoices(self, order_id: str) -> list[tuple[IssuedInvoice, Money]]:
        with self.house.database.read() as connection:
            found = [
                (one, items.open_amount(connection, self.company_id, one.invoice.number))
                for one in invoices.of_order(connection, self.company_id, order_id)
            ]
        return [(one, Money.from_minor(minor, one.invoice.currency)) for one, minor in found if minor]

    # --- the tax office --------------------------------------------------------------------------
    def writes_saft(self) -> None:
        """The SAF-T file of the month, in the demo's folder."""
        name, chunks = report.saft(self.desk("accountant"), *TAX_MONTH)
        self._keep(self.place.saft_file(name), b"".join(chunks))

    def _keep(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def play(trades: Sequence[Trade], told: Callable[[date], None]) -> None:
    """The whole story, day by day at every company; ``told`` hears of each day that has passed."""
    plans = {trade.company_id: steps(trade.company_id) for trade in trades}
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(offset)
        for trade in trades:
            trade.bank_opens(day, plans[trade.company_id].get(day, ()))
        jobs.start_day(trades[0].house)
        jobs.run_due(trades[0].house)
        for trade in trades:
            trade.works(day, plans[trade.company_id].get(day, ()))
        told(day)
    trades[0].writes_saft()
