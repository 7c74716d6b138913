"""Path expressions as Python: steps, predicates, unions, and whether a path finds anything.

Governed by XPath 2.0 section 3.2. A path below the root element without predicates is one look-up,
since the document is grouped by shape; other steps become comprehensions over a node's children by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from formats.schematron.code import EMPTY, NUMBERS, Code, Untranslatable, boxed, items, strict, truth
from formats.schematron.syntax import (
    DESCEND,
    FN,
    Binary,
    Call,
    Cast,
    Expr,
    Filter,
    If,
    Literal,
    Quantified,
    Root,
    Slash,
    Step,
    Test,
)

if TYPE_CHECKING:
    from formats.schematron.translate import Scope, Translator

_BOOLEAN = frozenset("=|!=|<|<=|>|>=|eq|ne|lt|le|gt|ge|is|<<|>>|and|or".split("|"))
_BOOLEAN_CALLS = frozenset(
    "not exists empty true false boolean contains starts-with ends-with matches deep-equal lang".split()
)
_TEXT_CALLS = frozenset(
    "normalize-space string upper-case lower-case concat substring substring-before substring-after"
    " translate string-join name local-name namespace-uri replace".split()
)
_WALKS = {
    "ancestor": "ancestors",
    "ancestor-or-self": "ancestors_or_self",
    "preceding-sibling": "siblings_before",
    "following-sibling": "siblings_after",
    "preceding": "before",
    "following": "after",
    "descendant": "below",
    "descendant-or-self": "family",
}


def code(t: Translator, expr: Step | Slash | Filter, scope: Scope) -> Code:
    """The nodes (or values) a path finds."""
    if isinstance(expr, Step):
        if scope.item is None:
            raise Untranslatable("a path where there is no context item")
        return step(t, expr, scope.item, scope)
    if isinstance(expr, Filter):
        return _filter(t, expr, scope)
    return _slash(t, simpler(t, expr, scope), scope)


def simpler(t: Translator, expr: Expr, scope: Scope) -> Expr:
    """The same path with ``//x`` as one step and unions pulled out, where that changes nothing."""
    if not isinstance(expr, Slash):
        return expr
    left, right = expr.left, expr.right
    if isinstance(right, Binary) and right.op == "|":
        return Binary("|", Slash(left, right.left), Slash(left, right.right))
    descends = isinstance(left, Slash) and left.right == DESCEND
    if not descends or not isinstance(left, Slash) or not isinstance(right, Step) or right.axis != "child":
        return expr
    if any(positional(t, one, scope) for one in right.predicates):
        return expr
    return Slash(left.left, replace(right, axis="descendant"))


def positional(t: Translator, predicate: Expr, scope: Scope, kind: str = "node") -> bool:
    """Whether a predicate may ask for the position of an item of this kind."""
    if _asks(predicate):
        return True
    if _surely_no_number(predicate):
        return False
    found = t.code(predicate, scope.at(Code("x", kind)))
    return found.kind in NUMBERS or found.kind == "any"


def _asks(expr: Expr) -> bool:
    from formats.schematron.translate import free

    return "#" in free(expr)


def _surely_no_number(expr: Expr) -> bool:
    match expr:
        case Binary():
            return expr.op in _BOOLEAN or expr.op in ("|", "intersect", "except")
        case Call():
            return expr.uri == FN and expr.name in _BOOLEAN_CALLS | _TEXT_CALLS
        case Literal():
            return isinstance(expr.value, str)
        case Slash():
            return _surely_no_number(expr.right)
        case Filter():
            return _surely_no_number(expr.base)
        case If():
            return _surely_no_number(expr.then) and _surely_no_number(expr.otherwise)
        case Cast():
            return expr.how == "castable"
        case Step() | Quantified():
            return True
        case _:
            return False


# --- steps --------------------------------------------------------------------------------------------


def _slash(t: Translator, expr: Expr, scope: Scope) -> Code:
    if not isinstance(expr, Slash):
        return t.code(expr, scope)
    left, right = expr.left, expr.right
    if isinstance(right, Step):
        if right.axis == "descendant" and isinstance(left, Root):
            return _named_anywhere(t, right, scope)
        return step(t, right, t.code(left, scope), scope)
    base = t.code(left, scope)
    if base.kind == "none":
        return EMPTY
    if base.kind == "any":
        base = Code(f"nodes({base.py})", "node", "*", base.ordered)
    if base.kind != "node":
        raise Untranslatable(f"a path through {base.kind} items")
    return _each(t, base, right, scope)


