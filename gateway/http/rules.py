"""Rule files as they stand: what decides, what a file says, what it would have said, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from gateway.http import messages, rule_views
from gateway.http.fields import Day, FileText, Id, Query, Strict
from gateway.http.messages import JSON, answer
from gateway.http.operation import BINARY, Answer, answers, operation
from gateway.http.rule_views import (
    Activations,
    Changes,
    CheckView,
    Explanations,
    Hits,
    HitView,
    ReplayView,
)
from gateway.stages import explained, rehearse
from gateway.stages.desk import Desk
from gateway.stages.in_force import fitting
from gateway.store import rulefiles
from o2c.errors import NotFound, Refused
from rules.difference import difference
from rules.rulebook import Rulebook, default_content, load
from rules.schema import json_schema
from rules.tables import from_csv, to_csv
from rules.vocabulary import POLICIES

blueprint = APIBlueprint("rules", __name__, tag="Rules")

YAML = "application/yaml"  # RFC 9512
CSV = "text/csv"
_FILE = {"type": "object"}  # as a reader of YAML sees it
_BYTES = Answer("The exact bytes.", {YAML: _FILE})
MOST_CHANGES = 100_000


class Language(Query):
    """In which language."""

    language: Literal["en", "de", "nb"] = "en"


class Days(Query):
    """How many days back."""

    days: int = Field(90, ge=1, le=3650)


class Comparison(Query):
    """Two files of the policy: `live`, `default`, a proposal's id, or a SHA-256 or its beginning."""

    old: Id = "live"
    new: Id = "live"


class FileBody(Strict):
    """A rule file as text; its bytes are its UTF-8."""

    content: FileText


class ReplayBody(FileBody):
    """A rule file, the first day (default: 90 days back), and how many changes to show."""

    since: Day | None = None
    limit: int = Field(500, ge=0, le=MOST_CHANGES)


def policy_of(name: str) -> str:
    """The policy that a path names; ``NotFound('policy')``."""
    if name not in POLICIES:
        raise NotFound("policy", f"there is no policy {name}.", next_step=f"There are {', '.join(POLICIES)}.")
    return name


def first_instant(desk: Desk, since: date | None) -> datetime:
    """The beginning of a day, or 90 days back."""
    if since is None:
        return desk.clock.now() - rehearse.PERIOD
    return datetime.combine(since, time(), UTC)


@blueprint.get("/v1/rules/live")
@operation("rules:read", {200: answers(Activations, "What decides now, and what is scheduled.")})
def show_live_rules(desk: Desk) -> Response:
    """Show which rule files decide"""
    now = desk.clock.now()
    with desk.database.read() as connection:
        schedule = rulefiles.schedule(connection, desk.company_id)
    live = [rule_views.activation(one, True) for _, one in sorted(schedule.in_force(now).items())]
    coming = [rule_views.activation(one, False) for one in schedule.coming(now)]
    return answer(Activations([*live, *coming]))


@blueprint.get("/v1/rules/policies/<policy>/file")
@operation("rules:read", {200: _BYTES})
def fetch_live_rules(desk: Desk, policy: str) -> Response:
    """Fetch the rule file that decides"""
    return messages.document(rehearse.live_content(desk, policy_of(policy)), YAML)


@blueprint.get("/v1/rules/policies/<policy>/history")
@operation("rules:read", {200: answers(Activations, "Oldest first; those called off too.")})
def list_activations(desk: Desk, policy: str) -> Response:
    """List what was in force from when"""
    with desk.database.read() as connection:
        found = rulefiles.history(connection, desk.company_id, policy_of(policy))
    live = rulefiles.Schedule(found).at(policy, desk.clock.now())
    return answer(Activations([rule_views.activation(one, one == live) for one in found]))


@blueprint.get("/v1/rules/policies/<policy>/hits")
@operation("rules:read", {200: answers(Hits, "Those that never fired have zeros.")}, query=Days)
def count_hits(desk: Desk, policy: str) -> Response:
    """Count how often each rule decides"""
    asked = messages.query(Days)
    since = desk.clock.now() - timedelta(days=asked.days)
    return answer(Hits([HitView(**row) for row in rehearse.rule_hits(desk, policy_of(policy), since)]))


@blueprint.get("/v1/rules/policies/<policy>/schema")
@operation("rules:read", {200: Answer("Draft 2020-12.", {JSON: {"type": "object"}})}, query=Language)
def show_rule_schema(desk: Desk, policy: str) -> Response:
    """Show the JSON Schema of a policy's files"""
    return answer(json_schema(policy_of(policy), messages.query(Language).language))


