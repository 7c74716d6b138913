"""The JSON Schema of a rule file, made from the vocabulary: what an editor offers and underlines.

Governed by JSON Schema draft 2020-12. It knows every word and the form of every cell, so it finds what
is written wrongly; what only the whole file can show (overlaps, rules that never decide, tests that
fail) is found by loading it. Nothing valid is refused, whichever way a YAML reader took a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from o2c.errors import Refused
from rules.document import Entries, Faults, Items, Node, Text, read, unknown
from rules.phrases import LANGUAGES
from rules.vocabulary import POLICIES, WHOLE, Fact, Kind, Policy
from rules.vocabulary.action import Action

Schema = dict[str, Any]

_NUMBERS = {
    Kind.DAYS: r"-?[0-9]+( ?(d|day|days))?",
    Kind.COUNT: r"-?[0-9]+",
    Kind.MONEY: r"-?[0-9]+(\.[0-9]{1,3})?( [A-Z]{3})?",
    Kind.PERCENT: r"-?[0-9]+(\.[0-9]{1,2})? ?%",
    Kind.QUANTITY: r"-?[0-9]+(\.[0-9]{1,6})?",
}
_ID: Schema = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"}
_TEXT: Schema = {"type": ["string", "number"]}
_WORD: Schema = {"type": "string", "pattern": r"^[a-z][a-z0-9_]*$"}


def json_schema(policy: str, language: str = "en", *, derived: Iterable[str] = ()) -> Schema:
    """The schema of files of ``policy``, described in ``language`` (en, de, nb).

    ``derived`` are the names a file gives to facts of its own. Raises ``Refused`` with the code
    ``policy`` or ``language`` for an unknown one.
    """
    if policy not in POLICIES:
        raise Refused("policy", unknown(policy, "policy", POLICIES))
    if language not in LANGUAGES:
        raise Refused("language", unknown(language, "language", LANGUAGES))
    return _Maker(POLICIES[policy], language, tuple(derived)).schema()


def plain(content: bytes) -> Any:
    """A rule file as plain data, every scalar a text as written: what the schema is held against.
    ``Refused('rulebook-invalid')`` if it is no YAML mapping."""
    return _plain(read(content, Faults("the rule file")))


def _plain(node: Node) -> Any:
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Items):
        return [_plain(item) for item in node.values]
    assert isinstance(node, Entries)
    return {key.value: _plain(value) for key, value in node.values}


class _Maker:
    """Makes the schema of one policy in one language."""

    def __init__(self, policy: Policy, language: str, derived: Sequence[str]) -> None:
        self._policy = policy
        self._language = language
        self._derived = derived

    def schema(self) -> Schema:
        """All of it."""
        outcome = {"enum": list(self._policy.outcomes)}
        listed = {"type": "array", "items": outcome, "uniqueItems": True, "minItems": 1}
        properties: dict[str, Schema] = {
            "policy": {"const": self._policy.name},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "strictest_first": listed,
            "otherwise": outcome,
            "rules": _list(self._rule()),
            "derived": _list(self._derivation()),
            "tables": _list(self._table()),
            "tests": _list(self._test()),
        }
        head = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self._policy.labels[self._language],
        }
        facts = self._policy.facts.values()
        definitions = {
            "when": _object({fact.name: self._cell(fact) for fact in facts} | self._own(), ()),
            "given": _object({fact.name: self._value(fact) for fact in facts}, ()),
        }
        body = _object(properties, ("policy", "strictest_first", "otherwise"))
        return {**head, **body, "$defs": definitions}

    def _own(self) -> Schema:
        """The file's own facts: each yes or no."""
        return {name: {"type": "string", "pattern": _choices(("yes", "no"))} for name in self._derived}

    def _rule(self) -> Schema:
        properties = {"id": _ID, "when": _reference("when"), "then": self._outcome()} | self._actions()
        return _object(properties, ("id", "when", "then"))

    def _derivation(self) -> Schema:
        spoken = _object(dict.fromkeys(LANGUAGES, _TEXT), ())
        means = {"anyOf": [_TEXT, spoken]}
        return _object({"id": _ID, "fact": _WORD, "when": _reference("when"), "means": means},
                       ("id", "fact", "when"))  # fmt: skip

    def _table(self) -> Schema:
        columns = {"enum": ["then", *self._policy.actions, *self._policy.facts, *self._derived]}
        cell = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
        properties: dict[str, Schema] = {
            "id": _ID,
            "hit": {"enum": ["unique", "first", "collect"]},
            "complete": {"enum": ["yes", "no"]},
            "columns": {
                "type": "array",
                "items": columns,
                "uniqueItems": True,
                "contains": {"const": "then"},
            },
            "rows": {"type": "array", "items": {"type": "array", "items": cell}},
        }
        return _object(properties, ("id", "hit", "columns", "rows"))

    def _test(self) -> Schema:
        properties = {"name": _TEXT, "given": _reference("given"), "expect": self._outcome(), "by": _TEXT}
        return _object(properties, ("name", "given", "expect"))

    def _outcome(self) -> Schema:
        meant = {name: words[self._language] for name, words in self._policy.outcome_labels.items()}
        words = "; ".join(f"{name}: {label}" for name, label in meant.items())
        return {"enum": list(self._policy.outcomes), "description": words}

    def _actions(self) -> Schema:
        return {name: self._action(action) for name, action in self._policy.actions.items()}

    def _action(self, action: Action) -> Schema:
        allowed: list[Schema] = [{"enum": [*action.values, "-"]}]
        if action.pattern:
            # Python's \w is every letter; the patterns of JSON Schema know only those of English.
            pattern = (
                action.pattern.replace(r"\w", r"\p{L}\p{N}_") if r"\p" in action.pattern else action.pattern
            )
            allowed.append({"type": "string", "pattern": f"^({pattern})$"})
            allowed.append({"type": "number"})
        return {"anyOf": allowed, "description": action.labels[self._language]}

    # --- cells -----------------------------------------------------------------------------------
    def _described(self, fact: Fact) -> str:
        label = fact.labels[self._language]
        return f"{label} ({fact.unit})" if fact.unit else label

    def _cell(self, fact: Fact) -> Schema:
        """What may stand beside a field: one test, or a list of tests that must all be true."""
        one = self._words(fact) if fact.words else self._tests(fact)
        return {
            "anyOf": [*one, {"type": "array", "items": {"anyOf": one}}],
            "description": self._described(fact),
        }

    def _words(self, fact: Fact) -> list[Schema]:
        return [{"enum": [*fact.words, "-"]}, {"type": "string", "pattern": _choices(fact.words)}]

    def _tests(self, fact: Fact) -> list[Schema]:
        number, sign = _NUMBERS[fact.kind], "(<=|>=|<|>|=)"
        others = "|".join(
            name for name, one in self._policy.facts.items() if one.kind is fact.kind and one is not fact
        )
        interval = rf"[\[(] *{number} *\.\. *{number} *[\])]"
        single = rf"(({sign} *)?{number}|{interval})"
        forms = ["-", f"(not )?{single}(, {single})*", *([f"({sign} *)?({others})"] if others else [])]
        allowed: list[Schema] = [{"type": "string", "pattern": f"^({'|'.join(forms)})$"}]
        return allowed + self._bare(fact)

    def _value(self, fact: Fact) -> Schema:
        """What a test may give for a fact."""
        if fact.words:
            return {"enum": list(fact.words), "description": self._described(fact)}
        allowed = [{"type": "string", "pattern": f"^{_NUMBERS[fact.kind]}$"}, *self._bare(fact)]
        return {"anyOf": allowed, "description": self._described(fact)}

    def _bare(self, fact: Fact) -> list[Schema]:
        """A number without a unit, which a YAML reader may have taken for one."""
        if fact.kind is Kind.PERCENT:
            return []
        return [{"type": "integer" if fact.kind in WHOLE else "number"}]


def _choices(words: Iterable[str]) -> str:
    either = "|".join(re.escape(word) for word in words)
    return rf"^(-|(not )?(= *)?({either})(, (= *)?({either}))*)$"


def _object(properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _list(items: Schema) -> Schema:
    return {
        "type": ["array", "null", "string"],
        "items": items,
        "maxLength": 0,
    }  # "rules:" with nothing below


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
