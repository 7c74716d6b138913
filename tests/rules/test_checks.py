"""What is said of a rule file as a whole: overlaps, gaps, rules that never decide, pairs that quarrel."""

from __future__ import annotations

from random import Random

import pytest

from o2c.errors import Fault, Refused
from rules.closures import ClosureExecutor
from rules.compile import Encoder
from rules.rulebook import load
from tests.rules.figures import neutral_facts

HEAD = "policy: credit\ncurrency: EUR\nstrictest_first: [reject, hold, refer, approve]\notherwise: refer\n"
TESTED = "tests:\n  - {name: t, given: {}, expect: refer}\n"


def found(text: str) -> list[Fault]:
    """Faults of a file, else its remarks."""
    try:
        return list(load(text.encode(), name="x").remarks)
    except Refused as refused:
        return list(refused.faults)


def rules(*lines: str) -> str:
    """``R1: {..} hold`` becomes a rule; there is no test in the file."""
    parts = (line.split(" -> ") for line in lines)
    made = (f"  - {{id: R{n}, when: {{{when}}}, then: {then}}}\n" for n, (when, then) in enumerate(parts, 1))
    return HEAD + "rules:\n" + "".join(made)


def table(hit: str, columns: str, *rows: str, complete: str = "") -> str:
    lines = f"tables:\n  - id: T\n    hit: {hit}\n" + (f"    complete: {complete}\n" if complete else "")
    lines += f"    columns: [{columns}, then]\n    rows:\n"
    return HEAD + lines + "".join(f"      - [{row}]\n" for row in rows)


def codes(text: str) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in found(text) if one.code != "untested"]


@pytest.mark.parametrize(
    ("lines", "idle"),
    [
        # a stricter rule that is wider, wherever it stands
        (["overdue_days: '> 14' -> refer", "overdue_days: '> 7' -> hold"], "line 6"),
        (["overdue_days: '> 7' -> hold", "overdue_days: '> 14' -> refer"], "line 7"),
        # an equal one that comes first; an equal one that comes later takes nothing away
        (["overdue_days: '> 7' -> hold", "overdue_days: '> 14' -> hold"], "line 7"),
        (["overdue_days: '> 14' -> hold", "overdue_days: '> 7' -> hold"], ""),
        # a milder one takes nothing away
        (["overdue_days: '> 7' -> approve", "overdue_days: '> 14' -> hold"], ""),
        # between them the others leave nothing
        (["risk_class: 'A, B' -> hold", "risk_class: 'B, C' -> hold", "first_order: yes -> refer"], "line 8"),
        (["risk_class: A -> hold", "risk_class: C -> hold", "first_order: yes -> refer"], ""),
        (["overdue_days: '<= 7' -> hold", "overdue_days: '>= 8' -> hold",
          "risk_class: A -> approve"], "line 8"),
        (["overdue_days: '<= 7' -> hold", "overdue_days: '> 8' -> hold", "risk_class: A -> approve"], ""),
        (["overdue_days: '<= 7' -> hold", "overdue_days: '> 8' -> hold",
          "overdue_days: 'not 8' -> approve"], "line 8"),
        # comparisons of two fields
        (["exposure: '<= credit_limit' -> hold", "exposure: '< credit_limit' -> approve"], "line 7"),
        (["exposure: '<= credit_limit' -> hold", "exposure: '> credit_limit' -> hold",
          "first_order: yes -> approve"], "line 8"),
        # the catch-all
        ([" -> refer", "risk_class: A -> approve"], "line 7"),
    ],
)  # fmt: skip
def test_a_rule_that_can_never_decide(lines: list[str], idle: str) -> None:
    places = [place.partition(",")[0] for place, code in codes(rules(*lines)) if code == "never-decides"]
    assert places == ([idle] if idle else [])


def test_it_names_who_decides_instead() -> None:
    [fault] = found(rules("overdue_days: '> 7' -> hold", "overdue_days: '> 14' -> refer"))
    assert fault.message == (
        "R2 can never decide: wherever it fits, R1 (hold, line 6, column 10) decides instead, as the stricter"
        " or the earlier one; remove R2, or narrow the other."
    )
    [fault] = found(rules("risk_class: 'A, B' -> hold", "risk_class: C -> hold", "first_order: yes -> refer"))
    assert "R1 (hold, line 6, column 10) or R2 (hold, line 7, column 10) decides" in fault.message


