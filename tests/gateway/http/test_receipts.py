"""Announced goods and the re-allocation run over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.http.conftest import Caller, pointers, problem

GOODS: dict[str, Any] = {
    "reference": "PO-7",
    "product_id": "P-1",
    "warehouse": "OSLO",
    "quantity": "5",
    "expected_on": "2026-03-09",
}


@pytest.fixture
def shop(caller: Caller) -> Caller:
    """One piece of P-1 is there; A-1 wants two and waits for one."""
    caller.given_goods(pieces="1")
    caller.given_order()
    return caller


def test_goods_are_announced_changed_received_and_promised(shop: Caller) -> None:
    announced = shop.post("/v1/receipts", GOODS)
    assert (announced.status_code, announced.headers["Location"]) == (201, "/v1/receipts/PO-7")
    assert announced.json == GOODS | {"quantity": "5.000000", "state": "announced"}
    later = GOODS | {"expected_on": "2026-03-12"}
    assert (
        shop.post("/v1/receipts", later).status_code,
        shop.get("/v1/receipts/PO-7").json["expected_on"],
    ) == (
        200,
        "2026-03-12",
    )
    arrived = shop.post("/v1/receipts/PO-7/arrival", {"quantity": "4"})
    assert (arrived.status_code, arrived.json["state"], arrived.json["received"]) == (200, "received", "4")
    shop.work()
    levels = shop.get("/v1/products/P-1/stock").json["items"]
    assert [(one["warehouse"], float(one["on_hand"]), float(one["reserved"])) for one in levels] == [
        ("BERGEN", 1, 1),
        ("OSLO", 4, 1),
    ]
    assert shop.post("/v1/receipts/PO-7/arrival", {"quantity": "4"}).status_code == 200
    assert problem(shop.post("/v1/receipts/PO-7/arrival", {})) == (409, "receipt-state")
    assert problem(shop.post("/v1/receipts", GOODS | {"quantity": "6"})) == (409, "receipt-state")
    assert shop.get("/v1/receipts?open=true").json == {"items": []}
    assert [one["reference"] for one in shop.get("/v1/receipts?product_id=P-1").json["items"]] == ["PO-7"]


def test_goods_are_called_off(shop: Caller) -> None:
    shop.post("/v1/receipts", GOODS)
    off = shop.post("/v1/receipts/PO-7/cancellation", {"reason": "the ship sank"})
    assert (off.status_code, off.json["state"]) == (200, "cancelled")
    again = shop.post("/v1/receipts/PO-7/cancellation", {"reason": "still"})
    assert problem(again) == (409, "receipt-state")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quantity": "0"}, [("/quantity", "number")]),
        ({"reference": "PO/7"}, [("/reference", "pattern")]),
        ({"expected_on": "soon"}, [("/expected_on", "date")]),
        ({"warehouse": ""}, [("/warehouse", "too-short")]),
    ],
)
def test_goods_that_cannot_be_are_refused(
    shop: Caller, changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    refused = shop.post("/v1/receipts", GOODS | changes)
    assert (refused.status_code, pointers(refused)) == (422, expected)


def test_what_is_not_there_is_not_found(shop: Caller) -> None:
    assert problem(shop.post("/v1/receipts", GOODS | {"product_id": "P-9"})) == (404, "product")
    assert problem(shop.get("/v1/receipts/PO-9")) == (404, "receipt")
    assert problem(shop.post("/v1/receipts/PO-9/arrival", {})) == (404, "receipt")
    assert problem(shop.post("/v1/products/P-9/reallocation", {})) == (404, "product")


def test_a_run_says_what_it_would_do_and_does_it(shop: Caller) -> None:
    shop.put(
        "/v1/customers/C-VIP", shop.get("/v1/customers/C-1").json | {"customer_id": None, "priority": "high"}
    )
    shop.post("/v1/receipts", GOODS | {"quantity": "2"})
    urgent = shop.given_order("A-2", customer_id="C-VIP")
    foreseen = shop.post("/v1/products/P-1/reallocation", {"dry_run": True}).json["items"]
    assert [(one["priority"], float(one["before"]), float(one["after"])) for one in foreseen] == [
        ("high", 0, 1),
        ("normal", 1, 0),
    ]
    assert shop.post("/v1/products/P-1/reallocation", {}).json["items"] == foreseen
    states = {p["state"] for p in shop.get(f"/v1/orders/{urgent['id']}").json["parts"]}
    assert states == {"reserved", "backordered"}
