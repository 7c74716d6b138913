"""Two rule files differ in what they say; how they say it makes no difference."""

from __future__ import annotations

import pytest

from rules.difference import difference
from rules.rulebook import default_content, load
from rules.vocabulary import POLICIES

FILE = """\
policy: credit
strictest_first: [hold, refer, approve]
otherwise: refer
rules:
  - {id: C10, when: {on_hold: yes}, then: hold, say: Settle first}
  - {id: C20, when: {overdue_days: "> 14", overdue_amount: ">= 100.00"}, then: hold}
  - {id: C30, when: {this_order: "<= 500.00"}, then: approve, queue: "-"}
tables:
  - id: T1
    hit: first
    columns: [risk_class, exposure, then, queue]
    rows:
      - [A, "<= 100.00", approve, "-"]
      - ["A, B", ["> 0", "<= credit_limit"], refer, credit team]
      - ["-", "-", hold, "-"]
tests:
  - {name: late, given: {overdue_days: 15, overdue_amount: 100}, expect: hold}
"""


def changes(*edits: tuple[str, str], old: str = FILE) -> list[str]:
    """Each change in one line: part, kind, name, field, line: words -> line: words."""
    new = old
    for one, other in edits:
        assert one in new, one
        new = new.replace(one, other, 1)
    found = difference(*(load(text.encode(), name="one", accepted=True) for text in (old, new)))
    return [
        f"{c.part} {c.kind} {c.name} {c.field}".strip()
        + f" | {c.old_line}: {c.old} | {c.new_line}: {c.new}".replace("None: None", "-")
        for c in found
    ]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_file_does_not_differ_from_itself(policy: str) -> None:
    book = load(default_content(policy), name=policy)
    assert difference(book, book) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("otherwise: refer", "# a person\n\n\notherwise:    'refer'   # always"),
        ('{on_hold: yes}', '{"on_hold": "yes"}'),
        ('">= 100.00"', '">= 100"'),
        ('"> 14"', '">   14 d"'),
        ("when: {on_hold: yes}, then: hold", "then: hold, when: {on_hold: yes}"),
        ("say: Settle first}", 'say: "Settle  first"}'),
        (', queue: "-"}', "}"),
        ('["> 0", "<= credit_limit"]', '["<= credit_limit", "> 0.00"]'),
        ('"A, B"', '"B, A"'),
        ("overdue_amount: 100}", "overdue_amount: 100.00}"),
        ("  - {id: C10, when: {on_hold: yes}, then: hold, say: Settle first}",
         "  - id: C10\n    say: Settle first\n    then: hold\n    when:\n      on_hold: yes"),
        ('columns: [risk_class, exposure, then, queue]\n    rows:\n      - [A, "<= 100.00", approve, "-"]\n'
         '      - ["A, B", ["> 0", "<= credit_limit"], refer, credit team]\n      - ["-", "-", hold, "-"]',
         'columns: [then, exposure, risk_class, say, queue]\n    rows:\n'
         '      - [approve, "<= 100.00", A, "-", "-"]\n'
         '      - [refer, ["> 0", "<= credit_limit"], "A, B", "-", credit team]\n'
         '      - [hold, "-", "-", "-", "-"]'),
    ],
)  # fmt: skip
def test_how_it_is_written_makes_no_difference(one: str, other: str) -> None:
    assert changes((one, other)) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("otherwise: refer", "otherwise: hold"),
         "setting changed otherwise | 3: refer | 3: hold"),
        (("policy: credit\n", "policy: credit\ncurrency: EUR\n"),
         "setting added currency | - | 2: EUR"),
        (("[hold, refer, approve]", "[hold, approve, refer]"),
         "setting changed strictest_first | 2: hold, refer, approve | 2: hold, approve, refer"),
        (('"> 14"', '"> 10"'),
         "rule changed C20 when.overdue_days | 6: > 14 | 6: > 10"),
        ((', overdue_amount: ">= 100.00"', ""),
         "rule changed C20 when.overdue_amount | 6: >= 100.00 | -"),
        (("{this_order:", "{first_order: yes, this_order:"),
         "rule changed C30 when.first_order | - | 7: yes"),
        (("then: approve", "then: refer"),
         "rule changed C30 then | 7: approve | 7: refer"),
        (("say: Settle first", "say: Pay first"),
         "rule changed C10 say | 5: Settle first | 5: Pay first"),
        (("  - {id: C10, when: {on_hold: yes}, then: hold, say: Settle first}\n", ""),
         "rule removed C10 | 5: when.on_hold: yes; then: hold; say: Settle first | -"),
        (("rules:\n", "rules:\n  - {id: C05, when: {earlier_refused: yes}, then: refer}\n"),
         "rule added C05 | - | 5: when.earlier_refused: yes; then: refer"),
        (("    rows:\n", '    rows:\n      - [C, "-", hold, "-"]\n'),
         "row added T1/1 | - | 13: risk_class: C; then: hold"),
        (('      - [A, "<= 100.00", approve, "-"]\n', ""),
         "row removed T1/1 | 13: risk_class: A; exposure: <= 100.00; then: approve | -"),
        (('"<= 100.00", approve', '"<= 90.00", approve'),
         "row changed T1/1 exposure | 13: <= 100.00 | 13: <= 90.00"),
        (("expect: hold", "expect: hold, by: C20"),
         "test changed late by | - | 17: C20"),
        (("late, given: {overdue_days: 15, ", "later, given: {overdue_days: 16, "),
         "test added later | - | 17: given.overdue_days: 16; given.overdue_amount: 100; expect: hold\n"
         "test removed late | 17: given.overdue_days: 15; given.overdue_amount: 100; expect: hold | -"),
    ],
)  # fmt: skip
def test_what_is_said_otherwise_is_told_with_words_and_lines(edit: tuple[str, str], expected: str) -> None:
    assert changes(edit) == expected.splitlines()