def _each(t: Translator, base: Code, right: Expr, scope: Scope) -> Code:
    """``right`` for each node; what it finds is put together."""
    if base.card == "1":
        return t.code(right, scope.at(base))
    name = t.name("x")
    found = strict(t.code(right, scope.at(Code(name, "node"))))
    if found.kind == "none":
        return EMPTY
    if found.card == "1":
        ordered = base.ordered and found.kind != "node"
        return _distinct(Code(f"[{found.py} for {name} in {items(base)}]", found.kind, "*", ordered))
    inner = t.name("y")
    py = f"[{inner} for {name} in {items(base)} for {inner} in {items(found)}]"
    return _distinct(Code(py, found.kind, "*", base.ordered and found.kind != "node"))


def _distinct(found: Code) -> Code:
    return replace(found, py=f"distinct({found.py})") if found.kind == "node" else found


def _named_anywhere(t: Translator, right: Step, scope: Scope) -> Code:
    tag = _tag(right.test)
    if tag is not None:
        return _filtered(t, Code(f"s.names.get({tag!r}, NONE)", "node", "*", False), right.predicates, scope)
    if right.test.kind in ("name", "node", "element"):
        condition = _tag_condition(right.test, "x")
        everything = (
            "s.everything()" if condition == "True" else f"[x for x in s.everything() if {condition}]"
        )
        return _filtered(t, Code(everything, "node", "*", False), right.predicates, scope)
    return step(t, right, t.code(Root(), scope), scope)


def step(t: Translator, expr: Step, base: Code, scope: Scope) -> Code:
    """One step from ``base``."""
    if base.kind == "none":
        return EMPTY
    if base.kind == "any":
        base = Code(f"nodes({base.py})", "node", "*", base.ordered)
    if base.kind != "node":
        return _from_value(t, expr, base, scope)
    counts_anew = base.card == "*" and any(positional(t, one, scope) for one in expr.predicates)
    if expr.axis == "child" and base.place is not None and not counts_anew and (tag := _tag(expr.test)):
        place = (*base.place, tag)
        return _filtered(t, Code(t.at(place), "node", "*", place=place), expr.predicates, scope)
    if counts_anew:  # positions are those among the nodes found from one node of the base
        name = t.name("x")
        one = _filtered(t, _axis(t, expr, Code(name, "node")), expr.predicates, scope)
        inner = t.name("y")
        py = f"[{inner} for {name} in {items(base)} for {inner} in {items(one)}]"
        return _distinct(Code(py, one.kind, "*", False)) if one.kind == "node" else Code(py, one.kind, "*")
    found = _axis(t, expr, base)
    if expr.axis in ("preceding-sibling", "preceding", "ancestor", "ancestor-or-self"):
        return _reversed(_filtered(t, found, expr.predicates, scope))
    return _filtered(t, found, expr.predicates, scope)


def _reversed(found: Code) -> Code:
    return replace(found, ordered=False)


def _from_value(t: Translator, expr: Step, base: Code, scope: Scope) -> Code:
    """Steps from an attribute or a text, which here are their values: only to themselves."""
    if base.kind in ("attr", "text") and expr.axis == "self" and expr.test.kind == "node":
        return _filtered(t, base, expr.predicates, scope)
    raise Untranslatable(f"the step {expr.axis}:: from {base.kind} items")


def _axis(t: Translator, expr: Step, base: Code) -> Code:
    axis, test = expr.axis, expr.test
    if axis == "attribute":
        return _attributes(t, test, base)
    if test.kind in ("comment", "processing-instruction", "document-node"):
        raise Untranslatable(f"{test.kind}()")
    if axis == "child":
        return _children(t, test, base)
    if axis == "parent":
        return _parents(t, test, base)
    if test.kind == "text":
        return _texts_on(t, axis, base)
    if axis == "self":
        name = t.name("x")
        return Code(f"[{name} for {name} in {items(base)} if {_tag_condition(test, name)}]", "node", "*")
    return _walk(t, axis, test, base)


def _walk(t: Translator, axis: str, test: Test, base: Code) -> Code:
    if axis == "descendant-or-self" and base.py == "s.document" and test.kind == "node":
        return Code("s.all_nodes()", "node", "*", False)
    walk = _WALKS.get(axis)
    if walk is None:
        raise Untranslatable(f"the axis {axis}")
    tag = _tag(test)
    if axis == "preceding" and tag is not None and base.card == "1":
        return Code(f"before_named({base.py}, {tag!r})", "node", "*")
    name = t.name("x")
    condition = _tag_condition(test, name)
    suffix = "" if condition == "True" else f" if {condition}"
    if base.card == "1":
        return Code(f"[{name} for {name} in {walk}({base.py}){suffix}]", "node", "*")
    outer = t.name("y")
    py = f"[{name} for {outer} in {items(base)} for {name} in {walk}({outer}){suffix}]"
    return _distinct(Code(py, "node", "*", False))


