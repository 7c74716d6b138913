"""A bank's camt.053 file as a test wants it: our own minimal, valid shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Line:
    """One incoming payment (a negative amount goes out)."""

    amount: str
    reference: str | None = None
    text: str | None = None
    payer: str | None = None
    key: str | None = None


def statement(
    account: str,
    lines: Sequence[Line],
    *,
    number: int,
    on: date,
    currency: str = "EUR",
    opening: str = "1000.00",
    closing: str | None = None,
) -> bytes:
    """A camt.053.001.08 file of one statement whose balances add up (unless ``closing`` is given)."""
    total = Decimal(opening) + sum((Decimal(line.amount) for line in lines), Decimal(0))
    body = "".join(
        _entry(line, f"{number}-{place}", on, currency) for place, line in enumerate(lines, start=1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{on}T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{on}T06:00:00Z</CreDtTm>
<FrToDt><FrDtTm>{on}T00:00:00Z</FrDtTm><ToDtTm>{on}T23:59:59Z</ToDtTm></FrToDt>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
{_balance("OPBD", Decimal(opening), on, currency)}
{_balance("CLBD", Decimal(closing) if closing else total, on, currency)}
{body}</Stmt></BkToCstmrStmt></Document>""".encode()


def _balance(code: str, amount: Decimal, on: date, currency: str) -> str:
    side = "CRDT" if amount >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{abs(amount):.2f}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
    )


def _entry(line: Line, key: str, on: date, currency: str) -> str:
    amount = Decimal(line.amount)
    side = "CRDT" if amount >= 0 else "DBIT"
    money = f'<Amt Ccy="{currency}">{abs(amount):.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    payer = (
        f"<RltdPties><Dbtr><Pty><Nm>{escape(line.payer)}</Nm></Pty></Dbtr></RltdPties>" if line.payer else ""
    )
    text = f"<Ustrd>{escape(line.text)}</Ustrd>" if line.text else ""
    kind = "<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
    reference = (
        f"<Strd><CdtrRefInf>{kind}<Ref>{line.reference}</Ref></CdtrRefInf></Strd>" if line.reference else ""
    )
    remittance = f"<RmtInf>{text}{reference}</RmtInf>" if text or reference else ""
    return f"""<Ntry>{money}<Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>
<AcctSvcrRef>{line.key or key}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{money}{payer}{remittance}</TxDtls>
</NtryDtls></Ntry>
"""
