"""Each file says what it is: a docstring on top, and a name that means something."""

from __future__ import annotations

import ast

from tests.house.source import modules, product

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}


def test_every_module_says_what_it_is() -> None:
    silent = [
        m.path for m in (*product(), *modules("tests")) if m.tree.body and not ast.get_docstring(m.tree)
    ]
    assert silent == []


def test_no_module_is_named_by_an_empty_word() -> None:
    empty = [
        m.path
        for m in (*product(), *modules("tests"))
        if EMPTY_WORDS & set(m.name.replace(".", "_").split("_"))
    ]
    assert empty == []
