"""What a person does with payments through the door: look, apply, undo, and the second person's word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.http.app import create_app
from gateway.store import companies, keys
from o2c.money import Money
from tests.gateway.http.conftest import COMPANY, Caller, problem
from tests.gateway.http.test_goods_and_money import bank_file, statement


@pytest.fixture
def invoice(caller: Caller) -> dict[str, Any]:
    """INV-00001 of 124.75 NOK, owed by C-1."""
    caller.given_goods()
    return caller.given_invoice()


def waiting(caller: Caller, amount: str = "124.75", number: str = "1") -> dict[str, Any]:
    """A receipt that says nothing, as the queue shows it."""
    assert bank_file(caller, statement(number, amount)).status_code == 201
    items = caller.get("/v1/match-queue").json["items"]
    return dict(next(one for one in items if one["bank_reference"] == f"r-{number}"))


def colleague(caller: Caller) -> Caller:
    """A second person, with a key of another name."""

    def add(connection: Any) -> str:
        now = caller.house.clock.now()
        return keys.create(connection, COMPANY, "controller", keys.SCOPES, None, now)[1]

    return Caller(caller.app, caller.house, caller.house.database.write(add))


def two_persons_above(caller: Caller, amount: str) -> Caller:
    """The same caller, of a company that asks for a second person above the amount."""
    house = caller.house
    company = house.desk(COMPANY).company
    profile = replace(company.profile, four_eyes_above=Money.parse(amount))
    house.database.write(lambda c: companies.describe(c, replace(company, profile=profile)))
    house.forget(COMPANY)
    return Caller(create_app(house), house, caller.key)


def open_amount(caller: Caller) -> str:
    return str(caller.get("/v1/invoices/INV-00001").json["open"]["amount"])


# --- what became of it ---------------------------------------------------------------------------
def test_a_match_is_explained_by_rule_and_evidence(caller: Caller, invoice: dict[str, Any]) -> None:
    told = bank_file(caller, statement("1", "124.75", reference=invoice["reference"]))
    assert told.json["decisions"] == {"match": 1}
    assert len(told.json["sha256"]) == 64
    [payment] = caller.get(told.headers["Location"]).json["items"]
    nok = {"currency": "NOK"}
    share = {"item": "INV-00001", "amount": {"amount": "124.75"} | nok, "closes": True}
    assert (payment["decision"], payment["allocations"]) == ("match", [share])
    assert payment["evidence"][0]["field"] == "reference"
    assert (payment["unallocated"], payment["suggestions"]) == ({"amount": "0.00"} | nok, [])
    whole = caller.get(f"/v1/payments/{payment['payment_id']}").json
    assert whole["payment"] == payment
    [row] = whole["history"]
    assert (row["item"], row["rule"], row["closes"]) == ("INV-00001", payment["rule"], True)
    assert row["evidence"] == payment["evidence"]
    again = bank_file(caller, statement("1", "124.75", reference=invoice["reference"]))
    assert (again.status_code, again.json["decisions"]) == (200, {})
    assert caller.get(again.headers["Location"]).json["items"] == [payment]


def test_payments_are_found_by_state_decision_statement_and_file(caller: Caller) -> None:
    caller.given_goods()
    reference = caller.given_invoice()["reference"]
    one = bank_file(caller, statement("1", "124.75", reference=reference)).json
    two = bank_file(caller, statement("2", "10.00")).json

    def found(**query: str) -> list[str]:
        answered = caller.get("/v1/payments?" + "&".join(f"{k}={v}" for k, v in query.items()))
        return [each["bank_reference"] for each in answered.json["items"]]

    assert found() == ["r-1", "r-2"]
    assert found(state="applied") == found(decision="match") == ["r-1"]
    assert found(file=two["sha256"]) == found(statement=two["items"][0]["statement_id"]) == ["r-2"]
    assert found(file=two["sha256"], statement=one["items"][0]["statement_id"]) == []
    assert problem(caller.get("/v1/payments?file=abc")) == (422, "file")
    assert problem(caller.get("/v1/payments?state=lost")) == (422, "request-invalid")
    assert problem(caller.get("/v1/payments/pay_none")) == (404, "payment")


def test_the_queue_is_paged_by_age_or_by_amount(caller: Caller) -> None:
    for number, amount in (("1", "20.00"), ("2", "30.00"), ("3", "10.00")):
        bank_file(caller, statement(number, amount))

    def queue(order: str) -> list[str]:
        amounts, after = [], ""
        while True:
            page = caller.get(f"/v1/match-queue?order={order}&limit=2&after={after}").json
            amounts += [one["amount"]["amount"] for one in page["items"]]
            after = page.get("next")
            if after is None:
                return amounts

    assert queue("oldest") == ["20.00", "30.00", "10.00"]
    assert queue("largest") == ["30.00", "20.00", "10.00"]


# --- a person decides ----------------------------------------------------------------------------
def test_a_payment_is_split_kept_on_account_and_taken_back(caller: Caller, invoice: dict[str, Any]) -> None:
    name = waiting(caller, "150.00")["payment_id"]
    body = {"shares": [{"item": "INV-00001", "amount": "100.00"}], "on_account": "C-1", "unallocated": "150"}
    made = caller.post(f"/v1/payments/{name}/apply", body)
    assert made.status_code == 200, made.text
    payment = made.json["payment"]
    assert (payment["state"], payment["customer_id"], payment["rule"]) == ("applied", "C-1", "by-hand")
    assert (payment["unallocated"]["amount"], open_amount(caller)) == ("50.00", "24.75")
    assert problem(caller.post(f"/v1/payments/{name}/apply", body)) == (409, "payment-moved")
    back = caller.post(f"/v1/payments/{name}/undo")
    assert (back.status_code, back.json["payment"]["state"]) == (200, "unmatched")
    assert open_amount(caller) == "124.75"
    history = caller.get(f"/v1/payments/{name}").json["history"]
    assert [(one["amount"]["amount"], one["rule"]) for one in history] == [
        ("100.00", "by-hand"),
        ("-100.00", "undo"),
    ]
    assert problem(caller.post(f"/v1/payments/{name}/undo")) == (409, "payment-waits")


def test_a_small_rest_is_written_off(caller: Caller, invoice: dict[str, Any]) -> None:
    name = waiting(caller, "124.00")["payment_id"]
    made = caller.post(f"/v1/payments/{name}/apply", {"shares": [{"item": "INV-00001"}], "write_off": "0.75"})
    payment = made.json["payment"]
    assert (payment["write_off"]["amount"], payment["allocations"][0]["closes"]) == ("0.75", True)
    assert open_amount(caller) == "0.00"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "apply-nothing"),
        ({"shares": [{"item": "X"}]}, "invoice"),
        ({"on_account": "X"}, "customer"),
        ({"shares": [{"item": "INV-00001"}, {"item": "INV-00001"}]}, "apply-twice"),
        ({"shares": [{"item": "INV-00001", "amount": "200"}]}, "apply-amount"),
        ({"shares": [{"item": "INV-00001", "amount": "-1"}]}, "apply-amount"),
        ({"shares": [{"item": "INV-00001", "amount": "0.001"}]}, "apply-amount"),
        ({"write_off": "999999999999999999999999"}, "apply-write-off"),
        ({"shares": [{"number": "INV-00001"}]}, "request-invalid"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused_with_its_code(
    caller: Caller, invoice: dict[str, Any], body: dict[str, Any], code: str
) -> None:
    name = waiting(caller)["payment_id"]
    assert problem(caller.post(f"/v1/payments/{name}/apply", body)) == (422, code)
    assert open_amount(caller) == "124.75"


# --- a second person -----------------------------------------------------------------------------
def test_above_the_amount_somebody_else_has_to_agree(caller: Caller, invoice: dict[str, Any]) -> None:
    caller = two_persons_above(caller, "100 NOK")
    name = waiting(caller)["payment_id"]
    body = {"shares": [{"item": "INV-00001"}]}
    kept = caller.post(f"/v1/payments/{name}/apply", body)
    assert kept.status_code == 202, kept.text
    asked = kept.json["request"]
    assert (asked["state"], asked["shares"]) == ("open", [{"item": "INV-00001"}])
    assert asked["amount"] == {"amount": "124.75", "currency": "NOK"}
    assert caller.get(kept.headers["Location"]).json == asked
    assert kept.json["payment"]["request_id"] == asked["id"]
    assert caller.post(f"/v1/payments/{name}/apply", body).json["request"] == asked
    assert problem(caller.post(f"/v1/payments/{name}/apply", body | {"write_off": "1"}))[1] == "request-open"
    path = f"/v1/cash-requests/{asked['id']}"
    assert problem(caller.post(f"{path}/approve")) == (422, "four-eyes")
    assert open_amount(caller) == "124.75"
    second = colleague(caller)
    agreed = second.post(f"{path}/approve")
    assert (agreed.status_code, agreed.json["request"]["decided_by"]) == (200, "key:controller")
    assert (agreed.json["payment"]["state"], open_amount(caller)) == ("applied", "0.00")
    assert problem(second.post(f"{path}/approve")) == (409, "request-decided")
    assert problem(second.post(f"{path}/refuse")) == (409, "request-decided")
    assert caller.get("/v1/cash-requests?state=open").json == {"items": []}


def test_a_refused_request_does_nothing(caller: Caller, invoice: dict[str, Any]) -> None:
    caller = two_persons_above(caller, "100 NOK")
    name = waiting(caller)["payment_id"]
    asked = caller.post(f"/v1/payments/{name}/apply", {"on_account": "C-1"}).json["request"]
    said = colleague(caller).post(f"/v1/cash-requests/{asked['id']}/refuse").json
    assert (said["request"]["state"], said["payment"]["state"]) == ("refused", "unmatched")
    assert "request_id" not in said["payment"]


# --- a whole file --------------------------------------------------------------------------------
def test_a_file_is_taken_back_and_may_come_again(caller: Caller, invoice: dict[str, Any]) -> None:
    content = statement("1", "124.75", reference=invoice["reference"])
    sha256 = bank_file(caller, content).json["sha256"]
    gone = caller.post(f"/v1/bank-files/{sha256}/undo")
    assert (gone.status_code, gone.json["payments"], gone.json["allocations"]) == (200, 1, 1)
    assert open_amount(caller) == "124.75"
    assert problem(caller.post(f"/v1/bank-files/{sha256}/undo")) == (409, "statement-undone")
    again = bank_file(caller, content)
    assert (again.status_code, open_amount(caller)) == (201, "0.00")
    statement_id = again.json["items"][0]["statement_id"]
    gone = caller.post(f"/v1/statements/{statement_id}/undo")
    assert (gone.json["statements"], open_amount(caller)) == ([statement_id], "124.75")
    assert problem(caller.post("/v1/statements/stm_none/undo")) == (404, "statement")
    assert problem(caller.post("/v1/bank-files/abc/undo")) == (404, "file")


def test_a_person_may_override_balances_with_a_reason(caller: Caller) -> None:
    content = statement("1", "10.00", closing="1.00")
    refused = bank_file(caller, content)
    assert problem(refused) == (422, "balance")
    [fault] = refused.json["errors"]
    assert (fault["code"], fault["pointer"]) == ("balance", "/Stmt[1]")
    assert fault["line"] == 1
    path = "/v1/bank-files?override_balance=by+telephone"
    told = caller.post(path, raw=content, media="application/xml")
    assert told.status_code == 201, told.text
    assert "Overridden by a person." in told.json["items"][0]["warnings"][0]


def test_looking_writing_and_agreeing_have_scopes_of_their_own(
    caller: Caller, invoice: dict[str, Any]
) -> None:
    name = waiting(caller)["payment_id"]
    reader, approver = caller.with_scopes("bank:read"), caller.with_scopes("approvals:write")
    assert reader.get("/v1/match-queue").status_code == 200
    assert problem(reader.post(f"/v1/payments/{name}/undo")) == (403, "scope-missing")
    assert problem(reader.post("/v1/cash-requests/X/approve")) == (403, "scope-missing")
    assert problem(approver.post("/v1/cash-requests/X/approve")) == (404, "request")
