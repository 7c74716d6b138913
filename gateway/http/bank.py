"""Bank files in, and out again: a statement or a whole file is posted or taken back at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from gateway.http import messages
from gateway.http.fields import Query, Words
from gateway.http.messages import XML, answer
from gateway.http.operation import BINARY, answers, door, operation
from gateway.stages import undo
from gateway.stages.desk import Desk
from gateway.stages.settle import Imported, import_statements
from gateway.stages.undo import Undone
from o2c.statement import MessageKind

blueprint = APIBlueprint("bank", __name__, tag="Bank")

_UNDONE = answers(Undone, "Taken back; the same file may come in again.")
_GONE = "It is undone already."


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of a bank file and of each of its statements. `decisions` counts the payments posted
    now by what they turned out to be: match, review, unapplied, unrelated, return."""

    sha256: str
    decisions: dict[str, int]
    items: list[Imported]


class ImportQuery(Query):
    """How to take it."""

    override_balance: Words | None = Field(
        None, description="Take balances that do not add up; say why. It is logged with the key's name."
    )


@blueprint.post("/v1/bank-files")
@operation(
    "bank:write",
    {
        201: answers(ImportedFile, "Read, proved and posted.", Location="Where its payments are."),
        200: answers(
            ImportedFile,
            "Nothing was posted: every statement was here before, or it is a camt.052.",
            Idempotent_Replayed="`true` where it was here before.",
            Location="Where the payments of the first statement are.",
        ),
    },
    reads={XML: BINARY},
    query=ImportQuery,
    conflicts="A statement was imported before with other content; nothing of this file was posted.",
)
def import_bank_file(desk: Desk) -> Response:
    """Import a bank file (camt.053)

    The file is posted whole or not at all. A camt.054 gives the details of batches that a statement has
    booked; a camt.052 is only shown."""
    messages.media_type(XML)
    override = messages.query(ImportQuery).override_balance
    limit = door().house.settings.bank_file_limit
    request.max_content_length = limit
    imported = import_statements(desk, request.get_data(), limit, override=override)
    return _told(imported)


def _told(imported: list[Imported]) -> Response:
    decisions = Counter[str]()
    for one in imported:
        decisions.update(one.decisions)
    sha256 = imported[0].sha256 if imported else ""
    told = ImportedFile(sha256, dict(decisions), imported)
    statements = [one.statement_id for one in imported if one.statement_id]
    headers: dict[str, Any] = {}
    if imported and all(one.duplicate for one in imported):
        headers |= {"Idempotent-Replayed": "true", "Location": f"/v1/payments?statement={statements[0]}"}
        return answer(told, 200, headers)
    if all(one.kind == MessageKind.REPORT for one in imported):
        return answer(told, 200)
    if statements:
        headers["Location"] = f"/v1/payments?file={sha256}"
    return answer(told, 201, headers)


@blueprint.post("/v1/statements/<statement_id>/undo")
@operation("bank:write", {200: _UNDONE}, conflicts=_GONE)
def undo_statement(desk: Desk, statement_id: str) -> Response:
    """Take a statement back

    The bank's lines and all that was made of them, by counter-entries."""
    return answer(undo.undo_statement(desk, statement_id))


@blueprint.post("/v1/bank-files/<file_sha256>/undo")
@operation("bank:write", {200: _UNDONE}, conflicts=_GONE)
def undo_bank_file(desk: Desk, file_sha256: str) -> Response:
    """Take every statement of a bank file back"""
    return answer(undo.undo_file(desk, file_sha256))
