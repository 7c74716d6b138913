"""A written SAF-T file is valid, adds up, and a file that does not is never finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from formats.saft import audit_file as module
from formats.saft.audit_file import file_name, write
from formats.saft.chart import DEFAULT_CHART, GROUPING_CATEGORIES, STANDARD_TAX_CODES, TaxMap, tax_code
from formats.saft.check import check, validate_xsd
from formats.saft.records import (
    AccountBalance,
    AuditFile,
    CustomerBalance,
    Journal,
    Line,
    LineTax,
    Totals,
    Transaction,
    Version,
)
from o2c.errors import Broken, O2CError, Refused
from o2c.ledger import Account
from o2c.order import Tax, VatCategory
from tests.formats.saft.month import (
    BANK,
    MARCH,
    RECEIVABLE,
    VAT,
    invoice,
    march,
    month,
    payment,
    swapped,
)

SCHEMAS = {
    Version.V1_30: "saft/no/xsd/Norwegian_SAF-T_Financial_Schema_v_1.30.xsd",
    Version.V1_40: "saft/no/xsd/reconstructed/Norwegian_SAF-T_Financial_Schema_v_1.40.xsd",
}


def written(of: AuditFile, transactions: Sequence[Transaction]) -> bytes:
    return b"".join(write(of, transactions))


def raised(of: AuditFile, transactions: Sequence[Transaction]) -> O2CError:
    received: list[bytes] = []
    with pytest.raises(O2CError) as caught:
        received.extend(write(of, transactions))
    assert not b"".join(received).endswith(b"</AuditFile>\n")
    return caught.value


@pytest.mark.parametrize("version", list(Version))
def test_a_month_is_valid_and_adds_up(shared: Path, version: Version) -> None:
    content = written(month(march(), opening={"C-1": 500, "C-9": -700}, version=version), march())
    assert validate_xsd(content, shared / SCHEMAS[version]) == []
    assert check(content) == ()
    assert f"<AuditFileVersion>{version}</AuditFileVersion>".encode() in content


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("<AccountType>GL<", "<AccountType>AR<", "Account 1500"),
        ("<TaxAccountingBasis>A</TaxAccountingBasis>", "", "Header"),
        ("<CustomerID>C-2</CustomerID>", "", "Customer"),
        ("<StandardTaxCode>3<", "<StandardTaxCode>301<", "TaxCodeDetails 3"),
        ("<PeriodYear>2026</PeriodYear>", "<PeriodYear>1826</PeriodYear>", "Transaction INV-1"),
        ("<TransactionID>INV-2</TransactionID>", "", "Transaction in line"),
        ("<RecordID>1<", "<RecordID>1234567890123456789<", "Transaction INV-1"),
        ("<Amount>1173.25<", "<Amount>1173.255<", "Transaction PAY-EUR"),
    ],
)
def test_what_the_schema_rejects_is_named_with_its_record(
    shared: Path, version: Version, old: str, new: str, place: str
) -> None:
    content = written(month(march(), version=version), march())
    assert old.encode() in content
    messages = validate_xsd(content.replace(old.encode(), new.encode(), 1), shared / SCHEMAS[version])
    assert messages
    assert messages[0].startswith(place)


def test_the_file_carries_what_the_business_said() -> None:
    content = written(month(march()), march())
    root = etree.fromstring(content)
    name = {"n": "urn:StandardAuditFile-Taxation-Financial:NO"}

    def text(path: str) -> str:
        return str(root.findtext(path, namespaces=name))

    invoiced = ".//n:Transaction[n:TransactionID='INV-1']"
    assert text(f"{invoiced}/n:Description") == "Faktura 1 <Ωμέγα> & 東京"
    assert text(f"{invoiced}/n:Line[1]/n:DebitAmount/n:Amount") == "125.00"
    assert text(f"{invoiced}/n:Line[1]/n:CID") == "0000001"
    assert text(f"{invoiced}/n:Line[2]/n:TaxInformation/n:TaxBase") == "100.00"
    assert text(f"{invoiced}/n:Line[2]/n:TaxInformation/n:CreditTaxAmount/n:Amount") == "25.00"
    credited = ".//n:Transaction[n:TransactionID='CN-INV-3']"
    assert text(f"{credited}/n:Line[1]/n:CreditAmount/n:Amount") == "0.01"
    in_euro = ".//n:Transaction[n:TransactionID='PAY-EUR']/n:Line[1]/n:DebitAmount"
    assert [each.text for each in root.iterfind(f"{in_euro}/*", name)] == [
        "1173.25", "EUR", "100.00", "11.7325",
    ]  # fmt: skip
    assert text("n:GeneralLedgerEntries/n:NumberOfEntries") == "6"
    assert text("n:Header/n:SelectionCriteria/n:SelectionEndDate") == "2026-03-31"


def _with_line(number: int, **changes: object) -> list[Transaction]:
    """March with its first invoice's line bent."""
    first, *others = march()
    lines = list(first.lines)
    lines[number] = replace(lines[number], **changes)  # type: ignore[arg-type]
    return [replace(first, lines=tuple(lines)), *others]


