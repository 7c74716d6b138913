"""The function library of XPath 2.0, constructors, ``key()`` and the functions a rule set brings.

Governed by XQuery 1.0 and XPath 2.0 Functions and Operators. A function that is not here is refused by
name. A rule set's own function is translated anew for each combination of argument types it is called
with, so that its body is typed too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from formats.schematron.code import (
    ATOMIC,
    EMPTY,
    EXACT,
    NUMBERS,
    TEXTS,
    Code,
    Untranslatable,
    atoms,
    boxed,
    cast,
    convert,
    items,
    join,
    literal,
    single,
    strict,
    text,
)
from formats.schematron.model import Bind, Choose, Function, Give, Let, Step
from formats.schematron.syntax import FN, XS, Call, Expr, Literal, parse, sequence_type
from formats.schematron.syntax import Step as PathStep

if TYPE_CHECKING:
    from formats.schematron.translate import Scope, Translator

Maker = Callable[["Translator", tuple[Expr, ...], "Scope"], Code]
_LIBRARY: dict[str, tuple[int, int, Maker]] = {}
_MANY = 99


def code(t: Translator, call: Call, scope: Scope) -> Code:
    """The translation of a call."""
    if call.uri == XS:
        return _constructor(t, call, scope)
    if call.uri == FN:
        fewest, most, make = _LIBRARY.get(call.name, (1, 0, _absent))
        if not fewest <= len(call.arguments) <= most:
            raise Untranslatable(f"the function {call.name}() with {len(call.arguments)} arguments")
        return make(t, call.arguments, scope)
    return _own(t, call, scope)


def _absent(_t: Translator, _arguments: tuple[Expr, ...], _scope: Scope) -> Code:
    raise Untranslatable("a function that is not known")


def _function(name: str, fewest: int, most: int) -> Callable[[Maker], Maker]:
    def register(make: Maker) -> Maker:
        _LIBRARY[name] = (fewest, most, make)
        return make

    return register


def _constructor(t: Translator, call: Call, scope: Scope) -> Code:
    if call.name not in ATOMIC or len(call.arguments) != 1:
        raise Untranslatable(f"xs:{call.name}()")
    return cast(t.code(call.arguments[0], scope), ATOMIC[call.name])


# --- truth and number of items -------------------------------------------------------------------------


@_function("true", 0, 0)
def _true(_t: Translator, _arguments: tuple[Expr, ...], _scope: Scope) -> Code:
    return literal(True)


@_function("false", 0, 0)
def _false(_t: Translator, _arguments: tuple[Expr, ...], _scope: Scope) -> Code:
    return literal(False)


@_function("not", 1, 1)
def _not(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"(not {t.truth(arguments[0], scope)})", "bool")


@_function("boolean", 1, 1)
def _boolean(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(t.truth(arguments[0], scope), "truth")


def _there(t: Translator, expr: Expr, scope: Scope) -> str:
    found = strict(t.code(expr, scope))
    if found.kind in ("node", "attr", "text"):
        return t.truth(expr, scope)
    if found.kind == "none":
        return "False"
    return {"1": "True", "?": f"({found.py} is not None)", "*": f"any_item({found.py})"}[found.card]


@_function("exists", 1, 1)
def _exists(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(_there(t, arguments[0], scope), "truth")


@_function("empty", 1, 1)
def _empty(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"(not {_there(t, arguments[0], scope)})", "bool")


@_function("count", 1, 1)
def _count(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = t.code(arguments[0], scope)
    if found.card == "1":
        return Code("1", "int")
    return Code(f"len({items(found)})", "int")


@_function("position", 0, 0)
def _position(_t: Translator, _arguments: tuple[Expr, ...], scope: Scope) -> Code:
    if scope.position is None:
        raise Untranslatable("position() outside a predicate")
    return Code(scope.position, "int")


@_function("last", 0, 0)
def _last(_t: Translator, _arguments: tuple[Expr, ...], scope: Scope) -> Code:
    if scope.size is None:
        raise Untranslatable("last() outside a predicate")
    return Code(scope.size, "int")


@_function("current", 0, 0)
def _current(_t: Translator, _arguments: tuple[Expr, ...], scope: Scope) -> Code:
    if scope.current is None:
        raise Untranslatable("current() where there is no current node")
    return scope.current


@_function("root", 0, 0)
def _root(_t: Translator, _arguments: tuple[Expr, ...], _scope: Scope) -> Code:
    return Code("s.document", "node")


@_function("exactly-one", 1, 1)
def _exactly_one(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = strict(t.code(arguments[0], scope))
    return found if found.card == "1" else Code(f"exactly_one({items(found)})", found.kind)


@_function("zero-or-one", 1, 1)
def _zero_or_one(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = strict(t.code(arguments[0], scope))
    return (
        Code(f"at_most_one({items(found)})", found.kind, "*", found.ordered) if found.card == "*" else found
    )


@_function("data", 1, 1)
def _data(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return atoms(t.code(arguments[0], scope))


@_function("reverse", 1, 1)
def _reverse(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = _in_order(t.code(arguments[0], scope))
    return Code(f"list({items(found)})[::-1]", found.kind, "*", False)


@_function("distinct-values", 1, 1)
def _distinct_values(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = atoms(t.code(arguments[0], scope))
    if found.kind in TEXTS | {"int", "dec"}:
        return Code(f"list(dict.fromkeys({items(found)}))", found.kind, "*", False)
    return Code(f"distinct_values({boxed(found).py})", "any", "*", False)


@_function("index-of", 2, 2)
def _index_of(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    among, wanted = (boxed(atoms(t.code(one, scope))).py for one in arguments)
    return Code(f"index_of({among}, {wanted})", "int", "*")


@_function("subsequence", 2, 3)
def _subsequence(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = _in_order(strict(t.code(arguments[0], scope)))
    rest = ", ".join(_double(t, one, scope) for one in arguments[1:])
    return Code(f"subsequence({items(found)}, {rest})", found.kind, "*", found.ordered)


@_function("deep-equal", 2, 2)
def _deep_equal(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    left, right = (strict(t.code(one, scope)) for one in arguments)
    if {left.kind, right.kind} & {"node", "attr", "text"}:
        raise Untranslatable("deep-equal() of nodes")
    return Code(f"deep_equal({boxed(left).py}, {boxed(right).py})", "bool")


def _in_order(found: Code) -> Code:
    if found.kind == "node" and not found.ordered:
        return Code(f"in_order({found.py})", "node", "*")
    return found


# --- text --------------------------------------------------------------------------------------------


def _context(scope: Scope) -> Code:
    if scope.item is None:
        raise Untranslatable("the context item where there is none")
    return scope.item


def _text(t: Translator, expr: Expr, scope: Scope) -> str:
    return text(t.code(expr, scope))


def _text_or_context(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> str:
    if not arguments:
        found = _context(scope)
        return text(found) if found.kind in ("node", "attr", "text") else _as_text(found)
    return _text(t, arguments[0], scope)


def _as_text(found: Code) -> str:
    made = cast(found, "str")
    return made.py if made.card == "1" else f"({made.py} or '')"


@_function("string", 0, 1)
def _string(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = t.code(arguments[0], scope) if arguments else _context(scope)
    if found.const is not None and isinstance(found.const, str):
        return found
    return Code(text(found) if found.kind in ("node", "attr", "text") else _as_text(found), "str")


@_function("normalize-space", 0, 1)
def _normalize_space(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    if arguments and isinstance(arguments[0], Literal) and isinstance(arguments[0].value, str):
        return literal(" ".join(arguments[0].value.split()))
    found = _text_or_context(t, arguments, scope)
    if found.startswith("value_or_empty("):
        return Code(f"node_words({found.removeprefix('value_or_empty(')}", "str")
    return Code(f"normalize_space({found})", "str")


@_function("string-length", 0, 1)
def _string_length(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"len({_text_or_context(t, arguments, scope)})", "int")


@_function("upper-case", 1, 1)
def _upper_case(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"{_text(t, arguments[0], scope)}.upper()", "str")


@_function("lower-case", 1, 1)
def _lower_case(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"{_text(t, arguments[0], scope)}.lower()", "str")


@_function("concat", 2, _MANY)
def _concat(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = [t.code(one, scope) for one in arguments]
    if all(isinstance(one.const, str) for one in found):
        return literal("".join(str(one.const) for one in found))
    return Code("(" + " + ".join(_piece(one) for one in found) + ")", "str")


def _piece(found: Code) -> str:
    if found.kind in TEXTS | {"node", "attr", "text", "none"}:
        return text(found)
    return _as_text(found)


@_function("string-join", 1, 2)
def _string_join(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = atoms(_in_order(t.code(arguments[0], scope)))
    between = _text(t, arguments[1], scope) if len(arguments) > 1 else "''"
    if found.kind in TEXTS:
        return Code(f"{between}.join({items(found)})", "str")
    return Code(f"{between}.join(text_of(v) for v in {boxed(found).py})", "str")


def _two_texts(python: str, kind: str = "bool") -> Maker:
    def make(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
        if len(arguments) > 2:
            raise Untranslatable("a collation")
        first, second = _text(t, arguments[0], scope), _text(t, arguments[1], scope)
        return Code(python.format(first, second), kind)

    return make


_LIBRARY["contains"] = (2, 3, _two_texts("({1} in {0})"))
_LIBRARY["starts-with"] = (2, 3, _two_texts("{0}.startswith({1})"))
_LIBRARY["ends-with"] = (2, 3, _two_texts("{0}.endswith({1})"))
_LIBRARY["substring-before"] = (2, 3, _two_texts("substring_before({0}, {1})", "str"))
_LIBRARY["substring-after"] = (2, 3, _two_texts("substring_after({0}, {1})", "str"))
_LIBRARY["compare"] = (2, 3, _two_texts("compare_texts({0}, {1})", "int"))


@_function("substring", 2, 3)
def _substring(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    first = _text(t, arguments[0], scope)
    limits = [one.value if isinstance(one, Literal) else None for one in arguments[1:]]
    if all(isinstance(one, int) and one >= 1 for one in limits):
        start = int(limits[0] or 1) - 1
        end = str(start + int(limits[1] or 0)) if len(limits) > 1 else ""
        return Code(f"{first}[{start}:{end}]", "str")
    rest = ", ".join(_double(t, one, scope) for one in arguments[1:])
    return Code(f"substring({first}, {rest})", "str")


def _double(t: Translator, expr: Expr, scope: Scope) -> str:
    found = single(t.code(expr, scope))
    if found.kind in NUMBERS and found.card == "1":
        return found.py
    return convert(found, sequence_type("xs:double", {})).py


@_function("translate", 3, 3)
def _translate(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    first = _text(t, arguments[0], scope)
    found = [t.code(one, scope) for one in arguments[1:]]
    if all(isinstance(one.const, str) for one in found):
        return Code(f"{first}.translate({_table(str(found[0].const), str(found[1].const))!r})", "str")
    return Code(f"translate({first}, {text(found[0])}, {text(found[1])})", "str")


def _table(source: str, target: str) -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for place, character in enumerate(source):
        table.setdefault(ord(character), target[place] if place < len(target) else None)
    return table


@_function("matches", 2, 3)
def _matches(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"matches({_regex(t, arguments, scope, 2)})", "bool")


@_function("replace", 3, 4)
def _replace(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"replaced({_regex(t, arguments, scope, 3)})", "str")


@_function("tokenize", 2, 3)
def _tokenize(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = [t.code(one, scope) for one in arguments]
    consts = [one.const for one in found]
    if len(found) == 2 and all(isinstance(one, str) for one in consts):
        from formats.schematron.regex import tokens

        return literal(tuple(tokens(str(consts[0]), str(consts[1]), "")))
    return Code(f"tokens({_regex(t, arguments, scope, 2)})", "str", "*")


def _regex(t: Translator, arguments: tuple[Expr, ...], scope: Scope, least: int) -> str:
    given = [_text(t, one, scope) for one in arguments]
    return ", ".join(given if len(given) > least else [*given, "''"])


@_function("string-to-codepoints", 1, 1)
def _string_to_codepoints(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    return Code(f"[ord(c) for c in {_text(t, arguments[0], scope)}]", "int", "*")


@_function("codepoints-to-string", 1, 1)
def _codepoints_to_string(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = atoms(t.code(arguments[0], scope))
    return Code(f"codepoints_text({items(found)})", "str")


def _name(python: str) -> Maker:
    def make(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
        found = t.code(arguments[0], scope) if arguments else _context(scope)
        if found.kind != "node":
            raise Untranslatable(f"the name of {found.kind} items")
        if found.card == "1":
            return Code(python.format(found.py), "str")
        return Code(f"first_name({items(found)}, lambda x: {python.format('x')})", "str")

    return make


_LIBRARY["name"] = (0, 1, _name("{0}.name()"))
_LIBRARY["local-name"] = (0, 1, _name("local({0}.shape.tag)"))
_LIBRARY["namespace-uri"] = (0, 1, _name("uri({0}.shape.tag)"))


# --- numbers ------------------------------------------------------------------------------------------


@_function("number", 0, 1)
def _number(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = single(t.code(arguments[0], scope) if arguments else _context(scope))
    if found.kind == "none":
        return Code("nan", "dbl")
    if found.kind in ("int", "dbl") and found.card == "1":
        return Code(f"double({found.py})", "dbl")
    py = f"number_of({found.py})" if found.card == "1" else f"number_or_nan({found.py})"
    return Code(py, "dbl")


@_function("sum", 1, 1)
def _sum(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    found = atoms(t.code(arguments[0], scope))
    if found.kind in EXACT and found.card == "*":
        return Code(f"sum({found.py})", found.kind)
    if found.kind in ("dbl", "unt"):
        return Code(f"total({boxed(found).py})", "any")
    return Code(f"total({boxed(found).py})", "any")


def _numeric(python: str) -> Maker:
    def make(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
        found = single(t.code(arguments[0], scope))
        if found.kind == "none":
            return EMPTY
        found = cast(found, "dbl") if found.kind == "unt" else found
        if found.kind in NUMBERS and found.card == "1":
            return Code(f"{python}({found.py})", found.kind)
        if found.kind in NUMBERS:
            return Code(f"opt({python}, {found.py})", found.kind, "?")
        return Code(f"opt_number({python}, {boxed(found).py})", "any", "?")

    return make


_LIBRARY["round"] = (1, 1, _numeric("round_half_up"))
_LIBRARY["floor"] = (1, 1, _numeric("floor"))
_LIBRARY["ceiling"] = (1, 1, _numeric("ceiling"))
_LIBRARY["abs"] = (1, 1, _numeric("abs"))


def _extreme(python: str) -> Maker:
    def make(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
        return Code(f"{python}({boxed(atoms(t.code(arguments[0], scope))).py})", "any", "?")

    return make


_LIBRARY["min"] = (1, 1, _extreme("smallest"))
_LIBRARY["max"] = (1, 1, _extreme("greatest"))
_LIBRARY["avg"] = (1, 1, _extreme("average"))


# --- keys and own functions ------------------------------------------------------------------------------


@_function("key", 2, 2)
def _key(t: Translator, arguments: tuple[Expr, ...], scope: Scope) -> Code:
    name = arguments[0].value if isinstance(arguments[0], Literal) else None
    key = t.declared.keys.get(str(name))
    if key is None:
        raise Untranslatable(f"the key {name}")
    values = _key_values(t, arguments[1], scope)
    return Code(
        f"distinct([x for v in {values} for x in {_key_index(t, str(name))}.get(v, NONE)])", "node", "*"
    )


def _key_index(t: Translator, name: str) -> str:
    from formats.schematron.translate import Scope as Standing

    known = ("key", name, t.tolerant)
    if known not in t.user:
        key = t.declared.keys[name]
        match = parse(key.match, t.declared.namespaces)
        if not isinstance(match, PathStep) or match.predicates or match.axis != "child":
            raise Untranslatable(f"the key {name}, which matches {key.match}")
        everywhere = parse(f"//{key.match}", t.declared.namespaces)
        among = t.code(everywhere, t.document_scope())
        use = parse(key.use, t.declared.namespaces)
        values = _key_values(t, use, Standing(Code("x", "node"), {}, current=Code("x", "node")))
        number = t.slot()
        t.lines.append(
            f"def m{number}(s, M):\n    v = M[{number}] = {{}}\n    for x in {among.py}:\n"
            f"        for k in set({values}):\n            v.setdefault(k, []).append(x)\n    return v\n"
        )
        t.user[known] = (str(number), EMPTY)
    number_text = t.user[known][0]
    return f"(M[{number_text}] if M[{number_text}] is not U else m{number_text}(s, M))"


def _key_values(t: Translator, expr: Expr, scope: Scope) -> str:
    found = atoms(t.code(expr, scope))
    if found.kind not in TEXTS:
        raise Untranslatable(f"a key of {found.kind} items")
    return items(found)


def _own(t: Translator, call: Call, scope: Scope) -> Code:
    function = t.declared.functions.get((call.uri, call.name, len(call.arguments)))
    if function is None:
        raise Untranslatable(f"the function {call.name}() with {len(call.arguments)} arguments")
    given = []
    for parameter, argument in zip(function.parameters, call.arguments, strict=True):
        wanted = sequence_type(parameter.type, t.declared.namespaces) if parameter.type else None
        given.append(strict(convert(t.code(argument, scope), wanted)))
    name, result = _specialised(t, call, function, given)
    passed = ", ".join(["s", "M", *(one.py for one in given)])
    return replace(result, py=f"{name}({passed})")


def _specialised(t: Translator, call: Call, function: Function, given: list[Code]) -> tuple[str, Code]:
    key = (call.uri, call.name, t.tolerant, tuple((one.kind, one.card) for one in given))
    if key not in t.user:
        name = t.name("f")
        if function.type:  # known before the body is, so that a function may call itself
            t.user[key] = (name, _declared(t, function.type))
        body, result = _body(t, function, given)
        parameters = ", ".join(["s", "M", *(f"a{place}" for place in range(len(given)))])
        t.lines.append(f"def {name}({parameters}):\n{body}    return {result.py}\n")
        t.user[key] = (name, replace(result, const=None))
    return t.user[key]


def _declared(t: Translator, type_text: str) -> Code:
    wanted = sequence_type(type_text, t.declared.namespaces)
    if wanted.name not in ATOMIC:
        raise Untranslatable(f"a function that returns {type_text}")
    return Code("", ATOMIC[wanted.name], {"": "1", "?": "?"}.get(wanted.occurs, "*"))


def _body(t: Translator, function: Function, given: list[Code]) -> tuple[str, Code]:
    from formats.schematron.translate import Scope as Standing

    variables = {
        parameter.name: Code(f"a{place}", one.kind, one.card, one.ordered)
        for place, (parameter, one) in enumerate(zip(function.parameters, given, strict=True))
    }
    lines: list[str] = []
    found = _steps(t, function.steps, Standing(None, variables), lines)
    if function.type:
        found = convert(found, sequence_type(function.type, t.declared.namespaces))
    return "".join(f"    {line}\n" for line in lines), strict(found)


def _steps(t: Translator, steps: tuple[Step, ...], scope: Scope, lines: list[str]) -> Code:
    """The items that steps give; variables are worked out when first used."""
    given: list[Code] = []
    for one in steps:
        match one:
            case Let():
                scope = scope.bind(one.name, _let(t, one, scope, lines))
            case Bind():
                value = _steps(t, one.steps, scope, lines)
                scope = scope.bind(one.name, _later(t, _typed(t, value, one.type), lines))
            case Give():
                found = strict(t.code(parse(one.select, t.declared.namespaces), scope))
                given.append(_words(found) if one.as_text else found)
            case Choose():
                given.append(_choice(t, one, scope, lines))
    if len(given) == 1:
        return given[0]
    if not given:
        return EMPTY
    return Code("[" + ", ".join(f"*{boxed(one).py}" for one in given) + "]", "any", "*", False)


def _words(found: Code) -> Code:
    return Code(f"' '.join(text_of(v) for v in {boxed(atoms(_in_order(found))).py})", "unt")


def _choice(t: Translator, choose: Choose, scope: Scope, lines: list[str]) -> Code:
    found = _steps(t, choose.otherwise, scope, lines)
    for test, steps in reversed(choose.branches):
        condition = t.truth(parse(test, t.declared.namespaces), scope)
        branch, found = join(_steps(t, steps, scope, lines), found)
        found = Code(f"({branch.py} if {condition} else {found.py})", found.kind, found.card, False)
    return found


def _let(t: Translator, let: Let, scope: Scope, lines: list[str]) -> Code:
    if let.text is not None:
        return Code(repr(let.text), "unt", const=let.text)
    value = t.code(parse(let.select or "()", t.declared.namespaces), scope)
    return _later(t, _typed(t, strict(value), let.type), lines)


def _typed(t: Translator, value: Code, type_text: str | None) -> Code:
    return convert(value, sequence_type(type_text, t.declared.namespaces)) if type_text else value


def _later(t: Translator, value: Code, lines: list[str]) -> Code:
    """A local variable that is worked out when first used."""
    if value.const is not None or value.kind == "none":
        return value
    cell, make = t.name("c"), t.name("l")
    py = value.py if value.card != "*" else f"as_list({value.py})"
    lines += [f"{cell} = [U]", f"def {make}():", f"    v = {cell}[0] = {py}", "    return v"]
    return replace(value, py=f"({cell}[0] if {cell}[0] is not U else {make}())")
