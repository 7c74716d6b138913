"""Rule sets of our own: what the file says is what the model holds, and a slip is named."""

from __future__ import annotations

import pytest

from formats.findings import Severity
from formats.schematron import own
from formats.schematron.model import Function, Give, Let, Parameter, Unreadable, ValueOf

FILE = """
title = "Lines"
[namespaces]
c = "urn:c"
u = "urn:u"
[variables]
currency = "/*/c:Currency"
[[function]]
name = "u:near"
parameters = ["a as xs:decimal", "b"]
returns = "xs:boolean"
variables = { gap = "abs($a - $b)" }
result = "$gap < 0.02"
[[pattern]]
name = "lines"
[[pattern.rule]]
context = "c:Line"
variables = { net = "xs:decimal(c:Net)" }
[[pattern.rule.assert]]
id = "OWN-01"
test = '''$net >= 0 and c:Net/@cur = $currency'''
message = "Net is {c:Net}, {{below}} zero."
[[pattern.rule.assert]]
id = "OWN-02"
severity = "warning"
test = "u:near($net, 1)"
"""


def test_a_file_of_ours_is_read_into_the_model() -> None:
    source = own.read(FILE.encode())
    assert source.title == "Lines"
    assert source.namespaces == {"xs": "http://www.w3.org/2001/XMLSchema", "c": "urn:c", "u": "urn:u"}
    assert source.lets == (Let("currency", "/*/c:Currency"),)
    assert source.functions == (
        Function(
            "u:near",
            (Parameter("a", "xs:decimal"), Parameter("b")),
            (Let("gap", "abs($a - $b)"), Give("$gap < 0.02")),
            "xs:boolean",
        ),
    )
    (rule,) = source.patterns[0].rules
    assert (rule.context, rule.lets) == ("c:Line", (Let("net", "xs:decimal(c:Net)"),))
    first, second = rule.asserts
    assert first.message == ("Net is ", ValueOf("c:Net"), ", ", "{", "below", "}", " zero.")
    assert [(one.rule, one.severity) for one in rule.asserts] == [
        ("OWN-01", Severity.ERROR),
        ("OWN-02", Severity.WARNING),
    ]
    assert second.test == "u:near($net, 1)"


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('id = "OWN-02"', 'name = "OWN-02"', "an assert of c:Line has no id"),
        ('severity = "warning"', 'severity = "warn"', "OWN-02: severity 'warn' is none of error"),
        ('severity = "warning"', 'sverity = "warning"', "OWN-02: sverity is not known here"),
        ('context = "c:Line"', "", "a rule of lines has no context"),
        ("{c:Net}", "{c:Net", "OWN-01: a brace of the message stands alone"),
        ("[namespaces]", "[namespaces", "not TOML"),
    ],
)
def test_a_slip_is_refused_with_its_place(was: str, becomes: str, words: str) -> None:
    assert was in FILE
    with pytest.raises(Unreadable) as caught:
        own.read(FILE.replace(was, becomes).encode())
    assert words in str(caught.value)
