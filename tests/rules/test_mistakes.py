"""What an accountant types by mistake, and the one message that answers it.

Each file is the good one with one slip. ``PYTHONPATH=. python -m tests.rules.test_mistakes`` prints the
table.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from o2c.errors import Fault, Refused
from rules.rulebook import load

GOOD = """\
policy: credit
currency: EUR
strictest_first: [hold, refer, approve]
otherwise: refer
derived:
  - {id: F10, fact: pays_late, when: {overdue_days: "> 14 d"}}
  - {id: F20, fact: bad_payer, when: {pays_late: yes, overdue_amount: ">= 100.00"}}
rules:
  - {id: C10, when: {bad_payer: yes}, then: hold, queue: credit team, answer_within: 8 h}
  - id: C20
    when: {first_order: yes, this_order: "<= 500.00", risk_class: "A, B"}
    then: approve
    say: A first order within the limit
tables:
  - id: C50
    hit: unique
    complete: no
    columns: [risk_class, exposure_percent, then, notify]
    rows:
      - [A, "(100 % .. 110 %]", approve, "-"]
      - ["B, C", "> 100 %", refer, sales]
tests:
  - {name: late, given: {overdue_days: 15, overdue_amount: 100.00}, expect: hold, by: C10}
  - {name: first, given: {first_order: yes, this_order: 500.00}, expect: approve, by: C20}
  - {name: over, given: {exposure_percent: 105 %}, expect: approve, by: C50/1}
  - {name: risky, given: {risk_class: C, exposure_percent: 105 %}, expect: refer, by: C50/2}
"""
DUNNING = """\
policy: dunning
currency: NOK
strictest_first: [stop, wait, collection, L3, L2, L1, L0]
otherwise: wait
rules:
  - {id: D10, when: {days_overdue: ">= 14", country: NO}, then: L1, dunning_fee: 37.50}
tests:
  - {name: late, given: {days_overdue: 14, country: NO}, expect: L1, by: D10}
