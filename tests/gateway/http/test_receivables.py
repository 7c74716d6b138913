"""Disputes, promises, blocks and late charges through the door."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import jobs
from tests.gateway.http.conftest import COMPANY, Caller


@pytest.fixture
def number(caller: Caller) -> str:
    """An invoice of 124.75 NOK."""
    caller.given_goods()
    return str(caller.given_invoice()["number"])


def turn(caller: Caller, day: str) -> None:
    """The sandbox company's clock goes to a day, with the reminders of each day between."""
    from datetime import UTC, datetime, timedelta

    from gateway.store import companies

    house = caller.house
    target = datetime.fromisoformat(day).replace(tzinfo=UTC)
    while (now := house.desk(COMPANY).clock.now()) < target:
        following = datetime.combine(now.date() + timedelta(1), datetime.min.time(), UTC)
        house.database.write(lambda c, to=following: companies.turn_clock(c, COMPANY, to))
        house.forget(COMPANY)
        jobs.start_day(house)
        caller.work()


def test_a_dispute_is_opened_listed_and_answered(caller: Caller, number: str) -> None:
    body = {"reason": "price", "text": "agreed 45", "amount": {"amount": "20.00", "currency": "NOK"}}
    made = caller.post(f"/v1/invoices/{number}/disputes", body)
    assert made.status_code == 201, made.text
    one = made.json
    assert made.headers["Location"] == f"/v1/disputes/{one['id']}"
    assert (one["invoice"], one["amount"]["amount"], one["state"], one["late"]) == (
        number,
        "20.00",
        "open",
        False,
    )
    again = caller.post(f"/v1/invoices/{number}/disputes", body)
    assert (again.status_code, again.headers["Idempotent-Replayed"], again.json) == (200, "true", one)
    assert caller.get("/v1/disputes?state=open").json == {"items": [one]}
    answered = caller.post(
        f"/v1/disputes/{one['id']}/resolution", {"resolution": "rejected", "note": "as ordered"}
    )
    assert (answered.status_code, answered.json["state"]) == (200, "rejected")
    assert caller.get(f"/v1/disputes/{one['id']}").json == answered.json
    assert caller.get("/v1/disputes?state=open").json == {"items": []}
    twice = caller.post(f"/v1/disputes/{one['id']}/resolution", {"resolution": "accepted", "note": "well"})
    assert (twice.status_code, twice.json["code"]) == (409, "dispute-state")


def test_a_promise_is_made_listed_and_withdrawn(caller: Caller, number: str) -> None:
    made = caller.post(
        f"/v1/invoices/{number}/promises", {"promised_on": "2030-01-01", "note": "Ola by phone"}
    )
    assert made.status_code == 201, made.text
    one = made.json
    assert (one["invoices"], one["amount"]["amount"], one["state"]) == ([number], "124.75", "running")
    again = caller.post("/v1/promises", {"invoices": [number], "promised_on": "2030-01-01"})
    assert (again.status_code, again.json) == (200, one)
    other = caller.post("/v1/promises", {"invoices": [number], "promised_on": "2030-01-02"})
    assert (other.status_code, other.json["code"]) == (409, "promise-running")
    assert caller.get("/v1/promises?state=running").json == {"items": [one]}
    fallen = caller.post(f"/v1/promises/{one['id']}/withdrawal", {"reason": "cannot pay"})
    assert (fallen.status_code, fallen.json["state"]) == (200, "withdrawn")
    assert caller.get(f"/v1/promises/{one['id']}").json == fallen.json


def test_a_block_is_set_listed_and_lifted(caller: Caller, number: str) -> None:
    body = {"invoice": number, "reason": "in court", "until_on": "2030-01-01"}
    made = caller.post("/v1/dunning-blocks", body)
    assert made.status_code == 201, made.text
    one = made.json
    assert (one["invoice"], one["customer_id"], one["holds"]) == (number, "C-1", True)
    assert caller.post("/v1/dunning-blocks", body).status_code == 200
    assert caller.get("/v1/dunning-blocks").json == {"items": [one]}
    assert caller.get(f"/v1/dunning-blocks/{one['id']}").json == one
    lifted = caller.post(f"/v1/dunning-blocks/{one['id']}/lifting", {"reason": "over"})
    assert (lifted.status_code, lifted.json["holds"]) == (200, False)
    assert caller.post(f"/v1/dunning-blocks/{one['id']}/lifting", {"reason": "over"}).status_code == 409


