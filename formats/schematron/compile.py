"""A rule set as one Python program.

The program's text defines a function for each rule (and what these need) and, at its end, ``RULES``,
``ASSERTS`` and ``PLACES``; ``program`` runs it. An assert that only says that some path below its node must
not be there needs no code: it becomes a row of ``absent`` and costs nothing where the path is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from formats.schematron.code import TEXTS, Code, Untranslatable, atoms, boxed, convert, items, strict
from formats.schematron.contexts import Alternative, alternatives, by_names
from formats.schematron.model import Assert, Let, Pattern, Rule, RuleSource, ValueOf
from formats.schematron.paths import positional
from formats.schematron.syntax import (
    FN,
    Binary,
    Call,
    Expr,
    Filter,
    Literal,
    Slash,
    Step,
    SyntaxFault,
    parse,
    sequence_type,
)
from formats.schematron.translate import ROOT_ELEMENT, Globals, Scope, Translator, free


def source_of(rules: RuleSource) -> str:
    """The program's text; raises ``Untranslatable`` naming the rule and the construct."""
    try:
        declared = _globals(rules)
        first = _Writer(rules, declared, None)
        first.write()
        wanted = frozenset(expr for (expr, _), times in first.t.used.items() if times > 1)
        writer = _Writer(rules, declared, wanted)
        writer.write()
    except SyntaxFault as fault:
        raise Untranslatable(str(fault)) from None
    return writer.text()


def _globals(rules: RuleSource) -> Globals:
    declared = Globals(namespaces=dict(rules.namespaces))
    declared.keys = {key.name: key for key in rules.keys}
    for function in rules.functions:
        prefix, _, local = function.name.rpartition(":")
        if prefix not in rules.namespaces:
            raise Untranslatable(f"the function {function.name}, whose prefix is not declared")
        uri = rules.namespaces[prefix]
        declared.functions[uri, local, len(function.parameters)] = function
    for let in rules.lets:
        _declare(declared, let)
    return declared


def _declare(declared: Globals, let: Let) -> None:
    if let.text is not None:
        declared.variables[let.name] = Code(repr(let.text), "unt", const=let.text)
        return
    try:
        value = parse(let.select or "()", declared.namespaces)
    except SyntaxFault as fault:
        raise Untranslatable(f"the variable ${let.name}: {fault}") from None
    if let.type:
        wanted = sequence_type(let.type, declared.namespaces)
        value = _as_declared(value, wanted.name, let)
    declared.variables[let.name] = value


def _as_declared(value: Expr, name: str, let: Let) -> Expr:
    if name in ("item", "anyAtomicType", "string", "boolean"):
        return value
    raise Untranslatable(f"the variable ${let.name} as {let.type}")


# A text that thinks again, itself or in a function it calls.
_SECOND_THOUGHT = re.compile(r"\b(either|both_hold|[mfl]\d+|\w+l\d+)\(")


@dataclass(frozen=True, slots=True)
class _Row:
    """An assert that is data: fires where the names (and the attribute) are found below the node."""

    number: int
    names: tuple[str, ...]
    attribute: str | None


