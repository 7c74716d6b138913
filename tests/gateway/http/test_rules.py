"""Rule files over the API: proposed by one key, approved by another, activated, explained, rolled back."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.clock import machine_time
from gateway.store import keys
from rules.rulebook import default_content
from tests.gateway.http.conftest import COMPANY, Caller, pointers, problem

OLD = default_content("credit")
NEW = (
    OLD.decode()
    .replace('this_order: "<= 500.00"', 'this_order: "<= 400.00"')
    .replace("this_order: 500.0", "this_order: 400.0")
)


def person(caller: Caller, name: str, *scopes: str) -> Caller:
    """A caller of the same company with a key of that label."""
    made = caller.house.database.write(
        lambda c: keys.create(c, COMPANY, name, scopes or ("rules:admin",), None, machine_time())
    )
    return Caller(caller.app, caller.house, made[1])


@pytest.fixture
def anna(caller: Caller) -> Caller:
    return person(caller, "anna", "rules:read", "rules:write")


@pytest.fixture
def bo(caller: Caller) -> Caller:
    return person(caller, "bo", "rules:read", "rules:approve")


def proposed(anna: Caller, content: str = NEW) -> dict[str, Any]:
    answered = anna.post("/v1/rules/proposals", {"content": content, "note": "after two losses"})
    assert answered.status_code == 201, answered.text
    return dict(answered.json)


def live(caller: Caller, policy: str = "credit") -> bytes:
    answered = caller.get(f"/v1/rules/policies/{policy}/file")
    assert answered.content_type == "application/yaml"
    return bytes(answered.data)


def test_a_change_goes_from_a_proposal_to_its_undoing(caller: Caller, anna: Caller, bo: Caller) -> None:
    caller.given_goods()
    known = {"party": {"name": "Ny AS", "address": {"country": "NO"}}}
    assert caller.put("/v1/customers/N-1", known).status_code == 201
    stored = caller.given_order(customer_id="N-1", lines=[line("336")])  # 420.00 with VAT: a first order
    assert (stored["state"], stored["decision"]["rule"]) == ("approved", "C40")

    new = proposed(anna)
    assert (new["state"], new["author"], live(anna)) == ("proposed", "key:anna", OLD)
    [change, *_] = anna.get(f"/v1/rules/proposals/{new['id']}/difference").json["items"]
    assert (change["name"], change["old"], change["new"]) == ("C40", "<= 500.00", "<= 400.00")
    tried = bo.get(f"/v1/rules/proposals/{new['id']}/replay").json
    assert (tried["decisions"], tried["changed"]) == (1, 1)
    [turn] = tried["changes"]
    assert (turn["customer"], turn["value"], turn["old_outcome"], turn["new_outcome"]) == (
        "Ny AS", {"amount": "420.00", "currency": "NOK"}, "approve", "refer"
    )  # fmt: skip
    assert turn["subject_id"] == stored["id"]

    path = f"/v1/rules/proposals/{new['id']}"
    assert problem(anna.post(f"{path}/approval")) == (403, "scope-missing")
    assert problem(bo.post(f"{path}/activation", {})) == (409, "rules-state")
    agreed = bo.post(f"{path}/approval").json
    assert (agreed["state"], agreed["approver"], agreed["replay"]["changed"]) == ("approved", "key:bo", 1)
    assert bo.post(f"{path}/shadow").json["state"] == "shadow"
    again = caller.given_order("A-2", customer_id="N-1", lines=[line("1")])
    assert again["decision"]["rule"] == "C55"  # no first order: the files agree
    assert bo.get(f"{path}/shadow").json == {"items": []}

    assert problem(bo.post(f"{path}/activation", {"at": "2026-03-01T00:00:00Z"})) == (422, "rules-past")
    done = bo.post(f"{path}/activation", {}).json
    assert (done["live"], done["number"], done["sha256"]) == (True, 2, new["sha256"])
    assert live(bo) == NEW.encode()
    assert caller.get("/v1/rules/live").json["items"][1]["sha256"] == new["sha256"]
    assert bo.get("/v1/rules/proposals").json["items"][0]["state"] == "active"

    short = {"sha256": hashlib.sha256(OLD).hexdigest()[:8], "reason": "too strict"}
    back = bo.post("/v1/rules/policies/credit/rollback", short).json
    assert (back["number"], back["reason"], live(bo)) == (3, "too strict", OLD)
    assert problem(bo.post("/v1/rules/policies/credit/rollback", short)) == (409, "rules-unchanged")
    history = bo.get("/v1/rules/policies/credit/history").json["items"]
    assert [(one["number"], one["live"]) for one in history] == [(1, False), (2, False), (3, True)]
    assert bytes(bo.get(f"/v1/rules/files/{new['sha256'][:12]}").data) == NEW.encode()

    told = caller.get(f"/v1/orders/{stored['id']}/explanation?language=nb").json["items"]
    assert [(one["policy"], one["rederived"]) for one in told] == [("credit", True), ("stock", True)]
    assert told[0]["rule"] == "C40"
    assert told[0]["because"]
    assert {"rule": "C10", "conditions": told[0]["others"][0]["conditions"]} in told[0]["others"]
    hits = {one["rule"]: one for one in bo.get("/v1/rules/policies/credit/hits").json["items"]}
    assert (hits["C40"]["decided"], hits["C30"]["fired"]) == (1, 0)


def line(price: str) -> dict[str, Any]:
    return {
        "line_id": "1",
        "name": "Kaffe",
        "quantity": {"value": "1", "unit": "C62"},
        "net_price": price,
        "seller_item_id": "P-1",
        "tax": {"category": "S", "rate": "25"},
    }


def test_the_author_cannot_approve_whatever_the_key_may(caller: Caller) -> None:
    anna = person(caller, "anna")
    new = proposed(anna)
    assert problem(anna.post(f"/v1/rules/proposals/{new['id']}/approval")) == (422, "four-eyes")
    other_key = person(caller, "Anna", "rules:approve")
    assert problem(other_key.post(f"/v1/rules/proposals/{new['id']}/approval")) == (422, "four-eyes")
    refused = {"reason": "no"}
    assert problem(anna.post(f"/v1/rules/proposals/{new['id']}/rejection", refused)) == (422, "four-eyes")
    assert anna.post(f"/v1/rules/proposals/{new['id']}/withdrawal", {}).json["state"] == "withdrawn"


def test_a_bad_file_is_told_line_by_line_and_kept_out(anna: Caller) -> None:
    bad = NEW.replace("this_order:", "this_oder:", 1)
    checked = anna.post("/v1/rules/checks", {"content": bad}).json
    assert checked["fit"] is False
    [found] = checked["findings"]
    assert (found["severity"], found["code"], found["line"]) == ("fault", "unknown-field", 27)
    answered = anna.post("/v1/rules/proposals", {"content": bad, "note": "oops"})
    assert problem(answered) == (422, "rulebook-invalid")
    assert pointers(answered) == [(f"line {found['line']}, column {found['column']}", "unknown-field")]
    foreign = NEW.replace("policy: credit", "policy: credit\ncurrency: EUR")
    [other] = anna.post("/v1/rules/checks", {"content": foreign}).json["findings"]
    assert other["code"] == "rulebook-currency"
    assert anna.post("/v1/rules/checks", {"content": NEW}).json["fit"] is True
    assert anna.get("/v1/rules/proposals").json == {"items": []}


def test_a_table_goes_to_a_spreadsheet_and_back(anna: Caller) -> None:
    sha256 = hashlib.sha256(OLD).hexdigest()
    table = anna.get(f"/v1/rules/files/{sha256}/tables/C60")
    assert table.content_type.startswith("text/csv")
    path = f"/v1/rules/files/{sha256}/tables/C60"
    assert anna.post(path, raw=table.data, media="text/csv").data == OLD
    changed = table.data.replace(b"Far above the credit limit", b"The board decides")
    made = anna.post(path, raw=changed, media="text/csv").data.split()
    assert made == OLD.replace(b"Far above the credit limit", b"The board decides").split()
    assert problem(anna.get(f"/v1/rules/files/{sha256}/tables/C99"))[0] == 404


def test_what_does_not_exist_is_not_found(anna: Caller) -> None:
    for path in (
        "/v1/rules/policies/pricing/file",
        "/v1/rules/files/ffffffffffff",
        "/v1/rules/proposals/rpr_0",
        "/v1/rules/proposals/rpr_0/shadow",
        "/v1/rules/policies/credit/difference?old=ffffffff",
    ):
        assert problem(anna.get(path))[0] == 404, path
    assert anna.get("/v1/rules/policies/cash/schema?language=de").json["$schema"].endswith("2020-12/schema")
    assert anna.get("/v1/rules/policies/credit/difference?old=default").json["items"] == []


def test_a_key_for_orders_reaches_no_rule(caller: Caller) -> None:
    clerk = caller.with_scopes("orders:read")
    assert problem(clerk.get("/v1/rules/live")) == (403, "scope-missing")
    assert problem(clerk.post("/v1/rules/proposals", {"content": NEW, "note": "x"})) == (403, "scope-missing")