@pytest.mark.parametrize(
    ("code", "transactions"),
    [
        ("saft-F01", march()[:-1]),
        ("saft-F02", _with_line(0, debit_minor=12_501)),
        ("saft-F02", [replace(march()[0], lines=()), *march()[1:]]),
        ("saft-F05", _with_line(1, account_id="3001")),
        ("saft-F05", _with_line(0, customer_id="C-3")),
        ("saft-F05", _with_line(1, tax=LineTax("31", 1, 1))),
        ("saft-F05", [replace(march()[0], journal_id="OTHER"), *march()[1:]]),
        ("saft-F06", _with_line(0, record_id="1\x07")),
        ("saft-F06", _with_line(0, record_id="")),
        ("saft-F06", _with_line(0, cid="7" * 36)),
        ("saft-F06", _with_line(0, description="bell \x07")),
        ("saft-F07", _with_line(0, customer_id=None)),
        ("saft-F07", _with_line(1, customer_id="C-1")),
        ("saft-F08", _with_line(2, tax=LineTax("3", 100, 25))),
        ("saft-F10", [replace(march()[0], posted_on=date(2026, 4, 1)), *march()[1:]]),
        ("saft-F14", _with_line(1, tax=LineTax("3", -100, 25))),
        ("saft-F14", _with_line(1, credit_minor=-10_000)),
        ("saft-F14", _with_line(0, credit_minor=12_500)),
        ("saft-order", [march()[0], march()[4], *march()[1:4], march()[5]]),
        ("saft-rate", _with_line(0, currency="EUR", currency_minor=1_065, exchange_rate=Decimal("0.0852"))),
        ("saft-rate", _with_line(0, currency="EUR")),
    ],
)
def test_a_wrong_ledger_never_becomes_a_finished_file(code: str, transactions: list[Transaction]) -> None:
    assert raised(month(march()), transactions).code == code


def _change(of: AuditFile, account_id: str, **changes: object) -> AuditFile:
    accounts = (
        replace(each, **changes) if each.account_id == account_id else each  # type: ignore[arg-type]
        for each in of.accounts
    )
    return replace(of, accounts=tuple(accounts))


GOOD = month(march(), opening={"C-1": 500})
STRANGER = CustomerBalance("C-8", "No movement", (AccountBalance(RECEIVABLE, 0, 0),))