"""

# What was typed instead of what, the line of the message, and what the message says.
MISTAKES: list[tuple[str, str, str, int, str]] = [
    ("typo in a field", "yes, this_order: \"<", "yes, this_oder: \"<", 11,
     "unknown field 'this_oder'; did you mean 'this_order'?"),
    ("typo in a column", "[risk_class, exp", "[riskclass, exp", 18,
     "unknown column 'riskclass'; did you mean"),
    ("typo in a key", "queue:", "que:", 9, "unknown key 'que'; did you mean 'queue'?"),
    ("typo at the top", "otherwise:", "otherwhise:", 4,
     "unknown key 'otherwhise'; did you mean 'otherwise'?"),
    ("wrong outcome", "then: approve", "then: aprove", 12,
     "unknown outcome 'aprove'; did you mean 'approve'?"),
    ("outcome not listed", "then: approve", "then: reject", 12,
     "reject is not listed in strictest_first; add it"),
    ("euro sign", '"<= 500.00"', '"<= 500 €"', 11, "this_order is in EUR: write 500.00, not '500 €'."),
    ("decimal comma", '"<= 500.00"', '"<= 500,00"', 11, 'no thousands separator: write "<= 500.00".'),
    ("decimal comma without quotes", "this_order: 500.00}", "this_order: 500,00}", 24,
     "'00' has no value: a comma inside {...} starts a new entry"),
    ("thousands separator", '"<= 500.00"', '"<= 1,500.00"', 11, 'write "<= 1500.00".'),
    ("German thousands", '"<= 500.00"', '"<= 1.500,00"', 11, 'write "<= 1500.00".'),
    ("other currency", '"<= 500.00"', '"<= 500.00 NOK"', 11,
     "'500.00 NOK' is in NOK; amounts here are in EUR"),
    ("tab", "    then: approve", "\tthen: approve", 12, "a tab: indent with blanks."),
    ("duplicate id", "id: C20", "id: C10", 10,
     "C10 is already used at line 9, column 10; give this one another id."),
    ("rows that overlap", '["B, C", "> 100 %", refer', '["A, B", "> 105 %", refer', 21,
     "the same facts match C50/1 (line 20, column 9) and C50/2; part them, or write 'hit: first'"),
    ("missing colon", "{bad_payer: yes}", "{bad_payer yes}", 9, "a colon is missing: write bad_payer: yes."),
    ("missing colon in a line", "    then: approve", "    then approve", 12,
     "a colon is missing: each line reads"),
    ("no blank after a colon", "{bad_payer: yes}", "{bad_payer:yes}", 9,
     "a blank is missing after the colon: write"),
    ("unit missing", '"> 100 %"', '"> 100"', 21, "exposure_percent is in %: write 100 %, not '100'."),
    ("percent for days", '"> 14 d"', '">14%"', 6, "overdue_days is in days: write 14 d, not '14%'."),
    ("days in German", '"> 14 d"', '"> 14 Tage"', 6, "overdue_days is in days: write 14 d, not '14 Tage'."),
    ("=> for >=", '">= 100.00"', '"=> 100.00"', 7, '=> is no sign here: write ">= 100.00".'),
    ("≤ for <=", '"<= 500.00"', '"≤ 500.00"', 11, '≤ is no sign here: write "<= 500.00".'),
    ("unclosed quote", '"<= 500.00"', '"<= 500.00', 11, "a comma or a quotation mark is missing before"),
    ("unclosed brace", "expect: hold, by: C10}", "expect: hold, by: C10", 23,
     "the brace { that opens here is never closed"),
    ("cell without quotes", '"> 14 d"', "> 14 d", 6, "put a cell that begins with > in quotes"),
    ("range without quotes", '"(100 % .. 110 %]"', "(100 % .. 110 %]", 20,
     "of a range end the cell: put it in quotes"),
    ("smart quotes", '"> 14 d"', "“> 14 d”", 6,
     'carries quotation marks of its own; write it between straight ones: "> 14 d".'),
    ("two documents", "tests:", "---\npolicy: stock", 22,
     "a second document starts here (---); one file holds one policy."),
    ("impossible interval", '"(100 % .. 110 %]"', '"(100 % .. 100 %]"', 20,
     "no figure lies between these ends; [ and ] include"),
    ("swapped ends", '"(100 % .. 110 %]"', '"(110 % .. 100 %]"', 20,
     'the ends are swapped; write "(100 % .. 110 %]".'),
    ("range with a dash", '"(100 % .. 110 %]"', '"100 % - 110 %"', 20,
     'a range is written "[100 % .. 110 %]".'),
    ("row too short", ', refer, sales]', ", refer]", 21, 'row C50/2 has 3 cells for 4 columns'),
    ("row too long", ', refer, sales]', ", refer, sales, x]", 21, "row C50/2 has 5 cells for 4 columns"),
    ("unknown hit policy", "hit: unique", "hit: uniqe", 16,
     "unknown hit policy 'uniqe'; did you mean 'unique'?"),
    ("yes misspelt", "{bad_payer: yes}", "{bad_payer: yess}", 9, "unknown value 'yess'; did you mean 'yes'?"),
    ("Ja", "{bad_payer: yes}", "{bad_payer: Ja}", 9, "bad_payer: write yes, not 'Ja'."),
    ("true", "first_order: yes, this_order: \"", "first_order: true, this_order: \"", 11,
     "first_order: write yes, not 'true'."),
    ("date in an amount", '"<= 500.00"', '"<= 2026-01-31"', 11,
     "an amount like 500.00, not '2026-01-31', which is a date"),
    ("word in an amount", '"<= 500.00"', '"<= much"', 11,
     "this_order takes an amount like 500.00, not 'much'."),
    ("too many decimals", '"<= 500.00"', '"<= 500.005"', 11,
     "this_order takes at most 2 decimals, not '500.005'."),
    ("alternatives without a blank", '"A, B"', '"A,B"', 11, "parted by a comma and a blank: A, B."),
    ("no answer time", "answer_within: 8 h", "answer_within: soon", 9,
     "answer_within: write 4 h, not 'soon'."),
    ("nobody to notify", "refer, sales]", "refer, boss]", 21,
     "notify: unknown value 'boss'; known are: customer, sales"),
    ("failing test", "overdue_days: 15,", "overdue_days: 14,", 23,
     "test 'late' expects hold by C10, but got refer by otherwise; mend"),
    ("expect unknown", "expect: hold", "expect: stop", 23,
     "unknown outcome 'stop'; known are: hold, refer, approve."),
    ("by unknown", "by: C50/2", "by: C50/3", 26, "unknown rule 'C50/3'; did you mean"),
    ("rule that never decides",
     '{first_order: yes, this_order: "<= 500.00", risk_class: "A, B"}', "{bad_payer: yes}", 10,
     "C20 can never decide: wherever it fits, C10 (hold, line 9, column 10) decides instead"),
    ("facts in a circle", '{overdue_days: "> 14 d"}', "{bad_payer: yes}", 6,
     "pays_late <- bad_payer <- pays_late: a derived fact cannot rest on itself"),
    ("derived fact in a test",
     "given: {overdue_days: 15, overdue_amount: 100.00}", "given: {bad_payer: yes}", 23,
     "bad_payer is derived; give the facts that it rests on."),
    ("table said to be complete", "complete: no", "complete: yes", 15,
     "no row of C50 fits risk_class: B, exposure_percent: 100 %; add a row, or write 'complete: no'."),
    ("line that starts too far right", "    then: approve", "     then: approve", 12,
     "let lines of one level start alike"),
    ("text with a colon", "say: A first", "say: Note: a first", 13, "put a text with a colon in quotes"),
]  # fmt: skip
LAW: list[tuple[str, str, str, int, str]] = [
    ("fee above the cap", "37.50", "40.00", 6,
     "dunning_fee 40.00 NOK is above the 37.50 NOK that the law of NO allows"),
    ("fee in words", "37.50", "forty", 6,
     "dunning_fee: write no, legal max or an amount such as 35.00, not 'forty'."),
    ("country by name", "NO}, then", "Norway}, then", 6, "write its two letters, such as NO for Norway"),
    ("country in small letters", "NO}, then", "no}, then", 6, "'no' is no country code; did you mean NO?"),
    ("letter that is none", "dunning_fee: 37.50", "letter: third notice", 6,
     "unknown value 'third notice'; did you mean"),
]  # fmt: skip
BYTES: list[tuple[str, Callable[[str], bytes], int, str]] = [
    ("saved as Latin-1", lambda text: text.replace("A first", "Für first").encode("latin-1"), 13,
     "the sign 'ü' is not stored as UTF-8; save the file as UTF-8."),
    ("saved as UTF-16", lambda text: text.encode("utf-16"), 1, "save the file as UTF-8"),
    ("empty", lambda text: b"", 1, "a rule file is a mapping that starts with 'policy:'"),
]  # fmt: skip


def faults(content: bytes) -> list[Fault]:
    try:
        load(content, name="mine.yaml")
    except Refused as refused:
        return list(refused.faults)
    return []


def test_the_files_without_the_slips_are_good() -> None:
    for text in (GOOD, DUNNING):
        book = load(text.encode(), name="mine.yaml")
        assert book.remarks == ()


@pytest.mark.parametrize(("slip", "old", "new", "line", "words"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_one_slip_gives_one_message(slip: str, old: str, new: str, line: int, words: str) -> None:
    check(GOOD, old, new, line, words)


@pytest.mark.parametrize(("slip", "old", "new", "line", "words"), LAW, ids=[row[0] for row in LAW])
def test_so_it_is_in_a_dunning_file(slip: str, old: str, new: str, line: int, words: str) -> None:
    check(DUNNING, old, new, line, words)


def check(good: str, old: str, new: str, line: int, words: str) -> None:
    assert good.count(old) == 1
    found = faults(good.replace(old, new).encode())
    assert len(found) == 1, found
    assert found[0].pointer.startswith(f"line {line}, "), found
    assert words in found[0].message


@pytest.mark.parametrize(("slip", "save", "line", "words"), BYTES, ids=[row[0] for row in BYTES])
def test_how_a_file_is_saved(slip: str, save: Callable[[str], bytes], line: int, words: str) -> None:
    [fault] = faults(save(GOOD))
    assert fault.pointer.startswith(f"line {line}, ")
    assert words in fault.message


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert faults(GOOD.encode("utf-8-sig")) == []
    assert faults(GOOD.replace("\n", "\r\n").encode()) == []


def table() -> list[str]:
    """Every slip with its message, as a table."""
    rows = [(slip, faults(GOOD.replace(old, new).encode())) for slip, old, new, _, words in MISTAKES]
    rows += [(slip, faults(DUNNING.replace(old, new).encode())) for slip, old, new, _, _ in LAW]
    rows += [(slip, faults(save(GOOD))) for slip, save, _, _ in BYTES]
    lines = ["| slip | place | message |", "| --- | --- | --- |"]
    return lines + [f"| {slip} | {one.pointer} | {one.message} |" for slip, found in rows for one in found]


if __name__ == "__main__":
    print("\n".join(table()))
