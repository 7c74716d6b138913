"""The SAF-T Norway Financial file: one stream of bytes, proved while it is written.

Governed by the Norwegian SAF-T Financial schema 1.40 (default) and 1.30. The closing tag is
written only after the last proof, so a file that failed is never well-formed and cannot be taken
for a good one. It never reads a clock and never holds the transactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from formats.saft.ledger_entries import ledger_entries
from formats.saft.master_files import NAMESPACE, header, master_files
from formats.saft.proof import Proof
from formats.saft.records import AuditFile, Transaction
from formats.saft.text import Texts
from o2c.errors import Broken, Refused

MAX_BYTES = 2_000_000_000  # what the authority's portal takes as one file (F12)
_CHUNK = 64 * 1024


def write(
    audit_file: AuditFile, transactions: Iterable[Transaction], *, notes: list[str] | None = None
) -> Iterator[bytes]:
    """The file in chunks of UTF-8, about 64 KiB each.

    ``transactions`` come grouped by journal. ``notes`` receives a sentence for each text that had
    to be cut. Raises ``Refused`` (``saft-F06`` text, ``saft-F09`` codes, ``saft-F10`` dates,
    ``saft-F12`` size) or ``Broken`` (``saft-F01`` to ``F05``, ``F07``, ``F08``, ``F11``, ``F14``)
    while it is read; what was received until then is to be thrown away.
    """
    written, waiting, size = 0, [], 0
    for text in _parts(audit_file, transactions, Texts([] if notes is None else notes)):
        waiting.append(text)
        size += len(text)
        if size >= _CHUNK:
            chunk = "".join(waiting).encode()
            waiting, size = [], 0
            written = _within_limit(written + len(chunk))
            yield chunk
    yield "".join(waiting).encode()


def _within_limit(written: int) -> int:
    if written > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES:,} bytes, which the tax office does not take."
        raise Refused("saft-F12", message, next_step="Export shorter periods, one file each.")
    return written


def _parts(of: AuditFile, transactions: Iterable[Transaction], texts: Texts) -> Iterator[str]:
    proof = Proof(of)
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<AuditFile xmlns="{NAMESPACE}">\n'
    yield header(of.header, texts) + "\n"
    yield from master_files(of, texts)
    yield from ledger_entries(of, transactions, proof, texts)
    proof.close()
    yield "</AuditFile>\n"


def file_name(registration_number: str, created_at: datetime, n: int = 1, of: int = 1) -> str:
    """The name the authority asks for (F12), ``n`` of ``of`` files; raises ``Refused('saft-F12')``."""
    number = re.sub(r"\s", "", registration_number)
    if not re.fullmatch(r"[0-9]{9}", number):
        message = f"{registration_number!r} is not a Norwegian organisation number of nine digits."
        raise Refused("saft-F12", message, next_step="Correct it in the company's settings.")
    if not 1 <= n <= of:
        raise Broken("saft-F12", f"file {n} of {of} does not exist.")
    return f"SAF-T Financial_{number}_{created_at:%Y%m%d%H%M%S}_{n}_{of}.xml"
