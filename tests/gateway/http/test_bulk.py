"""Many orders in one request: each line stands or falls alone."""

from __future__ import annotations

import json
from typing import Any

from tests.gateway.http.conftest import Caller, order, problem

NDJSON = "application/x-ndjson"


def send(caller: Caller, *lines: Any) -> list[dict[str, Any]]:
    """The lines of the answer."""
    raw = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    answered = caller.post("/v1/orders/bulk", raw=raw, media=NDJSON)
    assert (answered.status_code, answered.content_type) == (200, NDJSON)
    return [json.loads(line) for line in answered.text.splitlines()]


def test_each_line_gets_its_own_answer_in_order(caller: Caller) -> None:
    caller.given_goods(pieces="1000")
    caller.given_order("B-0")
    told = send(
        caller,
        order("B-0"),
        order("B-1"),
        "{",
        "",
        order("B-2", currency="x"),
        order("B-1", note="changed"),
        order("B-3"),
        order("B-0", note="changed"),
    )
    assert [(line["index"], line["status"]) for line in told] == [
        (0, 200), (1, 201), (2, 400), (3, 422), (4, 409), (5, 201), (6, 409),
    ]  # fmt: skip
    assert told[1]["state"] == "approved"
    assert told[3]["problem"]["errors"][0]["pointer"] == "/currency"
    assert told[4]["problem"]["code"] == "order-changed"


def test_a_line_that_breaks_the_transaction_takes_no_other_with_it(caller: Caller) -> None:
    caller.given_goods(pieces="1000")
    huge = order("B-2")
    huge["lines"][0] |= {"net_price": "999999999999", "quantity": {"value": "999999999999", "unit": "C62"}}
    told = send(caller, order("B-1"), huge, order("B-3"))
    assert [line["status"] for line in told] == [201, 422, 201]
    assert told[1]["problem"]["code"] == "order-value"


def test_more_than_a_group_is_stored_whole(caller: Caller) -> None:
    caller.given_goods(pieces="1000")
    told = send(caller, *(order(f"B-{n}") for n in range(205)))
    assert {line["status"] for line in told} == {201}
    assert len({line["order_id"] for line in told}) == 205
    assert [line["index"] for line in told] == list(range(205))


def test_nothing_is_answered_with_nothing(caller: Caller) -> None:
    assert send(caller, "") == []


def test_a_line_that_is_too_long_ends_the_reading(caller: Caller) -> None:
    told = send(caller, '{"note": "' + "x" * 5_000_001 + '"}', order("B-1"))
    assert [(line["index"], line["problem"]["code"]) for line in told] == [(0, "too-large")]


def test_a_body_beyond_the_limit_is_not_read(caller: Caller) -> None:
    answered = caller.post("/v1/orders/bulk", raw=b"\n" * 6_000_001, media=NDJSON)
    assert problem(answered) == (413, "too-large")


def test_another_content_type_is_refused(caller: Caller) -> None:
    assert problem(caller.post("/v1/orders/bulk", raw="{}")) == (415, "media-type")


def test_open_items_are_taken_over_and_bad_lines_named(caller: Caller) -> None:
    caller.given_goods()
    item = {
        "kind": "invoice",
        "customer": "C-1",
        "issued": "2026-02-01",
        "due": "2026-03-01",
        "open": "100.00",
    }
    good = [item | {"number": f"RE-{place}", "currency": "NOK"} for place in range(3)]
    raw = "\n".join(map(json.dumps, [*good, good[0] | {"open": "1"}, item | {"site": 4}])) + "\n{\n\n"
    for created, known in ((3, 0), (0, 3)):
        answered = caller.post("/v1/open-items", raw=raw, media=NDJSON)
        *refused, counted = map(json.loads, answered.text.splitlines())
        assert [(one["line"], one["problem"]["code"]) for one in refused] == [
            (4, "item-changed"),
            (5, "item-invalid"),
            (6, "json"),
        ]
        assert counted == {"created": created, "known": known, "refused": 3, "unused": [], "unvalued": {}}
    account = caller.get("/v1/customers/C-1/account").json
    assert account["open_invoices"] == {"amount": "300.00", "currency": "NOK"}


def test_a_line_of_open_items_without_end_is_not_read(caller: Caller) -> None:
    answered = caller.post("/v1/open-items", raw="x" * 100_001, media=NDJSON)
    told, counted = map(json.loads, answered.text.splitlines())
    assert (told["line"], told["problem"]["code"], counted["refused"]) == (1, "too-large", 1)
