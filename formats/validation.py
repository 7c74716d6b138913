"""The verdict on a document: every layer of its profile, run with the official rules.

Layers (see ``profile``): XML Schema by lxml, then the EN 16931 and further rules, compiled from their
official files (``schematron``). A layer whose rules are not at hand is skipped, and skipped is never valid.
All layers run even when one fails, so that one reading shows everything there is to mend. A check that a
value makes impossible is a finding too: what could not be computed has not passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from threading import Lock

from lxml import etree

from formats import limits, rulesets, xml, xsd
from formats.findings import Finding, Layer, Report, Severity, Status
from formats.limits import TooMuch
from formats.profile import PROFILES, Profile, declared, of_sets, profile_of
from formats.rulesets import Installed
from formats.schematron import engine
from formats.schematron.engine import Subject
from formats.schematron.model import Unreadable
from formats.schematron.program import Firing
from formats.ubl.advice import Adviser
from formats.ubl.paths import Place, Places
from formats.ubl.terms import term_at
from o2c.errors import Refused

STOPPED = "DYNAMIC-ERROR"  # the rule of the finding that says what could not be computed
_RULE_ID = re.compile(r"^\[[^\]]+\]\s*-?\s*")
_NAMED = 20  # rules that could not be computed, by name


class Validator:
    """Validates documents with the rules in ``cache`` and, where it has none, with what is in ``rulesets``.

    One instance may be used from many threads. Rule sets are compiled once and kept in ``cache``; the
    first document of a kind pays for what is not there yet.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._found: dict[str, Installed] = {}

    def validate(
        self,
        content: bytes,
        *,
        profile: Profile | None = None,
        sets: tuple[str, ...] | None = None,
        explain: bool = False,
        on: date | None = None,
    ) -> Report:
        """The report on ``content`` under ``profile``, under named ``sets``, or under the profile it names.

        ``explain`` has xmlschema put in words what XML Schema found; that takes seconds. ``on`` is the day
        at which the profile must be alive. Raises ``Refused`` where the bytes are no XML we read (see
        ``formats.xml.parse``) or more than a business document can be.
        """
        root = _read(content)
        profile = of_sets(sets, root) if sets else profile or profile_of(root)
        if profile is None:
            return _unknown(root)
        if on is not None and not profile.lives_on(on):
            return _dead(profile, on)
        subject = Subject(root)
        try:
            return self._report(profile, subject, explain)
        except TooMuch as limit:
            raise Refused("too-large", f"the document {limit}.", next_step=limit.next_step) from None

    def _report(self, profile: Profile, subject: Subject, explain: bool) -> Report:
        layers: list[Layer] = []
        findings: list[Finding] = []
        for name, ruleset in profile.layers:
            layer, found = self._run(profile, name, ruleset, subject, explain)
            layers.append(layer)
            findings += found
            limits.bounded(len(findings))
        return Report(profile.name, tuple(layers), tuple(findings))

    def live(self, profile: Profile) -> dict[str, Installed | None]:
        """Layer -> the rule set it would run with, None where it would be skipped. Compiles nothing."""
        return {layer: self._rules(ruleset) for layer, ruleset in profile.layers}

    def _rules(self, ruleset: str) -> Installed | None:
        # Kept once found: its bytes were proved then, and what runs is the compiled copy.
        if ruleset not in self._found:
            found = rulesets.find(ruleset, self._cache) or rulesets.from_file(ruleset)
            if found is None:
                return None
            self._found[ruleset] = found
        return self._found[ruleset]

    def _run(
        self, profile: Profile, name: str, ruleset: str, subject: Subject, explain: bool
    ) -> tuple[Layer, list[Finding]]:
        rules = self._rules(ruleset)
        if rules is None:
            reason = f"the rules {ruleset} are not installed; {rulesets.FETCH}."
            return Layer(name, Status.SKIPPED, ruleset, reason=reason), []
        try:
            findings = self._findings(profile, name, rules, subject, explain)
        except (engine.Unavailable, Unreadable) as error:
            return Layer(
                name, Status.SKIPPED, ruleset, reason=f"the rules {ruleset} do not run: {error}."
            ), []
        failed = any(finding.severity is Severity.ERROR for finding in findings)
        status = Status.INVALID if failed else Status.VALID
        return Layer(name, status, ruleset, rules.rules.release, rules.origin), findings

    def _findings(
        self, profile: Profile, name: str, rules: Installed, subject: Subject, explain: bool
    ) -> list[Finding]:
        if name == xsd.LAYER:
            found = xsd.check(subject.root, rules.path)
            return xsd.explain(subject.root, rules.path) or found if found and explain else found
        fired = ready(rules, self._cache).run(subject)
        return list(_told(name, fired, dict(profile.levels), rules.rules.ruleset, Adviser(subject.root)))


