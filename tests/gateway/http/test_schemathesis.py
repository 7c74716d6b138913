"""Schemathesis throws what it can think of at every documented operation.

Nothing may be a server error, and every answer must be a documented one: its status, content type,
headers and body. Paths name things that exist half of the time, or only "not found" would be tried.
The number of examples is bounded and their choice is fixed, so a failure here is one everywhere.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.schemas import OpenApiSchema

from rules.rulebook import default_content
from tests.gateway.http.conftest import BUYER, Caller
from tests.gateway.http.test_goods_and_money import bank_file, statement

CONFIG: dict[str, Any] = {
    "seed": 1,
    "generation": {"max-examples": 30, "deterministic": True, "database": "none", "no-shrink": True},
    "phases": {"stateful": {"enabled": False}},
    "checks": {
        # A document that fits its schema may still be refused: a customer that does not exist, a
        # currency without a rate. Each refusal has a test of its own.
        "positive_data_acceptance": {"enabled": False},
        # Its request cannot go through this version's WSGI transport; test_door tries it.
        "ignored_auth": {"enabled": False},
        # /v1/orders/bulk also reads as the order "bulk", which is GET.
        "allow_header_conformance": {"enabled": False},
    },
}


@schemathesis.serializer("application/x-ndjson")
def _lines(_context: Any, value: Any) -> Any:
    """Schemathesis knows no NDJSON: its values go as they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture
def known(caller: Caller) -> dict[str, str]:
    """Ids of things that exist, by the name of the path part."""
    caller.given_goods()
    hook = caller.post("/v1/webhooks", {"url": "https://hooks.example/o2c"}).json["id"]
    invoice = caller.given_invoice()
    [delivery, *_] = caller.get("/v1/webhook-deliveries").json["items"]
    number = invoice["number"]
    some = {"amount": "1.00", "currency": "NOK"}
    disputed = caller.post(f"/v1/invoices/{number}/disputes", {"reason": "price", "amount": some})
    promised = caller.post(f"/v1/invoices/{number}/promises", {"promised_on": "2030-01-01"})
    block = {"invoice": number, "reason": "in court", "until_on": "2030-01-01"}
    waiting = caller.given_order("A-2")
    [job, *_] = caller.get("/v1/jobs").json["items"]
    rules = default_content("credit").decode()
    proposed = caller.post("/v1/rules/proposals", {"content": f"{rules}# new\n", "note": "new"}).json
    caller.put("/v1/customers/C-2", {"party": BUYER, "group_id": "FJORD"})
    note = {"amount": {"amount": "5000.00", "currency": "NOK"}, "note": "known"}
    limit = caller.post("/v1/customers/C-1/limits", note | {"kind": "own"}).json
    goods = {"product_id": "P-1", "warehouse": "BERGEN", "quantity": "5", "expected_on": "2026-03-09"}
    caller.post("/v1/receipts", goods | {"reference": "PO-7"})
    [posted] = bank_file(caller, statement("1", "10.00")).json["items"]
    [payment] = caller.get("/v1/payments").json["items"]
    return {
        "payment_id": payment["payment_id"],
        "statement_id": posted["statement_id"],
        "file_sha256": posted["sha256"],
        "group_id": "FJORD",
        "limit_id": limit["id"],
        "reference": "PO-7",
        "order_id": waiting["id"],
        "shipment_id": invoice["shipment_id"],
        "customer_id": "C-1",
        "product_id": "P-1",
        "warehouse": "BERGEN",
        "number": invoice["number"],
        "message_id": invoice["message_id"],
        "currency": "EUR",
        "day": "2026-03-01",
        "endpoint_id": hook,
        "delivery_id": delivery["delivery_id"],
        "job_id": job["job_id"],
        "policy": "credit",
        "proposal_id": proposed["id"],
        "sha256": proposed["base_sha256"],
        "table": "C60",
        "dispute_id": disputed.json["id"],
        "promise_id": promised.json["id"],
        "block_id": caller.post("/v1/dunning-blocks", block).json["id"],
    }


def api(caller: Caller, known: dict[str, str]) -> OpenApiSchema:
    """The served document, every path part of it sometimes a known id."""
    config = SchemathesisConfig.from_dict(CONFIG | {"headers": {"Authorization": f"Bearer {caller.key}"}})
    schema = schemathesis.openapi.from_wsgi("/openapi.json", caller.app, config=config)
    assert isinstance(schema, OpenApiSchema)

    @schema.hook
    def map_path_parameters(_context: Any, values: dict[str, Any] | None) -> dict[str, Any] | None:
        """Every second id is one that exists."""
        return values and {
            name: known.get(name, value) if len(str(value)) % 2 else value for name, value in values.items()
        }

    return schema


@pytest.mark.slow
def test_no_input_breaks_the_api_or_gets_an_undocumented_answer(
    caller: Caller, known: dict[str, str]
) -> None:
    schema = api(caller, known)
    tried: set[str] = set()
    wrong: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(f"{getattr(event, 'label', '')}: {getattr(event, 'value', event)}")
        if isinstance(event, events.ScenarioFinished):
            tried.add(event.recorder.label)
            wrong += _failures(event.recorder)
    assert "\n\n".join(wrong) == ""
    assert tried >= _labels(schema)


def _labels(schema: OpenApiSchema) -> set[str]:
    """Every documented operation: ``POST /v1/orders``."""
    found: list[Any] = list(schema.get_all_operations())
    return {each.ok().label for each in found}


def _failures(recorder: Any) -> list[str]:
    """What went wrong in one scenario, with the request that shows it."""
    return [
        f"{recorder.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
        for checks in recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]
