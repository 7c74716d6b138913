"""From an XPath tree to Python text: operators, choices, loops, variables and what is kept.

What depends only on the document (absolute paths, global variables, and anything relative to the
root element in a rule about the root) is worked out once per document: it becomes a function ``m7`` and
its result stays in ``M[7]``. Python text may be put anywhere in an expression, also into nested
comprehensions, so it never assigns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from formats.schematron import functions, paths
from formats.schematron.code import ATOMIC as ATOMIC_TYPES
from formats.schematron.code import (
    EMPTY,
    EXACT,
    FROM_TEXT,
    NUMBERS,
    TEXTS,
    Code,
    Untranslatable,
    atoms,
    boxed,
    cast,
    items,
    join,
    literal,
    single,
    strict,
    truth,
)
from formats.schematron.model import Function, Key
from formats.schematron.syntax import (
    FN,
    Binary,
    Call,
    Cast,
    Commas,
    Context,
    Expr,
    Filter,
    For,
    If,
    Literal,
    Negative,
    Quantified,
    Root,
    Slash,
    Step,
    Variable,
)

DOCUMENT = Code("s.document", "node")
ROOT_ELEMENT = Code("s.root", "node", place=())
_GENERAL = frozenset(("=", "!=", "<", "<=", ">", ">="))
_VALUE = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SWAPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_PYTHON = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OF_CONTEXT = frozenset(
    ("string", "normalize-space", "string-length", "number", "name", "local-name", "namespace-uri", "root")
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its context item, position, variables, and the rule's own node."""

    item: Code | None
    variables: Mapping[str, Code]
    position: str | None = None
    size: str | None = None
    current: Code | None = None

    def at(self, item: Code, position: str | None = None, size: str | None = None) -> Scope:
        """The same for another context item."""
        return replace(self, item=item, position=position, size=size)

    def bind(self, name: str, value: Code) -> Scope:
        """The same with one more variable."""
        return replace(self, variables={**self.variables, name: value})

    @property
    def fixed(self) -> bool:
        """Whether the context item is the same for the whole document."""
        return self.item in (DOCUMENT, ROOT_ELEMENT)


@lru_cache(maxsize=65_536)
def free(expr: Expr) -> frozenset[str]:
    """What an expression depends on: ``.``, ``#`` (position or size), ``current`` and ``$name``."""
    if isinstance(expr, Variable):
        return frozenset((f"${expr.name}",))
    if isinstance(expr, Context):
        return frozenset(".")
    if isinstance(expr, Step):
        return frozenset(".") | _outer(expr.predicates)
    if isinstance(expr, Slash):
        return free(expr.left) | (free(expr.right) - {".", "#"})
    if isinstance(expr, Filter):
        return free(expr.base) | _outer(expr.predicates)
    if isinstance(expr, For):
        return free(expr.items) | (free(expr.result) - {f"${expr.name}"})
    if isinstance(expr, Quantified):
        return free(expr.items) | (free(expr.test) - {f"${expr.name}"})
    if isinstance(expr, Call):
        return _free_of_call(expr)
    return frozenset().union(*map(free, parts(expr)))


def _outer(predicates: tuple[Expr, ...]) -> frozenset[str]:
    return frozenset().union(*(free(one) - {".", "#"} for one in predicates))


