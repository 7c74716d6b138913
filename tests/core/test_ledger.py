"""Double entry: everything balances, in both currencies, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c import cash
from o2c.cash import Owed, Posting, Source, Use
from o2c.errors import Broken
from o2c.invoice import DocumentTotals, Invoice, InvoiceType, Payment, VatBreakdown
from o2c.ledger import (
    Account,
    EntryKind,
    LedgerEntry,
    LedgerLine,
    OpenItem,
    after,
    balance,
    trial_balance,
)
from o2c.matching.model import Part
from o2c.money import Money, convert, document_digits
from o2c.order import Tax, VatCategory
from o2c.party import Address, Party
from o2c.posting import invoice_entry

D = Decimal
TODAY = date(2026, 3, 1)
NOBODY = Party("N", Address("NO"))


def invoice(*vat: tuple[str, str, str, str], currency: str = "EUR", number: str = "INV-1") -> Invoice:
    """An invoice from (category, rate, taxable, tax) rows."""
    breakdown = tuple(VatBreakdown(Tax(VatCategory(c), D(r)), D(net), D(tax)) for c, r, net, tax in vat)
    net = sum((entry.taxable_amount for entry in breakdown), D(0))
    tax = sum((entry.tax_amount for entry in breakdown), D(0))
    totals = DocumentTotals(net, D(0), D(0), net, tax, net + tax, D(0), D(0), net + tax)
    kind, lines = InvoiceType.INVOICE, ()
    return Invoice(
        number, TODAY, TODAY, kind, currency, NOBODY, NOBODY, lines, breakdown, totals, Payment("RF18")
    )


UC1 = invoice(("S", "25", "115.00", "28.75"))


def told(entry: LedgerEntry) -> list[str]:
    return [
        f"{'Dr' if line.debit or line.base_debit else 'Cr'} {line.account}"
        f" {line.debit + line.credit} {line.base_debit + line.base_credit}"
        for line in entry.lines
    ]


def booked(an_invoice: Invoice, rate: str = "1", base: str = "EUR") -> tuple[LedgerEntry, OpenItem]:
    entry = invoice_entry(an_invoice, customer_id="C-17", base_currency=base, rate=D(rate))
    return entry, open_item(an_invoice, entry, "City Hospital")


def open_item(an_invoice: Invoice, entry: LedgerEntry, customer_name: str) -> OpenItem:
    """The item that an invoice's own entry opens."""
    (line,) = (line for line in entry.lines if line.account is Account.RECEIVABLE)
    assert line.customer_id is not None
    return OpenItem(
        *(an_invoice.number, line.customer_id, customer_name, an_invoice.payment.reference, entry.currency),
        *(line.amount, entry.base_currency, line.base_amount, an_invoice.issued_on, an_invoice.due_on),
    )


def owed(*items: OpenItem) -> dict[str, Owed]:
    return {one.invoice_number: Owed(one.customer_id, one.open, one.base_open) for one in items}


def pay(
    amount: str, *items: OpenItem, parts: tuple[int, ...] = (), rate: str = "1", payer: str | None = "C-17"
) -> LedgerEntry:
    """``parts`` in minor units, all that is open where none are given; the rest waits for ``payer``."""
    money = Money.parse(amount)
    shares = parts or tuple(item.open for item in items)
    given = tuple(
        Part(item.invoice_number, part, part == item.open) for item, part in zip(items, shares, strict=True)
    )
    posting = Posting("BANK-1", TODAY, items[0].base_currency if items else "EUR", D(rate))
    use = Use(money.currency, given, money.minor - sum(shares), customer_id=payer)
    (entry,) = cash.payment_entries(posting, money, use, owed(*items)).entries
    return entry


def test_an_invoice_is_receivable_against_sales_and_vat() -> None:
    entry, item = booked(UC1)
    assert told(entry) == [
        "Dr receivable 14375 14375",
        "Cr sales_taxable 11500 11500",
        "Cr vat_output 2875 2875",
    ]
    assert (item.open, item.base_open, item.customer_id) == (14375, 14375, "C-17")
    assert [line.tax_base for line in entry.lines] == [None, 11500, 11500]