def _children(t: Translator, test: Test, base: Code) -> Code:
    if test.kind == "text":
        name = t.name("x")
        if base.card == "1":
            return Code(f"{base.py}.texts()", "text", "*")
        inner = t.name("y")
        return Code(f"[{inner} for {name} in {items(base)} for {inner} in {name}.texts()]", "text", "*")
    if test.kind == "node":
        raise Untranslatable("child::node()")
    tag = _tag(test)
    if base.card != "*":  # NOTHING has no children, so "?" needs no care
        if tag is not None:
            return Code(f"{base.py}.kids.get({tag!r}, NONE)", "node", "*")
        return _some_children(t, test, f"{base.py}.children", base)
    name, inner = t.name("x"), t.name("y")
    if tag is not None:
        py = f"[{inner} for {name} in {base.py} for {inner} in {name}.kids.get({tag!r}, NONE)]"
        return Code(py, "node", "*", base.ordered)
    condition = _tag_condition(test, inner)
    suffix = "" if condition == "True" else f" if {condition}"
    py = f"[{inner} for {name} in {base.py} for {inner} in {name}.children{suffix}]"
    return Code(py, "node", "*", base.ordered)


def _some_children(t: Translator, test: Test, py: str, base: Code) -> Code:
    name = t.name("x")
    condition = _tag_condition(test, name)
    if condition == "True":
        return Code(py, "node", "*")
    return Code(f"[{name} for {name} in {py} if {condition}]", "node", "*")


def _parents(t: Translator, test: Test, base: Code) -> Code:
    name = t.name("x")
    condition = _tag_condition(test, name)
    if base.card != "*":
        if condition == "True" and test.kind == "node":
            return Code(f"{base.py}.parent", "node", "?")
        found = f"({base.py}.parent,)"
        return Code(
            f"[{name} for {name} in {found} if {name}.element is not None and {condition}]", "node", "*"
        )
    wanted = f"{name}.parent is not NOTHING"
    if test.kind != "node" or condition != "True":
        wanted = f"{name}.parent.element is not None and {_tag_condition(test, name + '.parent')}"
    return _distinct(Code(f"[{name}.parent for {name} in {base.py} if {wanted}]", "node", "*", False))


def _texts_on(t: Translator, axis: str, base: Code) -> Code:
    if axis not in ("descendant", "descendant-or-self"):
        raise Untranslatable(f"{axis}::text()")
    name, inner, outer = t.name("x"), t.name("y"), t.name("z")
    py = f"[{inner} for {outer} in {items(base)} for {name} in family({outer}) for {inner} in {name}.texts()]"
    return Code(py, "text", "*")


def _attributes(t: Translator, test: Test, base: Code) -> Code:
    if test.kind not in ("name", "node", "attribute"):
        raise Untranslatable(f"attribute::{test.kind}()")
    name = t.name("x")
    if test.kind == "name" and test.uri is not None and test.local is not None:
        key = f"{{{test.uri}}}{test.local}" if test.uri else test.local
        if base.card != "*":
            return Code(f"{base.py}.attributes.get({key!r})", "attr", "?")
        return Code(
            f"[{name}.attributes[{key!r}] for {name} in {base.py} if {key!r} in {name}.attributes]",
            "attr",
            "*",
            base.ordered,
        )
    key, value = t.name("k"), t.name("v")
    condition = _key_condition(test, key)
    pairs = f"{key}, {value} in {name}.attributes.items()"
    return Code(f"[{value} for {name} in {items(base)} for {pairs} if {condition}]", "attr", "*", False)


def _tag(test: Test) -> str | None:
    """The Clark name of a test for one name."""
    if test.kind != "name" or test.uri is None or test.local is None:
        return None
    return f"{{{test.uri}}}{test.local}" if test.uri else test.local


def _tag_condition(test: Test, name: str) -> str:
    if test.kind in ("node", "element"):
        return "True"
    if test.kind != "name":
        raise Untranslatable(f"{test.kind}() on this axis")
    tag = _tag(test)
    if tag is not None:
        return f"{name}.shape.tag == {tag!r}"
    conditions = [f"{name}.element is not None"]
    if test.uri is not None:
        conditions = [f"{name}.shape.tag.startswith({'{' + test.uri + '}'!r})"]
    if test.local is not None:
        conditions = [f"local({name}.shape.tag) == {test.local!r}"]
    return " and ".join(conditions)


def _key_condition(test: Test, key: str) -> str:
    if test.kind != "name":
        return "True"
    if test.local is not None:
        return f"local({key}) == {test.local!r}"
    return f"{key}.startswith({'{' + test.uri + '}'!r})" if test.uri else "True"


