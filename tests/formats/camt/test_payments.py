"""What one payment says: amount, references, text, counterparty and its key."""

from __future__ import annotations

import pytest

from formats.camt import camt053
from o2c.statement import Entry, EntryStatus
from tests.formats.camt.files import OURS, balance, details, document, entry, proved, statement


def only(content: bytes) -> Entry:
    ((found,),) = (each.entries for each in camt053.read(content, [OURS]))
    return found


def test_an_entry_without_details_is_its_own_payment() -> None:
    found = only(proved(entry("120.00", "<AddtlNtryInf>Giro 7</AddtlNtryInf>"), closing="120.00"))
    (payment,) = found.details
    assert (str(payment.amount), payment.is_credit, payment.text) == ("120.00 NOK", True, "Giro 7")
    assert not found.is_unresolved_batch


@pytest.mark.parametrize(
    ("batch", "is_unresolved"),
    [("<NbOfTxs>3</NbOfTxs>", True), ("<NbOfTxs>1</NbOfTxs>", False), ("<MsgId>B</MsgId>", True)],
)
def test_a_batch_without_details_waits(batch: str, is_unresolved: bool) -> None:
    content = proved(entry("9.00", f"<NtryDtls><Btch>{batch}</Btch></NtryDtls>"), closing="9.00")
    assert only(content).is_unresolved_batch is is_unresolved


def test_details_become_payments_each_with_its_own_amount() -> None:
    two = "".join(
        "<TxDtls><Refs><AcctSvcrRef>R</AcctSvcrRef></Refs><AmtDtls>"
        '<InstdAmt><Amt Ccy="EUR">1.00</Amt></InstdAmt>'
        f'<TxAmt><Amt Ccy="NOK">{amount}</Amt></TxAmt></AmtDtls></TxDtls>'
        for amount in ("40.00", "60.00")
    )
    inner = f"<AcctSvcrRef>R</AcctSvcrRef><NtryDtls>{two}</NtryDtls>"
    first, second = only(proved(entry("100.00", inner), closing="100.00")).details
    assert (str(first.amount), str(second.amount)) == ("40.00 NOK", "60.00 NOK")
    assert str(first.instructed) == "1.00 EUR"
    assert (first.key, second.key) == (f"{OURS}:R/1:C4000", f"{OURS}:R/2:C6000")


@pytest.mark.parametrize("second", ['<Amt Ccy="NOK">59.00</Amt>', '<Amt Ccy="USD">60.00</Amt>', ""])
def test_details_that_do_not_add_up_stay_one_payment(second: str) -> None:
    inner = (
        '<NtryDtls><TxDtls><Amt Ccy="NOK">40.00</Amt><RmtInf><Ustrd>INV-1</Ustrd></RmtInf></TxDtls>'
        f"<TxDtls>{second}<RmtInf><Ustrd>INV-2</Ustrd><Strd><CdtrRefInf><Ref>0077</Ref></CdtrRefInf></Strd>"
        "</RmtInf></TxDtls></NtryDtls>"
    )
    (found,) = camt053.read(proved(entry("100.00", inner), closing="100.00"), [OURS])
    (payment,) = found.entries[0].details
    assert (str(payment.amount), payment.text, payment.references) == ("100.00 NOK", "INV-1 INV-2", ("0077",))
    assert "kept as one payment" in found.warnings[0]


def test_the_instructed_amount_is_never_the_amount() -> None:
    inner = details('<AmtDtls><InstdAmt><Amt Ccy="NOK">105.00</Amt></InstdAmt></AmtDtls>')
    (payment,) = only(proved(entry("100.00", inner), closing="100.00")).details
    assert (str(payment.amount), str(payment.instructed)) == ("100.00 NOK", "105.00 NOK")


