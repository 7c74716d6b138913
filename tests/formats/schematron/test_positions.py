"""Where a step asks for a position, it is the one among the nodes found from one node, not among all."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats import xml
from formats.schematron import engine

_DOCUMENT = b"<r><a><b>1</b><b>2</b></a><a><b>3</b></a><a/></r>"
_TESTS = {
    "string-join(a/b[1], ' ') = '1 3'": True,
    "string-join(a/b[last()], ' ') = '2 3'": True,
    "string-join(a/b[position() > 1], ' ') = '2'": True,
    "string-join((a/b)[1], ' ') = '1'": True,
    "string-join(a[1]/b, ' ') = '1 2'": True,
    "string-join(//a/b[2], ' ') = '2'": True,
    "count(a[2]) = 1 and count(a[4]) = 0": True,
    "string-join(a/b[1]/string(.), ' ') = '1 3'": True,
    "matches(a/b[1]/tokenize(., 'x')[last()], '1')": None,
    "matches(a/b[2]/tokenize(., 'x')[last()], '2')": True,
}


@pytest.mark.parametrize(("test", "holds"), _TESTS.items())
def test_a_position_is_counted_anew_below_each_parent(tmp_path: Path, test: str, holds: bool | None) -> None:
    file = tmp_path / "rules.sch"
    file.write_text(
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><pattern>'
        f'<rule context="/r"><assert id="R" test="{test.replace(">", "&gt;")}">no</assert></rule>'
        "</pattern></schema>"
    )
    rules = engine.load(file)
    assert isinstance(rules, engine.Compiled)
    fired = rules.run(engine.Subject(xml.parse(_DOCUMENT)))
    assert [bool(one.error) for one in fired] == {True: [], False: [False], None: [True]}[holds]