def test_each_vat_category_finds_its_sales_account() -> None:
    rows = [(c, "25" if c == "S" else "0", "100.00", "25.00" if c == "S" else "0") for c in "SZEGK"]
    accounts = [line.account for line in booked(invoice(*rows))[0].lines if line.tax and line.tax.rate == 0]
    exempt, export = Account.SALES_EXEMPT, Account.SALES_EXPORT
    assert accounts == [exempt, exempt, export, export]


def test_a_credit_note_swaps_the_sides() -> None:
    entry = invoice_entry(replace(UC1, type=InvoiceType.CREDIT_NOTE), customer_id="C-17", base_currency="EUR")
    assert entry.kind is EntryKind.CREDIT_NOTE
    assert told(entry) == [
        "Cr receivable 14375 14375",
        "Dr sales_taxable 11500 11500",
        "Dr vat_output 2875 2875",
    ]


def test_what_conversion_leaves_over_goes_on_the_largest_sales_line() -> None:
    entry, _ = booked(invoice(("S", "25", "0.03", "0.01"), ("Z", "0", "0.10", "0")), "11.35", "NOK")
    # 0.14 EUR = 1.589 -> 1.59; 0.34 + 0.11 + 1.135 -> 1.14 make 1.59: nothing to level
    assert [line.base_amount for line in entry.lines] == [159, -34, -11, -114]
    entry, _ = booked(invoice(("S", "25", "0.10", "0.03"), ("Z", "0", "0.10", "0")), "11.35", "NOK")
    # 0.23 EUR = 2.6105 -> 2.61, but 1.14 + 0.34 + 1.14 = 2.62
    assert [line.base_amount for line in entry.lines] == [261, -113, -34, -114]


def test_a_credit_note_undoes_its_invoice_to_the_last_unit() -> None:
    uneven = invoice(("S", "25", "0.10", "0.03"), ("Z", "0", "0.10", "0"))
    made, credited = (
        invoice_entry(one, customer_id="C-17", base_currency="NOK", rate=D("11.35"))
        for one in (uneven, replace(uneven, type=InvoiceType.CREDIT_NOTE))
    )
    assert [line.base_amount for line in credited.lines] == [-line.base_amount for line in made.lines]


def test_what_no_sales_line_can_carry_goes_to_rounding() -> None:
    rows = [("S", str(rate), "0.01", "0.00") for rate in range(1, 4)]
    entry, _ = booked(invoice(*rows), "0.5")
    assert told(entry)[0] == "Dr receivable 3 2"
    assert told(entry)[-1] == "Dr rounding 0 1"


def test_a_payment_in_full_closes_the_item() -> None:
    _, item = booked(UC1)
    entry = pay("143.75 EUR", item)
    assert told(entry) == ["Dr bank 14375 14375", "Cr receivable 14375 14375"]
    assert (after(item, entry).open, after(item, entry).base_open) == (0, 0)


@pytest.mark.parametrize(
    ("rate", "difference"), [("11.50", "Cr fx_gain 0 2157"), ("11.20", "Dr fx_loss 0 2156"), ("11.35", None)]
)
def test_the_exchange_difference_is_realised_on_payment(rate: str, difference: str | None) -> None:
    _, item = booked(UC1, "11.35", "NOK")
    entry = pay("143.75 EUR", item, rate=rate)
    assert told(entry)[2:] == ([difference] if difference else [])
    assert (after(item, entry).open, after(item, entry).base_open) == (0, 0)


def test_parts_relieve_their_share_and_the_last_takes_what_is_left() -> None:
    _, item = booked(invoice(("Z", "0", "1.00", "0")), "11.35", "NOK")
    first = pay("0.33 EUR", item, parts=(33,), rate="11.35")
    rest = after(item, first)
    assert (rest.open, rest.base_open) == (67, 760)
    last = pay("0.67 EUR", rest, rate="11.35")
    assert (after(rest, last).open, after(rest, last).base_open) == (0, 0)


