"""What a file that is no YAML lacks, in words for the person who typed it.

The parser says where it gave up and on which sign; what was meant is nearly always one of a few slips.
"""

from __future__ import annotations

import re

_OUT_OF_PLACE = (
    "this colon is out of place: put a text with a colon in quotes, leave a blank after the colon of a key,"
    " and let the keys of one rule start in the same column."
)
_RANGE = 'brackets and commas of a range end the cell: put it in quotes, as in "(100 % .. 110 %]".'
# What the parser says, and what to do about it; the first that fits is told.
_ADVICE = (
    (r".*end of stream", "the quotation mark that opens here is never closed."),
    (r"but found another document", "a second document starts here (---); one file holds one policy."),
    (r"could not find expected ':'", "a colon is missing: each line reads 'key: value'."),
    (r"mapping values are not allowed here", _OUT_OF_PLACE),
    (r"expected ',' or '\}', but got '\]'|expected <block end>, but found ','", _RANGE),
    (r"expected ',' or '\}', but got '<scalar>'", "a comma or a quotation mark is missing before this place,"
     " or a text that holds quotation marks is not quoted."),
    (r"expected ',' or '\}'.*", "the brace { that opens here is never closed: a } is missing."),
    (r"expected ',' or '\]'.*", "the bracket [ that opens here is never closed: a ] is missing."),
    (r"expected <block end>.*", "the line starts in the wrong column: let lines of one level start alike."),
    (r"expected (a comment or a line break|chomping).*", 'put a cell that begins with > in quotes: "> 14".'),
    (r"found undefined alias.*", "anchors, aliases and tags (&, *, !) have no place in a rule file."),
)  # fmt: skip
_SIGNS = {
    "\\t": "a tab: indent with blanks.",
    "%": 'put a text that begins with % in quotes; a share is written "110 %".',
    "`": "put a text that begins with ` in quotes.",
}
_AT_CONTEXT = ("put a cell", "a colon is missing", "the quotation mark", "the brace", "the bracket")


def advice(problem: str) -> tuple[str, bool]:
    """What to do about the parser's ``problem``, and whether its context is the place to look at."""
    if sign := re.match(r"found character '(.+)' that cannot start any token", problem):
        start = f'put a cell that begins with {sign[1]} in quotes, as in "{sign[1]} 14".'
        return _SIGNS.get(sign[1], start), False
    for pattern, words in _ADVICE:
        if re.fullmatch(pattern, problem):
            return words, words.startswith(_AT_CONTEXT)
    return f"not valid YAML: {problem}.", False


def no_value(key: str) -> str:
    """What to do about an entry of ``{...}`` that has a key and no value."""
    if glued := re.fullmatch(r"([a-z_]+):(\S.*)", key):
        return f"a blank is missing after the colon: write {glued[1]}: {glued[2]}."
    if parted := re.fullmatch(r"([a-z_]+)\s*([\"'<>=].*|[=\s]\s*\S.*)", key):
        return f"a colon is missing: write {parted[1]}: {parted[2].lstrip('= ')}."
    words = (
        "a comma inside {...} starts a new entry; put a text with commas in quotes, and write numbers with"
    )
    return f"{key[:60]!r} has no value: {words} a decimal point (500.00)."
