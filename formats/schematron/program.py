"""A compiled rule set at work: which rules a shape needs, and what fires on a document.

The first time a shape is met, its rules are chosen by names (``Plan``) and kept for all later documents.
A document's nodes then run through the plans of their shapes, a whole group at a time.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext
from threading import Lock
from types import CodeType
from typing import Any

from formats.limits import bounded
from formats.schematron import regex, runtime, values
from formats.schematron.document import NO_NODES, NOTHING, Document, Node, Nodes, Shape, in_order
from formats.schematron.values import EXACT, Failure, failed

_MOST_PLANS = 40_000
FAILURES = (Failure, DecimalException, RecursionError, OverflowError, ZeroDivisionError)

Fired = list[tuple[int, Node, Exception | None]]
RuleFunction = Callable[[Sequence[Node], runtime.State, list[Any], Fired], None]
NodeTest = Callable[[Node, runtime.State, list[Any]], Any]


@dataclass(frozen=True, slots=True)
class Firing:
    """An assert that fired at an element; ``error`` says why it could not be computed."""

    rule: str
    severity: str
    message: str
    element: Any
    error: str | None = None
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule for the nodes of one shape. ``test`` None: for all of them; ``fixed``: for all or none.

    ``key`` and ``text``: only a node whose key is that text can match.
    """

    test: NodeTest | None
    fixed: bool
    key: NodeTest | None
    text: str | None
    run: RuleFunction | None
    absent: tuple[tuple[int, tuple[str, ...], str | None], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """For the nodes of one shape; ``watched``: (levels up to the rule's node, assert, attribute)."""

    patterns: tuple[tuple[_Candidate, ...], ...]
    watched: list[tuple[int, int, str | None]]


class Program:
    """One rule set, for use from many threads. ``run`` takes the nodes of a document."""

    def __init__(self, code: CodeType) -> None:
        space: dict[str, Any] = {**_LIBRARY}
        exec(code, space)  # our own translation of the rule file, see compile
        self._rules = space["RULES"]
        self._asserts = space["ASSERTS"]
        self._reports: list[bool] = [report for _, _, _, report in self._asserts]
        self._places: tuple[tuple[str, ...], ...] = space["PLACES"]
        self._slots: int = space["SLOTS"]
        self._second: dict[int, NodeTest] = space["SECOND"]
        self._plans: dict[Shape, _Plan] = {}
        self._tables: dict[Shape, list[Shape]] = {}
        self._lock = Lock()

    @property
    def asserts(self) -> list[str]:
        """The rule ids, in the order of the rule file."""
        return [rule for rule, _, _, _ in self._asserts]

    def run(self, document: Document) -> list[Firing]:
        """Everything that fires, in document order and then that of the rule file; raises ``TooMuch``."""
        if len(self._plans) > _MOST_PLANS:
            self._plans, self._tables = {}, {}
        state = runtime.State(document, self._table(document.root.shape))
        memory: list[Any] = [runtime.U] * self._slots
        fired: Fired = []
        with localcontext(EXACT):
            self._run(document, state, memory, fired)
            if not fired:
                return []
            once = {(number, node): error for number, node, error in self._again(fired, state, memory)}
            found = sorted(once.items(), key=lambda one: (one[0][1].order, one[0][0]))
            return [self._firing(number, node, error, state, memory) for (number, node), error in found]

    def _run(self, document: Document, state: runtime.State, memory: list[Any], fired: Fired) -> None:
        plans = self._plans
        self._apply(self._plan(document.shape), [document], state, memory, fired)
        for shape, nodes in document.groups.items():
            plan = plans.get(shape)
            if plan is None or plan.patterns is _UNPLANNED:
                plan = self._plan(shape)
            for candidates in plan.patterns:
                first = candidates[0]
                if first.test is None:
                    if first.run is not None:
                        first.run(nodes, state, memory, fired)
                else:
                    _choose(candidates, nodes, state, memory, fired)
            for levels, number, attribute in plan.watched:
                _found(levels, number, attribute, nodes, fired)
            bounded(len(fired))

    def _again(self, fired: Fired, state: runtime.State, memory: list[Any]) -> Fired:
        """Tests that failed are made once more, by operands that decide without the one that failed."""
        found: Fired = []
        for number, node, error in fired:
            second = self._second.get(number)
            if error is None or second is None:
                found.append((number, node, error))
                continue
            try:
                holds = bool(second(node, state, memory))
            except Exception as again:  # whatever a test raises is its outcome, told as a finding
                found.append((number, node, again))
                continue
            if holds is self._reports[number]:
                found.append((number, node, None))
        return found

    def _apply(
        self, plan: _Plan, nodes: Nodes, state: runtime.State, memory: list[Any], fired: Fired
    ) -> None:
        for candidates in plan.patterns:
            _choose(candidates, nodes, state, memory, fired)

    def _firing(
        self, number: int, node: Node, error: Exception | None, state: runtime.State, memory: list[Any]
    ) -> Firing:
        rule, severity, message, _ = self._asserts[number]
        element = node.element if node.element is not None else state.root.element
        if error is not None:
            return Firing(rule, severity, "", element, failed(error))
        if not isinstance(message, str):
            try:
                message = message(node, state, memory)
            except FAILURES as failure:
                message = f"(its text could not be computed: {failed(failure)})"
        return Firing(rule, severity, message, element)

    def _table(self, root: Shape) -> list[Shape]:
        found = self._tables.get(root)
        if found is None:
            found = self._tables[root] = [_down(root, place) for place in self._places]
        return found

    # --- plans

    def _plan(self, shape: Shape) -> _Plan:
        with self._lock:  # two threads that plan one shape at once would lose what is watched there
            return self._planned(shape)

    def _planned(self, shape: Shape) -> _Plan:
        found = self._plans.get(shape)
        if found is not None and found.patterns is not _UNPLANNED:
            return found
        at_root = shape.parent is not None and shape.parent.parent is None
        patterns = [self._candidates(pattern, shape, at_root) for pattern in self._rules]
        watched = found.watched if found else []
        plan = _Plan(tuple(candidates for candidates in patterns if candidates), watched)
        self._plans[shape] = plan
        for candidates in plan.patterns:
            if candidates[0].test is None:
                self._watch(shape, candidates[0])
        return plan

    def _watch(self, shape: Shape, candidate: _Candidate) -> None:
        """Rows of a rule that every node of the shape takes are looked at where the forbidden thing is."""
        for number, names, attribute in candidate.absent:
            target = _down(shape, names)
            plan = self._plans.get(target)
            if plan is None:
                plan = self._plans[target] = _Plan(_UNPLANNED, [])
            row = (len(names), number, attribute)
            if row not in plan.watched:
                plan.watched.append(row)

    def _candidates(self, pattern: Any, shape: Shape, at_root: bool) -> tuple[_Candidate, ...]:
        found: list[_Candidate] = []
        for ways, run, run_at_root, absent in pattern:
            tests = [test for way in ways for test in _tests(way, shape)]
            if not tests:
                continue
            chosen = run_at_root if at_root and run_at_root is not None else run
            always = any(not test for test in tests)
            made = None if always else _node_test(tests)
            fixed = all(fixed for test in tests for _, _, fixed, _ in test)
            key, text = _key_of(tests)
            found.append(_Candidate(made, fixed, key, text, chosen, absent))
            if always:
                break
        return tuple(found)


# The mark of a shape that is watched before it is planned; told by identity.
_UNPLANNED: tuple[tuple[_Candidate, ...], ...] = ((),)

# One way for one shape to match: the tests left over, as (levels up, test, the same for all nodes, key).
_Tests = tuple[tuple[int, NodeTest, bool, tuple[NodeTest, str] | None], ...]


def _tests(way: Any, shape: Shape) -> list[_Tests]:
    """The ways a shape matches by its names."""
    anchored, parts = way
    if not parts:
        return [()] if shape.parent is None else []
    found: list[_Tests] = []
    _match(parts, 0, shape, 0, anchored, (), found)
    return found


def _match(
    parts: Any, place: int, shape: Shape, up: int, anchored: bool, tests: _Tests, found: list[_Tests]
) -> None:
    uri, local, gap, names, test, fixed, key = parts[place]
    if shape.parent is None or not _named(shape.tag, uri, local):
        return
    verdict = names(shape) if names else None
    if verdict is False:
        return
    if test is not None and verdict is not True:
        tests = (*tests, (up, test, fixed, key))
    above: Shape | None = shape.parent
    if place + 1 == len(parts):
        if not anchored or above is None or above.parent is None or gap:
            found.append(tests)
        return
    while above is not None:
        up += 1
        _match(parts, place + 1, above, up, anchored, tests, found)
        if not gap:
            return
        above = above.parent


def _named(tag: str, uri: str | None, local: str | None) -> bool:
    if uri is not None and runtime.uri(tag) != uri:
        return False
    return local is None or runtime.local(tag) == local


def _key_of(tests: list[_Tests]) -> tuple[NodeTest | None, str | None]:
    if len(tests) == 1 and tests[0] and tests[0][0][0] == 0:
        return tests[0][0][3] or (None, None)
    return None, None


def _node_test(tests: list[_Tests]) -> NodeTest:
    if len(tests) == 1 and len(tests[0]) == 1 and tests[0][0][0] == 0:
        return tests[0][0][1]

    def matches(node: Node, state: runtime.State, memory: list[Any]) -> bool:
        return any(all(test(_up(node, up), state, memory) for up, test, _, _ in way) for way in tests)

    return matches


def _up(node: Node, levels: int) -> Node:
    for _ in range(levels):
        node = node.parent
    return node


def _down(shape: Shape, names: Sequence[str]) -> Shape:
    for name in names:
        shape = shape.kid(name)
    return shape


def _choose(
    candidates: Sequence[_Candidate], nodes: Nodes, state: runtime.State, memory: list[Any], fired: Fired
) -> None:
    """Give each node to the first rule that matches it."""
    live: list[_Candidate] = []
    for candidate in candidates:
        # What is the same for all nodes (a country, say) is asked once.
        if candidate.test is not None and candidate.fixed and not candidate.test(nodes[0], state, memory):
            continue
        live.append(candidate)
        if candidate.test is None or candidate.fixed:
            break
    if not live:
        return
    first = live[0]
    if first.test is None or first.fixed:
        _take(first, nodes, state, memory, fired)
        return
    if len(live) == 1:
        test = first.test
        hit = [node for node in nodes if test(node, state, memory)]
        if hit:
            _take(first, hit, state, memory, fired)
        return
    hits: list[Nodes] = [[] for _ in live]
    for node in nodes:
        place = _first(live, node, state, memory)
        if place >= 0:
            hits[place].append(node)
    for candidate, hit in zip(live, hits, strict=True):
        if hit:
            _take(candidate, hit, state, memory, fired)


def _first(live: Sequence[_Candidate], node: Node, state: runtime.State, memory: list[Any]) -> int:
    """The place of the first rule that matches a node, -1 if none does."""
    asked: NodeTest | None = None
    value: Any = None
    for place, candidate in enumerate(live):
        if candidate.key is not None:
            if candidate.key is not asked:
                asked = candidate.key
                value = asked(node, state, memory)
            if value != candidate.text:
                continue
        if candidate.test is None or candidate.fixed or candidate.test(node, state, memory):
            return place
    return -1


def _take(candidate: _Candidate, nodes: Nodes, state: runtime.State, memory: list[Any], fired: Fired) -> None:
    if candidate.run is not None:
        candidate.run(nodes, state, memory, fired)
    if candidate.absent:
        _look(candidate, nodes, fired)


def _look(candidate: _Candidate, nodes: Nodes, fired: Fired) -> None:
    for node in nodes:
        for number, names, attribute in candidate.absent:
            found = [node]
            for name in names:
                found = [kid for one in found for kid in one.kids.get(name, ())]
            if any(attribute is None or attribute in one.attributes for one in found):
                fired.append((number, node, None))


def _found(levels: int, number: int, attribute: str | None, nodes: Nodes, fired: Fired) -> None:
    above = {_up(node, levels): None for node in nodes if attribute is None or attribute in node.attributes}
    fired.extend((number, node, None) for node in above)


# --- three-valued logic on names --------------------------------------------------------------------------


def _and_3(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _or_3(a: bool | None, b: bool | None) -> bool | None:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _not_3(a: bool | None) -> bool | None:
    return None if a is None else not a


def _no_3(a: bool | None) -> bool | None:
    return False if a is False else None


def _all_3(*values: bool | None) -> bool | None:
    return False if False in values else None if None in values else True


def _stands_below(shape: Shape, tag: str) -> bool:
    above = shape.parent
    while above is not None:
        if above.tag == tag:
            return True
        above = above.parent
    return False


_LOGIC = {
    "and_3": _and_3,
    "or_3": _or_3,
    "not_3": _not_3,
    "no_3": _no_3,
    "all_3": _all_3,
    "unless_false": _no_3,
    "stands_below": _stands_below,
}

# What the programs call. Later names win, so that the builtins' names mean XPath's functions.
_LIBRARY: dict[str, Any] = {
    **vars(values),
    **vars(regex),
    **vars(runtime),
    **_LOGIC,
    "FAILURES": FAILURES,
    "NONE": NO_NODES,
    "NOTHING": NOTHING,
    "in_order": in_order,
    "nan": math.nan,
    "Decimal": Decimal,
    "__builtins__": builtins,
}