@blueprint.get("/v1/rules/policies/<policy>/difference")
@operation("rules:read", {200: answers(Changes, "By meaning, not by spelling.")}, query=Comparison)
def compare_rules(desk: Desk, policy: str) -> Response:
    """Compare two files of a policy"""
    asked = messages.query(Comparison)
    old, new = (_named(desk, policy_of(policy), name) for name in (asked.old, asked.new))
    return answer(changes(old, new))


def changes(old: Rulebook, new: Rulebook) -> Changes:
    """What two files say otherwise; ``Refused('rules-policy')`` for two policies."""
    if old.policy != new.policy:
        raise Refused("rules-policy", f"one file is about {old.policy}, the other about {new.policy}.")
    found = [rule_views.change(one) for one in difference(old, new)]
    return Changes(old.sha256, new.sha256, found)


def _named(desk: Desk, policy: str, name: str) -> Rulebook:
    if name == "live":
        return rehearse.live_book(desk, policy)
    if name == "default":
        return load(default_content(policy), name="default")
    return rehearse.stored_book(desk, name, policy)


@blueprint.get("/v1/rules/files/<sha256>")
@operation("rules:read", {200: _BYTES})
def fetch_rule_file(desk: Desk, sha256: str) -> Response:
    """Fetch a rule file that was ever proposed or in force"""
    return messages.document(_stored(desk, sha256), YAML)


def _stored(desk: Desk, sha256: str) -> bytes:
    with desk.database.read() as connection:
        content: bytes = rulefiles.find_file(connection, desk.company_id, sha256).content
    return content


@blueprint.get("/v1/rules/files/<sha256>/tables/<table>")
@operation("rules:read", {200: Answer("For a spreadsheet.", {CSV: BINARY})})
def export_rule_table(desk: Desk, sha256: str, table: str) -> Response:
    """Export one decision table as CSV"""
    return messages.document(to_csv(_stored(desk, sha256), table), CSV)


@blueprint.post("/v1/rules/files/<sha256>/tables/<table>")
@operation(
    "rules:read",
    {200: Answer("The rule file with these rows; nothing is stored.", {YAML: _FILE})},
    reads={CSV: BINARY},
)
def import_rule_table(desk: Desk, sha256: str, table: str) -> Response:
    """Put the rows of a CSV file into a decision table"""
    messages.media_type(CSV)
    return messages.document(from_csv(_stored(desk, sha256), table, request.get_data()), YAML)


@blueprint.post("/v1/rules/checks")
@operation("rules:read", {200: answers(CheckView, "What is to be said of it.")}, reads={JSON: FileBody})
def check_rules(desk: Desk) -> Response:
    """Check a rule file and run its own tests

    Nothing is stored. Faults and remarks have a line and a column."""
    content = messages.body(FileBody).content.encode()
    try:
        book = fitting(load(content, name="rule file"), desk.company)
    except Refused as refused:
        found = [rule_views.fault("fault", one) for one in refused.faults]
        told = found or [rule_views.finding("fault", "", refused.message, refused.code)]
        return answer(CheckView(False, told))
    remarks = [rule_views.fault("remark", one) for one in book.remarks]
    sizes = len(book.program.clauses), len(book.examples)
    return answer(CheckView(True, remarks, book.policy, book.sha256, book.currency, *sizes))


@blueprint.post("/v1/rules/replays")
@operation("rules:read", {200: answers(ReplayView, "Old against new.")}, reads={JSON: ReplayBody})
def replay_rules(desk: Desk) -> Response:
    """Try a rule file on past decisions

    Nothing is stored. Both the live file and this one decide on the facts of then."""
    asked = messages.body(ReplayBody)
    book = load(asked.content.encode(), name="rule file")
    done = rehearse.rehearse(desk, book, first_instant(desk, asked.since))
    return answer(rule_views.replay(done, asked.limit))


@blueprint.get("/v1/orders/<order_id>/explanation")
@operation("orders:read", {200: answers(Explanations, "In words.")}, query=Language)
def explain_order(desk: Desk, order_id: str) -> Response:
    """Explain the decisions about an order"""
    found = explained.order_explained(desk, order_id, messages.query(Language).language)
    return answer(Explanations([rule_views.explanation(one) for one in found]))


@blueprint.get("/v1/invoices/<number>/explanation")
@operation("invoices:read", {200: answers(Explanations, "In words.")}, query=Language)
def explain_invoice(desk: Desk, number: str) -> Response:
    """Explain the decisions about an invoice"""
    found = explained.invoice_explained(desk, number, messages.query(Language).language)
    return answer(Explanations([rule_views.explanation(one) for one in found]))
