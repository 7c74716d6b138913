"""Match patterns: which nodes a rule is about.

Governed by XSLT 2.0 section 5.5, with the parenthesised patterns of XSLT 3.0. What depends on names
alone is decided on shapes, once for all documents; what is left are predicates on a node or those above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from formats.schematron.code import Untranslatable
from formats.schematron.syntax import (
    ANYTHING,
    DESCEND,
    FN,
    Binary,
    Call,
    Expr,
    Filter,
    Literal,
    Root,
    Slash,
    Step,
    Test,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a pattern; ``gap`` says that any number of elements may stand above it."""

    test: Test
    predicates: tuple[Expr, ...] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to match: the parts from the node upwards. ``anchored``: the last stands below the document.

    No parts at all is the document itself.
    """

    parts: tuple[Part, ...]
    anchored: bool = False


def alternatives(expr: Expr) -> tuple[Alternative, ...]:
    """The ways to match a pattern; raises ``Untranslatable``."""
    return tuple(_alternatives(expr))


def _alternatives(expr: Expr) -> Iterator[Alternative]:
    match expr:
        case Root():
            yield Alternative((), True)
        case Step():
            yield Alternative((_part(expr),))
        case Binary() if expr.op == "|":
            yield from _alternatives(expr.left)
            yield from _alternatives(expr.right)
        case Filter():
            for one in _alternatives(expr.base):
                yield _with(one, expr.predicates)
        case Slash() if isinstance(expr.right, Step):
            yield from _below(expr.left, _part(expr.right))
        case Slash():
            for one in _alternatives(expr.right):
                yield from _joined(expr.left, one)
        case _:
            raise Untranslatable("a match pattern of this form")


def _joined(left: Expr, tail: Alternative) -> Iterator[Alternative]:
    if tail.anchored or not tail.parts:
        raise Untranslatable("a match pattern with a root inside")
    for one in _below(left, tail.parts[-1]):
        yield Alternative((*tail.parts[:-1], *one.parts), one.anchored)


def _below(left: Expr, part: Part) -> Iterator[Alternative]:
    if isinstance(left, Slash) and left.right == DESCEND:
        if isinstance(left.left, Root):
            yield Alternative((part,))
            return
        left, part = left.left, replace(part, gap=True)
    for one in _alternatives(left):
        yield Alternative((part, *one.parts), one.anchored)


def _part(step: Step) -> Part:
    if step.axis == "descendant":
        return Part(_element(step.test), step.predicates, gap=True)
    if step.axis != "child":
        raise Untranslatable(f"the axis {step.axis} in a match pattern")
    return Part(_element(step.test), step.predicates)


def _element(test: Test) -> Test:
    if test.kind not in ("name", "element"):
        raise Untranslatable(f"{test.kind}() in a match pattern")
    return Test("name", test.uri, test.local) if test.kind == "name" else Test("name")


def _with(one: Alternative, predicates: tuple[Expr, ...]) -> Alternative:
    if not one.parts:
        raise Untranslatable("a predicate on the document")
    first = replace(one.parts[0], predicates=(*one.parts[0].predicates, *predicates))
    return Alternative((first, *one.parts[1:]), one.anchored)


def by_names(predicate: Expr) -> str | None:
    """A condition on a shape ``h`` that is True, False or None (the node decides); None if always None."""
    match predicate:
        case Binary() if predicate.op in ("and", "or"):
            left, right = by_names(predicate.left), by_names(predicate.right)
            return f"{predicate.op}_3({left}, {right})" if left or right else None
        case Call() if predicate.uri == FN and predicate.name in ("not", "exists", "boolean"):
            inner = by_names(predicate.arguments[0])
            return f"not_3({inner})" if inner and predicate.name == "not" else inner
        case Call() if predicate.uri == FN and predicate.name == "ends-with":
            return _ends(predicate)
        case Step() if predicate.axis in ("ancestor", "self") and not predicate.predicates:
            return _above(predicate)
        case Slash():
            found = by_names(predicate.left)
            return f"no_3({found})" if found else None
        case _:
            return None


def _ends(call: Call) -> str | None:
    name, ending = call.arguments
    if name not in (Call(FN, "name", ()), Call(FN, "local-name", ())) or not isinstance(ending, Literal):
        return None
    # With a prefix or without, a name ends in the same letters.
    return f"local(h.tag).endswith({ending.value!r})" if ":" not in str(ending.value) else None


def _above(step: Step) -> str | None:
    test = step.test
    if test == ANYTHING or test.kind != "name" or test.uri is None or test.local is None:
        return None
    tag = f"{{{test.uri}}}{test.local}" if test.uri else test.local
    return f"h.tag == {tag!r}" if step.axis == "self" else f"stands_below(h, {tag!r})"
