"""Names of companies and people as banks write them, and when two of them mean the same.

Case, accents, transliteration and punctuation never matter; the legal form does: ``Kern GmbH`` and
``Kern KG`` are two customers. A name a bank cut at 35 or 70 signs is compared as far as it goes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_FORMS = (
    "ab aps ag as asa bv co eg ek ev gbr gmbh inc kb kg kgaa ks llc llp lp ltd mbh nv og ohg oy oyj"
    " plc sa sarl sas sca se spa srl ua ug corp pte pty sro doo kft zrt nuf da ans"
)
_LEGAL_FORMS = frozenset(_FORMS.split())
_LONG_FORMS = (
    ("gesellschaft mit beschrankter haftung", "gmbh"),
    ("gesellschaft mbh", "gmbh"),
    ("ges mbh", "gmbh"),
    ("gesmbh", "gmbh"),
    ("offene handelsgesellschaft", "ohg"),
    ("kommanditgesellschaft", "kg"),
    ("aktiengesellschaft", "ag"),
    ("aktieselskab", "as"),
    ("aksjeselskap", "as"),
    ("aktiebolag", "ab"),
    ("incorporated", "inc"),
    ("limited", "ltd"),
    ("eingetragener verein", "ev"),
)
_LONG_START = re.compile(r"gesell|ges mbh|gesmbh|offene h|kommandit|aktie|aksje|incorp|limited|eingetr")
_CUT_FORM = re.compile(
    r" (?:gesellschaft(?: m(?:i|it)?(?: b\w*(?: h\w*)?)?)?|gesells?c?h?a?f?|aktienges\w*|kommanditg\w*)$"
)
_LONG_WORDS = ("gesellschaft", "aktiengesellschaft", "kommanditgesellschaft", "aktieselskab", "aktiebolag")
_LETTERS = str.maketrans({"ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_DOTS = str.maketrans("", "", "./'’`")
_NO_WORD = re.compile(r"[\W_]+")
_PAIRS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))
_BLOCK = 24  # signs of a name by which it is looked up: any cut of a bank leaves these
_CUTS = frozenset({33, 34, 35, 68, 69, 70})
_MOST_ROTATIONS = 5


@dataclass(frozen=True, slots=True)
class Name:
    """A folded name: its words without the legal form, the form, and all of it in one piece."""

    words: tuple[str, ...]
    form: str
    whole: str
    is_cut: bool = False


def name_key(name: str) -> str:
    """A name as it is compared, the legal form kept in its short spelling: ``kern gmbh``."""
    return " ".join(_folded(name))


def bare_name_key(name: str) -> str:
    """What a name is looked up by: the first 24 letters of its words without the legal form."""
    words = _folded(name)
    return ("".join(word for word in words if word not in _LEGAL_FORMS) or "".join(words))[:_BLOCK]


@lru_cache(maxsize=16384)
def parsed(name: str) -> Name:
    """The parts of a name."""
    words = _folded(name)
    bare = tuple([word for word in words if word not in _LEGAL_FORMS])
    forms = "".join([word for word in words if word in _LEGAL_FORMS]) if len(bare) < len(words) else ""
    cut = len(name.rstrip()) in _CUTS
    return Name(bare or tuple(words), forms if bare else "", "".join(words), cut)


@lru_cache(maxsize=16384)
def lookup_keys(name: str) -> tuple[str, ...]:
    """Every ``bare_name_key`` under which the customer so called may be on file: words in any rotation."""
    paid = parsed(name)
    words = _without_cut_form(paid) if paid.is_cut else paid.words
    count = len(words) if len(words) <= _MOST_ROTATIONS else 1
    keys = tuple(["".join(words[at:] + words[:at])[:_BLOCK] for at in range(count)])
    # Of the last word of a cut name little may be left: "KRAUS GMB".
    return (*keys, "".join(words[:-1])[:_BLOCK]) if paid.is_cut and len(words) > 1 else keys


def agree(paid: Name, known: Name) -> bool:
    """Whether a payer's name can be that of a customer on file. Two different legal forms never agree."""
    if paid.is_cut:
        if known.whole.startswith(paid.whole):
            return True
        if (words := _without_cut_form(paid)) != paid.words:
            paid = Name(words, "", paid.whole)
    if paid.form and known.form and paid.form != known.form:
        return False
    if paid.words == known.words:
        return True
    return "".join(paid.words) == "".join(known.words) or sorted(paid.words) == sorted(known.words)


def _without_cut_form(paid: Name) -> tuple[str, ...]:
    """The words before a long legal form of which the bank left only the beginning."""
    *words, last = paid.words
    if words and any(long.startswith(last) for long in _LONG_WORDS):
        return tuple(words)
    return tuple(_CUT_FORM.sub("", " " + " ".join(paid.words)).split()) or paid.words


def alike(one: Name, other: Name) -> bool:
    """Whether two names share a word of weight: a hint, never proof."""
    return any(len(word) > 3 and word in other.words for word in one.words)


def _folded(name: str) -> list[str]:
    text = " ".join(filter(None, map(_folded_word, name.split())))
    if _LONG_START.search(text):
        for long, short in _LONG_FORMS:
            text = text.replace(long, short)
    words = text.split()
    return [word for word in words if word not in ("und", "and", "og")] if len(words) > 2 else words


@lru_cache(maxsize=16384)  # names are many, the words that they are made of are few
def _folded_word(word: str) -> str:
    low = word.casefold().translate(_DOTS)
    if not low.isascii():
        plain = unicodedata.normalize("NFKD", low.translate(_LETTERS))
        low = "".join(sign for sign in plain if not unicodedata.combining(sign))
    text = _NO_WORD.sub(" ", low).strip()
    for pair, single in _PAIRS:
        text = text.replace(pair, single)
    return text
