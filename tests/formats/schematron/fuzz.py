"""``python -m tests.formats.schematron.fuzz SECONDS [SEED]``: anything but a refusal or a verdict is a fault.

Spoils documents byte by byte and rule files expression by expression, in turn. Every round is told by the
seed and its number, which make it again.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from formats import rulesets, xml
from formats.limits import TooMuch
from formats.schematron import compile as compiler
from formats.schematron import document, read_sch
from formats.schematron.code import Untranslatable
from formats.schematron.model import Unreadable
from formats.schematron.program import Program
from formats.validation import Validator
from o2c.errors import Refused
from tests.official.corpus import cases

_BITS = (
    b"<",
    b">",
    b"&",
    b'"',
    b"'",
    b"\0",
    b"\xff",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?a?>",
    b" ",
    b"9",
    b"-",
    b"xmlns",
)
_WORDS = (
    "(",
    ")",
    "[",
    "]",
    "/",
    "//",
    "..",
    ".",
    "@",
    "$",
    "and",
    "or",
    "=",
    "!=",
    "1",
    "'a'",
    "*",
    "not(",
    "|",
    "to",
)


def main() -> int:
    """Run for so many seconds; exit 1 at the first fault."""
    seconds, seed = float(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else str(time.time_ns())
    conformance = Path(__file__).parents[4] / "shared" / "conformance"
    documents = [case.document for case in cases(conformance, "examples") if len(case.document) < 60_000]
    sources = [path.read_bytes() for path in conformance.rglob("PEPPOLBIS-T71.sch")]
    cache = Path("/tmp") / "o2c-fuzz"
    rulesets.fetch(conformance, cache)
    validator = Validator(cache)
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        hand = random.Random(f"{seed}-{number}")
        try:
            if number % 20:
                _document(hand, documents, validator)
            else:
                _rules(hand, sources, documents)
        except Exception as fault:
            print(f"seed {seed} round {number}: {type(fault).__name__}: {fault}")
            raise
        number += 1
    print(f"seed {seed}: {number} rounds, no fault")
    return 0


def _spoilt(hand: random.Random, content: bytes) -> bytes:
    for _ in range(hand.choice((1, 1, 2, 5, 20))):
        place = hand.randrange(len(content))
        cut = hand.choice((0, 0, 1, 5, 50))
        content = (
            content[:place] + hand.choice((*_BITS, b"")) * hand.choice((1, 1, 3)) + content[place + cut :]
        )
    return content


def _document(hand: random.Random, documents: list[bytes], validator: Validator) -> None:
    try:
        report = validator.validate(
            _spoilt(hand, hand.choice(documents)), sets=("cen", "peppol", "xrechnung")
        )
    except Refused:
        return
    report.as_json()
    for one in report.findings:
        if "could not be computed" in one.message:
            # Errors of XPath have a code; one of ours has a Python name.
            assert "Error: " not in one.message or "(" in one.message.rpartition("Error: ")[2], one.message


def _rules(hand: random.Random, sources: list[bytes], documents: list[bytes]) -> None:
    text = hand.choice(sources).decode()
    places = [place for place in range(len(text)) if text.startswith('test="', place)]
    place = hand.choice(places) + 6
    end = text.index('"', place)
    inside = text[place:end].split(" ")
    inside.insert(hand.randrange(len(inside) + 1), hand.choice(_WORDS))
    spoilt = text[:place] + " ".join(inside) + text[end:]
    try:
        source = read_sch.read(spoilt.encode())
        program = Program(compile(compiler.source_of(source), "fuzz", "exec"))
    except (Unreadable, Untranslatable):
        return
    try:
        program.run(document.read(xml.parse(hand.choice(documents))))
    except TooMuch:
        return


if __name__ == "__main__":
    sys.exit(main())
