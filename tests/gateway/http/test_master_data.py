"""Customers, products, stock and rates through the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.gateway.http.conftest import BUYER, Caller, order, pointers, problem


def test_a_customer_is_created_then_replaced(caller: Caller) -> None:
    first = caller.put("/v1/customers/C-1", {"party": BUYER, "email": "a@b.example", "terms_days": 14})
    assert (first.status_code, first.json["terms_days"]) == (201, 14)
    again = caller.put("/v1/customers/C-1", {"party": BUYER, "customer_id": "C-1"})
    assert again.status_code == 200
    seen = caller.get("/v1/customers/C-1").json
    assert seen["terms_days"] == 30  # not sent, so the default
    assert "email" not in seen
    assert seen["party"]["name"] == BUYER["name"]


def _limit(amount: str, currency: str) -> dict[str, Any]:
    return {"party": BUYER, "credit_limit": {"amount": amount, "currency": currency}}


# A customer, and the fault that is found.
CUSTOMER_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/party", "missing"),
    ({"customer_id": "C-2", "party": BUYER}, "/customer_id", "changed"),
    ({"party": BUYER, "channel": "pigeon"}, "/channel", "choice"),
    ({"party": BUYER, "risk_class": "Z"}, "/risk_class", "choice"),
    ({"party": BUYER, "terms_days": -1}, "/terms_days", "number"),
    ({"party": BUYER, "terms_days": 10**30}, "/terms_days", "number"),
    ({"party": BUYER, "terms_days": True}, "/terms_days", "type"),
    (_limit("1", "EUR"), "/credit_limit/currency", "currency"),
    (_limit("1.001", "NOK"), "/credit_limit/amount", "number"),
    (_limit("-1", "NOK"), "/credit_limit/amount", "number"),
    ({"party": BUYER | {"name": ""}}, "/party/name", "missing"),
    ({"party": BUYER | {"name": "a\x00"}}, "/party/name", "character"),
    ({"party": BUYER | {"address": {"country": "Norway"}}}, "/party/address/country", "country"),
    ({"party": BUYER | {"vat_id": "N" * 300}}, "/party", "too-long"),
]


def test_a_customer_that_means_nothing_is_refused(caller: Caller) -> None:
    for body, pointer, code in CUSTOMER_FAULTS:
        answered = caller.put("/v1/customers/C-1", body)
        assert problem(answered)[0] == 422, body
        assert (pointer, code) in pointers(answered), body


def test_an_id_must_fit(caller: Caller) -> None:
    assert problem(caller.put(f"/v1/customers/{'x' * 81}", {"party": BUYER}))[0] == 422
    assert problem(caller.put(f"/v1/products/{'x' * 81}", {"name": "x"}))[0] == 422
    assert caller.put(f"/v1/customers/{'x' * 80}", {"party": BUYER}).status_code == 201


def test_customers_are_listed_by_id(caller: Caller) -> None:
    for name in ("C-2", "C-1", "C-3"):
        caller.put(f"/v1/customers/{name}", {"party": BUYER})
    page = caller.get("/v1/customers?limit=2").json
    assert [each["customer_id"] for each in page["items"]] == ["C-1", "C-2"]
    assert [
        each["customer_id"] for each in caller.get(f"/v1/customers?after={page['next']}").json["items"]
    ] == ["C-3"]
    assert problem(caller.get("/v1/customers/C-9")) == (404, "customer")


def test_the_credit_account_shows_its_figures(caller: Caller) -> None:
    caller.given_goods()
    caller.given_order()
    seen = caller.get("/v1/customers/C-1/account").json
    assert seen["open_orders"] == {"amount": "124.75", "currency": "NOK"}
    assert seen["exposure"] == {"amount": "124.75", "currency": "NOK"}
    assert seen["credit_limit"] == {"amount": "100000", "currency": "NOK"}
    assert seen["held"] is False
    assert seen["overdue"] == []
    assert problem(caller.get("/v1/customers/C-9/account")) == (404, "customer")


def test_a_product_and_its_stock(caller: Caller) -> None:
    assert caller.put("/v1/products/P-1", {"name": "Kaffe", "unit": "KGM"}).status_code == 201
    assert caller.put("/v1/products/P-1", {"name": "Kaffe"}).status_code == 200
    assert caller.get("/v1/products/P-1").json["unit"] == "C62"
    assert [each["product_id"] for each in caller.get("/v1/products").json["items"]] == ["P-1"]
    told = caller.put(
        "/v1/products/P-1/stock/OSLO", {"on_hand": 2.5, "rank": 1, "next_receipt_on": "2026-04-01"}
    )
    assert told.status_code == 200
    caller.put("/v1/products/P-1/stock/BERGEN", {"on_hand": "4"})
    levels = caller.get("/v1/products/P-1/stock").json["items"]
    assert [each["warehouse"] for each in levels] == ["BERGEN", "OSLO"]
    assert [Decimal(each["on_hand"]) for each in levels] == [Decimal("4"), Decimal("2.5")]
    assert levels[1]["next_receipt_on"] == "2026-04-01"
    assert problem(caller.get("/v1/products/P-9")) == (404, "product")
    assert problem(caller.get("/v1/products/P-9/stock")) == (404, "product")
    assert problem(caller.put("/v1/products/P-9/stock/OSLO", {"on_hand": 1})) == (404, "product")


# A count, and the fault that is found.
COUNT_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"on_hand": "-1"}, "/on_hand", "number"),
    ({"on_hand": "1" * 20}, "/on_hand", "number"),
    ({"on_hand": "x"}, "/on_hand", "number"),
    ({"on_hand": "1", "rank": 10**20}, "/rank", "less-than-equal"),
    ({"on_hand": "1", "next_receipt_on": "soon"}, "/next_receipt_on", "date"),
    ({"on_hand": "1", "shelf": 1}, "/shelf", "unknown"),
    ({}, "/on_hand", "missing"),
]


def test_a_count_that_means_nothing_is_refused(caller: Caller) -> None:
    caller.put("/v1/products/P-1", {"name": "Kaffe"})
    for body, pointer, code in COUNT_FAULTS:
        answered = caller.put("/v1/products/P-1/stock/OSLO", body)
        assert problem(answered) == (422, "request-invalid"), body
        assert pointers(answered) == [(pointer, code)], body


def test_a_count_is_kept_to_six_decimals_and_never_below_what_is_promised(caller: Caller) -> None:
    caller.given_goods()
    caller.given_order()
    path = "/v1/products/P-1/stock/BERGEN"
    assert problem(caller.put(path, {"on_hand": "1"})) == (409, "stock-promised")
    assert problem(caller.put(path, {"on_hand": "5.0000001"})) == (422, "quantity")
    assert problem(caller.put(f"/v1/products/P-1/stock/{'x' * 81}", {"on_hand": "1"}))[0] == 422


def test_a_rate_is_set_corrected_and_used(caller: Caller) -> None:
    caller.given_goods()
    missing = caller.post("/v1/orders", order("E-1", currency="EUR"))
    assert problem(missing) == (422, "exchange-rate-missing")
    assert caller.put("/v1/rates/EUR/2026-03-01", {"rate": "11.5"}).status_code == 201
    assert caller.put("/v1/rates/EUR/2026-03-01", {"rate": 10}).status_code == 200
    made = caller.post("/v1/orders", order("E-1", currency="EUR"))
    assert made.json["decision"]["facts"]["this_order"] == "1247.50"


# Where a rate is put, and what.
RATE_FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("EUR/2026-02-30", {"rate": "1"}),
    ("EUR/20260301", {"rate": "1"}),
    ("NOK/2026-03-01", {"rate": "1"}),
    ("euro/2026-03-01", {"rate": "1"}),
    ("EUR/2026-03-01", {"rate": "0"}),
    ("EUR/2026-03-01", {"rate": "-1"}),
    ("EUR/2026-03-01", {"rate": None}),
    ("EUR/2026-03-01", {"rate": "9" * 40}),
]


def test_a_rate_that_means_nothing_is_refused(caller: Caller) -> None:
    for path, body in RATE_FAULTS:
        assert problem(caller.put(f"/v1/rates/{path}", body)) == (422, "request-invalid"), (path, body)