@pytest.mark.parametrize(("payer", "account"), [("C-17", "advances"), (None, "suspense")])
def test_what_is_left_over_waits_where_it_belongs(payer: str | None, account: str) -> None:
    _, item = booked(UC1)
    assert told(pay("150.00 EUR", item, payer=payer))[2] == f"Cr {account} 625 625"
    assert told(pay("150.00 EUR", payer=payer)) == ["Dr bank 15000 15000", f"Cr {account} 15000 15000"]


def test_waiting_money_is_allocated_later() -> None:
    _, item = booked(UC1, "11.35", "NOK")
    posting = Posting("BANK-1", TODAY, "NOK", D("11.40"))
    source = Source(Account.SUSPENSE, 14375, 163875)
    use = Use("EUR", (Part("INV-1", 14375, True),))
    entry = cash.use_entry(EntryKind.ALLOCATION, posting, source, use, owed(item))
    assert told(entry) == ["Dr suspense 14375 163875", "Cr receivable 14375 163156", "Cr fx_gain 0 719"]
    assert (after(item, entry).open, after(item, entry).base_open) == (0, 0)


def undone(entry: LedgerEntry) -> LedgerEntry:
    return cash.undone(entry, entry.document, TODAY, "by mistake")


def test_a_reversal_leaves_nothing_behind() -> None:
    made, item = booked(UC1)
    paid = pay("150.00 EUR", item)
    entries = [made, paid, undone(paid), undone(made)]
    assert set(trial_balance(entries).values()) == {0}
    assert entries[2].kind is EntryKind.REVERSAL
    assert after(after(item, paid), entries[2]) == item


@pytest.mark.parametrize(
    ("part", "unapplied", "code"),
    [
        (143_76, -43_76, "ledger-allocation"),
        (0, 100_00, "ledger-allocation"),
        (143_75, 0, "ledger-payment"),
        (50_00, 49_99, "ledger-payment"),
    ],
)
def test_more_than_there_is_cannot_be_allocated(part: int, unapplied: int, code: str) -> None:
    _, item = booked(UC1)
    use = Use("EUR", (Part("INV-1", part, False),), unapplied, customer_id="C-17")
    with pytest.raises(Broken, match=code):
        cash.payment_entries(Posting("BANK-1", TODAY, "EUR"), Money.parse("100.00 EUR"), use, owed(item))


@pytest.mark.parametrize(
    ("beside", "lines"),
    [
        ({"discount": 2_88}, ["Dr cash_discount 230 230", "Dr vat_output 58 58"]),
        ({"write_off": 2_88}, ["Dr payment_difference 288 288"]),
        ({"charges": 2_88}, ["Dr bank_charges 288 288"]),
    ],
)
def test_what_closes_an_item_beside_the_cash_has_its_own_account(
    beside: dict[str, int], lines: list[str]
) -> None:
    made, item = booked(UC1)
    use = Use("EUR", (Part("INV-1", 140_87, True, **beside),))
    vat = {"INV-1": [cash.VatShare(UC1.breakdown[0].tax, 115_00, 28_75)]}
    posting = Posting("BANK-1", TODAY, "EUR")
    (entry,) = cash.payment_entries(posting, Money.parse("140.87 EUR"), use, owed(item), vat).entries
    assert told(entry) == ["Dr bank 14087 14087", "Cr receivable 14375 14375", *lines]
    assert after(item, entry).open == 0
    assert sum(trial_balance([made, entry]).values()) == 0


def test_an_item_in_another_currency_is_paid_at_what_the_bank_gave() -> None:
    _, item = booked(invoice(("Z", "0", "100.00", "0"), currency="USD"), "0.90")
    posting, use = (
        Posting("BANK-1", TODAY, "EUR"),
        Use("USD", (Part("INV-1", 100_00, True),), 10_00, 0, "C-17"),
    )
    paid, rest = cash.payment_entries(posting, Money.parse("99.00 EUR"), use, owed(item)).entries
    assert told(paid) == ["Dr bank 10000 9000", "Cr receivable 10000 9000"]
    assert told(rest) == ["Dr bank 900 900", "Cr advances 900 900"]


