"""A rule file is taken whole or refused with every mistake named by line and column."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest

from o2c.errors import Broken, Fault, Refused
from rules.compile import MAX_CLAUSES
from rules.rulebook import default_content, load
from rules.vocabulary import POLICIES

HEAD = """\
policy: credit
currency: EUR
strictest_first: [hold, refer, approve]
otherwise: refer
"""


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refused:
        load(text if isinstance(text, bytes) else text.encode(), name="mine.yaml")
    assert refused.value.code == "rulebook-invalid"
    return refused.value.faults


@pytest.mark.parametrize("policy", POLICIES)
def test_the_default_files_load_and_prove_themselves(policy: str) -> None:
    content = default_content(policy)
    book = load(content, name=f"{policy}.yaml")
    assert (book.policy, book.content, book.sha256) == (policy, content, sha256(content).hexdigest())
    assert len(book.examples) >= 12
    decided_by = {example.by for example in book.examples}
    assert decided_by == {clause.id for clause in book.program.clauses} | {"otherwise"}, "a rule is untested"


def test_a_default_of_no_policy_is_our_mistake() -> None:
    with pytest.raises(Broken, match="did you mean 'credit'"):
        default_content("credits")


def test_texts_stay_as_they_are_written() -> None:
    text = HEAD + "rules:\n  - {id: NO, when: {this_order: 1.10}, then: hold, queue: 12:30 team, say: NO}\n"
    with pytest.raises(Refused, match=r"queue: write credit team"):
        load(text.encode(), name="mine.yaml")
    [clause] = load(text.replace("12:30 team", "0x10").encode(), name="mine.yaml").program.clauses
    assert (clause.id, clause.say, clause.actions) == ("NO", "NO", {"queue": "0x10"})
    assert clause.conditions[0].text == "this_order = 1.10"


RULE = "rules:\n  - {id: R1, when: {overdue_days: 5}, then: hold}\n"
TABLE = """\
tables:
  - id: T1
    hit: unique
    columns: [risk_class, overdue_days, then]
    rows:
      - [A, "> 5", hold]
