"""The checker finds in any SAF-T file what its schema cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.saft.audit_file import write
from formats.saft.check import check, validate_xsd
from o2c.errors import Refused
from tests.formats.saft.month import march, month

GOOD = b"".join(write(month(march(), opening={"C-1": 500}), march()))


def codes(content: bytes) -> set[str]:
    return {fault.code for fault in check(content)}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<NumberOfEntries>6<", "<NumberOfEntries>7<", "saft-F01"),
        ("<TotalDebit>", "<TotalDebit>9", "saft-F01"),
        ("<Amount>125.00<", "<Amount>125.01<", "saft-F02"),
        ("<ClosingDebitBalance>1298.25<", "<ClosingDebitBalance>1298.26<", "saft-F03"),
        ("<OpeningDebitBalance>5.00<", "<OpeningDebitBalance>6.00<", "saft-F03"),
        ("<AccountID>1920</AccountID><Desc", "<AccountID>1921</AccountID><Desc", "saft-F05"),
        ("<TaxCode>3</TaxCode><TaxPercentage>25</TaxPercentage><Country>NO</Country><TaxBase>",
         "<TaxCode>4</TaxCode><TaxPercentage>25</TaxPercentage><Country>NO</Country><TaxBase>", "saft-F05"),
        ("<CustomerID>C-2</CustomerID><Bal", "<CustomerID>C-1</CustomerID><Bal", "saft-F05"),
        ("<Amount>125.00<", "<Amount>-125.00<", "saft-F06"),
        ("<City>Oslo</City>", "<City/>", "saft-F06"),
        ("<CID>0000001</CID>", "<CID></CID>", "saft-F06"),
        ("<CustomerID>C-1</CustomerID><Desc",
         "<CustomerID>C-1</CustomerID><SupplierID>S</SupplierID><Desc", "saft-F07"),
        ("<TaxType>MVA</TaxType><TaxCode>3</TaxCode><TaxPercentage>25</TaxPercentage><Country>",
         "<TaxCode>3</TaxCode><TaxPercentage>25</TaxPercentage><Country>", "saft-F08"),
        ("<StandardTaxCode>3<", "<StandardTaxCode>4<", "saft-F09"),
        ("<GroupingCategory>finanskostnad<", "<GroupingCategory>tull<", "saft-F09"),
        ("<GLPostingDate>2026-03-31<", "<GLPostingDate>2026-04-01<", "saft-F10"),
        ("<SelectionEndDate>2026-", "<SelectionEndDate>2027-", "saft-F10"),
        ("</Customers>", "<Customer><Name>x</Name><CustomerID>Z</CustomerID><BalanceAccount><AccountID>1500"
         "</AccountID><OpeningDebitBalance>0</OpeningDebitBalance><ClosingDebitBalance>0</ClosingDebitBalance>"
         "</BalanceAccount></Customer></Customers>", "saft-F11"),
        (' xmlns="urn:StandardAuditFile-Taxation-Financial:NO"', "", "saft-namespace"),
    ],
)  # fmt: skip
def test_each_rule_has_a_file_that_breaks_it(old: str, new: str, code: str) -> None:
    assert old.encode() in GOOD
    found = codes(GOOD.replace(old.encode(), new.encode(), 1))
    assert code in found


def test_the_good_file_has_no_finding() -> None:
    assert check(GOOD) == ()


def test_a_customer_that_does_not_add_up_is_named() -> None:
    content = GOOD.replace(b"<ClosingDebitBalance>5.00<", b"<ClosingDebitBalance>5.01<", 1)
    faults = {fault.code: fault.message for fault in check(content)}
    assert faults["saft-F04"].startswith("Customer C-1 on 1500: opening 5.00 + movement 0.00 = 5.00, closing")
    assert faults["saft-F03"].startswith("Account 1500: its parties sum to")


def test_findings_are_capped_and_the_rest_is_counted() -> None:
    content = GOOD.replace(b"<AccountID>3000<", b"<AccountID>3999<").replace(
        b"<AccountID>3999<", b"<AccountID>3000<", 1
    )
    faults = check(content, max_findings=1)
    assert len(faults) == 2
    assert faults[1].code == "saft-more"


def test_the_official_example_passes_its_schema_and_breaks_its_own_sums(shared: Path) -> None:
    folder = shared / "saft/no"
    example = folder / "examples/ExampleFile SAF-T Financial_999999999_20161125213512.xml"
    assert validate_xsd(example, folder / "xsd/Norwegian_SAF-T_Financial_Schema_v_1.10.xsd") == []
    found = [(fault.code, fault.pointer) for fault in check(example)]
    assert [pointer for code, pointer in found if code == "saft-F03"] == [
        "Account 1925", "Account 2400", "Account 2740", "Account 4000",
    ]  # fmt: skip
    assert {code for code, _ in found} == {"saft-F03", "saft-F04", "saft-F05"}


def test_the_published_1_30_example_lacks_its_namespace(shared: Path) -> None:
    example = shared / "saft/no/examples/Eksempelfil fra xmlSpy.xml"
    assert "saft-namespace" in {fault.code for fault in check(example)}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (GOOD[: len(GOOD) // 2], "malformed"),
        (b"not xml", "malformed"),
        (GOOD.replace(b"?>", b"?><!DOCTYPE AuditFile>", 1), "doctype"),
    ],
)
def test_what_is_no_sound_xml_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check(content)
    assert caught.value.code == code
    assert caught.value.next_step


def test_a_truncated_file_is_not_valid(shared: Path) -> None:
    schema = shared / "saft/no/xsd/Norwegian_SAF-T_Financial_Schema_v_1.30.xsd"
    for end in range(len(GOOD) // 2 - 40, len(GOOD) // 2 + 20):  # in a tag, between two, in a text
        assert validate_xsd(GOOD[:end], schema), end
    assert validate_xsd(b"not xml", schema)
