"""API keys: who may call, for which company, and what for.

The text of a key is ``o2c_<company>_<key id>_<secret>``: its head names the row, so a look-up is one
primary key, and a scanner finds a key that leaked. Only the SHA-256 of the secret is stored; the
secret has 192 random bits, so a slow password hash would protect nothing. Expiry and revocation go
by the machine's clock, because access is no business day.

A ``KeyRing`` remembers what it has looked up for ``MEMORY_SECONDS``: a busy caller costs no
statement, and another process accepts a revoked key for that long at most. The process that
revokes should call ``KeyRing.forget``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from gateway.clock import machine_time
from gateway.store.database import Database
from gateway.store.schema import api_key
from o2c.errors import NotFound, Refused

MEMORY_SECONDS = 10.0
SCOPES = (
    "orders:write",
    "orders:read",
    "customers:write",
    "customers:read",
    "products:write",
    "products:read",
    "shipments:write",
    "approvals:write",
    "invoices:read",
    "receivables:write",
    "receivables:read",
    "bank:write",
    "bank:read",
    "reports:read",
    "webhooks:admin",
    "rules:read",
    "rules:write",
    "rules:approve",
    "rules:admin",  # all that concerns rules, and the release of parked jobs
)
_WHOLE = {"rules:admin": ("rules:read", "rules:write", "rules:approve")}
_PREFIX = "o2c_"
_REMEMBERED = 10_000  # keys; more callers than that start from an empty memory now and then


@dataclass(frozen=True, slots=True)
class Key:
    """A key as stored. It never holds the secret."""

    company_id: str
    key_id: str
    label: str
    scopes: frozenset[str]
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def allows(self, scope: str) -> bool:
        """Whether the key opens what asks for that scope."""
        return scope in self.scopes or any(scope in _WHOLE.get(held, ()) for held in self.scopes)

    def usable(self, at: datetime) -> bool:
        """Neither revoked nor expired at that instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def create(
    connection: Connection,
    company_id: str,
    label: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    now: datetime,
) -> tuple[str, str]:
    """A new key: its id and its text, which is shown once and cannot be had again.

    Raises ``Refused('scope')`` for a scope that does not exist or an empty list.
    """
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise Refused(
            "scope",
            f"there is no scope {', '.join(unknown)}." if unknown else "a key needs at least one scope.",
            next_step=f"Choose from {', '.join(SCOPES)}.",
        )
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    connection.execute(
        insert(api_key),
        {
            "company_id": company_id,
            "key_id": key_id,
            "secret_sha256": _digest(secret),
            "label": label,
            "scopes": " ".join(wanted),
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    return key_id, f"{_PREFIX}{company_id}_{key_id}_{secret}"


def revoke(connection: Connection, company_id: str, key_id: str, now: datetime) -> None:
    """Let the key open nothing any more; ``NotFound('key')``."""
    changed = connection.execute(
        update(api_key)
        .where(api_key.c.company_id == company_id, api_key.c.key_id == key_id)
        .values(revoked_at=now)
    )
    if changed.rowcount == 0:
        raise NotFound("key", f"there is no API key {key_id}.", next_step="See: o2c key list")


def listed(connection: Connection, company_id: str) -> list[Key]:
    """Every key of a company, oldest first, the revoked ones too."""
    query = select(api_key).where(api_key.c.company_id == company_id)
    return [_key(row) for row in connection.execute(query.order_by(api_key.c.created_at, api_key.c.key_id))]


_ONE = select(api_key).where(api_key.c.company_id == bindparam("of"), api_key.c.key_id == bindparam("id"))


def find(connection: Connection, company_id: str, key_id: str) -> Key | None:
    """One key by its primary key."""
    row = connection.execute(_ONE, {"of": company_id, "id": key_id}).one_or_none()
    return None if row is None else _key(row)


def _key(row: Row[Any]) -> Key:
    return Key(
        row.company_id,
        row.key_id,
        row.label,
        frozenset(row.scopes.split()),
        row.secret_sha256,
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRing:
    """Opens the door of one process: key text -> key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, str], tuple[Key, float]] = {}
        self._lock = threading.Lock()

    def open(self, text: str) -> Key | None:
        """The key that this text is, or None if it is none, expired, revoked or wrong."""
        head, _, secret = text.rpartition("_")
        prefixed, _, key_id = head.rpartition("_")
        company_id = prefixed.removeprefix(_PREFIX)
        if not (prefixed.startswith(_PREFIX) and company_id and text.isascii() and text.isprintable()):
            return None
        key = self._find(company_id, key_id)
        if key is None or not hmac.compare_digest(key.secret_sha256, _digest(secret)):
            return None
        return key if key.usable(machine_time()) else None

    def forget(self) -> None:
        """Look every key up again: one was revoked in this process."""
        with self._lock:
            self._known.clear()

    def _find(self, company_id: str, key_id: str) -> Key | None:
        known = self._known.get((company_id, key_id))
        if known is not None and known[1] > time.monotonic():
            return known[0]
        with self._database.read() as connection:
            key = find(connection, company_id, key_id)
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            if key is not None:  # strangers are not remembered: they would fill the memory
                self._known[company_id, key_id] = (key, time.monotonic() + MEMORY_SECONDS)
        return key