@pytest.mark.parametrize("wrap", ["{}", "<Pty>{}</Pty>"])
def test_the_ultimate_debtor_names_the_payer_in_both_shapes(wrap: str) -> None:
    ultimate = wrap.format("<Nm>Who Owes</Nm><PstlAdr><PstCd>0155</PstCd></PstlAdr>")
    direct = wrap.format("<Nm>Who Pays</Nm>")
    inner = details(
        f"<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><UltmtDbtr>{ultimate}</UltmtDbtr>"
        f"<Dbtr>{direct}</Dbtr><DbtrAcct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id></DbtrAcct>"
        "</RltdPties>"
    )
    (payment,) = only(proved(entry("1.00", inner), closing="1.00")).details
    assert (payment.counterparty, payment.counterparty_postcode) == ("Who Owes", "0155")
    assert payment.counterparty_iban == "DE89370400440532013000"
    assert payment.end_to_end_id is None


def test_a_returned_collection_is_the_customer_s_though_money_leaves() -> None:
    inner = details(
        "<RltdPties><Dbtr><Nm>Customer</Nm></Dbtr><Cdtr><Nm>We</Nm></Cdtr></RltdPties>"
        "<RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf>"
    )
    (payment,) = only(document(statement(entry("5.00", inner, side="DBIT")))).details
    assert (payment.counterparty, payment.return_reason, payment.is_credit) == ("Customer", "AM04", False)


def test_our_own_side_is_never_the_counterparty() -> None:
    inner = details(
        f"<RltdPties><Dbtr><Nm>We</Nm></Dbtr><DbtrAcct><Id><IBAN>{OURS}</IBAN></Id></DbtrAcct>"
        "<Cdtr><Nm>They</Nm></Cdtr></RltdPties>"
    )
    (payment,) = only(proved(entry("1.00", inner), closing="1.00")).details
    assert payment.counterparty == "They"


def test_keys_of_equal_payments_differ_and_depend_on_what_is_said() -> None:
    said = details("<RmtInf><Ustrd>rent</Ustrd></RmtInf>")
    other = details("<RmtInf><Ustrd>rent, April</Ustrd></RmtInf>")
    content = proved(entry("1.00", said), entry("1.00", said), entry("1.00", other), closing="3.00")
    (found,) = camt053.read(content, [OURS])
    first, second, third = (each.details[0].key for each in found.entries)
    assert second == first + "#2"
    assert third.split(":")[1] != first.split(":")[1]
    # Stored keys must survive every release: this one may never change.
    assert first == f"{OURS}:sha256-2e778017c1454720da2b3bd67f2f752a:C100"


def test_a_reversal_with_the_same_bank_reference_has_another_key() -> None:
    reference = "<AcctSvcrRef>R</AcctSvcrRef>"
    content = proved(
        entry("1.00", reference),
        entry("1.00", "<RvslInd>true</RvslInd>" + reference, side="DBIT"),
        closing="0.00",
    )
    (found,) = camt053.read(content, [OURS])
    assert [each.details[0].key for each in found.entries] == [f"{OURS}:R/1:C100", f"{OURS}:R/1:D100"]
    assert [each.is_reversal for each in found.entries] == [False, True]


def test_only_booked_entries_count_and_both_shapes_of_status_are_read() -> None:
    content = proved(
        entry("10.00", status="<Sts><Cd>BOOK</Cd></Sts>"),
        entry("99.00", status="<Sts>PDNG</Sts>"),
        entry("98.00", status="<Sts><Cd>INFO</Cd></Sts>"),
        entry("97.00", status="<Sts><Cd>FUTR</Cd></Sts>"),
        closing="10.00",
    )
    (found,) = camt053.read(content, [OURS])
    assert [each.status for each in found.entries] == [
        EntryStatus.BOOKED, EntryStatus.PENDING, EntryStatus.INFORMATION, EntryStatus.INFORMATION,
    ]  # fmt: skip
    assert len(found.warnings) == 1
    assert "'FUTR'" in found.warnings[0]


def test_a_statement_without_balances_is_read_with_a_warning() -> None:
    (found,) = camt053.read(document(statement(entry("1.00"))), [OURS])
    assert (found.opening, found.closing) == (None, None)
    assert "no opening" in found.warnings[0]


def test_previous_closing_balance_stands_in_and_overdrafts_are_negative() -> None:
    balances = balance("PRCD", "5.00", side="DBIT") + balance("CLBD", "2.00", side="DBIT")
    (found,) = camt053.read(document(statement(entry("3"), balances=balances)), [OURS])
    assert (str(found.opening), str(found.closing)) == ("-5.00 NOK", "-2.00 NOK")
