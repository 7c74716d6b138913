"""A rule file: read, checked against the vocabulary, versioned by its sha256, proved by its own tests.

The format (all keys lower case, texts as written, units in the cells)::

    policy: credit
    currency: EUR
    strictest_first: [hold, refer, approve]
    otherwise: refer
    derived:                             # yes/no facts of the file's own; no unless a line holds
      - {id: F1, fact: late_payer, when: {overdue_days: "> 14 d"}, means: {en: pays late, de: .., nb: ..}}
    rules:
      - {id: R1, when: {late_payer: yes}, then: hold, say: Settle first}
    tables:
      - id: T1
        hit: unique                      # or first, or collect
        complete: no                     # or yes: a gap is then a fault; left out: a remark
        columns: [risk_class, exposure_percent, then, queue]
        rows:
          - ["B, C", "> 100 %", refer, credit team]
    tests:
      - {name: late, given: {overdue_days: 15}, expect: hold, by: R1}

Every rule and row whose conditions hold fires, and of all that fire the strictest outcome decides; of
equals the first in the file. The hit policy of a table says which of its rows may fire: ``unique``, no
two can match the same facts; ``first``, only the upper one that fits fires; ``collect``, all that fit
fire, and where one of them decides, those of the same outcome are heard too: their ``say``, ``queue``
and ``notify`` are gathered, of every other action the first row's word counts.

A file is taken whole or not at all: ``load`` gathers every fault with its line and column. It
never runs anything but the closures, so a file that is only looked at never reaches the engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from importlib.resources import files

from o2c.errors import Broken, Fault
from rules.caps import Caps
from rules.cells import CellReader
from rules.checks import Checks
from rules.clauses import ClauseReader, check_limits
from rules.compile import Program
from rules.conditions import ConditionReader, Ids
from rules.derived import derivations, derived_facts
from rules.document import Entries, Faults, Shape, read, unknown
from rules.examples import Example, ExampleReader, run
from rules.law import default_law
from rules.vocabulary import POLICIES, Fact, Policy

_TOP = ("policy", "currency", "strictest_first", "otherwise", "derived", "rules", "tables", "tests")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One checked version of one policy. ``sha256`` is the hex digest of ``content``, byte for byte.

    ``remarks`` are what a person should know although the file is fit; ``places`` has the line and
    column of every rule, row, table and derived line by id.
    """

    policy: str
    name: str
    sha256: str
    content: bytes
    currency: str | None
    program: Program
    examples: tuple[Example, ...]
    remarks: tuple[Fault, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


def default_content(policy: str) -> bytes:
    """The rule file we ship for ``policy``; an admin copies and edits it."""
    if policy not in POLICIES:
        raise Broken("policy-unknown", unknown(policy, "policy", POLICIES))
    return files("rules").joinpath(f"{policy}.yaml").read_bytes()


def load(content: bytes, *, name: str, on: date | None = None, accepted: bool = False) -> Rulebook:
    """The rulebook in these bytes; ``Refused('rulebook-invalid')`` with one fault per mistake.

    ``name`` is how messages call the file. Each fault's pointer reads ``line 7, column 12``. Fees and
    rates are held against the law of the day ``on`` (None: the newest we know). ``accepted`` is for a
    file that has been in force: our checks may have grown since, so what they find is a remark, and
    only what cannot run is refused.
    """
    faults = Faults(name, accepted=accepted)
    top = read(content, faults)
    head = _head(top, faults)
    derived = derivations(top, head.derived, head.reader, head.ids)
    clauses = ClauseReader(head.policy, head.reader, head.outcomes, head.ids, len(derived))
    found = clauses.read(top)
    check_limits((*derived, *found), clauses.places, faults)
    faults.refuse_if_any()
    digest, currency = sha256(content).hexdigest(), head.reader.cells.currency
    program = Program(head.policy.name, digest, head.otherwise, found, derived, head.derived)
    examples = ExampleReader(program, head.reader.cells, head.outcomes, head.reader.shape).read(top)
    faults.refuse_if_any()
    places = head.ids.places | clauses.places
    checks = Checks(program, currency, clauses.tables, places, faults)
    checks.run()
    caps = Caps(default_law(), on, currency, program.facts, clauses.action_places, faults)
    for clause in found:
        caps.check(clause)
    faults.refuse_if_any()
    checks.untested(run(examples, program, faults))
    faults.refuse_if_any()
    return Rulebook(
        program.policy, name, digest, content, currency, program, examples, faults.remarks, places
    )


def _head(top: Entries, faults: Faults) -> _Head:
    """Everything above the rules: which policy, currency and order of outcomes."""
    shape = Shape(faults)
    shape.only(top, _TOP, ("policy", "strictest_first", "otherwise"))
    name = shape.word(top, "policy", POLICIES, "policy")
    currency = shape.text(top, "currency")
    if currency and not re.fullmatch("[A-Z]{3}", currency.value):
        faults.add(currency.place, "wrong-type", "currency is an ISO 4217 code such as EUR.")
    if name is None:
        faults.refuse()
    policy = POLICIES[name.value]
    order = [text for node in shape.items(top, "strictest_first") if (text := shape.as_text(node))]
    for position, text in enumerate(order):
        if text.value not in policy.outcomes:
            faults.unknown(text, "outcome", policy.outcomes)
        elif text.value in [earlier.value for earlier in order[:position]]:
            faults.add(text.place, "duplicate-key", f"outcome {text.value!r} is listed twice; remove one.")
    outcomes = tuple(text.value for text in order)
    otherwise = shape.word(top, "otherwise", outcomes, "outcome")
    derived = derived_facts(top, policy, shape)
    faults.refuse_if_any()
    cells = CellReader({**policy.facts, **derived}, currency.value if currency else None)
    reader = ConditionReader(cells, shape, faults)
    return _Head(policy, derived, reader, outcomes, otherwise.value if otherwise else "", Ids(shape, faults))


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the rules, and the tools to read the rest with."""

    policy: Policy
    derived: Mapping[str, Fact]
    reader: ConditionReader
    outcomes: tuple[str, ...]
    otherwise: str
    ids: Ids
