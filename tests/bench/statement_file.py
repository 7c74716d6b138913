"""A camt.053.001.08 file of any size, as a bank of many customers would write it."""

from __future__ import annotations

import random
from pathlib import Path

OURS = "DE89370400440532013000"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_NAMES = (
    "Bäckerei Lindner",
    "Nordlicht Handel",
    "Weber &amp; Söhne",
    "Kraftwerk Süd",
    "Hansa Kontor",
    "Alpenblick",
)
_FORMS = ("GmbH", "AG", "KG", "e.K.", "AS", "Oy")
_CODE = (
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>{}</SubFmlyCd></Fmly></Domn>"
    "<Prtry><Cd>166</Cd><Issr>DK</Issr></Prtry></BkTxCd>"
)


def write(path: Path, size: int) -> int:
    """Write about ``size`` bytes, always the same; how many payments there are."""
    draw = random.Random(size)
    entries, written, payments, total = [], 0, 0, 0
    while written < size:
        minor, text, count = _entry(draw, payments)
        entries.append(text)
        written += len(text.encode())
        payments += count
        total += minor
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><GrpHdr>'
        "<MsgId>M-1</MsgId><CreDtTm>2026-03-03T01:00:00+01:00</CreDtTm></GrpHdr><Stmt><Id>S-1</Id>"
        "<ElctrncSeqNb>61</ElctrncSeqNb><CreDtTm>2026-03-03T01:00:00+01:00</CreDtTm>"
        f"<Acct><Id><IBAN>{OURS}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{_balance('OPBD', 100_000)}{_balance('CLBD', 100_000 + total)}\n"
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        file.writelines(entries)
        file.write("</Stmt></BkToCstmrStmt></Document>\n")
    return payments


def _balance(code: str, minor: int) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}<CdtDbtInd>CRDT</CdtDbtInd>"
        "<Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    )


def _amount(minor: int) -> str:
    return f'<Amt Ccy="EUR">{minor // 100}.{minor % 100:02d}</Amt>'


def _entry(draw: random.Random, number: int) -> tuple[int, str, int]:
    """Minor units, text and payments of one entry; one in twenty is a batch of ten."""
    count = 10 if draw.random() < 0.05 else 1
    amounts = [draw.randrange(1_000, 900_000) for _ in range(count)]
    details = "".join(_details(draw, number + index, minor) for index, minor in enumerate(amounts))
    batch = f"<Btch><NbOfTxs>{count}</NbOfTxs></Btch>" if count > 1 else ""
    text = (
        f"<Ntry>{_amount(sum(amounts))}<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        "<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>"
        f"<AcctSvcrRef>N{number:012d}</AcctSvcrRef>{_CODE.format('ESCT')}"
        f"<NtryDtls>{batch}{details}</NtryDtls></Ntry>\n"
    )
    return sum(amounts), text, count


def _details(draw: random.Random, number: int, minor: int) -> str:
    name = f"{draw.choice(_NAMES)} {draw.randrange(100)} {draw.choice(_FORMS)}"
    end_to_end = f"<EndToEndId>{draw.choice(('NOTPROVIDED', f'E2E{number}'))}</EndToEndId>"
    address = _address(draw) if draw.random() < 0.3 else ""
    return (
        f"<TxDtls><Refs><AcctSvcrRef>T{number:012d}</AcctSvcrRef>{end_to_end}</Refs>{_amount(minor)}"
        f"<CdtDbtInd>CRDT</CdtDbtInd>{_CODE.format('ESCT')}<RltdPties><Dbtr><Pty><Nm>{name}</Nm>{address}</Pty></Dbtr>"
        f"<DbtrAcct><Id><IBAN>DE{draw.randrange(10**19, 10**20)}</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RltdAgts><DbtrAgt><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></DbtrAgt></RltdAgts>"
        f"<RmtInf>{_remittance(draw)}</RmtInf></TxDtls>"
    )


def _address(draw: random.Random) -> str:
    town = "<TwnNm>Musterstadt</TwnNm><Ctry>DE</Ctry>"
    return f"<PstlAdr><PstCd>{draw.randrange(10_000, 99_999)}</PstCd>{town}</PstlAdr>"


def _remittance(draw: random.Random) -> str:
    invoice = f"INV-{draw.randrange(10**6):06d}"
    if draw.random() < 0.3:
        reference = f"RF{draw.randrange(10, 99)}{draw.randrange(10**12)}"
        return (
            "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
            f"<Ref>{reference}</Ref></CdtrRefInf></Strd>"
        )
    if draw.random() < 0.2:
        return (
            f"<Ustrd>Rechnung {invoice} vom 02.03.2026, Ku</Ustrd><Ustrd>nde C{draw.randrange(10**6)}</Ustrd>"
        )
    return f"<Ustrd>Rechnung {invoice} Kunde C{draw.randrange(10**6)}</Ustrd>"
