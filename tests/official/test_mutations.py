"""Documents that a seeded hand made wrong: our engine and Saxon say the same, rule for rule.

The normal run takes a small sample. O2C_MUTATIONS=20000 takes as many documents, O2C_MUTATIONS_SEED another
seed; what differs is told with the seed and the number that make it again.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from formats import saxon, xml
from formats.schematron.engine import Subject
from tests.official.corpus import STOPPED, cases
from tests.official.mutate import mutant
from tests.official.sets import STYLESHEETS, rules

MUTATIONS = int(os.environ.get("O2C_MUTATIONS", "60"))
SEED = os.environ.get("O2C_MUTATIONS_SEED", "mutants")
_ID = re.compile(r'\sid="([^"]*)"')
_MOST_BYTES = 60_000  # of a document worth mutating


def valid_documents(conformance: Path) -> list[tuple[str, Any, tuple[str, ...]]]:
    """Names, trees and rule sets of documents that no rule has anything against."""
    found = []
    for case in cases(conformance):
        whole = case.name.endswith(("#", ".0"))
        if not case.fired and case.xsd is not False and whole and len(case.document) < _MOST_BYTES:
            sets = ("cen", "peppol", "xrechnung") if "cen" in case.sets else case.sets
            found.append((case.name, xml.parse(case.document), sets))
    return found


def verdict_of_saxon(conformance: Path, name: str, document: saxon.Document) -> Counter[str]:
    """Rules that fire by the published XSLT, with their times."""
    try:
        fired = document.fired(conformance / STYLESHEETS[name])
    except saxon.RunFailed:
        return Counter([STOPPED])
    return Counter(_ID.findall(one.partition(">")[0])[0] for one in fired)


def our_verdict(conformance: Path, name: str, subject: Subject) -> Counter[str]:
    """The same by our engine; what could not be computed stands for the whole set, as with Saxon."""
    fired = rules(conformance, name).run(subject)
    if any(one.error for one in fired):
        return Counter([STOPPED])
    return Counter(one.rule for one in fired)


def differences(conformance: Path, number: int) -> Iterator[str]:
    """Where both disagree on mutants of all valid documents, in turn."""
    documents = valid_documents(conformance)
    for place in range(number):
        name, root, sets = documents[place % len(documents)]
        made = mutant(root, f"{SEED}-{place}")
        subject = Subject(xml.parse(made.document))
        for one in sets:
            ours = our_verdict(conformance, one, subject)
            theirs = verdict_of_saxon(conformance, one, subject.saxon)
            if ours != theirs:
                yield f"{name} {SEED}-{place} ({made.words}): {one} {ours - theirs} {theirs - ours}"


@pytest.mark.filterwarnings("ignore")
def test_mutants_get_the_verdict_of_saxon(shared: Path) -> None:
    assert list(differences(shared / "conformance", MUTATIONS)) == []


# Differences that mutants have shown, as small as they go: element, what it becomes, the set.
FOUND = [
    # Saxon lets "or" be true by the other operand where one fails.
    ("LegalMonetaryTotal/PayableAmount", "", "peppol"),
    # XML Schema 1.1 has a year 0000.
    ("InvoicePeriod/StartDate", "0000-01-01", "cen"),
    # An untyped -0.0 is less than 0, and NaN is greater than any number.
    ("TaxTotal/TaxAmount", "-0.00", "peppol"),
    ("TaxTotal/TaxAmount", "-0.00", "xrechnung"),
    ("InvoiceLine/Price/PriceAmount", "-0.00", "cen"),
    ("InvoiceLine/Price/PriceAmount", "NaN", "cen"),
]


@pytest.mark.parametrize(("path", "value", "name"), FOUND)
def test_what_mutants_have_shown_stays_mended(shared: Path, path: str, value: str, name: str) -> None:
    conformance = shared / "conformance"
    looked_at = 0
    for case in cases(conformance, "ubl/examples"):
        root = xml.parse(case.document)
        element = root.find("/".join(f"{{*}}{step}" for step in path.split("/")))
        if element is None or len(case.document) > _MOST_BYTES:
            continue
        element.text = value
        looked_at += 1
        subject = Subject(xml.parse(etree.tostring(root)))
        assert our_verdict(conformance, name, subject) == verdict_of_saxon(conformance, name, subject.saxon)
    assert looked_at > 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["peppol", "xrechnung"])
def test_the_first_note_is_the_first_of_each_of_two_payment_terms(shared: Path, name: str) -> None:
    """BR-DE-18 gives fn:matches the first Note of each: one more than it takes, so both stop."""
    conformance = shared / "conformance"
    case = next(cases(conformance, "ubl-cn-br-de-18-freespace-test"))
    root = xml.parse(case.document)
    terms = root.find("{*}PaymentTerms")
    terms.addnext(deepcopy(terms))
    subject = Subject(xml.parse(etree.tostring(root)))
    assert our_verdict(conformance, name, subject) == Counter([STOPPED])
    assert verdict_of_saxon(conformance, name, subject.saxon) == Counter([STOPPED])
