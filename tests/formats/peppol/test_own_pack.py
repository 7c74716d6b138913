"""Our own Peppol pack against the official rules of the same release: the same verdicts, nearly always.

The pack stands in where the official file is not at hand. Both run by the same engine; the documents
are the published unit tests and examples, and many changed ones. ``O2C_MUTATIONS=20000`` changes more.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from formats import xml
from formats.peppol import own_pack
from formats.schematron import document
from formats.schematron.program import Program
from tests.formats.peppol.changed import changed
from tests.official.corpus import cases
from tests.official.sets import program

ROOT = Path(__file__).parents[3]
SEED = 2026
COUNT = int(os.environ.get("O2C_MUTATIONS", "500"))
Fired = Counter[tuple[str, str]]


@lru_cache(maxsize=1)
def pack() -> Program:
    return own_pack.program()


def fired(rules: Program, content: bytes) -> Fired:
    """(rule, severity) and how often; what could not be computed counts as an error of its rule."""
    found = rules.run(document.read(xml.parse(content)))
    return Counter((one.rule, "error" if one.error else one.severity) for one in found)


def valid(found: Fired) -> bool:
    return not any(severity == "error" for _, severity in found)


def test_the_pack_has_every_rule_of_the_release(shared: Path) -> None:
    assert set(pack().asserts) == set(program(shared / "conformance", "peppol").asserts)
    assert len(set(pack().asserts)) == 165


def test_on_the_published_documents_the_same_rules_fire_as_often(shared: Path) -> None:
    found = [case for case in cases(shared / "conformance") if "peppol" in case.sets]
    official = program(shared / "conformance", "peppol")
    differing = [c.name for c in found if fired(pack(), c.document) != fired(official, c.document)]
    assert (len(found), differing) == (269, [])


def test_on_changed_documents_the_verdict_is_the_official_one(shared: Path) -> None:
    sources = [
        c.document for c in cases(shared / "conformance") if "peppol" in c.sets and len(c.document) > 1500
    ]
    official = program(shared / "conformance", "peppol")
    same, differing = 0, Counter[str]()
    for content in changed(sources, COUNT, SEED):
        ours, theirs = fired(pack(), content), fired(official, content)
        same += valid(ours) == valid(theirs)
        differing.update({rule for rule, _ in (ours - theirs) | (theirs - ours)})
    print(f"seed {SEED}: {same} of {COUNT} verdicts are equal; rules that differ: {dict(differing)}")
    assert same >= 0.995 * COUNT
    assert set(differing) <= documented(), "name what differs in the documentation"


def documented() -> set[str]:
    """The rules that the documentation says may differ."""
    page = (ROOT / "docs" / "own-peppol-pack.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z0-9-]+)`", page, re.MULTILINE))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("PEPPOL-EN16931-R120", "The line comes to 2800, not to 1"),
        ("PEPPOL-COMMON-R040", "abc is no GLN"),
    ],
)
def test_a_finding_says_what_it_saw(shared: Path, rule: str, words: str) -> None:
    (example,) = (c for c in cases(shared / "conformance", "examples/base-example.xml"))
    root = xml.parse(example.document)
    root.find(".//{*}InvoiceLine/{*}LineExtensionAmount").text = "1"  # type: ignore[union-attr]
    root.find(".//{*}EndpointID").text = "abc"  # type: ignore[union-attr]
    found = {one.rule: one.message for one in pack().run(document.read(root))}
    assert found[rule].startswith(words)
