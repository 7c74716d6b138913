"""A translated expression: Python text with its static type, and the changes between types.

How values of a kind look in the generated program:

    kind   one item           item of XPath 2.0
    node   document.Node      an element or the document
    attr   str                an attribute, by its value
    text   str                a text node, by its value
    unt    str                xs:untypedAtomic
    str bool int dec dbl day  the Python value (see ``values``); dec may hold an int
    truth  anything           xs:boolean by Python's truth value: good for conditions only
    any    see ``values``     type known only at run time; nodes as Node, untyped as Untyped

``card`` tells how many: "1" the item itself, "?" the item or None (for a node: or ``NOTHING``), "*" a
list. ``ordered`` is false where a list of nodes may be out of document order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from formats.schematron.syntax import TypeName


class Untranslatable(Exception):
    """The compiler does not know this construct; the text names it."""


NODES = frozenset(("node", "attr", "text"))
TEXTS = frozenset(("str", "unt"))
EXACT = frozenset(("int", "dec"))
NUMBERS = frozenset(("int", "dec", "dbl"))
ATOMIC = {
    "string": "str",
    "boolean": "bool",
    "decimal": "dec",
    "integer": "int",
    "double": "dbl",
    "date": "day",
    "untypedAtomic": "unt",
    "float": "dbl",
    "int": "int",
    "long": "int",
    "positiveInteger": "int",
    "nonNegativeInteger": "int",
}
CASTS = {
    "str": "text_of",
    "bool": "boolean",
    "dec": "decimal",
    "int": "integer",
    "dbl": "double",
    "day": "day",
    "unt": "text_of",
}
FROM_TEXT = {
    "bool": "boolean_of",
    "dec": "decimal_of",
    "int": "integer_of",
    "dbl": "double_of",
    "day": "day_of",
}

Const = str | int | tuple[str, ...] | bool


@dataclass(frozen=True, slots=True)
class Code:
    """``py`` is an expression. ``const`` is its value where it is a known text, number or list of texts.

    ``place`` is set where the list is exactly the elements at these names below the root element.
    """

    py: str
    kind: str
    card: str = "1"
    ordered: bool = True
    const: Const | None = None
    place: tuple[str, ...] | None = None


EMPTY = Code("()", "none", "*")


def literal(value: Const) -> Code:
    """A constant."""
    if isinstance(value, tuple):
        return Code(repr(value), "str", "*", const=value)
    kind = {str: "str", bool: "bool", int: "int"}[type(value)]
    return Code(repr(value), kind, "1", const=value)


def items(code: Code) -> str:
    """The items as an iterable expression."""
    if code.card == "*":
        return code.py
    if code.card == "1":
        return f"({code.py},)"
    if code.kind == "node":
        return f"node_list({code.py})"
    if code.kind == "dec" and code.py.startswith("node_decimal("):
        return f"node_decimals({code.py.removeprefix('node_decimal(')}"
    return f"opt_list({code.py})"


def strict(code: Code) -> Code:
    """A truth value as a real xs:boolean."""
    return replace(code, py=f"bool({code.py})", kind="bool") if code.kind == "truth" else code


def boxed(code: Code) -> Code:
    """The same items for code that does not know their type, as a list."""
    code = strict(code)
    if code.kind in ("attr", "text", "unt"):
        return Code(f"[Untyped(v) for v in {items(code)}]", "any", "*", code.ordered)
    return Code(items(code), "any", "*", code.ordered)


def atoms(code: Code) -> Code:
    """Atomised (fn:data)."""
    if code.kind == "node":
        if code.card == "1":
            return Code(f"{code.py}.value", "unt", "1")
        if code.card == "?":
            return Code(f"opt_value({code.py})", "unt", "?")
        return Code(f"[v.value for v in {code.py}]", "unt", "*", code.ordered)
    if code.kind in ("attr", "text"):
        return replace(code, kind="unt", place=None)
    if code.kind == "any":
        return Code(f"data({items(code)})", "any", "*", code.ordered)
    return strict(code)


def single(code: Code) -> Code:
    """At most one atomic item; more is a dynamic error."""
    if code.kind == "node" and code.card == "*":
        return Code(f"one_value({code.py})", "unt", "?")
    code = atoms(code)
    if code.card == "*":
        return Code(f"one({code.py})", code.kind, "?")
    return code


def text(code: Code) -> str:
    """For a parameter xs:string?: the text, '' where there is none."""
    if code.kind == "none":
        return "''"
    if code.kind == "node" and code.card == "*":
        return f"value_or_empty({code.py})"
    code = atoms(code)
    if code.kind in TEXTS:
        if code.card == "1":
            return code.py
        return f"({code.py} or '')" if code.card == "?" else f"text_or_empty({code.py})"
    if code.kind == "any":
        return f"any_text({code.py})"
    return f"not_text({items(code)})"


def truth(code: Code) -> str:
    """The effective boolean value as a condition."""
    if code.kind == "node":
        if code.card == "1":
            return "True"
        return code.py if code.card == "*" else f"({code.py} is not NOTHING)"
    if code.kind in ("attr", "text"):
        return {"1": "True", "?": f"({code.py} is not None)", "*": code.py}[code.card]
    if code.kind in ("bool", "truth", "str", "unt", "int", "dec", "none"):
        if code.card != "*" or code.kind == "none":
            return code.py
        return f"one({code.py})" if code.kind != "int" else f"effective({code.py})"
    if code.kind == "dbl" and code.card != "*":
        return f"double_truth({code.py})"
    return f"effective({boxed(code).py})"


def cast(code: Code, kind: str) -> Code:
    """``xs:kind(code)``: at most one item, which is cast; '?' where there may be none."""
    if kind == "dec" and code.kind == "node" and code.card == "*":
        return Code(f"node_decimal({code.py})", kind, "?")
    code = single(code)
    if code.kind == kind or code.kind == "none":
        return Code("None", kind, "?") if code.kind == "none" else code
    name = FROM_TEXT.get(kind) if code.kind in TEXTS else None
    if kind == "str" and code.kind in TEXTS:
        return replace(code, kind="str")
    if kind == "dec" and code.kind == "int":
        return replace(code, kind="dec", const=None)
    name = name or CASTS[kind]
    if code.card == "1":
        return Code(f"{name}({code.py})", kind)
    return Code(f"opt({name}, {code.py})", kind, "?")


def convert(code: Code, wanted: TypeName | None) -> Code:
    """The function conversion rules: ``code`` as what a parameter or result of this type takes."""
    if wanted is None or (wanted.name == "item" and not wanted.node) or wanted.name == "anyAtomicType":
        return code
    if wanted.node or wanted.name not in ATOMIC:
        raise Untranslatable(f"the type {wanted.name}")
    kind = ATOMIC[wanted.name]
    if wanted.occurs in ("*", "+"):
        return Code(f"convert_all({boxed(atoms(code)).py}, {kind!r})", kind, "*", code.ordered)
    return _convert_one(code, kind, optional=wanted.occurs == "?")


def _convert_one(code: Code, kind: str, *, optional: bool) -> Code:
    code = single(code)
    if code.kind == "none":
        return Code("None", kind, "?") if optional else Code("missing()", kind)
    if code.kind == "unt" or (code.kind in EXACT and kind == "dbl") or (code.kind == "int" and kind == "dec"):
        code = cast(code, kind)
    elif code.kind != kind:
        found = f"convert_one({boxed(code).py}, {kind!r})"
        return Code(found, kind, "?") if optional else Code(f"must({found})", kind)
    if code.card == "?" and not optional:
        return Code(f"must({code.py})", kind)
    return code


def join(a: Code, b: Code) -> tuple[Code, Code]:
    """Two codes of one type, for the branches of a choice."""
    a, b = strict(a), strict(b)
    if a.kind == "none" and b.kind != "none":
        b, a = join(b, a)
        return a, b
    if b.kind == "none" and a.kind != "none":
        many = Code(items(a), a.kind, "*", a.ordered)
        return many, Code("()", a.kind, "*")
    if a.kind in EXACT and b.kind in EXACT:
        kind = "int" if a.kind == b.kind else "dec"
        a, b = replace(a, kind=kind), replace(b, kind=kind)
    if a.kind != b.kind:
        return boxed(a), boxed(b)
    if a.card == b.card:
        return a, b
    if "*" in (a.card, b.card) or a.kind == "node":
        return Code(items(a), a.kind, "*", a.ordered), Code(items(b), b.kind, "*", b.ordered)
    return replace(a, card="?"), replace(b, card="?")
