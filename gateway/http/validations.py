"""Validate a document with the official rules, without keeping it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apiflask import APIBlueprint
from flask import Response, request

from gateway.http import messages
from gateway.http.messages import XML, answer
from gateway.http.operation import BINARY, answers, operation
from gateway.stages.desk import Desk

blueprint = APIBlueprint("validations", __name__, tag="Validation")


@dataclass(frozen=True, slots=True)
class LayerView:
    """One set of rules: valid, invalid or skipped (which is never valid; ``reason`` says why)."""

    layer: str
    status: str
    ruleset: str | None
    release: str | None
    origin: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FindingView:
    """One thing wrong, under its official rule id."""

    layer: str
    rule: str
    severity: str
    path: str
    line: int | None
    value: str | None
    message: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class ReportView:
    """The verdict of every layer of the document's profile."""

    profile: str
    valid: bool
    layers: Sequence[LayerView]
    findings: Sequence[FindingView]


@blueprint.post("/v1/validations")
@operation("invoices:read", {200: answers(ReportView, "The report, good or bad.")}, reads={XML: BINARY})
def validate_document(desk: Desk) -> Response:
    """Validate an XML document

    Invoices, credit notes, orders and order responses that name a profile we know."""
    messages.media_type(XML)
    return answer(desk.validator.validate(request.get_data()).as_json())
