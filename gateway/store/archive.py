"""The exact bytes received and sent, under their SHA-256. Written once, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from formats import canonical
from gateway.store.schema import archive, stamp
from o2c.errors import NotFound


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes on their way into the archive. ``kind``: order, invoice, statement, answer, report ..."""

    kind: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The name it is kept under."""
        return canonical.sha256(self.content)


def seal(company_id: str, sha256: str, kind: str, media_type: str, stored_at: str) -> str:
    """SHA-256 over what is said about a document; ``stored_at`` as it is stored (see ``stamp``)."""
    return canonical.sha256(canonical.dumps([company_id, sha256, kind, media_type, stored_at]))


_KEEP = {
    "sqlite": sqlite.insert(archive).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(archive).on_conflict_do_nothing(),
}


def keep(connection: Connection, company_id: str, at: datetime, document: Document) -> str:
    """Store the bytes (once) and return their SHA-256."""
    return keep_all(connection, company_id, at, [document])[0]


def keep_all(
    connection: Connection, company_id: str, at: datetime, documents: Sequence[Document]
) -> list[str]:
    """Store several documents in one statement; their SHA-256 in the same order."""
    stored_at = stamp(at)
    names = [document.sha256 for document in documents]
    rows = [
        {
            "company_id": company_id,
            "sha256": name,
            "kind": document.kind,
            "media_type": document.media_type,
            "content": document.content,
            "stored_at": at,
            "seal": seal(company_id, name, document.kind, document.media_type, stored_at),
        }
        for name, document in zip(names, documents, strict=True)
    ]
    connection.execute(_KEEP[connection.dialect.name], rows)
    return names


def fetch(connection: Connection, company_id: str, sha256: str) -> Document:
    """The document; ``NotFound('document')``."""
    row = connection.execute(
        select(archive).where(archive.c.company_id == company_id, archive.c.sha256 == sha256)
    ).one_or_none()
    if row is None:
        raise NotFound("document", f"there is no archived document {sha256}.")
    return Document(row.kind, row.media_type, row.content)
