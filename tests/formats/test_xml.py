"""Hostile and broken XML, each refused with its code, and text that survives the way out."""

from __future__ import annotations

import time

import pytest

from formats import xml
from o2c.errors import Refused

LAUGHS = b"""<?xml version="1.0"?><!-- hello --><?hello?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><lolz>&c;</lolz>"""
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
REMOTE = b'<!DOCTYPE a PUBLIC "-//X//X" "http://127.0.0.1:9/x.dtd"><a/>'
PLAIN = "<!DOCTYPE a><a/>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (LAUGHS, "doctype"),
        (OUTSIDE, "doctype"),
        (REMOTE, "doctype"),
        (b"\xef\xbb\xbf" + PLAIN.encode(), "doctype"),
        (PLAIN.encode("utf-16"), "doctype"),
        (PLAIN.encode("utf-16-be"), "doctype"),
        (b"<!DOCTYPE a", "doctype"),
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        ("\ufeff ".encode("utf-16-le"), "empty"),
        (b"<a><b></a>", "malformed"),
        (b"<a/><b/>", "malformed"),
        (b"text", "malformed"),
        (b"<a>&undefined;</a>", "malformed"),
        (b"<a>\x07</a>", "malformed"),
        (b"<a>" * 5000 + b"</a>" * 5000, "malformed"),
        (b"<a>\xff</a>", "encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="koi8-r"?><a/>', "encoding"),
        (b"<a>" + b"x" * 100 + b"</a>", "too-large"),
    ],
)
def test_what_is_not_safe_or_sound_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        xml.parse(content, limit=20_000_000 if code != "too-large" else 50)
    assert caught.value.code == code


def test_a_break_is_told_with_its_line() -> None:
    with pytest.raises(Refused, match="at line 3"):
        xml.parse(b"<a>\n<b>\n</a>\n")


def test_a_long_prolog_costs_no_more_than_its_length() -> None:
    content = b"<!-- " + b"- " * 1_000_000 + b" <?" * 1_000_000
    started = time.process_time()
    with pytest.raises(Refused):
        xml.parse(content)
    assert time.process_time() - started < 2


def test_doctype_may_be_spoken_of() -> None:
    assert xml.parse(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>").text == "<!DOCTYPE a>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?><a>Øl</a>'.encode(encoding)
    assert xml.parse(content).text == "Øl"


def test_a_comment_does_not_cut_a_text_in_two() -> None:
    assert xml.parse(b"<a>9<!-- -->99<?x?>9</a>").text == "9999"


@pytest.mark.parametrize(
    "value", ["plain", "a & b < c > d", "]]>", '"quoted"', "line\nline", "tab\tcr\rend", "\U0001f9c0"]
)
def test_escaped_text_comes_back(value: str) -> None:
    root = xml.parse(f'<a b="{xml.attribute(value)}">{xml.text(value)}</a>'.encode())
    assert (root.text, root.get("b")) == (value, value)


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x1f", "\ud800", "\uffff", "\ufffe"])
def test_what_no_document_can_carry_is_refused(bad: str) -> None:
    for escape in (xml.text, xml.attribute):
        with pytest.raises(Refused) as caught:
            escape(f"before{bad}after")
        assert caught.value.code == "character"
        assert f"U+{ord(bad):04X}" in caught.value.message