@pytest.mark.parametrize(
    ("hit", "rows", "idle"),
    [
        # the first row that fits takes the facts, though a stricter row follows
        ("first", ["A, '> 7', approve", "A, '> 14', hold"], "line 12"),
        ("first", ["A, '> 14', approve", "A, '> 7', hold"], ""),
        ("first", ["'A, B', '-', approve", "C, '-', hold", "'-', '> 3', reject"], "line 13"),
        # where all fire, the stricter one decides
        ("collect", ["A, '> 7', approve", "A, '> 14', hold"], ""),
        ("collect", ["A, '> 7', hold", "A, '> 14', approve"], "line 12"),
        # of equals both are heard
        ("collect", ["A, '> 7', hold", "A, '> 14', hold"], ""),
    ],
)
def test_a_row_that_can_never_decide(hit: str, rows: list[str], idle: str) -> None:
    text = table(hit, "risk_class, overdue_days", *rows, complete="no")
    places = [place.partition(",")[0] for place, code in codes(text) if code == "never-decides"]
    assert places == ([idle] if idle else [])


def test_what_a_first_row_took_is_not_taken_by_the_next() -> None:
    # Row 2 would hold everybody, but row 1 comes first for class A: the rule still decides there.
    both = "rules:\n  - {id: R, when: {risk_class: A, first_order: yes}, then: refer}\n"
    lines = table("first", "risk_class", "A, approve", "'-', hold", complete="no").removeprefix(HEAD)
    assert codes(HEAD + both + lines) == []
    assert [code for _, code in codes(HEAD + both.replace("A,", "B,") + lines)] == ["never-decides"]