"""


@pytest.mark.parametrize(
    ("text", "pointer", "code", "words"),
    [
        ("", "line 1, column 1", "wrong-shape", "starts with 'policy:'"),
        ("- a", "line 1, column 1", "wrong-shape", "starts with 'policy:'"),
        ("a: [", "line 1, column 5", "yaml", "not valid YAML"),
        ("a: 1\n---\nb: 2", "line 2, column 1", "yaml", "one file holds one policy"),
        ("a: " + "[" * 1500, "line 1, column 1", "yaml", "recursion"),
        ('a: "\\U0FFFFFFF"', "line 1, column 1", "yaml", "not valid YAML"),
        ("x: &a 1\ny: *a", "line 1, column 4", "yaml", "no place in a rule file"),
        ("x: !!python/name:os.system y", "line 1, column 4", "yaml", "no place in a rule file"),
        (b"a: b\nc: \xff", "line 2, column 1", "encoding", "UTF-8"),
        (b"#" * 300_000, "line 1, column 1", "too-large", "262144"),
        (HEAD.replace("credit", "credits"), "line 1, column 9", "unknown-policy", "did you mean 'credit'?"),
        (HEAD.replace("EUR", "euro"), "line 2, column 11", "wrong-type", "ISO 4217"),
        (HEAD.replace("refer, ", "defer, "), "line 3, column 25", "unknown-outcome", "did you mean 'refer'?"),
        (HEAD.replace("approve]", "hold]"), "line 3, column 32", "duplicate-key", "listed twice"),
        (
            HEAD.replace("otherwise: refer", "otherwise: reject"),
            "line 4, column 12",
            "unknown-outcome",
            "known",
        ),
        (HEAD.replace("otherwise: refer", ""), "line 1, column 1", "missing-key", "'otherwise'"),
        (HEAD + "rule: []", "line 5, column 1", "unknown-key", "did you mean 'rules'?"),
        (HEAD + "policy: stock", "line 5, column 1", "duplicate-key", "second time"),
        (HEAD + "rules: {a: b}", "line 5, column 8", "wrong-shape", "'rules' is a list"),
        (HEAD + "rules: [a]", "line 5, column 9", "wrong-shape", "a mapping"),
        (HEAD + "rules:\n  - {when: {}, then: hold}", "line 6, column 5", "missing-key", "'id'"),
        (HEAD + RULE.replace("R1", "1R"), "line 6, column 10", "wrong-type", "a short word"),
        (HEAD + RULE.replace("R1", "otherwise"), "line 6, column 10", "wrong-type", "a short word"),
        (
            HEAD + RULE + RULE[7:],
            "line 7, column 10",
            "duplicate-id",
            "R1 is already used at line 6, column 10",
        ),
        (HEAD + RULE.replace(", then: hold", ""), "line 6, column 5", "missing-key", "'then'"),
        (
            HEAD + RULE.replace("overdue_days", "overdue_day"),
            "line 6, column 21",
            "unknown-field",
            "overdue_days",
        ),
        (HEAD + RULE.replace("hold", "holt"), "line 6, column 45", "unknown-outcome", "did you mean 'hold'?"),
        (
            HEAD + RULE.replace("hold", "hold, queu: x"),
            "line 6, column 51",
            "unknown-key",
            "did you mean 'queue'?",
        ),
        (HEAD + RULE.replace("hold", "hold, letter: x"), "line 6, column 51", "unknown-key", "letter"),
        (HEAD + RULE.replace("hold", "hold, notify: sale"), "line 6, column 59", "wrong-action", "'sales'?"),
        (
            HEAD + RULE.replace("hold", "hold, answer_within: soon"),
            "line 6, column 66",
            "wrong-action",
            "4 h",
        ),
        (HEAD + RULE.replace("hold", "[hold]"), "line 6, column 45", "wrong-shape", "a single text"),
        (HEAD + RULE.replace(": 5", ": 5 %"), "line 6, column 35", "wrong-unit", "in days"),
        (
            HEAD + RULE.replace("overdue_days: 5", 'exposure: "<= credit_limit", credit_limit: "< exposure"'),
            "line 6, column 64",
            "impossible",
            "exposure <= credit_limit and credit_limit < exposure can never be true together",
        ),
        (HEAD + TABLE.replace("unique", "any"), "line 7, column 10", "unknown-hit policy", "unique, first"),
        (
            HEAD + TABLE.replace("risk_class", "riskclass"),
            "line 8, column 15",
            "unknown-column",
            "'risk_class'?",
        ),
        (HEAD + TABLE.replace("overdue_days", "risk_class"), "line 8, column 27", "duplicate-key", "twice"),
        (HEAD + TABLE.replace(", then", ", say"), "line 6, column 5", "missing-key", "lack 'then'"),
        (
            HEAD + TABLE.replace("[A, ", "["),
            "line 10, column 9",
            "wrong-shape",
            "T1/1 has 2 cells for 3 columns",
        ),
        (HEAD + TABLE + '      - ["-", "[3 .. 6]", refer]', "line 11, column 9", "overlap", "T1/1 (line 10"),
        (HEAD + RULE + TABLE.replace("T1", "R1"), "line 8, column 9", "duplicate-id", "line 6, column 10"),
        (
            HEAD + RULE + "tests:\n  - {name: late, given: {overdue_days: 5}, expect: approve, by: R1}",
            "line 8, column 5",
            "test-failed",
            "'late' expects approve by R1, but got hold by R1",
        ),
        (
            HEAD + RULE + "tests:\n  - {name: late, given: {overdue_days: 5}, expect: hold, by: R2}",
            "line 8, column 62",
            "unknown-rule",
            "known are: R1, otherwise",
        ),
        (
            HEAD + RULE + "tests:\n  - {name: late, given: {overdue_days: > 5}, expect: hold}",
            "line 8, column 40",
            "yaml",
            "",
        ),
        (
            HEAD + RULE + 'tests:\n  - {name: late, given: {overdue_days: "> 5", x_y: 1}, expect: hold}',
            "line 8, column 40",
            "wrong-type",
            "takes a number of days like 14",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str | bytes, pointer: str, code: str, words: str) -> None:
    first = faults_of(text)[0]
    assert (first.pointer, first.code) == (pointer, code), first
    assert words in first.message


def test_every_mistake_is_told_at_once() -> None:
    text = HEAD + RULE.replace("hold", "holt").replace("5", "5 %") + TABLE.replace("risk_class", "riskclass")
    assert [fault.code for fault in faults_of(text)] == ["wrong-unit", "unknown-outcome", "unknown-column"]


def test_rows_may_overlap_where_the_first_one_counts() -> None:
    text = HEAD + TABLE.replace("unique", "first") + '      - ["-", "-", refer]\n'
    assert len(load(text.encode(), name="mine.yaml").program.clauses) == 2


def test_too_many_rules_are_refused() -> None:
    row = '      - ["-", "-", refer]\n'
    many = HEAD + TABLE.replace("unique", "first") + row * MAX_CLAUSES
    assert [fault.code for fault in faults_of(many)] == ["too-many-rules"]


def test_too_many_alternatives_in_one_rule_are_refused() -> None:
    days = ", ".join(str(number) for number in range(0, 130, 2))
    [fault] = faults_of(HEAD + RULE.replace(": 5", f': "{days}"'))
    assert (fault.pointer, fault.code) == ("line 6, column 10", "too-many-rules")


def test_no_damage_to_a_file_ends_in_anything_but_a_refusal() -> None:
    random = Random(7)
    survivors = 0
    for _ in range(150):
        content = bytearray(default_content(random.choice(list(POLICIES))))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(content))
            content[at : at + random.randint(0, 3)] = random.choice(
                [b"", b"-", b"[", b"{", b": ", b"9", b"\x00", b"&a "]
            )
        survivors += survives(bytes(content))
    assert survivors < 120


def survives(content: bytes) -> bool:
    """Whether a damaged file still loads; anything but a reasoned refusal fails the test."""
    refusal: Refused | None = None
    try:
        load(content, name="damaged.yaml")
    except Refused as refused:
        refusal = refused
    assert refusal is None or refusal.faults
    return refusal is None