class _Writer:
    """Writes the program of a rule set."""

    def __init__(self, rules: RuleSource, declared: Globals, wanted: frozenset[Expr] | None) -> None:
        self.rules = rules
        self.t = Translator(declared, wanted)
        self._lines: list[str] = []
        self._asserts: list[str] = []
        self._rules: list[str] = []
        self._predicates: dict[tuple[Expr, ...], str] = {}
        self._keys: dict[Expr, str] = {}
        self._seconds: list[str] = []
        self._inner = _inner_namespaces(rules)

    def text(self) -> str:
        """The whole program."""
        parts = [*self.t.lines, *self._lines]
        places = "".join(f"    {place!r},\n" for place in self.t.places)
        parts.append(f"PLACES = (\n{places})\nSLOTS = {self.t.slots}\n")
        parts.append("SECOND = {\n" + "".join(self._seconds) + "}\n")
        parts.append("ASSERTS = (\n" + "".join(self._asserts) + ")\n")
        parts.append("RULES = (\n" + "".join(self._rules) + ")\n")
        return "\n".join(parts)

    def write(self) -> None:
        """Translate everything."""
        for number, pattern in enumerate(self.rules.patterns):
            for let in pattern.lets:
                if let.name in self.t.declared.variables:
                    known = self.t.declared.variables[let.name]
                    if let.select is None or known != parse(let.select, self.rules.namespaces):
                        raise Untranslatable(f"two variables ${let.name}")
                _declare(self.t.declared, let)
            self._rules.append("(\n")
            for rule in pattern.rules:
                try:
                    self._rules.append(self._rule(rule, pattern, number))
                except (Untranslatable, SyntaxFault) as fault:
                    raise Untranslatable(f"the rule {rule.context!r} in {pattern.name}: {fault}") from None
            self._rules.append("),\n")

    # --- rules

    def _rule(self, rule: Rule, pattern: Pattern, number: int) -> str:
        match = parse(rule.context, self.rules.namespaces)
        ways = alternatives(match)
        first = len(self._asserts)
        rows: list[_Row] = []
        checks: list[tuple[int, Assert]] = []
        for place, check in enumerate(rule.asserts, first):
            found = self._absent(check, place)
            rows += found
            if not found:
                checks.append((place, check))
            self._asserts.append(self._assert(check, rule, place))
            self._second(check, rule, place)
        at_root = general = None
        if any(self._may_be_root(way) for way in ways):
            at_root = self._checks(rule, checks, ROOT_ELEMENT)
        if not all(way.anchored and len(way.parts) == 1 for way in ways):
            self.t.counting = at_root is None
            general = self._checks(rule, checks, Code("n", "node"))
            self.t.counting = True
        kept = tuple((row.number, row.names, row.attribute) for row in rows)
        return f"    ({self._ways(ways)}, {general}, {at_root}, {kept!r}),\n"

    def _may_be_root(self, way: Alternative) -> bool:
        """Whether the rule is worth a version of its own for the root element."""
        if len(way.parts) != 1:
            return False
        test = way.parts[0].test
        return way.anchored or (test.uri is not None and test.uri not in self._inner)

    def _checks(self, rule: Rule, checks: list[tuple[int, Assert]], item: Code) -> str | None:
        """The function that tries a rule's asserts on nodes."""
        if not checks:
            return None
        name = self.t.name("r")
        scope, cells = self._rule_scope(rule, name, item)
        lines = [f"def {name}(nodes, s, M, out):", "    for n in nodes:"]
        if cells:
            lines.append(f"        L = [U] * {cells}")
        for place, check in checks:
            lines += self._check(check, place, scope)
        self._lines.append("\n".join(lines) + "\n")
        return name

    def _check(self, check: Assert, place: int, scope: Scope) -> list[str]:
        try:
            test = self.t.truth(parse(check.test, self.rules.namespaces), scope)
        except (Untranslatable, SyntaxFault) as fault:
            raise Untranslatable(f"{check.rule}: {fault}") from None
        wanted = test if check.report else f"not {test}"
        return [
            "        try:",
            f"            if {wanted}:",
            f"                out.append(({place}, n, None))",
            # Whatever a test raises is its outcome, told as a finding; the other tests go on.
            "        except Exception as e:",
            f"            out.append(({place}, n, e))",
        ]

    def _second(self, check: Assert, rule: Rule, place: int) -> None:
        """The test once more, for when it has failed: see ``Translator._choice``."""
        self.t.tolerant = True
        self.t.counting = False
        try:
            name = f"q{place}"
            scope, cells = self._rule_scope(rule, name, Code("n", "node"))
            test = self.t.truth(parse(check.test, self.rules.namespaces), scope)
            if _SECOND_THOUGHT.search(test):
                self._lines.append(f"def {name}(n, s, M):\n    L = [U] * {cells}\n    return {test}\n")
                self._seconds.append(f"    {place}: {name},\n")
        except (Untranslatable, SyntaxFault) as fault:
            raise Untranslatable(f"{check.rule}: {fault}") from None
        finally:
            self.t.tolerant = False
            self.t.counting = True

    def _rule_scope(self, rule: Rule, name: str, item: Code) -> tuple[Scope, int]:
        scope = Scope(item, {}, current=item)
        cells = 0
        for let in rule.lets:
            value = self._local(let, scope)
            if value.const is None and value.kind != "none":
                # Worked out when first used: an assert that needs it not must not fail for it.
                py = value.py if value.card != "*" else f"as_list({value.py})"
                make = f"{name}l{cells}"
                head = f"def {make}(n, s, M, L):"
                self._lines.append(f"{head}\n    v = L[{cells}] = {py}\n    return v\n")
                kept = f"(L[{cells}] if L[{cells}] is not U else {make}(n, s, M, L))"
                value = Code(kept, value.kind, value.card, value.ordered)
                cells += 1
            scope = scope.bind(let.name, value)
        return scope, cells

    def _local(self, let: Let, scope: Scope) -> Code:
        if let.text is not None:
            return Code(repr(let.text), "unt", const=let.text)
        value = strict(self.t.code(parse(let.select or "()", self.rules.namespaces), scope))
        return convert(value, sequence_type(let.type, self.rules.namespaces)) if let.type else value

    def _assert(self, check: Assert, rule: Rule, place: int) -> str:
        """Rule id, severity, message (a function where parts are computed), and whether it is a report."""
        if all(isinstance(part, str) for part in check.message):
            message = repr("".join(str(part) for part in check.message))
        else:
            message = self._message(check, rule, place)
        return f"    ({check.rule!r}, {check.severity.value!r}, {message}, {check.report}),\n"

    def _message(self, check: Assert, rule: Rule, place: int) -> str:
        name = f"t{place}"
        scope, cells = self._rule_scope(rule, name, Code("n", "node"))
        parts = []
        for part in check.message:
            if isinstance(part, ValueOf):
                found = boxed(atoms(self.t.code(parse(part.select, self.rules.namespaces), scope)))
                parts.append(f"' '.join(text_of(v) for v in {items(found)})")
            else:
                parts.append(repr(part))
        body = " + ".join(parts)
        self._lines.append(f"def {name}(n, s, M):\n    L = [U] * {cells}\n    return {body}\n")
        return name

    # --- asserts that are data

    def _absent(self, check: Assert, place: int) -> list[_Row]:
        test = parse(check.test, self.rules.namespaces)
        if check.report or not isinstance(test, Call) or test.uri != FN or test.name not in ("not", "empty"):
            return []
        rows = [_row(place, steps) for steps in _ways_down(test.arguments[0])]
        found = [row for row in rows if row is not None]
        return found if len(found) == len(rows) else []

    # --- match patterns

    def _ways(self, ways: Iterable[Alternative]) -> str:
        return "(" + "".join(f"{self._way(way)}, " for way in ways) + ")"

    def _way(self, way: Alternative) -> str:
        parts = []
        for part in way.parts:
            names, test, fixed = self._tests(part.predicates)
            key = self._key(part.predicates)
            parts.append(
                f"({part.test.uri!r}, {part.test.local!r}, {part.gap}, {names}, {test}, {fixed}, {key})"
            )
        return f"({way.anchored}, ({''.join(f'{part}, ' for part in parts)}))"

    def _key(self, predicates: tuple[Expr, ...]) -> str | None:
        """Of predicates that begin with ``K = 'text'``: a function for K, and the text.

        Rules of one pattern often differ in that text alone; K is then worked out once for them all.
        """
        first = predicates[0] if predicates else None
        if not isinstance(first, Binary) or first.op != "=" or not isinstance(first.right, Literal):
            return None
        item = Code("n", "node")
        scope = Scope(item, {}, current=item)
        value = atoms(self.t.code(first.left, scope))
        if value.kind not in TEXTS or value.card == "*" or not isinstance(first.right.value, str):
            return None
        if first.left not in self._keys:
            name = self.t.name("k")
            body = f"    try:\n        return {value.py}\n    except FAILURES:\n        return None\n"
            self._lines.append(f"def {name}(n, s, M):\n{body}")
            self._keys[first.left] = name
        return f"({self._keys[first.left]}, {first.right.value!r})"

    def _tests(self, predicates: tuple[Expr, ...]) -> tuple[str | None, str | None, bool]:
        """Of predicates: a condition on names, one on a node, and whether that is always the same."""
        if not predicates:
            return None, None, True
        item = Code("n", "node")
        scope = Scope(item, {}, current=item)
        if any(positional(self.t, one, scope) for one in predicates):
            raise Untranslatable("a position in a match pattern")
        conditions = [condition for one in predicates if (condition := by_names(one))]
        names = None
        if conditions:
            names = self.t.name("h")
            self._lines.append(f"def {names}(h):\n    return all_3({', '.join(conditions)})\n")
            if len(conditions) < len(predicates):
                names = f"lambda h: unless_false({names}(h))"
        fixed = not any(name in (".", "#", "current") for one in predicates for name in free(one))
        return names, self._predicate(predicates), fixed

    def _predicate(self, predicates: tuple[Expr, ...]) -> str:
        if predicates not in self._predicates:
            name = self.t.name("p")
            item = Code("n", "node")
            scope = Scope(item, {}, current=item)
            test = " and ".join(self.t.truth(one, scope) for one in predicates)
            # An error in a pattern means that it does not match (XSLT 2.0 section 5.5.4).
            again = "False"
            self.t.tolerant = True
            second = " and ".join(self.t.truth(one, scope) for one in predicates)
            self.t.tolerant = False
            if _SECOND_THOUGHT.search(second):
                again = f"{name}q(n, s, M)"
                self._lines.append(
                    f"def {name}q(n, s, M):\n    try:\n        return {second}\n"
                    "    except FAILURES:\n        return False\n"
                )
            self._lines.append(
                f"def {name}(n, s, M):\n    try:\n        return {test}\n"
                f"    except FAILURES:\n        return {again}\n"
            )
            self._predicates[predicates] = name
        return self._predicates[predicates]


