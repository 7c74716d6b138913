"""What late payment costs, to the cent, by the law of the customer's country and in its language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.stages import charge
from gateway.stages.remind import run_reminders
from gateway.store import charges, companies, customers, decisions, orders
from o2c.errors import Conflict
from o2c.late_charge import LateCharge
from o2c.party import Address
from rules.rulebook import default_content
from tests.journeys.bank_file import Line
from tests.journeys.test_a6_before_due_then_overdue import words_of
from tests.journeys.world import BUYER, World, open_world, post_office

HOSPITAL = replace(
    BUYER,
    name="Stadtklinik GmbH",
    address=Address("DE", street="Hauptstraße 1", city="Kiel", postcode="24103"),
    contact=replace(BUYER.contact, name="Frau Petersen", email="rechnung@stadtklinik.example"),
)


@pytest.fixture
def made(database_url: str, tmp_path: Path, rules_cache: Path) -> Iterator[Any]:
    """Worlds in a currency of choice, one for each test."""
    letters: list[Any] = []
    opened: list[World] = []
    with post_office(letters) as mail:

        def make(currency: str, **customer: Any) -> World:
            world = open_world(database_url, tmp_path, rules_cache, currency=currency, mail=mail)
            opened.append(world)
            world.mails = letters
            world.given_customer(**customer)
            world.given_stock({"SN-33": {"BERGEN": 10}, "SN-34": {"BERGEN": 5}, "SN-35": {"BERGEN": 15}})
            return world

        yield make
        for world in opened:
            world.house.close()


def invoiced(world: World, factor: int = 1) -> World:
    """INV-00001 of 143.75 (or so many times that), issued 1 March, due 31 March; L0 has been said."""
    prices = (("SN-33", 10, 4), ("SN-34", 5, 6), ("SN-35", 15, 3))
    lines = [(item, pieces, str(price * factor)) for item, pieces, price in prices]
    received = world.orders("O-1", *lines, currency=world.desk.company.currency)
    world.ships(received.stored.order_id)
    world.turns_to("2026-04-01")
    world.events()
    return world


def claimed(world: World) -> list[LateCharge]:
    with world.house.database.read() as connection:
        return charges.page(connection, world.company_id, "", 100)


NORWEGIAN = """\
Hei Kari,

disse fakturaene er forfalt. Vennligst betal dem nå:
- INV-00001: 1 437,50 NOK, forfall 31.03.2026, 28 dager over forfall, referanse {reference}
    forsinkelsesrente til 28.04.2026: 13,23 NOK
    purregebyr: 75,00 NOK
    standardkompensasjon for inndrivelse: 460,00 NOK
Sum: 1 985,73 NOK

Vennligst betal til konto NO9386011117947 og oppgi referansen, så vi vet hva betalingen gjelder.

Dette er vår siste purring. Er de ikke betalt innen 12.05.2026, overlater vi dem til inkasso, og kostnadene \
kommer i tillegg.
Nye ordrer venter til de er gjort opp. Har du allerede betalt, ber vi deg si når.