_ready: dict[tuple[Path, str], engine.Rules] = {}
_loading = Lock()


def ready(rules: Installed, cache: Path | None) -> engine.Rules:
    """A rule set ready to run, once per process."""
    key = (rules.path, rules.rules.main.sha256)
    with _loading:  # compiling takes a second: one thread does it
        if key not in _ready:
            folder = rules.path.parents[rules.rules.main.path.count("/")]
            parts = [folder / part.path for part in rules.rules.parts]
            _ready[key] = engine.load(rules.path, parts, cache / "compiled" if cache else None)
        return _ready[key]


_crowded = etree.XPath("boolean(//*[count(@*) > $most])")


def _read(content: bytes) -> etree._Element:
    # Before there is a tree: one of millions of empty elements takes thirty times the room of its bytes.
    most = limits.MOST_ELEMENTS
    if content.count(b"<") - content.count(b"</") > most:
        told = f"the document has more than {most:,} elements."
        raise Refused("too-large", told, next_step="Split it.")
    root = xml.parse(content, limit=limits.MOST_BYTES, comments=True)
    most = limits.MOST_ATTRIBUTES
    if content.count(b"=") > most and _crowded(root, most=most):
        told = f"the document has an element with more than {most:,} attributes."
        raise Refused("too-large", told, next_step="Leave them out.")
    return root


def _told(
    layer: str,
    fired: Iterable[Firing],
    levels: dict[str, Severity],
    ruleset: str,
    adviser: Adviser,
) -> Iterator[Finding]:
    """Findings of what fired; all that could not be computed is one finding, at the end."""
    places = Places()
    failures: list[Firing] = []
    for one in fired:
        if one.error is not None:
            failures.append(one)
        else:
            severity = levels.get(one.rule) or Severity(one.severity)
            yield _finding(layer, one, severity, places.of(one.element), adviser)
    if failures:
        yield _stopped(layer, failures, ruleset, places.of(failures[0].element))


def _finding(layer: str, fired: Firing, severity: Severity, place: Place, adviser: Adviser) -> Finding:
    if fired.attribute:
        place = _at_attribute(place, fired.element, fired.attribute)
    term, fix = adviser.advice(fired.rule, fired.element)
    return Finding(
        layer,
        fired.rule,
        severity,
        place.path,
        # The rule id leads the official text; it already stands in its own field.
        _RULE_ID.sub("", fired.message),
        place.line,
        place.value,
        fix,
        term or place.term,
    )


def _at_attribute(place: Place, element: etree._Element, name: str) -> Place:
    path = f"{place.path}/@{name}"
    term = term_at(path)
    return Place(path, place.line, element.get(name), term.id if term else None)


def _stopped(layer: str, failures: list[Firing], ruleset: str, place: Place) -> Finding:
    first = failures[0]
    names = list(dict.fromkeys(one.rule for one in failures if one.rule))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    which = f"{', '.join(names[:_NAMED])}{more} of {ruleset}" if names else f"the rules {ruleset}"
    message = f"{which} could not be computed: {first.error}"
    fix = "Mend what the other layers found first; a value of the wrong type is the usual cause."
    return Finding(layer, STOPPED, Severity.ERROR, place.path, message, place.line, fix=fix)


def _unknown(root: etree._Element) -> Report:
    known = "; ".join(profile.name for profile in PROFILES)
    reason = f"no known profile: {declared(root)}. Known are: {known}."
    layers = tuple(Layer(name, Status.SKIPPED, reason=reason) for name in ("xsd", "rules"))
    return Report("unknown", layers, ())


def _dead(profile: Profile, on: date) -> Report:
    life = f"from {profile.valid_from or 'its beginning'} to {profile.valid_to or 'today'}"
    reason = f"{profile.name} may be used {life}, not on {on}."
    layers = tuple(Layer(name, Status.SKIPPED, ruleset, reason=reason) for name, ruleset in profile.layers)
    return Report(profile.name, layers, ())