def _row(place: int, steps: Sequence[Step | None]) -> _Row | None:
    names: list[str] = []
    attribute = None
    for step in steps:
        if step is None or step.predicates or step.test.kind != "name" or attribute is not None:
            return None
        if step.test.uri is None or step.test.local is None:
            return None
        tag = f"{{{step.test.uri}}}{step.test.local}" if step.test.uri else step.test.local
        if step.axis == "attribute":
            attribute = tag
        elif step.axis == "child":
            names.append(tag)
        else:
            return None
    return _Row(place, tuple(names), attribute) if names else None


def _ways_down(expr: Expr) -> Iterator[tuple[Step | None, ...]]:
    """The steps of each alternative of a path from the context item; None for anything else."""
    if isinstance(expr, Call) and expr.uri == FN and expr.name in ("exists", "boolean"):
        expr = expr.arguments[0]
    match expr:
        case Binary() if expr.op == "|" or expr.op == "or":
            yield from _ways_down(expr.left)
            yield from _ways_down(expr.right)
        case Slash():
            for steps in _ways_down(expr.left):
                for further in _ways_down(expr.right):
                    yield (*steps, *further)
        case Step():
            yield (expr,)
        case _:
            yield (None,)


def _inner_namespaces(rules: RuleSource) -> frozenset[str]:
    """Namespaces whose elements stand below others: a rule about such an element is not about the root."""
    found: set[str] = set()
    for pattern in rules.patterns:
        for rule in pattern.rules:
            try:
                ways = alternatives(parse(rule.context, rules.namespaces))
                tests = [parse(check.test, rules.namespaces) for check in rule.asserts]
            except (Untranslatable, SyntaxFault):
                continue  # the rule itself will be refused, by its name
            found.update(part.test.uri or "" for way in ways for part in way.parts[:-1])
            found.update(uri for test in tests for uri in _first_namespaces(test))
    return frozenset(found)


def _first_namespaces(expr: Expr) -> Iterator[str]:
    match expr:
        case Step() if expr.axis == "child":
            yield expr.test.uri or ""
        case Slash():
            yield from _first_namespaces(expr.left)
        case Call():
            for argument in expr.arguments:
                yield from _first_namespaces(argument)
        case Filter():
            yield from _first_namespaces(expr.base)
        case _:
            return
