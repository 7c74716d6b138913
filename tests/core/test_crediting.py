"""Credit notes: whole or in parts, they sum to exactly what the invoice charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.crediting import credit_note
from o2c.errors import Refused
from o2c.invoice import Invoice, InvoiceType
from o2c.order import AllowanceCharge, Tax, VatCategory
from o2c.posting import invoice_entry
from tests.formats.ubl.documents import STANDARD, invoice, line

D = Decimal
TODAY = date(2026, 4, 8)
REDUCED = Tax(VatCategory.STANDARD, D(12))


def credited(
    of: Invoice, quantities: dict[str, str] | None = None, before: dict[str, str] | None = None
) -> Invoice:
    return credit_note(
        of,
        number="CN-1",
        issued_on=TODAY,
        quantities=None if quantities is None else {name: D(q) for name, q in quantities.items()},
        credited={name: D(q) for name, q in (before or {}).items()},
        reason="Damaged",
    )


def test_a_whole_credit_note_is_the_invoice_the_other_way_round() -> None:
    of = invoice()
    note = credited(of)
    assert (note.type, note.preceding, note.note) == (InvoiceType.CREDIT_NOTE, ("INV-2026-0001",), "Damaged")
    assert (note.lines, note.breakdown, note.totals) == (of.lines, of.breakdown, of.totals)
    assert (note.payment.means_code, note.payment.iban) == ("97", None)
    taken, given_ = (
        invoice_entry(one, customer_id="C-1", base_currency="NOK", rate=D("11.35")) for one in (of, note)
    )
    assert [-x.base_amount for x in given_.lines] == [x.base_amount for x in taken.lines]


def test_a_part_takes_its_lines_and_its_share_of_the_freight() -> None:
    of = invoice(
        [line(1), line(2, quantity="6", price="10")],
        (AllowanceCharge(True, D("10.00"), "Freight", tax=STANDARD),),
    )
    note = credited(of, {"2": "3"})
    assert [(x.line_id, x.quantity.value, x.net_amount) for x in note.lines] == [("2", D(3), D("30.00"))]
    assert [x.amount for x in note.allowance_charges] == [D("3.00")]
    assert (note.totals.tax_exclusive, note.totals.tax, note.totals.payable) == (
        D("33.00"),
        D("8.25"),
        D("41.25"),
    )
    rest = credited(of, None, {"2": "3"})
    assert note.totals.payable + rest.totals.payable == of.totals.payable


REFUSED = [
    ("credit-line", {"9": "1"}, {}),
    ("credit-quantity", {"1": "11"}, {}),
    ("credit-quantity", {"1": "6"}, {"1": "5"}),
    ("credit-quantity", {"1": "0"}, {}),
    ("credit-nothing", {}, {}),
    ("credit-nothing", None, {"1": "10"}),
]


@pytest.mark.parametrize(("code", "quantities", "before"), REFUSED)
def test_nothing_is_credited_twice(
    code: str, quantities: dict[str, str] | None, before: dict[str, str]
) -> None:
    with pytest.raises(Refused) as caught:
        credited(invoice([line(1)]), quantities, before)
    assert caught.value.code == code


def test_a_credit_note_is_not_credited() -> None:
    with pytest.raises(Refused) as caught:
        credited(replace(invoice(), type=InvoiceType.CREDIT_NOTE))
    assert caught.value.code == "credit-invoice"


prices = st.decimals("0.01", "999.99", places=2)
pieces = st.integers(1, 7)


@given(
    st.lists(st.tuples(pieces, prices, st.sampled_from([STANDARD, REDUCED])), min_size=1, max_size=4),
    st.decimals("0", "50", places=2),
    st.randoms(use_true_random=False),
)
def test_piece_by_piece_comes_to_the_same_cent(
    rows: list[tuple[int, Decimal, Tax]], freight: Decimal, chance: object
) -> None:
    lines = [line(n, quantity=str(q), price=str(p), tax=t) for n, (q, p, t) in enumerate(rows, 1)]
    extras = (AllowanceCharge(True, freight, "Freight", tax=lines[0].tax),) if freight else ()
    of = invoice(lines, extras)
    left = [each.line_id for each in lines for _ in range(int(each.quantity.value))]
    chance.shuffle(left)  # type: ignore[attr-defined]
    done: dict[str, Decimal] = {}
    sums = dict.fromkeys(("tax_exclusive", "tax", "payable"), D(0))
    for name in left:
        note = credit_note(of, number="CN", issued_on=TODAY, quantities={name: D(1)}, credited=done)
        done[name] = done.get(name, D(0)) + 1
        sums = {key: total + getattr(note.totals, key) for key, total in sums.items()}
    assert sums == {key: getattr(of.totals, key) for key in sums}
