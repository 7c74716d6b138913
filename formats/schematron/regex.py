"""Regular expressions of XPath 2.0 with Python's engine.

Governed by Functions and Operators section 7.6.1. Python's engine tries again and again where
repetitions are nested, so a text on which such an expression could run away is a dynamic error.
"""

from __future__ import annotations

import re
from functools import lru_cache

from formats.schematron.values import Failure

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_PLAIN_ESCAPES = frozenset("\\|.?*+(){}-[]^$")
_SPACE = " \\t\\n\\r"
_LONGEST = 2_000  # characters an expression that may run away is tried on


def matches(text: str, pattern: str, flags: str) -> bool:
    """fn:matches."""
    compiled, risky = _compiled(pattern, flags)
    _bounded(text, pattern, risky)
    return compiled.search(text) is not None


def replaced(text: str, pattern: str, by: str, flags: str) -> str:
    """fn:replace."""
    compiled, risky = _compiled(pattern, flags)
    _bounded(text, pattern, risky)
    if compiled.match(""):
        raise Failure("FORX0003", f"{pattern!r} matches an empty text")
    return compiled.sub(_replacement(by, compiled.groups), text)


def tokens(text: str, pattern: str, flags: str) -> list[str]:
    """fn:tokenize."""
    compiled, risky = _compiled(pattern, flags)
    _bounded(text, pattern, risky)
    if compiled.match(""):
        raise Failure("FORX0003", f"{pattern!r} matches an empty text")
    if not text:
        return []
    found, place = [], 0
    for match in compiled.finditer(text):
        found.append(text[place : match.start()])
        place = match.end()
    return [*found, text[place:]]


def _bounded(text: str, pattern: str, risky: bool) -> None:
    if risky and len(text) > _LONGEST:
        raise Failure("FOER0000", f"a value of {len(text)} characters is too long for {pattern[:60]!r}")


@lru_cache(512)
def _compiled(pattern: str, flags: str) -> tuple[re.Pattern[str], bool]:
    unknown = set(flags) - _FLAGS.keys()
    if unknown:
        raise Failure("FORX0001", f"the flags {flags!r}")
    chosen = 0
    for flag in flags:
        chosen |= _FLAGS[flag]
    translated = _translated(pattern, chosen)
    try:
        compiled = re.compile(translated, chosen)
    except (re.error, OverflowError, RecursionError) as error:
        raise Failure("FORX0002", f"{pattern!r} is no regular expression: {error}") from None
    return compiled, _risky(pattern)


def _risky(pattern: str) -> bool:
    """Whether more than one repetition without an upper bound could share a text."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", pattern)
    repeated = re.findall(r"[*+]|\{\d+,\}", bare)
    anchored = bare.startswith("^") and ")" not in bare
    return len(repeated) > 1 or (len(repeated) == 1 and not anchored and ")" in bare)


def _translated(pattern: str, flags: int) -> str:
    """The expression in Python's syntax."""
    made: list[str] = []
    place, depth = 0, 0
    while place < len(pattern):
        character = pattern[place]
        if character == "\\":
            made.append(_escape(pattern, place, in_class=depth > 0))
            place += 2
            continue
        if character == "[":
            if depth:
                return _by_elementpath(pattern)  # a class taken away from a class
            depth += 1
        elif character == "]":
            depth -= 1
        elif not depth and character in ".$^":
            character = _outside_class(character, flags)
        made.append(character)
        place += 1
    text = "".join(made)
    if "\0" in text:
        return _by_elementpath(pattern)
    if re.search(r"\(\?(?!:)", re.sub(r"\\.", "x", pattern)):
        raise Failure("FORX0002", f"{pattern!r} is no regular expression of XPath")
    return text


def _outside_class(character: str, flags: int) -> str:
    if character == ".":
        return "." if flags & re.DOTALL else "[^\\n\\r]"
    if character == "$":
        return "$" if flags & re.MULTILINE else "\\Z"
    return character


def _escape(pattern: str, place: int, *, in_class: bool) -> str:
    letter = pattern[place + 1 : place + 2]
    if letter in ("n", "r", "t", "d", "D") or letter in _PLAIN_ESCAPES:
        return "\\" + letter
    if letter == "s":
        return _SPACE if in_class else f"[{_SPACE}]"
    if letter == "S" and not in_class:
        return f"[^{_SPACE}]"
    if letter.isdigit() and letter != "0" and not in_class:
        return "\\" + letter
    return "\0"  # rare: names, categories; elementpath knows them


def _by_elementpath(pattern: str) -> str:
    from elementpath.regex import RegexError, translate_pattern

    try:
        return str(translate_pattern(pattern, back_references=True, lazy_quantifiers=True, anchors=True))
    except RegexError as error:
        raise Failure("FORX0002", f"{pattern!r} is no regular expression: {error}") from None


def _replacement(by: str, groups: int) -> str:
    made, place = [], 0
    while place < len(by):
        character, following = by[place], by[place + 1 : place + 2]
        if character == "\\":
            if following not in ("\\", "$"):
                raise Failure("FORX0004", f"the replacement {by!r}")
            made.append("\\\\" if following == "\\" else "$")
            place += 2
        elif character == "$":
            if not following.isdigit():
                raise Failure("FORX0004", f"the replacement {by!r}")
            number = int(following)
            made.append(f"\\g<{number}>" if number <= groups else "")
            place += 2
        else:
            made.append(character)
            place += 1
    return "".join(made)
