"""One payment before its judge, as tables: what it says, who pays, and what becomes of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from o2c.ledger import Discount, ItemKind, OpenItem
from o2c.matching import Answer, Book, Known, Outcome, Shapes, decide, keys_of, shape
from o2c.money import Money
from o2c.reference import normal, rf_reference
from o2c.statement import Charge, Entry, EntryStatus, TransactionDetails
from tests.cash.policy import policy

TODAY = date(2026, 6, 15)
KERN, OTHER, BAKER, OST, ONE, TWO = "C051489", "C051490", "C070001", "C070002", "C080001", "C080002"
CUSTOMERS = {
    KERN: ("Kern GmbH", "10115", ("K",)),
    OTHER: ("Kern KG", "20115", ("O",)),
    BAKER: ("Bäckerei Müller & Söhne GmbH", "50667", ("B", "SHARED")),
    OST: ("Möbel Ost AG", "04109", ("M", "SHARED")),
    ONE: ("Hans Weber", "10117", ()),
    TWO: ("Hans Weber", "80331", ()),
}


def item(
    end: str,
    owner: str,
    gross: str,
    *,
    left: str | None = None,
    percent: str = "",
    until: str = "",
    **more: str,
) -> OpenItem:
    minor = Money.parse(f"{gross} EUR").minor
    still = minor if left is None else Money.parse(f"{left} EUR").minor
    discount = Discount(Decimal(percent), date.fromisoformat(until)) if percent else None
    kind = ItemKind.CREDIT_NOTE if minor < 0 else ItemKind.INVOICE
    number = f"GS-2026-{end}" if minor < 0 else f"RE-2026-{end}"
    reference, currency = normal(more.get("reference", "")), more.get("currency", "EUR")
    name, due = CUSTOMERS[owner][0], date(2026, 5, 31)
    issued = date(2026, 5, 1)
    return OpenItem(
        number, owner, name, reference, currency, still, currency, still, issued, due, minor, kind, discount
    )


ITEMS = (
    item("00101", KERN, "100.00"),
    item("00102", KERN, "200.50"),
    item("00103", KERN, "100.00"),
    item("00104", KERN, "50.00", left="0.00"),
    item("00110", KERN, "355.55"),
    item("00120", KERN, "1000.00", percent="2", until="2026-06-20"),
    item("00130", KERN, "800.00", percent="3", until="2026-06-20"),
    item("00007", KERN, "-30.00"),
    item("00201", OTHER, "355.55"),
    item("00111", OTHER, "400.00"),
    item("51489", BAKER, "99.00"),
    item("00301", BAKER, "512.30"),
    item("00302", BAKER, "17.70"),
    item("00303", BAKER, "1000.00", percent="3", until="2026-06-01"),
    item("00401", OST, "640.00", reference=rf_reference("RE-2026-00401")),
    item("00402", OST, "320.00", reference="+++090/9337/55493+++"),
    item("00403", OST, "2000.00", currency="USD"),
    item("00501", ONE, "45.00"),
    item("00502", TWO, "46.00"),
)
SHAPES = Shapes.of({shape(one.invoice_number) for one in ITEMS}, {shape(one) for one in CUSTOMERS})


def book() -> Book:
    accounts = [(iban, owner, 1, True) for owner, (_, _, ibans) in CUSTOMERS.items() for iban in ibans]
    return Book(ITEMS, [Known(owner, name, code) for owner, (name, code, _) in CUSTOMERS.items()], accounts)


def answer(payment: TransactionDetails, on: Book | None = None, **facts: bool) -> Answer:
    entry = Entry(1, payment.amount, payment.is_credit, EntryStatus.BOOKED, TODAY, (payment,), **facts)  # type: ignore[arg-type]
    return decide(entry, payment, keys_of(payment, SHAPES), on or book(), policy)


def paid(amount: str, text: str = "", payer: str = "", **more: object) -> TransactionDetails:
    """``payer``: an IBAN of one letter (or SHARED), else a name with its postcode behind a slash."""
    name, _, code = payer.partition("/")
    is_iban = name == "SHARED" or len(name) == 1
    facts: dict[str, object] = {"counterparty_iban": name} if is_iban else {"counterparty": name or None}
    facts |= {"counterparty_postcode": code or None, **more}
    joined, squeezed = text.replace("|", " "), text.replace("|", "")
    money = Money.parse(amount if " " in amount else f"{amount} EUR")
    is_credit = bool(facts.pop("is_credit", True))
    references = tuple(str(facts.pop("references", "")).split())
    # As above.
    return TransactionDetails("P", money, is_credit, references, joined, squeezed, **facts)  # type: ignore[arg-type]


def told(result: Answer) -> str:
    words = [result.rule if result.outcome in (Outcome.MATCH, Outcome.REVIEW) else f"{result.outcome}"]
    for part in result.parts:
        rest = [
            f"{name}{value}"
            for name, value in zip("dwc", (part.discount, part.write_off, part.charges), strict=True)
            if value
        ]
        words.append(f"{part.number[-5:]}={part.amount}{'' if part.closes else '~'}{''.join(rest)}")
    words += [f"+{result.unapplied}"] * bool(result.unapplied and result.parts)
    words += [f"w{result.write_off}"] * bool(result.write_off)
    return " ".join(words)


@pytest.mark.parametrize(
    ("amount", "text", "payer", "expected"),
    [
        ("355.55", "RE-2026-00110", "K", "number-exact 00110=35555"),
        ("355.55", "re 2026 00110", "", "number-exact 00110=35555"),
        ("355.55", "Rg.Nr.RE202600110 v. 01.05.2026", "", "number-exact 00110=35555"),
        ("512.30", "fuer RE-20|26-00301 danke", "Fremd", "number-exact 00301=51230"),
        ("512.30", "Zahlung fuerRE2026|00301", "Fremd", "number-exact 00301=51230"),
        ("355.55", "RE-2026-110", "K", "number-exact 00110=35555"),
        ("355.55", "RE-2O26-OO11O", "K", "number-exact 00110=35555"),
        ("355.55", "2026/00110", "K", "number-exact 00110=35555"),
        ("355.55", "Rechnung 110 KdNr C051489", "K", "payer-bare-exact 00110=35555"),
        ("355.55", "RE-2026-00101", "O", "payer-slip-exact 00201=35555"),
        ("355.55", "RE-2026-00120", "K", "review-conflict"),
        ("355.55", "RE-2026-00201", "K", "review-conflict"),  # another customer's, of the same amount
        ("355.55", "RE-2026-00111", "K", "payer-slip-exact 00110=35555"),  # the slip hits another's
        ("200.50", "RE-2026-00104", "K", "payer-slip-exact 00102=20050"),  # the slip hits a settled one
        ("355.55", "RE-2026-01010", "K", "payer-slip-exact 00110=35555"),
        ("100.00", "RE-2026-00105", "K", "review-two-explanations"),
        ("100.00", "RE-2026-00103", "K", "number-exact 00103=10000"),
        ("99.00", "KdNr C051489", "K", "unapplied"),  # a customer number is no invoice
        ("99.00", "KdNr 51489", "K", "unapplied"),
        ("99.00", "51489", "Fremd", "unrelated"),
        ("50.00", "RE-2026-00104", "K", "unapplied"),
        ("50.00", "RE-2026-00104", "Fremd", "review-not-open"),
        ("355.55", "RE-2026-99999", "K", "review-not-open"),
    ],
)
def test_numbers(amount: str, text: str, payer: str, expected: str) -> None:
    assert told(answer(paid(amount, text, payer))) == expected


@pytest.mark.parametrize(
    ("amount", "text", "payer", "expected"),
    [
        ("300.50", "RE-2026-00101, 102", "K", "number-sum 00101=10000 00102=20050"),
        ("400.50", "RE-2026-00101 - 103", "K", "number-sum 00101=10000 00103=10000 00102=20050"),
        ("200.00", "RE-2026-00101-00103", "K", "number-sum 00101=10000 00103=10000"),
        ("300.50", "Rechnungen 101 und 102", "K", "payer-bare-sum 00101=10000 00102=20050"),
        ("300.50", "RE-2026-00101 RE-2026-0012", "K", "number-slip-sum 00101=10000 00102=20050"),
        ("300.50", "RE-2026-00101 RE-2026-00104 RE-2026-00102", "K", "number-sum 00101=10000 00102=20050"),
        ("1152.30", "RE-2026-00401 RE-2026-00301", "Holding", "number-sum 00401=64000 00301=51230"),
        (
            "270.50",
            "RE-2026-00101 RE-2026-00102 GS-2026-00007",
            "K",
            "number-sum 00101=10000 00102=20050 00007=-3000",
        ),
        ("170.50", "RE-2026-00102", "K", "number-credit 00102=20050 00007=-3000"),
        ("530.00", "", "B", "payer-subset 00301=51230 00302=1770"),
        ("1629.00", "alles", "B", "payer-subset 51489=9900 00301=51230 00302=1770 00303=100000"),
        ("100.00", "", "K", "review-two-explanations"),
        ("355.55", "", "K", "payer-amount 00110=35555"),
        ("512.30", "Anzahlung Auftrag 5", "B", "unapplied"),
        ("640.00", "", "SHARED", "payer-amount 00401=64000"),
        ("640.00", "RE-2026-00401", "SHARED", "number-exact 00401=64000"),
    ],
)
def test_sums_and_sets(amount: str, text: str, payer: str, expected: str) -> None:
    assert told(answer(paid(amount, text, payer))) == expected


@pytest.mark.parametrize(
    ("amount", "text", "payer", "expected"),
    [
        ("980.00", "RE-2026-00120", "K", "number-discount 00120=98000d2000"),
        ("979.98", "RE-2026-00120", "K", "number-discount 00120=97998d2002"),
        ("979.97", "RE-2026-00120", "K", "number-partial 00120=97997~"),
        ("970.00", "RE-2026-00303", "B", "number-discount-late 00303=97000~"),
        ("1756.00", "RE-2026-00120 RE-2026-00130", "K", "number-discount 00120=98000d2000 00130=77600d2400"),
        ("950.00", "RE-2026-00120 abz. GS-2026-00007", "K", "number-discount 00120=98000d2000 00007=-3000"),
        ("950.00", "RE-2026-00120 abz. Gutschrift", "K", "number-discount 00120=98000d2000 00007=-3000"),
        ("950.60", "RE-2026-00120 GS-2026-00007", "K", "number-discount 00120=98060d1940 00007=-3000"),
        ("200.00", "RE-2026-00102", "K", "number-write-off 00102=20000w50"),
        ("201.00", "RE-2026-00102", "K", "number-write-off 00102=20050 w50"),
        ("260.00", "RE-2026-00102", "K", "number-over 00102=20050 +5950"),
        ("300.50", "RE-2026-00102", "K", "review-two-explanations"),
        ("150.00", "Teilzahlung RE-2026-00102", "K", "number-partial 00102=15000~"),
        ("150.00", "Teilzahlung RE-2026-00102", "Fremd", "review-payer-unknown"),
        ("150.00", "Teilzahlung RE-2026-00102", "KERN", "number-partial 00102=15000~"),
        ("150.00", "RE-2026-00101 RE-2026-00102", "K", "review-sum-differs"),
    ],
)
def test_differences(amount: str, text: str, payer: str, expected: str) -> None:
    assert told(answer(paid(amount, text, payer))) == expected


@pytest.mark.parametrize(
    ("amount", "payer", "expected"),
    [
        ("512.30", "BAECKEREI MUELLER UND SOEHNE", "payer-amount 00301=51230"),
        ("355.55", "Kern GmbH", "payer-amount 00110=35555"),
        ("355.55", "Kern/10115", "payer-amount 00110=35555"),
        ("355.55", "Kern", "review-payer-in-doubt"),
        ("355.55", "Kern AG", "unrelated"),
        ("45.00", "Hans Weber", "review-payer-in-doubt"),
        ("45.00", "WEBER, HANS/10117", "payer-amount 00501=4500"),
        ("45.00", "Hans Weber/99999", "review-payer-in-doubt"),
        ("45.00", "Finanzamt", "unrelated"),
    ],
)
def test_a_payer_known_by_name(amount: str, payer: str, expected: str) -> None:
    assert told(answer(paid(amount, "", payer))) == expected


@pytest.mark.parametrize(
    ("amount", "more", "expected"),
    [
        ("640.00", {"references": rf_reference("RE-2026-00401")}, "reference-exact 00401=64000"),
        ("640.00", {"references": "RE-2026-00401"}, "number-exact 00401=64000"),
        ("320.00", {"references": "090933755493"}, "reference-exact 00402=32000"),
        ("300.00", {"references": "090933755493"}, "reference-partial 00402=30000~"),
        ("640.00", {"end_to_end_id": "RE202600401"}, "number-exact 00401=64000"),
        (
            "1234.00",
            {"references": rf_reference("RE-2026-00401"), "counterparty_iban": "B"},
            "review-conflict",
        ),
        ("1800.00", {"references": "RE-2026-00403"}, "review-other-currency"),
        (
            "1800.00",
            {"references": "RE-2026-00403", "instructed": Money.parse("2000.00 USD")},
            "number-exact 00403=200000",
        ),
        (
            "630.00",
            {"references": "RE-2026-00401", "instructed": Money.parse("640.00 EUR")},
            "number-charges 00401=63000c1000",
        ),
        (
            "630.00",
            {"references": "RE-2026-00401", "charges": (Charge(Money.parse("10.00 EUR")),)},
            "number-charges 00401=63000c1000",
        ),
        (
            "600.00",
            {"references": "RE-2026-00401", "charges": (Charge(Money.parse("40.00 EUR")),)},
            "review-sum-differs",
        ),
        ("30.00", {"references": "GS-2026-00007", "is_credit": False}, "refund-exact 00007=-3000"),
        ("30.00", {"is_credit": False}, "unrelated"),
        ("30.00", {"is_credit": False, "return_reason": "AC04"}, "return"),
        ("0.00", {"references": "RE-2026-00401"}, "unrelated"),
    ],
)
def test_references_currencies_and_money_that_goes_out(
    amount: str, more: dict[str, object], expected: str
) -> None:
    if expected == "review-conflict":
        amount = "512.30"  # the account is the baker's, who owes exactly this
    assert told(answer(paid(amount, **more))) == expected


def test_a_batch_waits_and_a_reversal_is_a_return() -> None:
    payment = paid("640.00", "RE-2026-00401")
    assert told(answer(payment, is_unresolved_batch=True)) == "batch"
    assert told(answer(payment, is_reversal=True)) == "return"


def test_the_next_payment_sees_what_the_last_one_left() -> None:
    ours = book()
    for amount, expected in (
        ("150.00", "number-partial 00102=15000~"),
        ("50.50", "number-exact 00102=5050"),
        ("50.50", "unapplied"),
    ):
        result = answer(paid(amount, "RE-2026-00102", "K"), ours)
        assert told(result) == expected
        ours.take(result)


def test_a_match_tells_why_and_a_review_what_may_be_meant() -> None:
    match = answer(paid("355.55", "RE-2026-00110", "K"))
    assert [one.field for one in match.evidence] == ["text", "payer", "amount"]
    review = answer(paid("100.00", "RE-2026-00105", "K"))
    assert review.customer_id == KERN
    assert [one.parts[0].number for one in review.suggestions[:2]] == ["RE-2026-00101", "RE-2026-00103"]
    assert review.words
    assert len(review.suggestions) <= 5
