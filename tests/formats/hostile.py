"""Documents that mean harm, by name: the bytes, and the code of the refusal (None: a verdict)."""

from __future__ import annotations

import base64
import zlib
from functools import cache

from formats.ubl.write_invoice import write_invoice
from tests.formats.ubl.documents import invoice

KINDS: dict[str, str | None] = {
    "doctype": "doctype",
    "external entity": "doctype",
    "laughs": "doctype",
    "doctype in utf-16": "doctype",
    "undeclared entity": "malformed",
    "depth": "too-large",
    "a million lines": "too-large",
    "a hundred thousand broken lines": "too-large",
    "declared utf-8": "encoding",
    "ebcdic": "encoding",
    "unknown encoding": "encoding",
    "utf-16 that says utf-8": "malformed",
    "no xml": "malformed",
    "utf-16": None,
    "byte order mark": None,
    "bomb attached": None,
    "huge attribute": None,
    "huge text": None,
    "a million attributes": "too-large",
    "quotes": None,
}


@cache
def _invoice() -> bytes:
    return write_invoice(invoice())


def _with(content: bytes) -> bytes:
    return _invoice().replace(b"</Invoice>", content + b"</Invoice>")


def _laughs() -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a>&l9;</a>'.encode()


def _in_utf_16() -> bytes:
    return _invoice().decode().replace("UTF-8", "UTF-16", 1).replace("utf-8", "utf-16", 1).encode("utf-16")


def made(kind: str) -> bytes:
    """The document of a kind."""
    line = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>"
    match kind:
        case "doctype":
            return b"<!DOCTYPE a><a/>"
        case "external entity":
            return b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'
        case "laughs":
            return _laughs()
        case "doctype in utf-16":
            return "<!DOCTYPE a><a/>".encode("utf-16")
        case "undeclared entity":
            return _with(b"<cbc:Note>&b;</cbc:Note>")
        case "depth":
            return b"<a>" * 16_600_000  # 49.8 MB
        case "a million lines":
            return _with(b"<a/>" * 1_000_000)
        case "a hundred thousand broken lines":
            return _with(line * 100_000)
        case "declared utf-8":
            return _with("<cbc:Note>\u00e4</cbc:Note>".encode("latin-1"))
        case "ebcdic":
            return _invoice().decode().encode("cp037", "replace")
        case "unknown encoding":
            return b'<?xml version="1.0" encoding="utf-7"?><a/>'
        case "utf-16 that says utf-8":
            return b'<?xml version="1.0" encoding="utf-8"?>' + "<a/>".encode("utf-16")
        case "no xml":
            return b"PK\x03\x04" + bytes(100)
        case "utf-16":
            return _in_utf_16()
        case "byte order mark":
            return b"\xef\xbb\xbf" + _invoice()
        case "bomb attached":
            bomb = base64.b64encode(zlib.compress(bytes(500_000_000), 1))
            return _with(
                b"<cbc:EmbeddedDocumentBinaryObject>" + bomb + b"</cbc:EmbeddedDocumentBinaryObject>"
            )
        case "huge attribute":
            return _with(b'<cbc:Note languageID="' + b"a" * 20_000_000 + b'"/>')
        case "huge text":
            return _with(b"<cbc:Note>" + b"9" * 40_000_000 + b"</cbc:Note>")
        case "a million attributes":
            return _with(b"<cbc:Note " + b" ".join(b'a%d=""' % n for n in range(1_000_000)) + b"/>")
        case "quotes":
            return _with(b'<cbc:Note>\'")] | //*[("</cbc:Note>')
    raise KeyError(kind)
