"""What proves nothing posts nothing; a head office pays for its branches; who may have paid is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Table, func, select

from gateway.stages import foureyes, settle
from gateway.stages.apply import Share, Wish
from gateway.stages.foureyes import Action
from gateway.store import payers, payments
from gateway.store.schema import metadata
from o2c.errors import Refused
from tests.journeys.bank_file import Line
from tests.journeys.world import IBAN, World

HEAD_OFFICE = "DE89370400440532013000"
Spoil = Callable[[bytes], bytes]


@pytest.fixture
def invoiced(world: World) -> World:
    """INV-00001 to INV-00003 of C-1, C-2 and C-3: 125.00, 62.50 and 37.50 EUR."""
    for name in ("C-2", "C-3"):
        world.given_customer(name)
    for place, pieces in ((1, 10), (2, 5), (3, 3)):
        received = world.orders(f"O-{place}", (f"SN-{32 + place}", pieces, "10"), customer=f"C-{place}")
        world.ships(received.stored.order_id)
    world.events()
    return world


def rows(world: World) -> dict[str, int]:
    """How many rows each table has."""
    with world.house.database.read() as connection:
        return {table.name: _count(connection, table) for table in metadata.sorted_tables}


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def waiting(world: World) -> list[str]:
    """The ids of the payments that wait for a person."""
    with world.house.database.read() as connection:
        return [
            row.payment_id for row in payments.page(connection, world.company_id, "", 10, state="unmatched")
        ]


def letters(world: World) -> list[str]:
    """Which letters have left since the last look."""
    return [one for one in world.events() if one.startswith("NoticeSent")]


def declared(file: bytes, text: bytes) -> bytes:
    """The file with another document type."""
    return file.replace(b"?>\n", b"?>\n" + text + b"\n", 1)


LAUGHS = b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
BAD: dict[str, tuple[str, Spoil]] = {
    "truncated": ("malformed", lambda file: file[: len(file) // 2]),
    "empty": ("malformed", lambda _file: b""),
    "xxe": (
        "doctype",
        lambda file: declared(file, b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
    ),
    "billion laughs": ("doctype", lambda file: declared(file, LAUGHS)),
    "wrong balance": ("balance", lambda file: file.replace(b">1125.00<", b">1125.01<")),
    "exponent": ("amount", lambda file: file.replace(b">125.00<", b">1.25E2<")),
    "other account": ("account", lambda file: file.replace(IBAN.encode(), b"NO8330001234567")),
    "bad encoding": ("encoding", lambda file: file.replace(b"thanks", b"thank\xff")),
    "unknown currency": ("currency", lambda file: file.replace(b'Ccy="EUR">125.00', b'Ccy="XXQ">125.00')),
    "not camt": ("message", lambda _file: b'<Invoice xmlns="urn:oasis:names:specification:ubl"/>'),
    "wrong root": (
        "message",
        lambda file: file.replace(b"BkToCstmrStmt", b"CstmrCdtTrfInitn").replace(b"camt.053", b"pain.001"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_proves_nothing_posts_nothing(invoiced: World, name: str) -> None:
    code, spoil = BAD[name]
    file, before = invoiced.bank_file(Line("125.00", text="INV-00001 thanks")), rows(invoiced)
    with pytest.raises(Refused) as refused:
        settle.import_statements(invoiced.desk, spoil(file))
    assert refused.value.code == code
    assert refused.value.next_step
    assert rows(invoiced) == before
    (good,) = invoiced.imports(file)  # and the file as it was is taken whole
    assert (good.applied, invoiced.open("INV-00001")) == (1, "0.00 EUR")


def test_a_head_office_pays_for_three_branches(invoiced: World) -> None:
    said = "Branches: INV-00001, INV-00002 and INV-00003"
    (done,) = invoiced.bank_sends(Line("225.00", text=said, payer="Holding Group AS", iban=HEAD_OFFICE))
    assert done.decisions == {"match": 1}
    assert {invoiced.open(f"INV-0000{place}") for place in (1, 2, 3)} == {"0.00 EUR"}
    with invoiced.house.database.read() as connection:
        learned = payers.accounts(connection, invoiced.company_id, [HEAD_OFFICE])
    assert sorted((one[1], one[2]) for one in learned) == [("C-1", 1), ("C-2", 1), ("C-3", 1)]
    assert invoiced.faults() == []


def test_a_learned_account_never_overrules_a_number(invoiced: World) -> None:
    invoiced.bank_sends(Line("125.00", text="INV-00001", iban=HEAD_OFFICE))
    (done,) = invoiced.bank_sends(Line("62.50", text="INV-00002", iban=HEAD_OFFICE))
    assert done.decisions == {"match": 1}
    assert invoiced.open("INV-00002") == "0.00 EUR"


def test_who_may_have_paid_is_left_alone_until_a_person_has_looked(invoiced: World) -> None:
    """The whole sum of the open invoice from somebody unknown: it may be anybody's."""
    invoiced.bank_sends(Line("37.50", text="as agreed", payer="A. Stranger"))
    (payment_id,) = waiting(invoiced)
    invoiced.events()
    invoiced.turns_to("2026-05-20")
    told = [str(mail["subject"]) for mail in invoiced.mails]
    assert letters(invoiced), "the customers of the other two are reminded"
    assert not any("INV-00003" in mail.get_payload(decode=True).decode() for mail in invoiced.mails), told
    it_was_for = Wish((Share("INV-00002"),))
    foureyes.ask(invoiced.desk, payment_id, Action.APPLY, it_was_for)
    invoiced.turns_to("2026-05-22")
    assert any("INV-00003" in mail.get_payload(decode=True).decode() for mail in invoiced.mails)
    assert invoiced.faults() == []


def test_a_report_of_the_day_posts_nothing(invoiced: World) -> None:
    file = invoiced.bank_file(Line("125.00", text="INV-00001"))
    report = file.replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt").replace(b"camt.053", b"camt.052")
    report = report.replace(b"<Stmt>", b"<Rpt>").replace(b"</Stmt>", b"</Rpt>")
    before = rows(invoiced)
    (done,) = settle.import_statements(invoiced.desk, report)
    assert (done.kind, done.lines, done.not_booked) == ("report", 1, 1)
    after = rows(invoiced)
    assert {name for name in after if after[name] != before[name]} <= {"archive"}  # the bytes are kept


@pytest.mark.parametrize("status", ["PDNG", "INFO"])
def test_what_is_not_booked_is_not_posted(invoiced: World, status: str) -> None:
    file = invoiced.bank_file(Line("125.00", text="INV-00001"))
    file = file.replace(b"<Cd>BOOK</Cd>", f"<Cd>{status}</Cd>".encode()).replace(b">1125.00<", b">1000.00<")
    (done,) = invoiced.imports(file)
    assert (done.lines, done.not_booked) == (0, 1)
    assert invoiced.open("INV-00001") == "125.00 EUR"
    assert [one for one in invoiced.events() if one != "StatementImported"] == []