@pytest.mark.parametrize(
    ("code", "of"),
    [
        ("saft-F01", replace(GOOD, totals=Totals(6, 1, 1))),
        ("saft-F03", _change(GOOD, BANK, closing_minor=1)),
        ("saft-F03", _change(GOOD, RECEIVABLE, opening_minor=501)),
        ("saft-F04", _change(
            replace(GOOD, customers=(
                replace(GOOD.customers[0], balances=(AccountBalance(RECEIVABLE, 499, 500),)),
                replace(GOOD.customers[1], balances=(AccountBalance(RECEIVABLE, 1, 36_996),)),
            )),
            RECEIVABLE, opening_minor=500, closing_minor=37_496)),
        ("saft-F05", replace(GOOD, accounts=(*GOOD.accounts, GOOD.accounts[0]))),
        ("saft-F05", replace(GOOD, customers=(*GOOD.customers, GOOD.customers[0]))),
        ("saft-F05", replace(GOOD, tax_codes=GOOD.tax_codes * 2)),
        ("saft-F05", replace(GOOD, customers=(
            *GOOD.customers, replace(STRANGER, balances=(AccountBalance(BANK, 0, 0),))))),
        ("saft-F05", replace(GOOD, journals=(Journal("SALES", "x", "XX"), GOOD.journals[1]))),
        ("saft-F06", replace(GOOD, customers=(replace(GOOD.customers[0], name="\n"), *GOOD.customers[1:]))),
        ("saft-F09", _change(GOOD, BANK, grouping_category="salgsinntekt")),
        ("saft-F09", _change(GOOD, BANK, grouping_category="bank", grouping_code="1921")),
        ("saft-F09", replace(GOOD, grouping_pairs=frozenset({("salgsinntekt", "3000")}))),
        ("saft-F09", replace(GOOD, tax_codes=(replace(GOOD.tax_codes[0], standard_code="4"),))),
        ("saft-F10", replace(GOOD, header=replace(GOOD.header, selection_end=date(2027, 3, 1)))),
        ("saft-F10", replace(GOOD, header=replace(GOOD.header, selection_end=date(2026, 2, 1)))),
        ("saft-F11", replace(GOOD, customers=(*GOOD.customers, STRANGER))),
        ("saft-currency", replace(GOOD, header=replace(GOOD.header, currency="JPY"))),
    ],
)  # fmt: skip
def test_wrong_master_files_never_become_a_finished_file(code: str, of: AuditFile) -> None:
    assert raised(of, march()).code == code


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), None),
        (date(2025, 4, 1), date(2026, 3, 31), None),
        (date(2026, 1, 1), date(2027, 1, 1), "not within one year"),
        (date(2024, 2, 29), date(2025, 2, 28), "outside"),  # the year is fine, but March is not in it
    ],
)
def test_a_selection_is_at_most_one_year(start: date, end: date, message: str | None) -> None:
    of = replace(GOOD, header=replace(GOOD.header, selection_start=start, selection_end=end))
    if message is None:
        assert check(written(of, march())) == ()
    else:
        refusal = raised(of, march())
        assert refusal.code == "saft-F10"
        assert message in refusal.message


def test_a_broken_fiscal_year_names_its_own_months() -> None:
    header = replace(GOOD.header, fiscal_year_start_month=7)
    content = written(replace(GOOD, header=header), march())
    assert b"<Period>9</Period><PeriodYear>2025</PeriodYear>" in content


def test_words_too_long_are_cut_and_said_but_numbers_are_never_cut() -> None:
    name = "Å" * 300
    customers = (replace(GOOD.customers[0], name=name), *GOOD.customers[1:])
    notes: list[str] = []
    content = b"".join(write(replace(GOOD, customers=customers), march(), notes=notes)).decode()
    assert f"<Name>{'Å' * 255}…</Name>" in content
    assert notes == [f"customer C-1 name was cut from 300 to 256 characters: {name!r}."]
    assert raised(GOOD, _with_line(0, reference_number="7" * 36)).code == "saft-F06"


def test_line_breaks_in_words_become_blanks() -> None:
    content = written(GOOD, _with_line(0, description="first\r\n  second\tthird"))
    assert b"<Description>first second third</Description>" in content


def test_three_decimals_need_version_1_40() -> None:
    dinar = {"currency": "KWD", "currency_minor": 12_345, "exchange_rate": Decimal("10.12555")}
    assert b"<CurrencyAmount>12.345</CurrencyAmount>" in written(GOOD, _with_line(0, **dinar))
    older = replace(GOOD, header=replace(GOOD.header, version=Version.V1_30))
    assert raised(older, _with_line(0, **dinar)).code == "saft-currency"


def test_a_file_larger_than_the_office_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    many = [invoice(number, "C-1", 100) for number in range(200)]
    assert raised(month(many), many).code == "saft-F12"


def test_the_file_name_is_the_office_s() -> None:
    at = datetime(2026, 4, 2, 13, 5, 9)
    assert file_name("999 999 999", at, 2, 3) == "SAF-T Financial_999999999_20260402130509_2_3.xml"
    for number in ("99999999", "NO999999999"):
        with pytest.raises(Refused) as caught:
            file_name(number, at)
        assert caught.value.code == "saft-F12"
    with pytest.raises(Broken):
        file_name("999999999", at, 2, 1)


