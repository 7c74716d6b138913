"""A5, exact keys: a statement is proved whole, posted once, and what is in doubt waits for a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.store import customers
from o2c.errors import Conflict
from tests.journeys.bank_file import Line, statement
from tests.journeys.world import BUYER, IBAN, World, count_statements


@pytest.fixture
def invoiced(world: World) -> World:
    """INV-00001 of 125.00 EUR and INV-00002 of 62.50 EUR, both of C-1."""
    for place, pieces in ((1, 10), (2, 5)):
        received = world.orders(f"O-{place}", (f"SN-{32 + place}", pieces, "10"))
        world.ships(received.stored.order_id)
    world.events()
    return world


def reference(world: World, number: str) -> str:
    """The payment reference printed on an invoice."""
    return world.invoice(number).invoice.payment.reference


def test_by_reference_and_the_same_file_again_posts_nothing(invoiced: World) -> None:
    file = invoiced.bank_file(Line("125.00", reference=reference(invoiced, "INV-00001")))
    (first,) = invoiced.imports(file)
    assert (first.duplicate, first.lines, first.applied) == (False, 1, 1)
    assert invoiced.open("INV-00001") == "0.00 EUR"
    invoiced.events()
    (again,) = invoiced.imports(file)
    assert (again.duplicate, again.lines, again.statement_id) == (True, 0, first.statement_id)
    assert invoiced.events() == []
    assert invoiced.faults() == []


PAID_1, PAID_2 = "InvoicePaid INV-00001", "InvoicePaid INV-00002"
APPLIED = "PaymentApplied INV-0000"


@pytest.mark.parametrize(
    ("amount", "text", "payer", "events", "open_amounts"),
    [
        (
            "125.00",
            "Rechnung INV-00001 danke",
            None,
            [f"{APPLIED}1 125.00 EUR by number-exact", PAID_1],
            "0.00 62.50",
        ),
        ("100.00", "inv 00001", None, ["PaymentUnmatched payer-unknown"], "125.00 62.50"),
        ("100.00", "inv 00001", BUYER.name, [f"{APPLIED}1 100.00 EUR by number-partial"], "25.00 62.50"),
        ("130.00", "INV-00001", BUYER.name, [f"{APPLIED}1 125.00 EUR by number-over", PAID_1], "0.00 62.50"),
        (
            "187.50",
            "INV-00001 INV-00002",
            None,
            [
                f"{APPLIED}1 125.00 EUR by number-sum",
                PAID_1,
                f"{APPLIED}2 62.50 EUR by number-sum",
                PAID_2,
            ],
            "0.00 0.00",
        ),
        ("180.00", "INV-00001 INV-00002", None, ["PaymentUnmatched sum-differs"], "125.00 62.50"),
        ("125.00", "thanks", None, ["PaymentUnmatched no-key"], "125.00 62.50"),
        ("-12.00", "INV-00001", None, ["PaymentUnmatched debit"], "125.00 62.50"),
    ],
)
def test_what_a_payment_does(
    invoiced: World, amount: str, text: str, payer: str | None, events: list[str], open_amounts: str
) -> None:
    invoiced.bank_sends(Line(amount, text=text, payer=payer))
    booked = f"EntryBooked {Decimal(amount).copy_abs()} EUR"
    assert invoiced.events() == ["StatementImported", booked, *events]
    left = [invoiced.open(number).removesuffix(" EUR") for number in ("INV-00001", "INV-00002")]
    assert " ".join(left) == open_amounts
    assert invoiced.faults() == []


def test_an_overpayment_lowers_the_exposure(invoiced: World) -> None:
    invoiced.bank_sends(Line("200.00", text="INV-00001", payer=BUYER.name))
    with invoiced.house.database.read() as connection:
        rows = customers.lock(connection, invoiced.company_id, ["C-1"])
    account = rows["C-1"]
    assert (account.open_invoices_minor, account.unallocated_minor) == (6250, 7500)


def test_two_payments_for_one_invoice_in_one_file(invoiced: World) -> None:
    key = reference(invoiced, "INV-00001")
    invoiced.bank_sends(Line("100.00", reference=key), Line("25.00", reference=key))
    assert invoiced.events()[1:] == [
        "EntryBooked 100.00 EUR",
        "PaymentApplied INV-00001 100.00 EUR by reference-partial",
        "EntryBooked 25.00 EUR",
        "PaymentApplied INV-00001 25.00 EUR by reference-exact",
        "InvoicePaid INV-00001",
    ]
    assert invoiced.faults() == []


def test_a_known_statement_with_other_content_is_a_conflict(invoiced: World) -> None:
    key = reference(invoiced, "INV-00001")
    invoiced.imports(statement(IBAN, [Line("10.00", reference=key)], number=7, on=invoiced.clock.today()))
    invoiced.events()
    with pytest.raises(Conflict, match="other content"):
        invoiced.imports(statement(IBAN, [Line("11.00", reference=key)], number=7, on=invoiced.clock.today()))
    assert invoiced.events() == []
    assert invoiced.open("INV-00001") == "115.00 EUR"


def test_a_file_costs_a_few_statements_not_a_few_per_line(invoiced: World) -> None:
    taken = count_statements(invoiced.house)
    invoiced.bank_sends(*[Line("1.00", text=f"something {n}") for n in range(500)])
    assert len(taken()) <= 50  # 0.1 a line, with every look-up of the file
    assert invoiced.faults() == []
