"""The rule sets that the official verdicts speak of: sources for our engine, and the XSLT that Saxon runs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from formats.schematron import engine
from formats.schematron.program import Program

_PHIVE = "phax/phive-rules/phive-rules-{}/src/{}/resources/external"
_PEPPOL = _PHIVE.format("peppol", "test") + "/rule-source/openpeppol/2026.5"
_PEPPOL_XSLT = _PHIVE.format("peppol", "main") + "/schematron/openpeppol/2026.5/xslt"
_XRECHNUNG = _PHIVE.format("xrechnung", "test") + "/rule-source/3.0.2"
_XRECHNUNG_XSLT = _PHIVE.format("xrechnung", "main") + "/schematron/3.0.2"
_CEN = "ConnectingEurope/eInvoicing-EN16931/ubl"
_OLDER = "OpenPEPPOL/peppol-bis-invoice-3/rules/sch"
_TRANSACTIONS = ("T01", "T16", "T71", "T76", "T111")

# The name of a set in the verdicts -> (its source, what that includes).
SOURCES: dict[str, tuple[str, ...]] = {
    "cen": (f"{_CEN}/schematron/preprocessed/EN16931-UBL-validation-preprocessed.sch",),
    "peppol": (f"{_PEPPOL}/PEPPOL-EN16931-UBL.sch",),
    "xrechnung": (f"{_XRECHNUNG}/ubl/XRechnung-UBL-validation.sch", f"{_XRECHNUNG}/common.sch"),
    **{name: (f"{_PEPPOL}/PEPPOLBIS-{name}.sch",) for name in _TRANSACTIONS},
    "cen-1.3.14.1": (f"{_OLDER}/CEN-EN16931-UBL.sch",),
    "peppol-3.0.19": (f"{_OLDER}/PEPPOL-EN16931-UBL.sch",),
}
STYLESHEETS = {
    "cen": f"{_CEN}/xslt/EN16931-UBL-validation.xslt",
    "peppol": f"{_PEPPOL_XSLT}/PEPPOL-EN16931-UBL.xslt",
    "xrechnung": f"{_XRECHNUNG_XSLT}/XRechnung-UBL-validation.xslt",
    **{name: f"{_PEPPOL_XSLT}/PEPPOLBIS-{name}.xslt" for name in _TRANSACTIONS},
}


@lru_cache(maxsize=32)
def rules(conformance: Path, name: str, form: str = "source") -> engine.Rules:
    """The set of this name, ready to run: from its source, or from its published XSLT."""
    names = SOURCES[name] if form == "source" else (STYLESHEETS[name],)
    main, *parts = (conformance / one for one in names)
    return engine.load(main, parts)


def program(conformance: Path, name: str) -> Program:
    """The compiled form of the set, which must be one that compiles."""
    found = rules(conformance, name)
    assert isinstance(found, engine.Compiled)
    return found.program