VOUCHERS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "credit", "payment"]),
        st.sampled_from(["C-1", "C-2", "C-3"]),
        st.integers(1, 10**9),
        st.dates(*MARCH),
    ),
    max_size=25,
)
OPENINGS = st.dictionaries(st.sampled_from(["C-1", "C-2", "C-4"]), st.integers(-(10**9), 10**9).filter(bool))


@settings(max_examples=60, deadline=None)
@given(VOUCHERS, OPENINGS)
def test_whatever_was_booked_the_file_adds_up(
    vouchers: list[tuple[str, str, int, date]], opening: dict[str, int]
) -> None:
    """F01 to F05 by the independent reader, for any ledger that balances."""
    booked = []
    for number, (kind, customer, amount, on) in enumerate(vouchers):
        if kind == "payment":
            booked.append(payment(number, customer, amount, on))
        else:
            made = invoice(number, customer, amount, on)
            booked.append(made if kind == "invoice" else swapped(made))
    booked.sort(key=lambda each: each.journal_id)
    content = written(month(booked, opening=opening), booked)
    assert check(content) == ()


@settings(max_examples=40, deadline=None)
@given(VOUCHERS.filter(bool), st.data())
def test_one_ore_too_much_anywhere_is_noticed(
    vouchers: list[tuple[str, str, int, date]], data: st.DataObject
) -> None:
    booked = [invoice(number, *voucher[1:]) for number, voucher in enumerate(vouchers)]
    of = month(booked)
    victim = data.draw(st.integers(0, len(booked) - 1))
    line = data.draw(st.integers(0, 2))
    lines = list(booked[victim].lines)
    side = "debit_minor" if lines[line].debit_minor else "credit_minor"
    lines[line] = replace(lines[line], **{side: getattr(lines[line], side) + 1})
    booked[victim] = replace(booked[victim], lines=tuple(lines))
    assert raised(of, booked).code == "saft-F02"


def test_the_default_chart_and_tax_map_are_on_the_official_lists(shared: Path) -> None:
    codes = shared / "saft/no/codes"
    rows = (codes / "naeringsspesifikasjon.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    pairs = {(cells[0], cells[3]) for cells in (row.split(";") for row in rows)}
    assert {(row.grouping_category, row.grouping_code) for row in DEFAULT_CHART.values()} <= pairs
    assert {category for category, _ in pairs} == GROUPING_CATEGORIES
    listed = (codes / "Standard_Tax_Codes.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert {row.split(";")[0] for row in listed} | {"NA"} == STANDARD_TAX_CODES
    assert set(DEFAULT_CHART) == set(Account)
    assert len({row.account_id for row in DEFAULT_CHART.values()}) == len(DEFAULT_CHART)


@pytest.mark.parametrize(
    ("category", "rate", "standard"),
    [("S", "25", "3"), ("S", "25.00", "3"), ("S", "15", "31"), ("S", "12", "33"), ("S", "11.11", "32"),
     ("Z", "0", "5"), ("AE", "0", "51"),
     ("G", "0", "52"), ("K", "0", "52"), ("E", "0", "6"), ("O", "0", "7")],
)  # fmt: skip
def test_vat_maps_to_standard_tax_codes(category: str, rate: str, standard: str) -> None:
    assert tax_code(Tax(VatCategory(category), Decimal(rate))).standard_code == standard


def test_a_company_overrides_single_tax_rows_and_an_unknown_rate_is_refused() -> None:
    overrides: TaxMap = {(VatCategory.OUTSIDE_SCOPE, None): "6"}
    assert tax_code(Tax(VatCategory.OUTSIDE_SCOPE), overrides).standard_code == "6"
    with pytest.raises(Refused) as caught:
        tax_code(Tax(VatCategory.STANDARD, Decimal(19)))
    assert caught.value.code == "saft-F09"


def test_a_vat_line_alone_is_a_line_like_any_other() -> None:
    lines = (Line("1", BANK, "x", debit_minor=5), Line("2", VAT, "x", credit_minor=5))
    on = MARCH[0]
    correction = Transaction("ADJ", "SALES", on, on, on, "VAT correction", lines)
    assert check(written(month([correction]), [correction])) == ()
