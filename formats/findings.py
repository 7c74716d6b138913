"""What is wrong in a document, as values: findings, layers and the report.

A verdict is only as good as what was run: a layer is ``valid``, ``invalid`` or ``skipped``,
and skipped is never valid. A finding keeps the official rule id; the words are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Only an error makes a layer invalid."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


class Status(StrEnum):
    """The verdict of one layer."""

    VALID = "valid"
    INVALID = "invalid"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: ``rule`` is the official id, ``path`` the place, ``term`` the EN 16931 term.

    ``line`` counts from 1 in the bytes as given; ``fix`` says in words what to do.
    """

    layer: str
    rule: str
    severity: Severity
    path: str
    message: str
    line: int | None = None
    value: str | None = None
    fix: str | None = None
    term: str | None = None

    def __str__(self) -> str:
        place = f" (line {self.line})" if self.line else ""
        advice = f" {self.fix}" if self.fix else ""
        return f"{self.rule} at {self.path}{place}: {self.message.rstrip('.')}.{advice}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One set of rules and its verdict. ``origin`` is where the rules came from, ``reason`` why skipped."""

    layer: str
    status: Status
    ruleset: str | None = None
    release: str | None = None
    origin: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The layers of one profile, in order, and everything they found."""

    profile: str
    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        """Every layer ran and found no error."""
        return bool(self.layers) and all(layer.status is Status.VALID for layer in self.layers)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the document invalid."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    def as_json(self) -> dict[str, object]:
        """The report as JSON-able data; absent values are null, a skipped layer tells its reason."""
        return {
            "profile": self.profile,
            "valid": self.valid,
            "layers": [_layer_json(layer) for layer in self.layers],
            "findings": [_finding_json(finding) for finding in self.findings],
        }


def _layer_json(layer: Layer) -> dict[str, object]:
    data: dict[str, object] = {
        "layer": layer.layer,
        "status": layer.status.value,
        "ruleset": layer.ruleset,
        "release": layer.release,
        "origin": layer.origin,
    }
    return data | ({"reason": layer.reason} if layer.reason else {})


def _finding_json(finding: Finding) -> dict[str, object]:
    return {
        "layer": finding.layer,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.path,
        "line": finding.line,
        "value": finding.value,
        "message": finding.message,
        "fix": finding.fix,
    }