@pytest.mark.parametrize(
    ("columns", "rows", "example"),
    [
        ("risk_class", ["A, hold", "C, refer"], "risk_class: B"),
        ("risk_class", ["'A, B', hold", "C, refer"], None),
        ("overdue_days", ["'<= 7', refer", "'> 8', hold"], "overdue_days: 8"),
        ("overdue_days", ["'<= 7', refer", "'>= 8', hold"], None),
        ("overdue_days", ["'> 0', hold"], "overdue_days: 0"),
        ("overdue_days", ["'>= 0', hold"], None),  # days overdue are never below zero
        ("this_order", ["'< 500.00', approve", "'> 500.00', hold"], "this_order: 500.00"),
        ("this_order", ["'<= 500.00', approve", "'>= 500.01', hold"], None),  # no order is of half a cent
        ("this_order", ["'<= 500.00', approve", "'> 500.01', hold"], "this_order: 500.01"),
        ("exposure_percent", ["'<= 100 %', approve", "'> 110 %', hold"], "exposure_percent: 100.01 %"),
        ("first_order, risk_class", ["yes, A, approve", "no, '-', refer"], "first_order: yes, risk_class: B"),
        ("exposure", ["'< credit_limit', approve", "'> credit_limit', hold"], "exposure = credit_limit"),
        ("exposure", ["'<= credit_limit', approve", "'> credit_limit', hold"], None),
        # whoever is below 10 with a limit above 20 is within the limit: that corner does not exist
        ("exposure, credit_limit", ["['<= 10.00', '> credit_limit'], '> 20.00', hold",
                                    "['<= 10.00', '<= credit_limit'], '> 20.00', refer",
                                    "'> 10.00', '-', refer", "'<= 10.00', '<= 20.00', refer"], None),
        ("exposure, credit_limit", ["['<= 10.00', '<= credit_limit'], '> 20.00', refer",
                                    "'> 10.00', '-', refer", "'<= 10.00', '<= 20.00', refer"], None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("hit", ["unique", "first"])
def test_a_gap_in_a_table(hit: str, columns: str, rows: list[str], example: str | None) -> None:
    text = table(hit, columns, *rows)
    gaps = [one for one in found(text) if one.code == "gap"]
    idle = [one for one in found(text) if one.code == "never-decides"]
    assert idle == []
    assert [(gap.pointer, gap.message) for gap in gaps] == (
        [(
            "line 6, column 9",
            f"no row of T fits {example}; 'otherwise' (refer) decides there unless a rule does:"
            " add a row, or write 'complete: no' if it is meant.",
        )] if example else []
    )  # fmt: skip


def test_who_says_a_table_is_complete_is_held_to_it() -> None:
    rows = ("A, hold", "C, refer")
    assert codes(table("unique", "risk_class", *rows, complete="yes")) == [("line 6, column 9", "gap")]
    with pytest.raises(Refused, match="no row of T fits risk_class: B; add a row, or write 'complete: no'"):
        load(table("unique", "risk_class", *rows, complete="yes").encode(), name="x")
    assert codes(table("unique", "risk_class", *rows, complete="no")) == []
    assert codes(table("collect", "risk_class", *rows)) == []
    assert codes(table("collect", "risk_class", *rows, complete="yes")) == [("line 6, column 9", "gap")]
    assert codes(table("unique", "risk_class", *rows, "B, refer", complete="yes")) == []


@pytest.mark.parametrize(
    ("lines", "pairs"),
    [
        # contained, and far apart: hold and approve leave refer between them
        (["risk_class: A -> approve", "risk_class: A, on_hold: yes -> hold"], ["line 7"]),
        (["risk_class: A, on_hold: yes -> hold", "risk_class: A -> approve"], ["line 6"]),
        # next to each other, or only touching, or no condition at all
        (["risk_class: A -> refer", "risk_class: A, on_hold: yes -> hold"], []),
        (["risk_class: A -> approve", "on_hold: yes -> hold"], []),
        ([" -> approve", "on_hold: yes -> hold"], []),
    ],
)
def test_rules_that_contradict_each_other(lines: list[str], pairs: list[str]) -> None:
    quarrels = [one for one in found(rules(*lines)) if one.code == "contradiction"]
    assert [one.pointer.partition(",")[0] for one in quarrels] == pairs
    assert all("the stricter, hold, decides: is that meant?" in one.message for one in quarrels)


def test_what_no_test_touches() -> None:
    text = rules("risk_class: A -> hold", "risk_class: B -> refer")
    assert [(one.code, one.pointer) for one in found(text)] == [("untested", "line 1, column 1")]
    one = text + "tests:\n  - {name: a, given: {risk_class: A}, expect: hold}\n"
    [remark] = found(one)
    assert (remark.pointer, remark.message) == (
        "line 7, column 10",
        "no test is decided by R2; add one with 'by: R2'.",
    )
    assert found(one + "  - {name: b, given: {risk_class: B}, expect: refer, by: R2}\n") == []


def test_of_a_file_in_force_only_what_cannot_run_is_refused() -> None:
    bad = table("unique", "risk_class", "A, hold", "A, refer", complete="yes")
    bad += "tests:\n  - {name: a, given: {risk_class: A}, expect: approve}\n"
    book = load(bad.encode(), name="x", accepted=True)
    assert [remark.code for remark in book.remarks] == ["overlap", "gap", "test-failed", "untested"]
    with pytest.raises(Refused):
        load(bad.replace("hold]", "halt]").encode(), name="x", accepted=True)


def test_two_hundred_rules_are_checked_in_a_moment() -> None:
    lines = [f"overdue_days: '[{n} .. {n + 3}]', risk_class: '{'ABC'[n % 3]}' -> hold" for n in range(250)]
    book = load(rules(*lines).encode(), name="x")
    assert [remark.code for remark in book.remarks] == ["untested"]


def test_what_is_too_much_to_find_out_is_said() -> None:
    lines = [f"overdue_days: {n % 300}, risk_class: '{'ABC'[n % 3]}' -> hold" for n in range(600)]
    book = load(rules(*lines).encode(), name="x", accepted=True)
    assert [remark.code for remark in book.remarks] == ["not-checked", "untested"]


CELLS = {
    "risk_class": ["A", "'A, C'", "not B", "'-'"],
    "first_order": ["yes", "no", "'-'"],
    "overdue_days": ["'> 3'", "'[1 .. 4]'", "'<= 2'", "5", "'not 2'", "'-'"],
}
OUTCOMES = ["hold", "refer", "approve"]
POINTS = [
    (risk, first, days) for risk in range(3) for first in range(2) for days in range(-2, 9)
]  # every figure at which the cells turn, and one beyond


def random_text(random: Random) -> str:
    """Some rules, then a table where the first row wins; no tests."""

    def cells() -> list[str]:
        return [random.choice(words) for words in CELLS.values()]

    lines = [HEAD + "rules:"]
    for number in range(random.randint(1, 4)):
        when = ", ".join(f"{name}: {cell}" for name, cell in zip(CELLS, cells(), strict=True))
        lines.append(f"  - {{id: R{number}, when: {{{when}}}, then: {random.choice(OUTCOMES)}}}")
    lines.append(f"tables:\n  - id: T\n    hit: first\n    columns: [{', '.join(CELLS)}, then]\n    rows:")
    for _ in range(random.randint(1, 4)):
        lines.append(f"      - [{', '.join(cells())}, {random.choice(OUTCOMES)}]")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_found_is_what_trying_everything_finds(seed: int) -> None:
    random = Random(seed)
    for _ in range(30):
        book = load(random_text(random).encode(), name="x", accepted=True)
        executor, neutral = (
            ClosureExecutor(book.program),
            Encoder(book.program).encode(neutral_facts("credit")),
        )
        decided, uncovered = set(), False
        for risk, first, days in POINTS:
            verdict = executor.run(neutral | {"risk_class": risk, "first_order": first, "overdue_days": days})
            decided.add(verdict.rule)
            uncovered |= days >= 0 and not any(name.startswith("T/") for name in verdict.fired)
        idle = {one.message.partition(" ")[0] for one in book.remarks if one.code == "never-decides"}
        assert idle == {clause.id for clause in book.program.clauses} - decided
        assert ("gap" in [one.code for one in book.remarks]) == uncovered