# --- predicates ---------------------------------------------------------------------------------------


def _filtered(t: Translator, found: Code, predicates: tuple[Expr, ...], scope: Scope) -> Code:
    for predicate in predicates:
        found = _narrowed(t, found, predicate, scope)
    return found


def _narrowed(t: Translator, found: Code, predicate: Expr, scope: Scope) -> Code:
    if positional(t, predicate, scope, found.kind):
        return _at_position(t, found, predicate, scope)
    name = t.name("x")
    test = t.truth(predicate, scope.at(Code(name, found.kind)))
    return Code(f"[{name} for {name} in {items(found)} if {test}]", found.kind, "*", found.ordered)


def _at_position(t: Translator, found: Code, predicate: Expr, scope: Scope) -> Code:
    among = found.py if found.card == "*" else f"list({items(found)})"
    if isinstance(predicate, Literal) and isinstance(predicate.value, int) and predicate.value > 0:
        return Code(f"{among}[{predicate.value - 1}:{predicate.value}]", found.kind, "*", found.ordered)
    if predicate == Call(FN, "last", ()):
        return Code(f"{among}[-1:]", found.kind, "*", found.ordered)
    all_, place, name = t.name("l"), t.name("p"), t.name("x")
    inner = scope.at(Code(name, found.kind), place, f"len({all_})")
    value = strict(t.code(predicate, inner))
    if value.kind in NUMBERS and value.card != "*":
        test = f"{value.py} == {place}"
    elif value.kind == "any" or value.kind in NUMBERS:
        test = f"at_position({boxed(value).py}, {place})"
    else:
        test = truth(value)
    py = f"[{name} for {all_} in ({among},) for {place}, {name} in enumerate({all_}, 1) if {test}]"
    return Code(py, found.kind, "*", found.ordered)


def _filter(t: Translator, expr: Filter, scope: Scope) -> Code:
    found = strict(t.code(expr.base, scope))
    if found.kind == "none":
        return EMPTY
    if (
        found.kind == "node"
        and not found.ordered
        and any(positional(t, one, scope) for one in expr.predicates)
    ):
        found = Code(f"in_order({found.py})", "node", "*")
    return _filtered(t, replace(found, place=None), expr.predicates, scope)


# --- sets ---------------------------------------------------------------------------------------------


def combine(op: str, left: Code, right: Code) -> Code:
    """Union, intersection, difference, and the comparisons of nodes."""
    if op in ("is", "<<", ">>"):
        return _compare(op, left, right)
    if op == "|" and "none" in (left.kind, right.kind):
        return right if left.kind == "none" else left
    if {left.kind, right.kind} <= {"attr"} and op == "|":
        raise Untranslatable("a union of attributes")
    if {left.kind, right.kind} <= {"node", "any", "none"}:
        names = {"|": "union", "intersect": "both", "except": "without"}
        return Code(f"{names[op]}({items(left)}, {items(right)})", "node", "*", op != "|")
    raise Untranslatable(f"{op} of {left.kind} and {right.kind}")


def _compare(op: str, left: Code, right: Code) -> Code:
    if left.kind != "node" or right.kind != "node":
        raise Untranslatable(f"{op} of {left.kind} and {right.kind}")
    return Code(f"compare_nodes({op!r}, {items(left)}, {items(right)})", "bool", "?")


# --- whether anything is there ------------------------------------------------------------------------


def exists(t: Translator, expr: Expr, scope: Scope) -> str | None:
    """A condition that holds where the path finds a node, cheaper than finding all; None if none is."""
    expr = simpler(t, expr, scope)
    last = expr.right if isinstance(expr, Slash) else expr
    if not isinstance(last, Step) or last.axis not in ("child", "attribute") or last.predicates:
        return None
    tag = _tag(last.test)
    if tag is None:
        if last.axis == "child" and isinstance(expr, Step) and last.test == Test("name") and scope.item:
            return f"{scope.item.py}.kids" if scope.item.kind == "node" else None
        return None
    if last.axis == "attribute" and isinstance(expr, Slash) and expr.left == Slash(Root(), DESCEND):
        return f"({tag!r} in s.document.by_attribute)"
    base = t.code(expr.left, scope) if isinstance(expr, Slash) else scope.item
    if base is None or base.kind != "node" or (base.place is not None and last.axis == "child"):
        return None
    slot = "kids" if last.axis == "child" else "attributes"
    if base.card != "*":
        return f"({tag!r} in {base.py}.{slot})"
    name = t.name("x")
    return f"any({tag!r} in {name}.{slot} for {name} in {base.py})"
