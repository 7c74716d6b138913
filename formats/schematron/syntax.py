"""XPath 2.0 as a syntax tree.

Governed by W3C XPath 2.0 (second edition), appendix A. Names are resolved against the prefixes of
the rule set, so the tree does not depend on them and equal expressions are equal trees. Nothing is
evaluated here: what fails must fail when a document makes it fail, not while rules are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

XS = "http://www.w3.org/2001/XMLSchema"
FN = "http://www.w3.org/2005/xpath-functions"


class SyntaxFault(Exception):
    """The text is no XPath 2.0 we read; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``float`` is an xs:double."""

    value: str | int | Decimal | float

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __eq__(self, other: object) -> bool:
        # 1, 1.0 and 1e0 are equal to Python and three different things here.
        same = isinstance(other, Literal) and type(other.value) is type(self.value)
        return same and isinstance(other, Literal) and other.value == self.value


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """The context item, ``.``."""


@dataclass(frozen=True, slots=True)
class Root:
    """The document node, ``/``."""


@dataclass(frozen=True, slots=True)
class Commas:
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expr


@dataclass(frozen=True, slots=True)
class If:
    test: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class For:
    name: str
    items: Expr
    result: Expr


@dataclass(frozen=True, slots=True)
class Quantified:
    every: bool
    name: str
    items: Expr
    test: Expr


@dataclass(frozen=True, slots=True)
class TypeName:
    """A sequence type: ``name`` is an atomic type's local name, or a kind of node, or ``item``."""

    name: str
    occurs: str = ""
    node: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """``how`` is cast, castable, instance or treat."""

    how: str
    operand: Expr
    type: TypeName


@dataclass(frozen=True, slots=True)
class Call:
    """A function by namespace and local name."""

    uri: str
    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """What a step looks for. For kind ``name``: None stands for any namespace or any name."""

    kind: str
    uri: str | None = None
    local: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    axis: str
    test: Test
    predicates: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Slash:
    """``right`` for each item of ``left``."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Filter:
    base: Expr
    predicates: tuple[Expr, ...]


Expr = (
    Literal
    | Variable
    | Context
    | Root
    | Commas
    | Binary
    | Negative
    | If
    | For
    | Quantified
    | Cast
    | Call
    | Step
    | Slash
    | Filter
)

ANYTHING = Test("node")
DESCEND = Step("descendant-or-self", ANYTHING)

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_])
    |(?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
    |(?P<name>(?:[^\W\d][\w.\-·]*:)?(?:[^\W\d][\w.\-·]*)|[^\W\d][\w.\-·]*:\*|\*:[^\W\d][\w.\-·]*)
    |(?P<symbol>::|//|\.\.|<<|>>|<=|>=|!=|[()\[\]@,$/|+\-*=<>.?])""",
    re.VERBOSE,
)
_PREFIX_STAR = re.compile(r"[^\W\d][\w.\-·]*:\*")
_AXES = frozenset(
    "child descendant attribute self descendant-or-self following-sibling following parent ancestor"
    " preceding-sibling preceding ancestor-or-self namespace".split()
)
_KINDS = frozenset("node text comment processing-instruction element attribute document-node".split())
_GENERAL = frozenset(("=", "!=", "<", "<=", ">", ">="))
_VALUE = frozenset(("eq", "ne", "lt", "le", "gt", "ge", "is", "<<", ">>"))
_OPERAND_TYPES = frozenset(("number", "string"))

Token = tuple[str, str]


def parse(text: str, namespaces: Mapping[str, str]) -> Expr:
    """The tree of an expression; raises ``SyntaxFault``."""
    reader = _Reader(text, namespaces)
    tree = reader.expression()
    reader.expect_end()
    return tree


def sequence_type(text: str, namespaces: Mapping[str, str]) -> TypeName:
    """The tree of a sequence type such as ``xs:string?``; raises ``SyntaxFault``."""
    reader = _Reader(text, namespaces)
    found = reader.type_name()
    reader.expect_end()
    return found


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place = 0
    while place < len(text):
        if text.startswith("(:", place):
            place = _after_comment(text, place)
            continue
        star = _PREFIX_STAR.match(text, place)
        match = _TOKEN.match(text, place)
        if star:
            found.append(("name", star[0]))
            place = star.end()
        elif match:
            if match.lastgroup != "space":
                found.append((str(match.lastgroup), match[0]))
            place = match.end()
        else:
            raise SyntaxFault(f"{text[place : place + 20]!r} in {text!r}")
    found.append(("end", ""))
    return found


