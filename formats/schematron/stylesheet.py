"""A rule set as XSLT 2.0, for what the compiler refuses: Saxon runs it, and the report is the same.

Governed by ISO/IEC 19757-3 annex C. Each pattern is a mode, its first rule has the highest priority, and what
fires is written as SVRL.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from formats.schematron.model import Assert, Bind, Choose, Function, Give, Let, Pattern, RuleSource, Step

_PLACE = (
    '<xsl:function name="o2c:place"><xsl:param name="n"/><xsl:value-of separator="" select="'
    "for $a in $n/ancestor-or-self::* return concat('/*:', local-name($a), '[namespace-uri()=''',"
    " namespace-uri($a), '''][', 1 + count($a/preceding-sibling::*[node-name(.) = node-name($a)]), ']'),"
    " if ($n instance of attribute()) then concat('/@', name($n)) else ()\"/></xsl:function>"
)


def stylesheet_of(rules: RuleSource) -> str:
    """The stylesheet's text."""
    return "\n".join(_lines(rules))


def _lines(rules: RuleSource) -> Iterator[str]:
    names = {"xsl": "http://www.w3.org/1999/XSL/Transform", "svrl": "http://purl.oclc.org/dsdl/svrl"}
    names |= {"xs": "http://www.w3.org/2001/XMLSchema", "o2c": "urn:o2c:rules", **rules.namespaces}
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in names.items())
    yield f'<xsl:stylesheet version="2.0"{declared}>'
    yield _PLACE
    for key in rules.keys:
        yield (f"<xsl:key name={quoteattr(key.name)} match={quoteattr(key.match)} use={quoteattr(key.use)}/>")
    for function in rules.functions:
        yield from _function(function)
    for let in (*rules.lets, *(one for pattern in rules.patterns for one in pattern.lets)):
        yield _variable(let)
    modes = "".join(
        f'<xsl:apply-templates select="/" mode="m{number}"/>' for number in range(len(rules.patterns))
    )
    yield f'<xsl:template match="/"><svrl:schematron-output>{modes}</svrl:schematron-output></xsl:template>'
    for number, pattern in enumerate(rules.patterns):
        yield from _pattern(pattern, f"m{number}")
    yield "</xsl:stylesheet>"


def _pattern(pattern: Pattern, mode: str) -> Iterator[str]:
    further = f'<xsl:apply-templates select="@*|*" mode="{mode}"/>'
    yield f'<xsl:template match="@*|node()" mode="{mode}" priority="-2">{further}</xsl:template>'
    yield f'<xsl:template match="/" mode="{mode}" priority="-2">{further}</xsl:template>'
    for place, rule in enumerate(pattern.rules):
        priority = len(pattern.rules) - place
        yield f'<xsl:template match={quoteattr(rule.context)} mode="{mode}" priority="{priority}">'
        yield from map(_variable, rule.lets)
        yield from map(_check, rule.asserts)
        yield f"{further}</xsl:template>"


def _check(check: Assert) -> str:
    tag = "svrl:successful-report" if check.report else "svrl:failed-assert"
    test = check.test if check.report else f"not({check.test})"
    words = "".join(
        escape(part) if isinstance(part, str) else f"<xsl:value-of select={quoteattr(part.select)}/>"
        for part in check.message
    )
    return (
        f"<xsl:if test={quoteattr(test)}><{tag} id={quoteattr(check.rule)} flag={quoteattr(check.severity)}"
        f' location="{{o2c:place(.)}}"><svrl:text>{words}</svrl:text></{tag}></xsl:if>'
    )


def _variable(let: Let) -> str:
    kind = f" as={quoteattr(let.type)}" if let.type else ""
    if let.text is not None:
        return f"<xsl:variable name={quoteattr(let.name)}{kind}>{escape(let.text)}</xsl:variable>"
    return f"<xsl:variable name={quoteattr(let.name)}{kind} select={quoteattr(let.select or '()')}/>"


def _function(function: Function) -> Iterator[str]:
    kind = f" as={quoteattr(function.type)}" if function.type else ""
    yield f"<xsl:function name={quoteattr(function.name)}{kind}>"
    for parameter in function.parameters:
        type_ = f" as={quoteattr(parameter.type)}" if parameter.type else ""
        yield f"<xsl:param name={quoteattr(parameter.name)}{type_}/>"
    yield from map(_step, function.steps)
    yield "</xsl:function>"


def _step(step: Step) -> str:
    match step:
        case Let():
            return _variable(step)
        case Bind():
            kind = f" as={quoteattr(step.type)}" if step.type else ""
            inner = "".join(map(_step, step.steps))
            return f"<xsl:variable name={quoteattr(step.name)}{kind}>{inner}</xsl:variable>"
        case Give():
            name = "value-of" if step.as_text else "sequence"
            return f"<xsl:{name} select={quoteattr(step.select)}/>"
        case Choose():
            return _choose(step)


def _choose(choose: Choose) -> str:
    branches = "".join(
        f"<xsl:when test={quoteattr(test)}>{''.join(map(_step, steps))}</xsl:when>"
        for test, steps in choose.branches
    )
    otherwise = "".join(map(_step, choose.otherwise))
    return f"<xsl:choose>{branches}<xsl:otherwise>{otherwise}</xsl:otherwise></xsl:choose>"
