"""The generated company as files: customers, open items, one camt.053 statement, and the truth.

Streamed block by block. The statement's closing balance stands before its entries, so these wait in a
file of their own until the sum is known.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from tests.cash.generate import generated
from tests.cash.rows import Row
from tests.cash.world import TODAY, Customer, Item

ACCOUNT = "DE02120300000000202051"
OPENING = 10**12  # minor units: enough for whatever goes out
_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>{TODAY}T20:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{TODAY}T20:00:00Z</CreDtTm>
<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy></Acct>
"""
_FOOT = "</Stmt></BkToCstmrStmt></Document>\n"


def write(folder: Path, seed: int, payments: int, items: int) -> None:
    """``customers.jsonl``, ``items.jsonl``, ``statement.xml`` and ``truth.jsonl`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, closing = folder / "entries.part", OPENING
    with (
        (folder / "customers.jsonl").open("w", encoding="utf-8") as customers,
        (folder / "items.jsonl").open("w", encoding="utf-8") as receivables,
        (folder / "truth.jsonl").open("w", encoding="utf-8") as truth,
        entries.open("w", encoding="utf-8") as ledger,
    ):
        for block, _, rows in generated(
            seed, payments, items, before=lambda item: _line(receivables, _item(item))
        ):
            for one in block.customers:
                _line(customers, _customer(one))
            for row in rows:
                ledger.write(_entry(row))
                closing += row.amount if row.is_credit else -row.amount
                _line(truth, _truth(row))
    statement(folder / "statement.xml", entries, closing)
    entries.unlink()


def statement(path: Path, entries: Path, closing: int) -> None:
    """One statement of the entries that stand in a file; ``closing`` in minor units."""
    with path.open("w", encoding="utf-8") as out, entries.open(encoding="utf-8") as body:
        out.write(_HEAD + _balance("OPBD", OPENING) + _balance("CLBD", closing))
        shutil.copyfileobj(body, out)
        out.write(_FOOT)


def _line(out: IO[str], value: dict[str, object]) -> None:
    out.write(json.dumps(value, ensure_ascii=False) + "\n")


def money(minor: int) -> str:
    """Minor units as a plain decimal of two places."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def _customer(one: Customer) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "postcode": one.postcode, "ibans": one.ibans}


def _item(item: Item) -> dict[str, object]:
    discount = {"percent": str(item.percent), "until": str(item.until)} if item.percent else None
    return {
        "number": item.number,
        "kind": "credit_note" if item.is_credit else "invoice",
        "customer": item.customer.id,
        "issued": str(item.issued),
        "due": str(item.due),
        "open": money(abs(item.open)),
        "gross": money(abs(item.gross)),
        "currency": item.currency,
        "discount": discount,
        "reference": item.reference or None,
    }


def _truth(row: Row) -> dict[str, object]:
    return {
        "tx": row.tx,
        "decision": row.decision,
        "alloc": [[number, money(cash), closes] for number, cash, closes in row.alloc],
        "discount": money(row.discount),
        "writeoff": money(row.write_off),
        "charges": money(row.charged),
        "unapplied": money(row.unapplied),
        "of": row.of or None,
        "kind": row.kind,
    }


def _balance(code: str, minor: int) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{money(minor)}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{TODAY}</Dt></Dt></Bal>\n"
    )


def _entry(row: Row) -> str:
    side = "CRDT" if row.is_credit else "DBIT"
    amount = f'<Amt Ccy="EUR">{money(row.amount)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    details = "" if row.is_batch else f"<TxDtls>{_details(row, amount)}</TxDtls>"
    batch = "<Btch><NbOfTxs>7</NbOfTxs></Btch>" if row.is_batch else ""
    return (
        f"<Ntry>{amount}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{TODAY}</Dt></BookgDt><ValDt><Dt>{TODAY}</Dt></ValDt>"
        f"<AcctSvcrRef>{row.tx}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>"
        f"</Fmly></Domn></BkTxCd><NtryDtls>{batch}{details}</NtryDtls></Ntry>\n"
    )


def _details(row: Row, amount: str) -> str:
    end_to_end = f"<EndToEndId>{escape(row.end_to_end or 'NOTPROVIDED')}</EndToEndId>"
    told = ""
    if row.instructed:
        minor, currency = row.instructed
        told = f'<AmtDtls><InstdAmt><Amt Ccy="{currency}">{money(minor)}</Amt></InstdAmt></AmtDtls>'
    kept = ""
    if row.charges:
        kept = (
            f'<Chrgs><Rcrd><Amt Ccy="EUR">{money(row.charges)}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
            "<ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
        )
    back = f"<RtrInf><Rsn><Cd>{row.return_reason}</Cd></Rsn></RtrInf>" if row.return_reason else ""
    return (
        f"<Refs><AcctSvcrRef>{row.tx}</AcctSvcrRef>{end_to_end}</Refs>{amount}{told}{kept}"
        f"{_parties(row)}{_remittance(row)}{back}"
    )


def _parties(row: Row) -> str:
    role = "Dbtr" if row.is_credit or row.return_reason else "Cdtr"
    place = f"<PstlAdr><PstCd>{row.postcode}</PstCd></PstlAdr>" if row.postcode else ""
    party = f"<{role}><Pty><Nm>{escape(row.name)}</Nm>{place}</Pty></{role}>" if row.name else ""
    account = f"<{role}Acct><Id><IBAN>{row.iban}</IBAN></Id></{role}Acct>" if row.iban else ""
    return f"<RltdPties>{party}{account}</RltdPties>" if party or account else ""


def _remittance(row: Row) -> str:
    lines = "".join(f"<Ustrd>{escape(line)}</Ustrd>" for line in row.lines if line)
    coded = (
        f"<Strd><CdtrRefInf><Ref>{escape(row.reference)}</Ref></CdtrRefInf></Strd>" if row.reference else ""
    )
    return f"<RmtInf>{lines}{coded}</RmtInf>" if lines or coded else ""
