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
    iban: str | None = None
    postcode: str | None = None
    end_to_end_id: str = "NOTPROVIDED"
    returned: str | None = None  # the reason code of a return
    charged: str | None = None  # what the bank kept, in the account's currency
    batch_of: int = 0  # so many payments that the bank does not name


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
    payer = _parties(line)
    text = f"<Ustrd>{escape(line.text)}</Ustrd>" if line.text else ""
    kind = "<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
    reference = (
        f"<Strd><CdtrRefInf>{kind}<Ref>{line.reference}</Ref></CdtrRefInf></Strd>" if line.reference else ""
    )
    remittance = f"<RmtInf>{text}{reference}</RmtInf>" if text or reference else ""
    ref = line.key or key
    reason = f"<RtrInf><Rsn><Cd>{line.returned}</Cd></Rsn></RtrInf>" if line.returned else ""
    charges = (
        f'<Chrgs><Rcrd><Amt Ccy="{currency}">{line.charged}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        "<ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
        if line.charged
        else ""
    )
    refs = f"<Refs><AcctSvcrRef>{ref}</AcctSvcrRef><EndToEndId>{line.end_to_end_id}</EndToEndId></Refs>"
    details = f"<TxDtls>{refs}{money}{charges}{payer}{remittance}{reason}</TxDtls>"
    if line.batch_of:
        details = f"<Btch><NbOfTxs>{line.batch_of}</NbOfTxs></Btch>"
    return f"""<Ntry>{money}<Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>
<AcctSvcrRef>{ref}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls>{details}</NtryDtls></Ntry>
"""


def _parties(line: Line) -> str:
    name = f"<Nm>{escape(line.payer)}</Nm>" if line.payer else ""
    place = f"<PstlAdr><PstCd>{line.postcode}</PstCd></PstlAdr>" if line.postcode else ""
    account = f"<DbtrAcct><Id><IBAN>{line.iban}</IBAN></Id></DbtrAcct>" if line.iban else ""
    party = f"<Dbtr><Pty>{name}{place}</Pty></Dbtr>" if name or place else ""
    return f"<RltdPties>{party}{account}</RltdPties>" if party or account else ""


def notification(
    account: str, lines: Sequence[Line], *, entry: str, on: date, currency: str = "EUR"
) -> bytes:
    """A camt.054.001.08 file that names the payments of one booked entry."""
    total = sum((Decimal(line.amount) for line in lines), Decimal(0))
    details = "".join(
        f"<TxDtls><Refs><AcctSvcrRef>{line.key or f'{entry}-{place}'}</AcctSvcrRef></Refs>"
        f'<Amt Ccy="{currency}">{line.amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{_parties(line)}'
        f"<RmtInf><Ustrd>{escape(line.text or '')}</Ustrd></RmtInf></TxDtls>"
        for place, line in enumerate(lines, start=1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>N{entry}</MsgId><CreDtTm>{on}T06:00:00Z</CreDtTm></GrpHdr>
<Ntfctn><Id>N{entry}</Id><CreDtTm>{on}T06:00:00Z</CreDtTm>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
<Ntry><Amt Ccy="{currency}">{total:.2f}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{entry}</AcctSvcrRef>
<NtryDtls>{details}</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>""".encode()