Med vennlig hilsen
The Supplier AS
"""


def test_norway_fee_interest_and_lump_sum(made: Any) -> None:
    world = invoiced(made("NOK", language="nb"), factor=10)
    assert claimed(world) == []
    world.turns_to("2026-04-14")
    # 1437.50 x 12 % x 14/365 = 6.6164; the fee is a twentieth of the collectors' rate, from day 14 on.
    assert world.events() == [
        "LateChargeClaimed INV-00001 fee 37.50 NOK",
        "LateChargeClaimed INV-00001 interest 6.62 NOK",
        "NoticeSent dunning-L2",
    ]
    assert world.mails[-1]["Subject"].startswith("=?utf-8?") or "purring" in world.mails[-1]["Subject"]
    assert "Sum: 1 481,62 NOK" in words_of(world.mails[-1])
    world.turns_to("2026-04-28")
    # 1437.50 x 12 % x 28/365 = 13.2329, less 6.62.
    assert world.events() == [
        "LateChargeClaimed INV-00001 fee 37.50 NOK",
        "LateChargeClaimed INV-00001 interest 6.61 NOK",
        "LateChargeClaimed INV-00001 lump_sum 460.00 NOK",
        "NoticeSent dunning-L3",
    ]
    reference = world.invoice("INV-00001").invoice.payment.reference
    assert words_of(world.mails[-1]) == NORWEGIAN.format(reference=reference)
    world.turns_to("2026-05-15")
    # Handing over: interest of 45 days is 21.2671; the lump sum is claimed once, no third fee.
    assert world.events() == [
        "InvoiceFlagged INV-00001",
        "InvoiceReviewed INV-00001 0 findings",
        "LateChargeClaimed INV-00001 interest 8.04 NOK",
        "NoticeSent dunning-collection",
    ]
    assert [one.words for one in claimed(world) if one.kind == "interest"][1] == (
        "1437.50 NOK at 12 % from 2026-04-01 to 2026-04-28 (28 days); ACT/365; less 6.62 NOK claimed before"
    )
    assert world.open("INV-00001") == "1437.50 NOK"  # claims are no receivables
    assert world.faults() == []


GERMAN = """\
Guten Tag Frau Petersen,

diese Rechnungen sind überfällig. Bitte bezahlen Sie sie jetzt:
- INV-00001: 43,75 EUR, fällig am 31.03.2026, 28 Tage überfällig, Verwendungszweck {reference}
    Verzugszinsen bis 28.04.2026: 0,49 EUR
    Verzugspauschale: 40,00 EUR
Summe: 84,24 EUR

Bitte zahlen Sie auf das Konto NO9386011117947 und geben Sie den Verwendungszweck an, damit wir Ihre Zahlung \
zuordnen können.

Dies ist unsere letzte Mahnung. Bleiben sie unbezahlt, so übergeben wir sie an ein Inkassounternehmen, \
dessen Kosten hinzukommen.
Neue Bestellungen warten, bis sie beglichen sind. Haben Sie schon bezahlt, so sagen Sie uns bitte, wann.

