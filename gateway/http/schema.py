"""JSON Schemas from our own types, saying what our codec really accepts and writes.

Governed by JSON Schema 2020-12. The dataclasses of ``o2c`` are read by ``formats.canonical``, not
by Pydantic; the generator below makes Pydantic's schema of them tell the same story: unknown fields
are refused, a decimal is text or a JSON number, and text has the length of the column it goes to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from gateway.http.fields import EXTERNAL_LIMIT, ID_LIMIT, NUMBER_PATTERN, NUMBER_SCHEMA

# (class, field) -> what a schema cannot know from the type: see ``acceptable``, which checks it.
LIMITS: dict[tuple[str, str], dict[str, Any]] = {
    ("Order", "source"): {"minLength": 1, "maxLength": ID_LIMIT},
    ("Order", "external_id"): {"minLength": 1, "maxLength": EXTERNAL_LIMIT},
    ("Order", "document_id"): {"minLength": 1, "maxLength": EXTERNAL_LIMIT},
    ("Order", "currency"): {"pattern": "^[A-Z]{3}$"},
    ("Order", "lines"): {"minItems": 1},
    ("OrderLine", "line_id"): {"minLength": 1, "maxLength": ID_LIMIT},
    ("OrderLine", "name"): {"minLength": 1},
    ("Quantity", "unit"): {"minLength": 1, "maxLength": 3},
    ("Address", "country"): {"pattern": "^[A-Z]{2}$"},
    ("Party", "name"): {"minLength": 1},
    ("Identifier", "value"): {"minLength": 1},
    ("Money", "currency"): {"pattern": "^[A-Z]{3}$"},
    ("Product", "name"): {"minLength": 1},
    ("Product", "unit"): {"minLength": 1, "maxLength": 3},
    ("Customer", "channel"): {"enum": ["folder", "mail"]},
    ("Customer", "risk_class"): {"enum": ["A", "B", "C"]},
    ("Customer", "priority"): {"enum": ["high", "normal", "low"]},
    ("Customer", "group_id"): {"minLength": 1, "maxLength": ID_LIMIT},
    ("Customer", "terms_days"): {"minimum": 0, "maximum": 3650},
    ("Customer", "grace_days"): {"minimum": 0, "maximum": 365},
    ("Customer", "ibans"): {"items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9 ./-]{0,39}$"}},
}

# What the API fills in where it is not sent: from the path, the day, the customer's master data.
FILLED: dict[str, frozenset[str]] = {
    "Order": frozenset({"source", "document_id", "ordered_on", "buyer"}),
    "Customer": frozenset({"customer_id"}),
    "Product": frozenset({"product_id"}),
}


class TrueSchema(GenerateJsonSchema):
    """Pydantic's generator with our codec's rules."""

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        """Read as text or number, always written as text."""
        if self.mode == "serialization":
            return {"type": "string", "pattern": NUMBER_PATTERN}
        return dict(NUMBER_SCHEMA)

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        """Unknown fields are refused; what a type cannot say comes from ``LIMITS``."""
        made, name = super().dataclass_schema(schema), schema["cls"].__name__
        made["additionalProperties"] = False
        if self.mode == "validation":
            made["required"] = [each for each in made.get("required", []) if each not in FILLED.get(name, ())]
            made["properties"] = {
                field_name: _read_rule(
                    rule | LIMITS.get((name, field_name), {}), field_name in made["required"]
                )
                for field_name, rule in made.get("properties", {}).items()
            }
        return made


def _read_rule(rule: dict[str, Any], required: bool) -> dict[str, Any]:
    """``null`` is read as absent, wherever a field may be absent."""
    if required or {"type": "null"} in rule.get("anyOf", []):
        return rule
    default = {"default": rule["default"]} if "default" in rule else {}
    return {"anyOf": [rule, {"type": "null"}], **default}


@dataclass(frozen=True, slots=True)
class ProblemError:
    """One thing wrong. ``pointer`` leads into the JSON body (RFC 6901), into the XML, or names the
    parameter; ``line`` is that of the XML."""

    pointer: str
    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """An error (RFC 9457). ``code`` is stable; ``next_step`` says what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    next_step: str | None = None
    errors: list[ProblemError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of money in an answer."""

    amount: str
    currency: str
