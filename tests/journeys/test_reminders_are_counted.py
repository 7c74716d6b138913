"""The daily run costs a fixed number of statements, however many invoices are open.

Every SQL statement of the run counts; transaction control does not.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from gateway.stages.remind import run_reminders
from gateway.store.schema import (
    customer,
    delivery,
    dispute,
    dunning_block,
    invoice,
    item,
    ledger_entry,
    ledger_line,
    promise,
    promise_item,
    sales_order,
)
from tests.journeys.test_a6_before_due_then_overdue import invoiced
from tests.journeys.world import World, count_statements

__all__ = ["invoiced"]  # the fixture: INV-00001 of 143.75 EUR, due 31 March


def grow(world: World, first: int, last: int) -> None:
    """Copies of the invoice, each with its customer, order, delivery and ledger entry: overdue, about to
    be, or with a friendly reminder due; every tenth is disputed, promised or blocked."""
    tables = (customer, sales_order, invoice, item, delivery, ledger_entry, ledger_line)
    at = world.clock.now()
    with world.house.database.read() as connection:
        one = {
            table.name: dict(connection.execute(select(table).limit(1)).mappings().one()) for table in tables
        }
        sent = select(delivery).where(delivery.c.subject_id == "INV-00001")
        one["delivery"] = dict(connection.execute(sent).mappings().one())
        line = select(ledger_line).where(ledger_line.c.account == "receivable").limit(1)
        one["ledger_line"] = dict(connection.execute(line).mappings().one())

    def rows(number: int) -> dict[Any, dict[str, Any]]:
        name, who, order_id = f"X-{number}", f"C-{number % 50}x", f"o{number}"
        level = ("none", "L1", "L2")[number % 3]
        due = date(2026, 4, 1) + timedelta(days=(20, -20, -40)[number % 3])
        said = {"level": level, "last_notice_on": date(2026, 3, 1) if level != "none" else None}
        keys = {
            "number": name,
            "sequence": 1000 + number,
            "reference": f"R{number}",
            "shipment_id": f"s{number}",
        }
        keys["body"] = one["invoice"]["body"].replace("INV-00001", name)
        owned = {"customer_id": who, "order_id": order_id}
        return {
            sales_order: one["sales_order"] | owned | {"external_id": f"h{number}"},
            invoice: one["invoice"] | keys | owned | {"due_on": due},
            item: one["item"] | {"number": name, "reference": f"R{number}"} | owned | said | {"due_on": due},
            delivery: one["delivery"] | {"message_id": f"m{number}", "subject_id": name},
            ledger_entry: one["ledger_entry"] | {"entry_id": f"l{number}"},
            ledger_line: one["ledger_line"]
            | {"entry_id": f"l{number}", "position": 1, "invoice_number": name, "customer_id": who},
        }

    def said_about(number: int) -> dict[Any, dict[str, Any]]:
        owned = {"company_id": world.company_id, "customer_id": f"C-{number % 50}x"}
        about = owned | {"invoice_number": f"X-{number}"}
        money = {"amount_minor": 1000, "currency": "EUR"}
        talk = {"reason": "price", "text": "", "opened_by": "x", "opened_at": at, "answer_by": at.date()}
        word = {"promised_on": date(2026, 3, 2), "made_by": "x", "made_at": at, "state": "running"}
        until = {"reason": "x", "until_on": date(2026, 12, 31), "set_by": "x", "set_at": at}
        part = {"company_id": world.company_id, "invoice_number": f"X-{number}", "open_minor": 1000}
        return {
            dispute: about | money | talk | {"dispute_id": f"d{number}", "state": "open"},
            promise: owned | money | word | {"promise_id": f"p{number}"},
            promise_item: part | {"promise_id": f"p{number}"},
            dunning_block: about | until | {"block_id": f"b{number}"},
        }

    def unit(connection: Any) -> None:
        made = [rows(number) for number in range(first, last)]
        talked = [said_about(number) for number in range(first, last, 10)]
        for some in (made, talked):
            for table in some[0]:
                connection.execute(insert(table), [row[table] for row in some])
        if first == 0:
            names = [f"C-{number}x" for number in range(50)]
            profile = one["customer"]["profile"]
            known = [
                {"customer_id": name, "profile": profile.replace('"C-1"', f'"{name}"')} for name in names
            ]
            connection.execute(insert(customer), [one["customer"] | each for each in known])

    world.house.database.write(unit)


@pytest.mark.parametrize("small", [20])
def test_ten_times_the_invoices_cost_no_more_statements(invoiced: World, small: int) -> None:
    invoiced.clock.turn_to("2026-04-01")
    desk = invoiced.desk
    taken = count_statements(invoiced.house)

    class Undone(Exception):
        pass

    def run(connection: Any) -> None:
        taken()
        spoken.append(run_reminders(desk, connection))
        counted.append(taken())
        raise Undone

    spoken: list[int] = []
    counted: list[list[str]] = []
    for first, last in ((0, small), (small, 10 * small)):
        grow(invoiced, first, last)
        with pytest.raises(Undone):
            desk.database.write(run)
    assert spoken[0] >= 10
    assert spoken[1] >= 45  # one letter for each customer
    few, many = counted
    assert len(many) <= len(few), "\n".join(many)
    assert len(few) <= 40, "\n".join(few)