Mit freundlichen Grüßen
The Supplier AS
"""


def test_germany_interest_on_what_was_open_each_day(made: Any) -> None:
    world = invoiced(made("EUR", party=HOSPITAL, language="de"))
    world.turns_to("2026-04-05")
    reference = world.invoice("INV-00001").invoice.payment.reference
    world.bank_sends(Line("100.00", reference=reference))
    world.events()
    world.turns_to("2026-04-14")
    # 143.75 x 10.27 % x 5/365 + 43.75 x 10.27 % x 9/365 = 0.2022 + 0.1108. No figure for a fee.
    assert world.events() == ["LateChargeClaimed INV-00001 interest 0.31 EUR", "NoticeSent dunning-L2"]
    world.turns_to("2026-04-28")
    # 0.2022 + 43.75 x 10.27 % x 23/365 = 0.2022 + 0.2831, less 0.31.
    assert world.events() == [
        "LateChargeClaimed INV-00001 interest 0.18 EUR",
        "LateChargeClaimed INV-00001 lump_sum 40.00 EUR",
        "NoticeSent dunning-L3",
    ]
    assert words_of(world.mails[-1]) == GERMAN.format(reference=reference)
    with world.house.database.read() as connection:
        decided = orders.decisions(connection, world.company_id, "INV-00001")
    assert [row.reason for row, one in decided if one.outcome == "L2"] == [
        "no fee: no legal figure is known for DE on 2026-04-14"
    ]
    assert world.faults() == []


def test_a_consumer_pays_the_lower_rate_and_no_lump_sum(made: Any) -> None:
    world = invoiced(made("EUR", party=HOSPITAL, consumer=True))
    world.turns_to("2026-04-28")
    # 143.75 x 6.27 % x 14/365 = 0.3457; of 28 days 0.6914.
    assert [line for line in world.events() if line.startswith("LateCharge")] == [
        "LateChargeClaimed INV-00001 interest 0.35 EUR",
        "LateChargeClaimed INV-00001 interest 0.34 EUR",
    ]


def test_the_laws_currency_is_converted_by_the_rate_of_the_day_and_rounded_down(made: Any) -> None:
    world = invoiced(made("EUR"))
    world.house.database.write(
        lambda c: companies.set_rate(c, world.company_id, "NOK", date(2026, 4, 1), Decimal("0.0857"))
    )
    world.turns_to("2026-04-14")
    # NOK 37.50 x 0.0857 = 3.21375: not a cent more than the law allows.
    assert world.events()[0] == "LateChargeClaimed INV-00001 fee 3.21 EUR"


def test_a_customer_who_pays_what_the_letter_asks_for_is_not_written_to_again(made: Any) -> None:
    """Open amount and charges in one sum, without a reference: it may be theirs."""
    world = invoiced(made("NOK"), factor=10)
    world.turns_to("2026-04-14")
    world.bank_sends(Line("1481.62", text="your letter", payer="Kari privately"))
    world.events()
    world.turns_to("2026-05-31")
    assert world.events() == []


def test_a_person_lets_a_charge_go_and_it_stays_gone(made: Any) -> None:
    world = invoiced(made("NOK"), factor=10)
    world.turns_to("2026-04-14")
    fee, interest = claimed(world)
    world.events()
    row = charge.waive(world.desk, interest.charge_id, "our bank was late")
    assert world.events() == ["LateChargeCancelled INV-00001 interest -6.62 NOK waived"]
    assert (row.amount, row.cancels) == (-interest.amount, interest.charge_id)
    with pytest.raises(Conflict, match="no claim that stands"):
        charge.waive(world.desk, interest.charge_id, "again")
    with pytest.raises(Conflict, match="no claim that stands"):
        charge.waive(world.desk, row.charge_id, "back again")
    world.turns_to("2026-04-28")
    assert "LateChargeClaimed INV-00001 interest 6.61 NOK" in world.events()
    assert "late payment interest until 2026-04-28: 6.61 NOK" in words_of(world.mails[-1])
    assert world.faults() == []
    assert fee.kind == "fee"


EAGER = default_content("dunning")
for wanted, instead in (
    (b'[L1,         "-",     ">= 14",        ">= 10", L2,', b'[L1, "-", ">= 7", ">= 6", L2,'),
    (
        b"days_overdue: 14, days_since_last: 13}, expect: L2",
        b"days_overdue: 7, days_since_last: 6}, expect: L2",
    ),
    (b"{level_now: L1, days_overdue: 14, days_since_last: 9}", b"{level_now: L1, days_since_last: 5}"),
):
    EAGER = EAGER.replace(wanted, instead)


def test_a_letter_that_the_law_does_not_allow_yet_waits_and_the_record_says_why(made: Any) -> None:
    world = made("NOK")
    world.given_rules(EAGER)
    invoiced(world, factor=10)
    world.turns_to("2026-04-13")
    assert world.events() == []
    world.turns_to("2026-04-14")
    assert world.events()[-1] == "NoticeSent dunning-L2"
    with world.house.database.read() as connection:
        made_all = orders.decisions(connection, world.company_id, "INV-00001")
        replayed = decisions.count(connection, world.company_id, "dunning", datetime(2026, 1, 1, tzinfo=UTC))
    assert [(row.outcome, row.reason) for row, one in made_all if one.outcome == "L2"] == [
        *[("L2", "waits until 2026-04-14: a fee is not allowed before day 14 in NO")] * 7,
        ("L2", None),
    ]
    assert replayed == len(made_all), "what the law adds makes no decision a person's"
    assert world.faults() == []


def test_charges_never_count_into_exposure_or_the_books(made: Any) -> None:
    world = invoiced(made("NOK"), factor=10)
    with world.house.database.read() as connection:
        before = customers.account_row(connection, world.company_id, "C-1")
    world.turns_to("2026-05-15")
    with world.house.database.read() as connection:
        after = customers.account_row(connection, world.company_id, "C-1")
    names = ("open_orders_minor", "open_invoices_minor", "unallocated_minor")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert len(claimed(world)) == 6
    desk = world.desk
    assert desk.database.write(lambda connection: run_reminders(desk, connection)) == 0  # twice says nothing