def test_rules_and_rows_that_moved_are_the_fewest_that_explain_it() -> None:
    c10 = "  - {id: C10, when: {on_hold: yes}, then: hold, say: Settle first}\n"
    assert changes((c10, ""), ('queue: "-"}\n', 'queue: "-"}\n' + c10)) == [
        "rule moved C10 | 5: first | 7: after C30"
    ]
    last, first = '      - ["-", "-", hold, "-"]\n', '      - [A, "<= 100.00", approve, "-"]\n'
    assert changes((last, ""), (first, last + first)) == ["row moved T1/1 | 15: after T1/2 | 13: first"]


def test_a_table_comes_and_goes_with_its_rows() -> None:
    table = FILE[FILE.index("  - id: T1") : FILE.index("tests:")]
    assert changes((table, "")) == [
        "table removed T1 | 9: hit: first | -",
        "row removed T1/1 | 13: risk_class: A; exposure: <= 100.00; then: approve | -",
        "row removed T1/2 | 14: risk_class: A, B; exposure: > 0, <= credit_limit; then: refer; "
        "queue: credit team | -",
        "row removed T1/3 | 15: then: hold | -",
    ]
    added = changes(("tables:\n", "tables:\n" + table), old=FILE.replace(table, ""))
    names = [line.split(" | ")[0] for line in added]
    assert names == ["table added T1", "row added T1/1", "row added T1/2", "row added T1/3"]


def test_rows_are_matched_by_content_wherever_they_stand() -> None:
    rows = FILE[FILE.index("      - [A, ") : FILE.index("tests:")]
    new = (
        '      - [C, "-", refer, credit manager]\n'
        '      - ["A, B", ["> 0", "<= credit_limit"], refer, credit manager]\n'
        '      - [B, "<= 7.00", hold, "-"]\n'
        '      - ["-", "-", hold, "-"]\n'
    )
    assert changes((rows, new)) == [
        "row added T1/1 | - | 13: risk_class: C; then: refer; queue: credit manager",
        "row changed T1/2 queue | 14: credit team | 14: credit manager",
        "row added T1/3 | - | 15: risk_class: B; exposure: <= 7.00; then: hold",
        "row removed T1/1 | 13: risk_class: A; exposure: <= 100.00; then: approve | -",
    ]
