"""Small camt.053 files, written out so that a test can bend one thing."""

from __future__ import annotations

OURS = "NO9386011117947"


def details(inner: str) -> str:
    return f"<NtryDtls><TxDtls>{inner}</TxDtls></NtryDtls>"


def entry(amount: str, inner: str = "", *, side: str = "CRDT", status: str = "<Sts>BOOK</Sts>") -> str:
    return (
        f'<Ntry><Amt Ccy="NOK">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}'
        f"<BookgDt><Dt>2026-03-02</Dt></BookgDt>{inner}</Ntry>"
    )


def balance(code: str, amount: str, *, side: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="NOK">{amount}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    )


def statement(*entries: str, balances: str = "", account: str = OURS, summary: str = "") -> str:
    return (
        f"<Stmt><Id>S-1</Id><CreDtTm>2026-03-03T01:00:00+01:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id>"
        f"<Ccy>NOK</Ccy></Acct>{balances}{summary}{''.join(entries)}</Stmt>"
    )


def document(*statements: str, version: str = "053.001.08", message: str = "BkToCstmrStmt") -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}"><{message}>'
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr>{''.join(statements)}</{message}></Document>"
    ).encode()


def proved(*entries: str, opening: str = "0.00", closing: str) -> bytes:
    return document(statement(*entries, balances=balance("OPBD", opening) + balance("CLBD", closing)))