def _free_of_call(call: Call) -> frozenset[str]:
    found = frozenset[str]().union(*map(free, call.arguments))
    if call.uri == FN and not call.arguments:
        if call.name in _OF_CONTEXT:
            return found | {"."}
        if call.name in ("position", "last"):
            return found | {"#"}
        if call.name == "current":
            return found | {"current"}
    return found


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The operands of an expression that binds nothing."""
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, If):
        return (expr.test, expr.then, expr.otherwise)
    if isinstance(expr, Commas):
        return expr.items
    if isinstance(expr, Negative | Cast):
        return (expr.operand,)
    return ()


@dataclass
class Globals:
    """What a rule set declares for all its expressions."""

    variables: dict[str, Expr | Code] = field(default_factory=dict)
    functions: dict[tuple[str, str, int], Function] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)


class Translator:
    """Translates the expressions of one rule set; collects the functions they need in ``lines``."""

    def __init__(self, declared: Globals, wanted: frozenset[Expr] | None = None) -> None:
        self.declared = declared
        self.lines: list[str] = []
        self.places: dict[tuple[str, ...], int] = {}
        self.used: dict[tuple[Expr, bool], int] = {}
        self.kept: dict[tuple[Expr, bool, bool], tuple[int, Code]] = {}
        # Second thoughts: "and" and "or" that look at the other operand before they fail.
        self.tolerant = False
        self.slots = 0
        self.counting = True  # off for the rarely used one of two versions of a rule
        self.user: dict[object, tuple[str, Code]] = {}
        self._wanted = wanted
        self._names = 0
        self._busy: set[str] = set()

    # --- names

    def name(self, prefix: str) -> str:
        """A Python name not used yet."""
        self._names += 1
        return f"{prefix}{self._names}"

    def slot(self) -> int:
        """A place in the memory of one document."""
        self.slots += 1
        return self.slots - 1

    def document_scope(self, item: Code = DOCUMENT) -> Scope:
        """The scope of global variables."""
        return Scope(item, {}, current=item)

    # --- dispatch

    def code(self, expr: Expr, scope: Scope) -> Code:
        """The translation of an expression; raises ``Untranslatable``."""
        if self._keepable(expr, scope):
            return self._keep(expr, scope)
        return self._translate(expr, scope)

    def truth(self, expr: Expr, scope: Scope) -> str:
        """The effective boolean value of an expression as a condition."""
        if self._keepable(expr, scope):
            return truth(self._keep(expr, scope))
        if isinstance(expr, Slash | Step):
            found = paths.exists(self, expr, scope)
            if found is not None:
                return found
        return truth(self._translate(expr, scope))

    def _translate(self, expr: Expr, scope: Scope) -> Code:
        match expr:
            case Literal():
                return self._literal(expr)
            case Context():
                return self._context(scope)
            case Root():
                return DOCUMENT
            case Variable():
                return self._variable(expr.name, scope)
            case Step() | Slash() | Filter():
                return paths.code(self, expr, scope)
            case Binary():
                return self._binary(expr, scope)
            case Call():
                return functions.code(self, expr, scope)
            case If():
                return self._if(expr, scope)
            case For():
                return self._for(expr, scope)
            case Quantified():
                return self._quantified(expr, scope)
            case Commas():
                return self._commas(expr, scope)
            case Negative():
                return self._negative(expr, scope)
            case Cast():
                return self._cast(expr, scope)

    # --- what is kept per document

    def _keepable(self, expr: Expr, scope: Scope) -> bool:
        if not isinstance(expr, Slash | Filter | Binary | Call | For | Quantified | If | Cast):
            return False
        for name in free(expr):
            if name in (".", "current"):
                if not scope.fixed:
                    return False
            elif name == "#" or name[1:] in scope.variables or name[1:] not in self.declared.variables:
                return False
        key = (expr, scope.item == ROOT_ELEMENT and "." in free(expr))
        if self.counting:
            self.used[key] = self.used.get(key, 0) + (1 if scope.fixed else 2)  # a loop asks many times
        return self._wanted is None or expr in self._wanted

    def _keep(self, expr: Expr, scope: Scope) -> Code:
        at_root = scope.item == ROOT_ELEMENT and "." in free(expr)
        key = (expr, at_root, self.tolerant)
        if key not in self.kept:
            base = self.document_scope(scope.item if at_root and scope.item else DOCUMENT)
            if "." in free(expr) and not at_root:
                base = self.document_scope()
            self.kept[key] = self._kept(strict(self._translate(expr, base)))
        number, found = self.kept[key]
        if number < 0:
            return found
        return replace(found, py=f"(M[{number}] if M[{number}] is not U else m{number}(s, M))")

    def _kept(self, found: Code) -> tuple[int, Code]:
        if found.const is not None or found.place is not None or found.kind == "none":
            return -1, found
        number = self.slot()
        py = found.py
        if found.card == "*" and not py.startswith("["):
            py = f"as_list({py})"
        self.lines.append(f"def m{number}(s, M):\n    v = M[{number}] = {py}\n    return v\n")
        return number, replace(found, place=None)

    # --- leaves

    def _literal(self, expr: Literal) -> Code:
        if isinstance(expr.value, str | int):
            return literal(expr.value)
        if isinstance(expr.value, float):
            return Code(repr(expr.value), "dbl")
        return Code(f"Decimal({str(expr.value)!r})", "dec")

    def _context(self, scope: Scope) -> Code:
        if scope.item is None:
            raise Untranslatable("the context item where there is none")
        return scope.item

    def _variable(self, name: str, scope: Scope) -> Code:
        if name in scope.variables:
            return scope.variables[name]
        if name not in self.declared.variables:
            raise Untranslatable(f"the variable ${name}, which is not declared")
        value = self.declared.variables[name]
        if isinstance(value, Code):
            return value
        if name in self._busy:
            raise Untranslatable(f"the variable ${name}, which is defined by itself")
        self._busy.add(name)
        try:
            return self._global(value)
        finally:
            self._busy.discard(name)

    def _global(self, value: Expr) -> Code:
        scope = self.document_scope()
        if self._keepable(value, scope):
            return self._keep(value, scope)
        found = self._translate(value, scope)
        if found.const is not None or isinstance(value, Literal | Variable | Context | Root):
            return found
        key = (value, False, self.tolerant)
        if key not in self.kept:
            self.kept[key] = self._kept(strict(found))
        return self._keep(value, scope)

    # --- operators

    def _binary(self, expr: Binary, scope: Scope) -> Code:
        op = expr.op
        if op in ("and", "or"):
            return Code(
                self._choice(op, self.truth(expr.left, scope), self.truth(expr.right, scope)), "truth"
            )
        if op in _GENERAL:
            return self.general(op, self.code(expr.left, scope), self.code(expr.right, scope))
        if op in _VALUE:
            return self._value(_VALUE[op], self.code(expr.left, scope), self.code(expr.right, scope))
        left, right = self.code(expr.left, scope), self.code(expr.right, scope)
        if op in ("|", "intersect", "except", "is", "<<", ">>"):
            return paths.combine(op, left, right)
        if op == "to":
            return Code(f"span({_number(left, 'int').py}, {_number(right, 'int').py})", "int", "*")
        return arithmetic(op, left, right)

    def _choice(self, op: str, left: str, right: str) -> str:
        """``and`` and ``or``, of which one operand may decide although the other fails.

        XPath 2.0 section 3.6 leaves that open; Saxon does so. It is worth its price only once something
        has failed.
        """
        if not self.tolerant or not _may_fail(left):
            return f"({left} {op} {right})"
        return f"{'either' if op == 'or' else 'both_hold'}(lambda: {left}, lambda: {right})"

    def general(self, op: str, left: Code, right: Code) -> Code:
        """A general comparison."""
        left, right = atoms(left), atoms(right)
        if "none" in (left.kind, right.kind):
            return literal(False)
        if left.kind in TEXTS and right.kind in TEXTS:
            return Code(_compare_texts(op, left, right), "bool")
        if left.kind in NUMBERS and right.kind in NUMBERS:
            return Code(_compare_many(op, *_same_numbers(left, right)), "bool")
        if left.kind == right.kind and left.kind in ("bool", "day"):
            return Code(_compare_many(op, left, right), "bool")
        if right.kind == "unt" and left.kind in FROM_TEXT:
            left, right, op = right, left, _SWAPPED[op]
        if left.kind == "unt" and right.kind in FROM_TEXT:
            return Code(_compare_many(op, *_from_text(op, left, right)), "bool")
        return Code(f"general({op!r}, {boxed(left).py}, {boxed(right).py})", "bool")

    def _value(self, op: str, left: Code, right: Code) -> Code:
        left, right = single(left), single(right)
        if "none" in (left.kind, right.kind):
            return EMPTY
        alike = (left.kind in TEXTS and right.kind in TEXTS) or (left.kind == right.kind != "any")
        if alike and left.card == right.card == "1":
            return Code(f"({left.py} {_PYTHON[op]} {right.py})", "bool")
        return Code(f"value_opt({op!r}, {boxed(left).py}, {boxed(right).py})", "bool", "?")

    def _negative(self, expr: Negative, scope: Scope) -> Code:
        operand = single(self.code(expr.operand, scope))
        if operand.kind == "unt":
            operand = cast(operand, "dbl")
        if operand.kind in NUMBERS and operand.card == "1":
            return Code(f"(-{operand.py})", operand.kind)
        return arithmetic("-", Code("0", "int"), operand)

    # --- choices and loops

    def _if(self, expr: If, scope: Scope) -> Code:
        test = self.truth(expr.test, scope)
        then, otherwise = join(self.code(expr.then, scope), self.code(expr.otherwise, scope))
        py = f"({then.py} if {test} else {otherwise.py})"
        return Code(py, then.kind, then.card, then.ordered and otherwise.ordered)

    def _for(self, expr: For, scope: Scope) -> Code:
        found = self.code(expr.items, scope)
        name = self.name("x")
        result = self.code(expr.result, scope.bind(expr.name, _one_of(found, name)))
        if result.kind == "none":
            return EMPTY
        result = strict(result)
        if result.card == "1":
            return Code(f"[{result.py} for {name} in {items(found)}]", result.kind, "*", False)
        inner = self.name("y")
        py = f"[{inner} for {name} in {items(found)} for {inner} in {items(result)}]"
        return Code(py, result.kind, "*", False)

    def _quantified(self, expr: Quantified, scope: Scope) -> Code:
        if not expr.every:
            found = self._membership(expr, scope)
            if found is not None:
                return found
        among = self.code(expr.items, scope)
        name = self.name("x")
        test = self.truth(expr.test, scope.bind(expr.name, _one_of(among, name)))
        word = "all" if expr.every else "any"
        return Code(f"{word}({test} for {name} in {items(among)})", "bool")

    def _membership(self, expr: Quantified, scope: Scope) -> Code | None:
        """``some $c in S satisfies E = $c`` is ``E = S``."""
        test, name = expr.test, Variable(expr.name)
        if not isinstance(test, Binary) or test.op != "=":
            return None
        for one, other in ((test.left, test.right), (test.right, test.left)):
            if one == name and f"${expr.name}" not in free(other):
                return self.general("=", self.code(other, scope), self.code(expr.items, scope))
        return None

    def _commas(self, expr: Commas, scope: Scope) -> Code:
        if not expr.items:
            return EMPTY
        codes = [strict(self.code(item, scope)) for item in expr.items]
        if all(isinstance(code.const, str) for code in codes):
            return literal(tuple(str(code.const) for code in codes))
        kinds = {code.kind for code in codes}
        if len(kinds) > 1:
            codes = [boxed(code) for code in codes]
        inner = ", ".join(code.py if code.card == "1" else f"*{items(code)}" for code in codes)
        return Code(f"[{inner}]", codes[0].kind, "*", False)

    def _cast(self, expr: Cast, scope: Scope) -> Code:
        wanted = expr.type
        if wanted.node or wanted.name not in ATOMIC_TYPES or expr.how in ("instance", "treat"):
            raise Untranslatable(f"{expr.how} with {wanted.name}")
        kind = ATOMIC_TYPES[wanted.name]
        operand = self.code(expr.operand, scope)
        if expr.how == "cast":
            found = cast(operand, kind)
            return (
                found
                if wanted.occurs == "?" or found.card == "1"
                else replace(found, py=f"must({found.py})", card="1")
            )
        return Code(f"castable({boxed(atoms(operand)).py}, {kind!r}, {wanted.occurs == '?'})", "bool")

    # --- places

    def at(self, place: tuple[str, ...]) -> str:
        """The elements at a path of names below the root element."""
        if not place:
            return "[s.root]"
        number = self.places.setdefault(place, len(self.places))
        return f"s.groups.get(s.at[{number}], NONE)"


_CALLED = re.compile(r"([A-Za-z_]\w*)\(")
_NEVER_FAILS = frozenset(
    "normalize_space len any all get startswith endswith upper lower texts items bool union distinct in_order"
    " local uri name as_list node_list opt_list everything all_nodes set join substring_before"
    " substring_after Untyped opt_value family below strip if in and or not for".split()
)


def _may_fail(py: str) -> bool:
    """Whether an expression may raise an error of XPath."""
    return not set(_CALLED.findall(py)) <= _NEVER_FAILS


def _one_of(code: Code, name: str) -> Code:
    """One item of a sequence, under a name."""
    return Code(name, strict(code).kind)


def _number(code: Code, kind: str) -> Code:
    code = single(code)
    if code.kind == "unt":
        code = cast(code, kind)
    if code.kind == "any":
        return Code(f"any_integer({code.py})", kind, "?")
    return code


def _as_double(code: Code) -> Code:
    if code.kind == "dbl":
        return code
    if isinstance(code.const, int):
        return Code(repr(float(code.const)), "dbl")
    if code.card == "1":
        return Code(f"double({code.py})", "dbl")
    return Code(f"[double(v) for v in {items(code)}]", "dbl", "*")


def _same_numbers(left: Code, right: Code) -> tuple[Code, Code]:
    if "dbl" in (left.kind, right.kind):
        return _as_double(left), _as_double(right)
    return left, right


def _from_text(op: str, left: Code, right: Code) -> tuple[Code, Code]:
    """Untyped texts as what they are compared with, and that."""
    kind, name = right.kind, FROM_TEXT[right.kind]
    if kind in NUMBERS:
        # Saxon goes by the least and the greatest of several numbers, as numbers.
        ranges = right.card == "*" and op not in ("=", "!=")
        name = FROM_TEXT["dbl"] if ranges else "beside_whole" if kind == "int" else "beside_double"
        right = _as_double(right)
        if kind == "dbl" and not ranges:
            right = _signed(right)
        kind = "dbl"
    return Code(f"({name}(v) for v in {items(left)})", kind, "*"), right


def _signed(code: Code) -> Code:
    if code.card == "1":
        return Code(f"signed({code.py})", "dbl")
    return Code(f"[signed(v) for v in {items(code)}]", "dbl", "*")


def _compare_texts(op: str, left: Code, right: Code) -> str:
    if op == "=" and "*" in (left.card, right.card):
        if left.card == "*" and right.card != "*":
            left, right = right, left
        if left.card == "1":
            return f"({left.py} in {_container(right)})"
        if left.card == "?":
            return f"({left.py} in {_container(right)})"
        return f"meet({left.py}, {_container(right)})"
    return _compare_many(op, left, right)


def _container(code: Code) -> str:
    if isinstance(code.const, tuple):
        return "{" + ", ".join(map(repr, sorted(set(code.const)))) + "}" if code.const else "()"
    return code.py


def _compare_many(op: str, left: Code, right: Code) -> str:
    sign = _PYTHON[op]
    if left.card == right.card == "1":
        return f"({left.py} {sign} {right.py})"
    if op == "=" and {left.card, right.card} == {"1", "?"}:
        return f"({left.py} == {right.py})"
    if left.card == "*" and right.card == "1":
        return f"any_{_WORDS[op]}({left.py}, {right.py})"
    return f"some({op!r}, {items(left)}, {items(right)})"


_EXACT_OPT = {"+": "plus", "-": "minus", "*": "times"}
_WORDS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def arithmetic(op: str, left: Code, right: Code) -> Code:
    """``left op right`` with at most one item each."""
    left, right = single(left), single(right)
    if "none" in (left.kind, right.kind):
        return EMPTY
    left = cast(left, "dbl") if left.kind == "unt" else left
    right = cast(right, "dbl") if right.kind == "unt" else right
    kind = _result(op, left.kind, right.kind)
    if left.card == right.card == "1" and left.kind in EXACT and right.kind in EXACT:
        if op in "+-*":
            return Code(f"({left.py} {op} {right.py})", kind)
        if op == "div":
            return Code(f"divide({left.py}, {right.py})", kind)
    if left.card == right.card == "1" and kind == "dbl" and op in "+-*":
        return Code(f"({_as_double(left).py} {op} {_as_double(right).py})", kind)
    if kind == "any" or (left.kind not in NUMBERS or right.kind not in NUMBERS):
        return Code(f"compute({op!r}, {boxed(left).py}, {boxed(right).py})", "any", "?")
    if left.kind in EXACT and right.kind in EXACT and op in "+-*":
        return Code(f"{_EXACT_OPT[op]}({left.py}, {right.py})", kind, "?")
    both = left.card == right.card == "1"
    py = (
        f"compute_opt({op!r}, {left.py}, {right.py})"
        if not both
        else (f"arithmetic({op!r}, {left.py}, {right.py})")
    )
    return Code(py, kind, "1" if both else "?")


def _result(op: str, left: str, right: str) -> str:
    if "any" in (left, right):
        return "any"
    if op == "idiv":
        return "int"
    if "dbl" in (left, right):
        return "dbl"
    return "int" if left == right == "int" and op != "div" else "dec"
