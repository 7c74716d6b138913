"""Limits, groups, reviews and questions over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.clock import machine_time
from gateway.store import companies, keys
from o2c.money import Money
from tests.gateway.http.conftest import BUYER, COMPANY, Caller, pointers, problem

APPROVED = {"party": BUYER, "approval_until": "2030-01-01"}


def nok(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "NOK"}


@pytest.fixture
def member(caller: Caller) -> Caller:
    """C-1 and C-2 are of the group FJORD; C-1 may owe 100,000 NOK and has ordered for 124.75."""
    caller.given_goods()
    for name in ("C-1", "C-2"):
        body = APPROVED | {"credit_limit": nok("100000"), "group_id": "FJORD", "risk_class": "A"}
        assert caller.put(f"/v1/customers/{name}", body).status_code in (200, 201)
    caller.given_order()
    return caller


def test_a_limit_is_granted_listed_and_ended(member: Caller) -> None:
    body = {"kind": "temporary", "amount": nok("250000.00"), "valid_until": "2026-03-31", "note": "fair"}
    granted = member.post("/v1/customers/C-1/limits", body)
    assert granted.status_code == 201
    limit_id = granted.json["id"]
    assert granted.json == {
        "id": limit_id,
        "kind": "temporary",
        "amount": nok("250000.00"),
        "valid_from": "2026-03-02",
        "valid_until": "2026-03-31",
        "in_force": True,
        "note": "fair",
        "customer_id": "C-1",
    }
    account = member.get("/v1/customers/C-1/account").json
    assert (account["credit_limit"], account["temporary_limit"], account["effective_limit"]) == (
        nok("100000"),
        nok("250000.00"),
        nok("250000.00"),
    )
    assert account["habits"] == {
        "paid_invoices": 0,
        "mean_days_late": 0,
        "share_paid_late": "0",
        "broken_promises": 0,
    }
    ended = member.post(f"/v1/limits/{limit_id}/end", {"last_day": "2026-03-01", "note": "a slip"})
    assert ended.status_code == 200
    assert (ended.json["replaces"], ended.json["in_force"]) == (limit_id, False)
    assert member.get("/v1/customers/C-1/limits").json["items"] == [ended.json]
    again = member.post(f"/v1/limits/{limit_id}/end", {"last_day": "2026-03-01", "note": "again"})
    assert problem(again) == (409, "credit-limit-replaced")


@pytest.mark.parametrize(
    ("path", "changes", "expected"),
    [
        ("customers/C-1", {"kind": "temporary"}, (422, "credit-limit")),
        ("customers/C-1", {"valid_until": "2026-03-01"}, (422, "credit-limit")),
        ("customers/C-1", {"amount": {"amount": "1", "currency": "EUR"}}, (422, "request-invalid")),
        ("customers/C-1", {"amount": nok("0.001")}, (422, "request-invalid")),
        ("customers/C-1", {"kind": "group"}, (422, "request-invalid")),
        ("customers/C-NONE", {}, (404, "customer")),
        ("groups/NONE", {"kind": None}, (404, "group")),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    member: Caller, path: str, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = {"kind": "own", "amount": nok("10"), "note": "why"} | changes
    said = {name: value for name, value in body.items() if value is not None}
    assert problem(member.post(f"/v1/{path}/limits", said)) == expected


def test_a_group_is_shown_with_its_members_and_what_they_owe(member: Caller) -> None:
    granted = member.post("/v1/groups/FJORD/limits", {"amount": nok("900.00"), "note": "guarantee"})
    assert (granted.status_code, granted.json["kind"]) == (201, "group")
    group = member.get("/v1/groups/FJORD").json
    assert (group["exposure"], group["limit"]) == (nok("124.75"), nok("900.00"))
    assert [(one["customer_id"], one["exposure"]["amount"]) for one in group["members"]] == [
        ("C-1", "124.75"),
        ("C-2", "0.00"),
    ]
    assert group["limits"] == [granted.json]
    assert member.get("/v1/customers/C-2/account").json["group"] == {
        "group_id": "FJORD",
        "exposure": nok("124.75"),
        "limit": nok("900.00"),
    }
    assert problem(member.get("/v1/groups/NONE")) == (404, "group")


def test_granting_takes_the_right_to_approve(member: Caller) -> None:
    clerk = member.with_scopes("customers:write", "customers:read")
    body = {"kind": "own", "amount": nok("10"), "note": "why"}
    assert problem(clerk.post("/v1/customers/C-1/limits", body)) == (403, "scope-missing")
    assert clerk.get("/v1/customers/C-1/limits").json == {"items": []}


def test_customers_to_review_are_listed(member: Caller) -> None:
    assert member.get("/v1/credit-reviews").json == {"items": []}
    member.put("/v1/customers/C-2", APPROVED | {"review_on": "2026-03-02"})
    assert [one["customer_id"] for one in member.get("/v1/credit-reviews").json["items"]] == ["C-2"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"priority": "urgent"}, ("/priority", "choice")),
        ({"group_id": ""}, ("/group_id", "missing")),
        ({"group_id": "x" * 81}, ("/group_id", "too-long")),
        ({"review_on": "soon"}, ("/review_on", "date")),
    ],
)
def test_a_customer_field_that_cannot_be_is_named(
    caller: Caller, changes: dict[str, str], fault: tuple[str, str]
) -> None:
    refused = caller.put("/v1/customers/C-1", APPROVED | changes)
    assert (refused.status_code, pointers(refused)) == (422, [fault])


# --- questions -----------------------------------------------------------------------------------
@pytest.fixture
def asked(caller: Caller) -> tuple[Caller, str]:
    """An order of a stranger waits; more than 1,000 NOK takes two persons."""
    house = caller.house
    company = house.desk(COMPANY).company
    profile = replace(company.profile, four_eyes_above=Money.parse("1000 NOK"))
    house.database.write(lambda c: companies.describe(c, replace(company, profile=profile)))
    house.forget(COMPANY)
    caller.given_goods()
    caller.put("/v1/customers/C-NEW", {"party": BUYER, "refused_before": True})
    line = {"line_id": "1", "name": "Kaffe", "quantity": {"value": "20", "unit": "C62"}, "net_price": "49.90"}
    tax = {"seller_item_id": "P-1", "tax": {"category": "S", "rate": "25"}}
    made = caller.given_order(customer_id="C-NEW", lines=[line | tax])
    assert made["state"] == "referred"
    return caller, made["id"]


def test_what_waits_is_listed_with_its_deadline(asked: tuple[Caller, str]) -> None:
    caller, order_id = asked
    [item] = caller.get("/v1/approvals").json["items"]
    assert item == {
        "order_id": order_id,
        "customer_id": "C-NEW",
        "state": "referred",
        "reason": "An earlier order was refused, so we look at this one as if you were new",
        "amount": nok("1247.50"),
        "asked_at": "2026-03-02T09:00:00+00:00",
        "late": False,
        "queue": "credit team",
        "answer_by": "2026-03-02T13:00:00+00:00",
    }
    assert caller.get("/v1/approvals?queue=credit+team").json["items"] == [item]
    assert caller.get("/v1/approvals?queue=nobody").json["items"] == []


def person(caller: Caller, label: str) -> Caller:
    """A controller with a key of their own: its label is the name in the journal."""
    scopes = ("approvals:write", "orders:read")
    _, key = caller.house.database.write(
        lambda c: keys.create(c, COMPANY, label, scopes, None, machine_time())
    )
    return Caller(caller.app, caller.house, key)


def test_two_keys_are_two_persons(asked: tuple[Caller, str]) -> None:
    caller, order_id = asked
    ada, bo = person(caller, "Ada"), person(caller, "Bo")
    word = {"decision": "approve", "reason": "called them", "credit_limit": nok("5000")}
    first = ada.post(f"/v1/orders/{order_id}/approval", word)
    assert (first.status_code, first.json["state"]) == (202, "referred")
    said = ada.get("/v1/approvals").json["items"][0]["first_approval"]
    assert (said["by"], said["reason"], said["credit_limit"]) == ("key:Ada", "called them", nok("5000.00"))
    assert problem(ada.post(f"/v1/orders/{order_id}/approval", word)) == (409, "second-person")
    other = word | {"credit_limit": nok("6000")}
    assert problem(bo.post(f"/v1/orders/{order_id}/approval", other)) == (409, "approval-differs")
    second = bo.post(f"/v1/orders/{order_id}/approval", {"decision": "approve", "reason": "agreed"})
    assert (second.status_code, second.json["state"]) == (200, "approved")
    assert caller.get("/v1/approvals").json == {"items": []}
    assert caller.get("/v1/customers/C-NEW").json["credit_limit"] == nok("5000")