def test_a_late_charge_is_shown_with_its_calculation_and_let_go(caller: Caller, number: str) -> None:
    due = caller.get(f"/v1/invoices/{number}").json["due_on"]
    turn(caller, due)
    assert caller.get("/v1/late-charges").json == {"items": []}
    turn(caller, "2026-04-20")
    fee, interest = caller.get(f"/v1/late-charges?invoice={number}").json["items"]
    assert (fee["kind"], fee["amount"], fee["cause"]) == (
        "fee",
        {"amount": "37.50", "currency": "NOK"},
        "claimed",
    )
    assert interest["words"].startswith("124.75 NOK at 12 % from 2026-04-")
    gone = caller.post(f"/v1/late-charges/{fee['id']}/waiver", {"reason": "goodwill"})
    assert gone.status_code == 201, gone.text
    assert (gone.json["amount"]["amount"], gone.json["cancels"], gone.json["cause"]) == (
        "-37.50",
        fee["id"],
        "waived",
    )
    assert caller.post(f"/v1/late-charges/{fee['id']}/waiver", {"reason": "again"}).status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/invoices/X/disputes", {"reason": "price"}, "invoice"),
        ("/v1/invoices/{}/disputes", {"reason": "mood"}, "request-invalid"),
        ("/v1/invoices/{}/disputes", {"reason": "price", "amount": {"amount": "1000", "currency": "NOK"}},
         "dispute-amount"),
        ("/v1/invoices/{}/disputes", {"reason": "price", "amount": {"amount": "0.001", "currency": "NOK"}},
         "request-invalid"),
        ("/v1/invoices/{}/disputes", {"reason": "price", "answer_by": "2020-01-01"}, "dispute-day"),
        ("/v1/invoices/{}/promises", {"promised_on": "2020-01-01"}, "promise-day"),
        ("/v1/invoices/{}/promises",
         {"promised_on": "2030-01-01", "amount": {"amount": "1", "currency": "EUR"}}, "promise-amount"),
        ("/v1/promises", {"invoices": [], "promised_on": "2030-01-01"}, "request-invalid"),
        ("/v1/promises", {"invoices": ["X"], "promised_on": "2030-01-01"}, "invoice"),
        ("/v1/dunning-blocks", {"reason": "x", "until_on": "2030-01-01"}, "block-subject"),
        ("/v1/dunning-blocks", {"reason": "x", "until_on": "2020-01-01", "customer_id": "C-1"}, "block-day"),
        ("/v1/dunning-blocks", {"reason": "x", "until_on": "2030-01-01", "customer_id": "C-9"}, "customer"),
        ("/v1/disputes/X/resolution", {"resolution": "rejected", "note": "x"}, "dispute"),
        ("/v1/promises/X/withdrawal", {"reason": "x"}, "promise"),
        ("/v1/dunning-blocks/X/lifting", {"reason": "x"}, "dunning-block"),
        ("/v1/late-charges/X/waiver", {"reason": "x"}, "late-charge"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_code(
    caller: Caller, number: str, path: str, body: dict[str, Any], code: str
) -> None:
    refused = caller.post(path.format(number), body)
    status = 404 if "/X/" in path else 422
    assert (refused.json["code"], refused.status_code) == (code, status), refused.text


def test_reading_and_writing_have_scopes_of_their_own(caller: Caller, number: str) -> None:
    reader, writer = caller.with_scopes("receivables:read"), caller.with_scopes("receivables:write")
    body = {"invoice": number, "reason": "x", "until_on": "2030-01-01"}
    assert reader.get("/v1/disputes").status_code == 200
    assert reader.post("/v1/dunning-blocks", body).status_code == 403
    assert writer.post("/v1/dunning-blocks", body).status_code == 201
    assert writer.get("/v1/dunning-blocks").status_code == 403
