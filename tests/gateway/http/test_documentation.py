"""The OpenAPI document is valid, complete and true."""

from __future__ import annotations

import re

from openapi_spec_validator import validate

from tests.gateway.http.conftest import Caller, order


def test_the_document_is_valid_and_complete(caller: Caller) -> None:
    served = caller.anonymously("/openapi.json")
    assert served.status_code == 200
    document = served.json
    assert document["openapi"].startswith("3.1")
    validate(document)
    documented = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }
    served_by = {
        (method, re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule))
        for rule in caller.app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE", "PATCH"}
        if rule.rule.startswith(("/v1/", "/health"))
    }
    assert documented == served_by


def test_every_operation_tells_its_scope_and_its_problems(caller: Caller) -> None:
    document = caller.anonymously("/openapi.json").json
    names = []
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            where = f"{method} {path}"
            names.append(told["operationId"])
            assert told["summary"], where
            assert len(told["tags"]) == 1, where
            if path == "/health":
                assert "security" not in told
                continue
            [scope] = [scope for each in told["security"] for scopes in each.values() for scope in scopes]
            assert f"`{scope}`" in told["description"], where
            for status in ("401", "403", "500", "503"):
                assert "application/problem+json" in told["responses"][status]["content"], where
            for answer in told["responses"].values():
                assert "X-Request-Id" in answer["headers"], where
    assert len(names) == len(set(names))


def test_the_schema_of_an_order_says_what_is_read(caller: Caller) -> None:
    schemas = caller.anonymously("/openapi.json").json["components"]["schemas"]
    read = schemas["Order-Input"]
    assert sorted(read["required"]) == ["currency", "external_id", "lines"]
    assert read["additionalProperties"] is False
    assert read["properties"]["external_id"]["maxLength"] == 200
    assert set(order()) <= set(read["properties"])


def test_the_host_of_whoever_asks_does_not_enter_the_document(caller: Caller) -> None:
    served = caller.anonymously("/openapi.json", headers={"Host": "evil.example"})
    assert "evil.example" not in served.text