def _after_comment(text: str, place: int) -> int:
    depth = 0
    while place < len(text):
        if text.startswith("(:", place):
            depth, place = depth + 1, place + 2
        elif text.startswith(":)", place):
            depth, place = depth - 1, place + 2
            if not depth:
                return place
        else:
            place += 1
    raise SyntaxFault(f"a comment does not end in {text!r}")


class _Reader:
    """Recursive descent; one method per level of precedence."""

    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self._text = text
        self._namespaces = namespaces
        self._all = _tokens(text)
        self._place = 0
        self._depth = 0

    # --- tokens

    @property
    def _next(self) -> Token:
        return self._all[self._place]

    def _ahead(self, distance: int) -> str:
        place = self._place + distance
        return self._all[place][1] if place < len(self._all) else ""

    def _is(self, *words: str) -> bool:
        kind, text = self._next
        return text in words and kind in ("symbol", "name")

    def _take(self) -> str:
        text = self._next[1]
        self._place += 1
        return text

    def _accept(self, *words: str) -> str | None:
        return self._take() if self._is(*words) else None

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._fault(f"{word!r} expected")

    def expect_end(self) -> None:
        if self._next[0] != "end":
            raise self._fault("something is left over")

    def _fault(self, words: str) -> SyntaxFault:
        return SyntaxFault(f"{words} before {self._next[1]!r} in {self._text!r}")

    # --- expressions

    def expression(self) -> Expr:
        items = [self._single()]
        while self._accept(","):
            items.append(self._single())
        return items[0] if len(items) == 1 else Commas(tuple(items))

    def _single(self) -> Expr:
        self._depth += 1
        if self._depth > 200:
            raise self._fault("nested too deeply")
        try:
            if self._is("for", "some", "every") and self._ahead(1) == "$":
                return self._binding(self._take())
            if self._is("if") and self._ahead(1) == "(":
                return self._if()
            return self._or()
        finally:
            self._depth -= 1

    def _binding(self, word: str) -> Expr:
        bound: list[tuple[str, Expr]] = []
        while not bound or self._accept(","):
            self._expect("$")
            name = self._variable_name()
            self._expect("in")
            bound.append((name, self._single()))
        self._expect("return" if word == "for" else "satisfies")
        result = self._single()
        for name, items in reversed(bound):
            result = (
                For(name, items, result)
                if word == "for"
                else Quantified(word == "every", name, items, result)
            )
        return result

    def _if(self) -> Expr:
        self._take()
        self._expect("(")
        test = self.expression()
        self._expect(")")
        self._expect("then")
        then = self._single()
        self._expect("else")
        return If(test, then, self._single())

    def _left(self, words: tuple[str, ...], operand: Callable[[], Expr]) -> Expr:
        found = operand()
        while word := self._accept(*words):
            found = Binary(word, found, operand())
        return found

    def _or(self) -> Expr:
        return self._left(("or",), self._and)

    def _and(self) -> Expr:
        return self._left(("and",), self._comparison)

    def _comparison(self) -> Expr:
        left = self._range()
        if self._is(*_GENERAL, *_VALUE):
            return Binary(self._take(), left, self._range())
        return left

    def _range(self) -> Expr:
        left = self._additive()
        return Binary("to", left, self._additive()) if self._accept("to") else left

    def _additive(self) -> Expr:
        return self._left(("+", "-"), self._multiplicative)

    def _multiplicative(self) -> Expr:
        return self._left(("*", "div", "idiv", "mod"), self._union)

    def _union(self) -> Expr:
        found = self._intersect()
        while self._accept("|", "union"):
            found = Binary("|", found, self._intersect())
        return found

    def _intersect(self) -> Expr:
        return self._left(("intersect", "except"), self._typed)

    def _typed(self) -> Expr:
        found = self._unary()
        while self._is("instance", "treat", "castable", "cast"):
            how = self._take()
            self._expect("of" if how == "instance" else "as")
            found = Cast(how, found, self.type_name())
        return found

    def _unary(self) -> Expr:
        negative = False
        while sign := self._accept("-", "+"):
            negative ^= sign == "-"
        found = self._path()
        return Negative(found) if negative else found

    # --- paths

    def _path(self) -> Expr:
        if self._accept("//"):
            return self._rest(Slash(Slash(Root(), DESCEND), self._step()))
        if self._accept("/"):
            if not self._starts_step():
                return Root()
            return self._rest(Slash(Root(), self._step()))
        return self._rest(self._step())

    def _rest(self, left: Expr) -> Expr:
        while slash := self._accept("/", "//"):
            if slash == "//":
                left = Slash(left, DESCEND)
            left = Slash(left, self._step())
        return left

    def _starts_step(self) -> bool:
        kind, text = self._next
        return kind in ("name", *_OPERAND_TYPES) or text in ("@", "..", ".", "*", "(", "$")

    def _step(self) -> Expr:
        step = self._axis_step()
        if step is not None:
            return Step(step.axis, step.test, self._predicates())
        base = self._primary()
        predicates = self._predicates()
        return Filter(base, predicates) if predicates else base

    def _predicates(self) -> tuple[Expr, ...]:
        found = []
        while self._accept("["):
            found.append(self.expression())
            self._expect("]")
        return tuple(found)

    def _axis_step(self) -> Step | None:
        if self._accept(".."):
            return Step("parent", ANYTHING)
        if self._accept("@"):
            return Step("attribute", self._test("attribute"))
        kind, text = self._next
        if text in _AXES and self._ahead(1) == "::":
            axis = self._take()
            self._take()
            return Step(axis, self._test(axis))
        is_test = (kind == "name" and (self._ahead(1) != "(" or text in _KINDS)) or text == "*"
        if not is_test:
            return None
        axis = "attribute" if text == "attribute" and self._ahead(1) == "(" else "child"
        return Step(axis, self._test(axis))

    def _test(self, axis: str) -> Test:
        if self._accept("*"):
            return Test("name")
        kind, text = self._next
        if kind != "name":
            raise self._fault("a name expected")
        self._take()
        if text in _KINDS and self._accept("("):
            return self._kind_test(text, axis)
        return self._name_test(text, axis)

    def _kind_test(self, kind: str, axis: str) -> Test:
        name = None if self._is(")") else self._take()
        self._expect(")")
        if kind in ("element", "attribute"):
            return Test("name") if name in (None, "*") else self._name_test(str(name), axis)
        if name is not None:
            raise self._fault(f"{kind}() with a name is not read")
        return Test(kind)

    def _name_test(self, text: str, axis: str) -> Test:
        prefix, colon, local = text.rpartition(":")
        if not colon:
            return Test("name", "", local)  # no default namespace in these rule sets
        uri = None if prefix == "*" else self._uri(prefix)
        return Test("name", uri, None if local == "*" else local)

    def _uri(self, prefix: str) -> str:
        if prefix in self._namespaces:
            return self._namespaces[prefix]
        if prefix in ("xs", "xsd"):  # rule sets use them undeclared
            return XS
        if prefix == "fn":
            return FN
        raise self._fault(f"the prefix {prefix!r} is not declared")

    # --- primaries

    def _primary(self) -> Expr:
        kind, text = self._next
        if kind == "number":
            return _number(self._take())
        if kind == "string":
            quote = text[0]
            return Literal(self._take()[1:-1].replace(quote * 2, quote))
        if kind == "name":
            return self._call(self._take())
        if self._accept("$"):
            return Variable(self._variable_name())
        if self._accept("."):
            return Context()
        if self._accept("("):
            if self._accept(")"):
                return Commas(())
            inner = self.expression()
            self._expect(")")
            return inner
        raise self._fault("an expression expected")

    def _variable_name(self) -> str:
        if self._next[0] != "name":
            raise self._fault("a variable's name expected")
        return self._take()

    def _call(self, text: str) -> Expr:
        prefix, colon, local = text.rpartition(":")
        uri = self._uri(prefix) if colon else FN
        self._expect("(")
        arguments: list[Expr] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._single())
        return Call(uri, local, tuple(arguments))

    def type_name(self) -> TypeName:
        text = self._take()
        if self._accept("("):
            inner = "" if self._is(")") else self._take()
            self._expect(")")
            if inner not in ("", "*"):
                raise self._fault(f"{text}({inner}) is not read")
            return TypeName(text, self._accept("?", "*", "+") or "", node=text != "item")
        prefix, colon, local = text.rpartition(":")
        if not colon or self._uri(prefix) != XS:
            raise self._fault(f"the type {text} is not known")
        return TypeName(local, self._accept("?", "*", "+") or "")


def _number(text: str) -> Literal:
    if "e" in text or "E" in text:
        return Literal(float(text))
    return Literal(Decimal(text)) if "." in text else Literal(int(text))
