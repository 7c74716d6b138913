"""A9, first clause: the SAF-T file of a month is valid, balanced, and agrees with every UBL file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from formats.saft import check
from gateway.stages import report
from gateway.store import companies
from gateway.store.archive import fetch
from o2c.errors import Refused
from tests.journeys.bank_file import Line
from tests.journeys.world import BankAccount, World, open_world

SAFT = "{urn:StandardAuditFile-Taxation-Financial:NO}"
UBL_PAYABLE = "{*}LegalMonetaryTotal/{*}PayableAmount"
SCHEMAS = {
    "1.30": "no/xsd/Norwegian_SAF-T_Financial_Schema_v_1.30.xsd",
    "1.40": "no/xsd/reconstructed/Norwegian_SAF-T_Financial_Schema_v_1.40.xsd",
}


@pytest.fixture
def month(database_url: str, tmp_path: Path, rules_cache: Path) -> World:
    """March of a Norwegian seller: three invoices in EUR at 11.50, one in NOK, two of them paid."""
    accounts = [BankAccount("NO9386011117947", "EUR"), BankAccount("NO8330001234567", "NOK")]
    world = open_world(database_url, tmp_path, rules_cache, currency="NOK", accounts=accounts)
    for day, rate in ((date(2026, 3, 1), "11.50"), (date(2026, 3, 20), "11.80")):
        world.house.database.write(
            lambda c, d=day, r=rate: companies.set_rate(c, "NO1", "EUR", d, Decimal(r))
        )
    world.given_customer()
    world.given_stock({"SN-33": {"BERGEN": 100}})
    for place, currency in enumerate(("EUR", "EUR", "EUR", "NOK"), start=1):
        received = world.orders(f"O-{place}", ("SN-33", place, "33.33"), currency=currency)
        world.ships(received.stored.order_id)
    world.turns_to("2026-03-20")
    for number in ("INV-00001", "INV-00003"):
        issued = world.invoice(number).invoice
        world.bank_sends(Line(str(issued.totals.payable), reference=issued.payment.reference))
    return world


def saft_of(world: World, version: str) -> bytes:
    """The file of March as it is streamed."""
    name, chunks = report.saft(world.desk, date(2026, 3, 1), date(2026, 3, 31), version)
    assert name.startswith("SAF-T Financial_987654325_20260320")
    return b"".join(chunks)


@pytest.mark.parametrize("version", ["1.30", "1.40"])
def test_it_is_valid_under_the_schema_and_our_own_checks(
    month: World, version: str, shared: Path, tmp_path: Path
) -> None:
    content = saft_of(month, version)
    assert check.validate_xsd(content, shared / "saft" / SCHEMAS[version]) == []
    assert check.check(content) == ()
    assert f"<AuditFileVersion>{version}</AuditFileVersion>".encode() in content


def test_debit_is_credit_and_each_invoice_is_found_once_with_the_amounts_of_its_ubl(month: World) -> None:
    root = etree.fromstring(saft_of(month, "1.40"))
    entries = root.find(f"{SAFT}GeneralLedgerEntries")
    assert entries.findtext(f"{SAFT}TotalDebit") == entries.findtext(f"{SAFT}TotalCredit")
    receivable = [
        line
        for line in entries.iter(f"{SAFT}Line")
        if line.findtext(f"{SAFT}AccountID") == "1500" and line.find(f"{SAFT}DebitAmount") is not None
    ]
    found = {line.findtext(f"{SAFT}ReferenceNumber"): line.find(f"{SAFT}DebitAmount") for line in receivable}
    assert sorted(found) == ["INV-00001", "INV-00002", "INV-00003", "INV-00004"]
    assert len(receivable) == 4
    for number, amount in found.items():
        issued = month.invoice(str(number))
        with month.house.database.read() as connection:
            ubl = etree.fromstring(fetch(connection, month.company_id, issued.document_sha256).content)
        payable = ubl.find(UBL_PAYABLE)
        tag = "Amount" if payable.get("currencyID") == "NOK" else "CurrencyAmount"
        assert Decimal(amount.findtext(f"{SAFT}{tag}")) == Decimal(payable.text)


def test_what_is_earned_on_the_exchange_rate_is_booked(month: World) -> None:
    root = etree.fromstring(saft_of(month, "1.40"))
    gained = [
        Decimal(line.findtext(f"{SAFT}CreditAmount/{SAFT}Amount"))
        for line in root.iter(f"{SAFT}Line")
        if line.findtext(f"{SAFT}AccountID") == "8060"
    ]
    # 41.66 EUR: 479.09 billed at 11.50, 491.59 paid at 11.80; 124.99 EUR: 1437.39 and 1474.88
    assert gained == [Decimal("12.50"), Decimal("37.49")]
    assert month.faults() == []


def test_an_order_without_an_exchange_rate_is_refused_at_the_door(month: World) -> None:
    with pytest.raises(Refused, match="has no GBP rate") as refused:
        month.orders("O-9", ("SN-33", 1, "1"), currency="GBP")
    assert "o2c rates set GBP RATE" in refused.value.next_step


def test_the_figures_of_the_month(month: World) -> None:
    figures = report.kpi_report(month.desk, date(2026, 3, 1), date(2026, 3, 31))
    assert (figures["orders"], figures["touchless_percent"], figures["matched_percent"]) == (
        4,
        "100.0",
        "100.0",
    )
    assert figures["shipped_not_invoiced"] == []
    assert {stage["stage"]: stage["queue"] for stage in figures["stages"]} == {
        "approve": 0,
        "fulfil": 0,
        "bill": 0,
        "send": 0,
        "settle": 2,
    }
    assert figures["worst_queue"] == "settle"
    assert figures["ageing"]["EUR"]["not_due"] == "83.33 EUR"
    assert figures["dso_days"] is not None
