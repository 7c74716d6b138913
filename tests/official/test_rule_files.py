"""Every rule file of the reference folder compiles, in each of its forms, and says the same in all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from formats import xml
from formats.schematron import engine
from formats.schematron.engine import BySaxon, Compiled, Subject
from formats.schematron.stylesheet import stylesheet_of
from tests.official.corpus import cases
from tests.official.sets import SOURCES, STYLESHEETS, rules

# asserts and reports of each file
ASSERTS = {
    "cen": 979,
    "peppol": 165,
    "xrechnung": 76,
    "T01": 330,
    "T16": 210,
    "T71": 59,
    "T76": 124,
    "T111": 82,
    "cen-1.3.14.1": 980,
    "peppol-3.0.19": 156,
}
Told = list[tuple[str, str, str, str | None]]


def told(found: engine.Rules, root: etree._Element) -> Told:
    """What fires: rule, severity, words (the forms differ in blanks around computed parts) and place."""
    tree = root.getroottree()
    return sorted(
        (one.rule, one.severity, "".join(one.message.split()), tree.getpath(one.element))
        for one in found.run(Subject(root))
    )


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_compiles_with_every_assert_in_it(shared: Path, name: str) -> None:
    found = rules(shared / "conformance", name)
    assert isinstance(found, Compiled)
    written = 0
    for part in SOURCES[name]:
        root = xml.parse((shared / "conformance" / part).read_bytes())
        written += sum(1 for _ in root.iter("{*}assert", "{*}report"))
    assert len(found.program.asserts) == ASSERTS[name] == written


@pytest.mark.parametrize("name", STYLESHEETS)
def test_the_published_xslt_says_the_same_as_the_source(shared: Path, name: str) -> None:
    conformance = shared / "conformance"
    source, published = rules(conformance, name), rules(conformance, name, "xslt")
    assert isinstance(published, Compiled)
    assert isinstance(source, Compiled)
    assert Counter(published.program.asserts) == Counter(source.program.asserts)
    found = [case for case in cases(conformance, every=23) if name in case.sets]
    assert [case.name for case in found if _differ(source, published, case.document)] == []


def _differ(one: engine.Rules, other: engine.Rules, document: bytes) -> bool:
    root = xml.parse(document)
    return told(one, root) != told(other, root)


@pytest.mark.parametrize("name", ["xrechnung", "T76"])
def test_saxon_reports_the_same_where_the_compiler_would_refuse(shared: Path, name: str) -> None:
    conformance = shared / "conformance"
    main = conformance / SOURCES[name][0]
    fallback = BySaxon(stylesheet_of(engine.source(main.read_bytes(), main)), "to be compared")
    found = [case for case in cases(conformance, every=31) if name in case.sets and not case.stopped()]
    assert len(found) > 0
    assert [case.name for case in found if _differ(rules(conformance, name), fallback, case.document)] == []


def test_what_is_not_known_is_refused_by_name_and_runs_by_saxon(tmp_path: Path) -> None:
    file = tmp_path / "odd.sch"
    file.write_text(
        """<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><pattern>
        <rule context="a"><assert id="A-1" test="namespace::x">first</assert></rule>
        <rule context="b"><assert id="B-1" flag="warning" test="@c = '1'">not
        <value-of select="@c"/></assert></rule>
        </pattern></schema>"""
    )
    found = engine.load(file)
    assert isinstance(found, BySaxon)
    assert found.refused == "the rule 'a' in pattern 1: A-1: the axis namespace"
    assert told(found, xml.parse(b"<r><a/><b c='1'/><b c='2'/></r>")) == [
        ("A-1", "error", "first", "/r/a"),
        ("B-1", "warning", "not2", "/r/b[2]"),
    ]


def test_the_compiled_copy_is_used_and_a_spoilt_one_is_not(shared: Path, tmp_path: Path) -> None:
    main = shared / "conformance" / SOURCES["T71"][0]
    first = engine.load(main, cache=tmp_path)
    assert isinstance(first, Compiled)
    (kept,) = tmp_path.glob("*.rules")
    before = kept.stat().st_mtime_ns
    second = engine.load(main, cache=tmp_path)
    assert isinstance(second, Compiled)
    assert second.program.asserts == first.program.asserts
    assert kept.stat().st_mtime_ns == before
    kept.write_bytes(kept.read_bytes()[:-10])
    assert isinstance(engine.load(main, cache=tmp_path), Compiled)
    assert kept.stat().st_mtime_ns != before