@pytest.mark.parametrize(
    "amounts",
    [(0, 0, 0, 0), (1, 1, 0, 0), (-1, 0, 0, 0), (1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 1, 1), (5, -1, 5, -1)],
)
def test_a_line_has_exactly_one_side(amounts: tuple[int, int, int, int]) -> None:
    with pytest.raises(Broken, match="ledger-line"):
        LedgerLine(Account.BANK, *amounts)


@pytest.mark.parametrize(("credit", "base_credit"), [(99, 100), (100, 99)])
def test_an_unbalanced_entry_is_never_made(credit: int, base_credit: int) -> None:
    lines = (
        LedgerLine(Account.BANK, 100, 0, 100, 0),
        LedgerLine(Account.ADVANCES, 0, credit, 0, base_credit),
    )
    with pytest.raises(Broken, match="ledger-unbalanced"):
        LedgerEntry(EntryKind.PAYMENT, TODAY, "EUR", "NOK", D(1), "BANK-1", "", lines)


def test_balances_are_told_apart_by_customer_invoice_and_currency() -> None:
    first, second = booked(UC1)[0], booked(replace(UC1, number="INV-2"))[0]
    other = invoice_entry(replace(UC1, number="INV-3"), customer_id="C-18", base_currency="EUR")
    entries = [first, second, other]
    receivable = Account.RECEIVABLE
    assert balance(entries, receivable, "EUR").amount == 3 * 14375
    assert balance(entries, receivable, "EUR", customer_id="C-17").amount == 2 * 14375
    assert balance(entries, receivable, "EUR", invoice_number="INV-3").base_amount == 14375
    assert balance(entries, receivable, "NOK").amount == 0


# Properties ---------------------------------------------------------------------------------------

RATES = st.decimals("0.0001", "160", places=4).filter(bool)
PAIRS = st.tuples(
    st.sampled_from(["EUR", "NOK", "JPY", "BHD"]), st.sampled_from(["NOK", "EUR", "JPY", "BHD"])
)


@st.composite
def invoices(draw: st.DrawFn) -> tuple[Invoice, str, Decimal]:
    currency, base = draw(PAIRS)
    rate = D(1) if currency == base else draw(RATES)
    digits = document_digits(currency)
    rows = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        net = draw(st.decimals("0.01" if digits else "1", "9999", places=digits))
        tax = draw(st.decimals("0", "999", places=digits))
        rows.append(("S", str(number), str(net), str(tax)))
    return invoice(*rows, currency=currency), base, rate


@given(invoices())
def test_every_invoice_balances_and_vat_is_converted_exactly(made: tuple[Invoice, str, Decimal]) -> None:
    an_invoice, base, rate = made
    entry = invoice_entry(an_invoice, customer_id="C", base_currency=base, rate=rate)
    assert sum(trial_balance([entry]).values()) == 0
    payable = Money(an_invoice.totals.payable, an_invoice.currency).minor
    assert open_item(an_invoice, entry, "").open == payable
    for line in entry.lines:
        if line.account is Account.VAT_OUTPUT:
            assert line.base_credit == convert(line.credit, an_invoice.currency, rate, base)


@given(invoices(), st.data())
def test_payments_of_any_size_and_rate_close_an_invoice_to_nothing(
    made: tuple[Invoice, str, Decimal], data: st.DataObject
) -> None:
    an_invoice, base, rate = made
    entries = [invoice_entry(an_invoice, customer_id="C-17", base_currency=base, rate=rate)]
    item = open_item(an_invoice, entries[0], "")
    while item.open:
        part = data.draw(st.integers(max(1, item.open // 3), item.open), "part")
        over = data.draw(st.integers(0, 500), "over")
        today = rate if item.currency == base else data.draw(RATES, "rate")
        money = Money.from_minor(part + over, item.currency)
        entries.append(pay(str(money), item, parts=(part,), rate=str(today)))
        item = after(item, entries[-1])
        assert item.base_open >= 0
    assert item.base_open == 0
    left = balance(entries, Account.RECEIVABLE, item.currency, invoice_number=item.invoice_number)
    assert (left.amount, left.base_amount) == (0, 0)
    assert sum(trial_balance(entries).values()) == 0
    if item.currency == base:
        assert not {Account.FX_GAIN, Account.FX_LOSS} & trial_balance(entries).keys()
