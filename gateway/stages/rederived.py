"""Every stored decision comes out of its stored rule file and facts again.

Part of ``audit``: reads everything, changes nothing, and asks neither the engine nor what is in force
now. A decision of a person is held to what the rules had said beneath it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from formats import canonical
from gateway.store import rulefiles
from gateway.store.rows import pack, unpack
from gateway.store.schema import decision
from o2c.decision import Decision
from o2c.errors import O2CError
from rules.rederive import Rederivation
from rules.rulebook import load

_Files = Mapping[str, Rederivation | str]  # by SHA-256; a text says why there is none


def check(connection: Connection, company_id: str) -> tuple[int, list[str]]:
    """How many decisions were made again, and one sentence for each that comes out otherwise."""
    mine = decision.c.company_id == company_id
    used = connection.execute(select(decision.c.rulebook_sha256).where(mine).distinct()).scalars().all()
    files = _files(connection, company_id, used)
    wrong, count = [], 0
    query = select(decision).where(mine).order_by(decision.c.decision_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        count += 1
        name = f"decision {row.decision_id} ({row.policy} of {row.subject_id})"
        wrong += [f"{name}: {words}" for words in _faults(row, files)]
    return count, wrong


def _files(connection: Connection, company_id: str, used: Iterable[str]) -> _Files:
    stored = rulefiles.contents(connection, company_id, used)
    files: dict[str, Rederivation | str] = dict.fromkeys(used, "its rule file is not stored")
    for sha256, content in stored.items():
        try:
            files[sha256] = Rederivation(load(content, name=f"rule file {sha256[:12]}", accepted=True))
        except O2CError as error:
            files[sha256] = f"its rule file does not read: {error.message}"
    return files


def _faults(row: Any, files: _Files) -> Iterator[str]:
    try:
        stored = unpack(Decision, row.body)
    except (O2CError, ValueError, TypeError):
        yield "it cannot be read"
        return
    columns = (row.policy, row.outcome, row.rule, row.rulebook_sha256)
    if columns != (stored.policy, stored.outcome, stored.rule, stored.rulebook_sha):
        yield "its row is not what it says"
    file = files.get(stored.rulebook_sha, "its rule file is not stored")
    if isinstance(file, str):
        yield file
        return
    try:
        again = pack(file.of(stored))
    except O2CError as error:
        yield error.message
        return
    if again != row.body:
        where = canonical.differences(json.loads(again), json.loads(row.body))
        yield f"made again from its rule file it differs in {', '.join(where) or 'its writing'}"
