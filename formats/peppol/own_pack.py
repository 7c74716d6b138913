"""Our own rules for the Peppol layer, for a machine that has not fetched the official ones.

They are data (``billing.toml``) run by the engine of ``formats.schematron``; whoever runs them says
``ORIGIN`` in the report. The official file takes their place as soon as it is there.
"""

from __future__ import annotations

from pathlib import Path

from formats.schematron import compile as compiler
from formats.schematron import own
from formats.schematron.model import RuleSource
from formats.schematron.program import Program

RULESET = "PEPPOL-EN16931-UBL"  # what it stands in for
RELEASE = "3.0.21"
ORIGIN = "own pack"
PATH = Path(__file__).with_name("billing.toml")


def source() -> RuleSource:
    """The pack, ready to be compiled."""
    return own.read(PATH.read_bytes())


def program() -> Program:
    """The pack, compiled; takes about half a second."""
    return Program(compile(compiler.source_of(source()), str(PATH.name), "exec"))
