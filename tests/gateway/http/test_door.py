"""Who is let in, what every answer carries, and what an error tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError
from structlog.testing import LogCapture

from gateway.clock import machine_time
from gateway.http.app import create_app
from gateway.http.operation import Door
from gateway.store import keys
from gateway.wiring import House
from o2c.errors import NotFound, Refused
from tests.gateway.http.conftest import COMPANY, SELLER, Caller, new_key, order, problem


def test_without_a_key_nobody_gets_in(caller: Caller) -> None:
    answered = caller.get("/v1/orders", headers={"Authorization": ""})
    assert problem(answered) == (401, "key-missing")
    assert answered.headers["WWW-Authenticate"] == 'Bearer realm="o2c"'


def test_a_wrong_key_does_not_open(caller: Caller) -> None:
    right = caller.key
    wrong = [
        right[:-1] + ("0" if right[-1] != "0" else "1"),
        right.replace(COMPANY, "NO_2"),
        "o2c_" + COMPANY,
        "o2c___",
        "x" + right,
        right + "é",
        "o2c_" + "x" * 100_000,
    ]
    for key in wrong:
        answered = caller.get("/v1/orders", headers={"Authorization": f"Bearer {key}"})
        assert problem(answered) == (401, "key-invalid"), key
    assert problem(caller.get("/v1/orders", headers={"Authorization": f"Basic {right}"})) == (
        401,
        "key-missing",
    )


def test_a_missing_scope_is_named(caller: Caller) -> None:
    reader = caller.with_scopes("orders:read")
    answered = reader.post("/v1/orders", order())
    assert problem(answered) == (403, "scope-missing")
    assert "orders:write" in answered.json["detail"]
    assert reader.get("/v1/orders").status_code == 200


def test_an_expired_key_does_not_open(caller: Caller, house: House) -> None:
    late = new_key(house, expires_at=machine_time() - timedelta(seconds=1))
    assert problem(Caller(caller.app, house, late).get("/v1/orders")) == (401, "key-invalid")


def test_a_revoked_key_does_not_open_once_its_memory_is_gone(caller: Caller, house: House) -> None:
    assert caller.get("/v1/orders").status_code == 200
    key_id = caller.key.split("_")[-2]
    house.database.write(lambda c: keys.revoke(c, COMPANY, key_id, machine_time()))
    assert caller.get("/v1/orders").status_code == 200  # remembered for MEMORY_SECONDS at most
    ring: Door = caller.app.extensions["o2c"]
    ring.keys.forget()
    assert problem(caller.get("/v1/orders")) == (401, "key-invalid")


def test_a_busy_caller_costs_no_statement(caller: Caller, house: House) -> None:
    ring: Door = caller.app.extensions["o2c"]
    first = ring.keys.open(caller.key)
    house.database.write(lambda c: keys.revoke(c, COMPANY, caller.key.split("_")[-2], machine_time()))
    assert ring.keys.open(caller.key) is first


def test_keys_are_listed_without_their_secret(caller: Caller, house: House) -> None:
    with house.database.read() as connection:
        [key] = keys.listed(connection, COMPANY)
    secret = caller.key.split("_")[-1]
    assert secret not in repr(key)
    assert (key.label, key.scopes) == ("webshop", frozenset(keys.SCOPES))


def test_only_scopes_that_exist_can_be_given(house: House) -> None:
    for scopes in ("orders:eat", ""):
        with pytest.raises(Refused) as refused, house.database.read() as connection:
            keys.create(connection, COMPANY, "x", scopes.split(), None, machine_time())
        assert refused.value.code == "scope"
    with pytest.raises(NotFound):
        house.database.write(lambda c: keys.revoke(c, COMPANY, "none", machine_time()))


def test_a_key_opens_its_own_company_only(caller: Caller, house: House) -> None:
    from gateway.store.companies import Company, Profile

    house.add_company(Company("NO_2", "Other AS", "NO", "NOK", Profile(SELLER)))
    caller.given_goods()
    made = caller.given_order()
    other = Caller(caller.app, house, new_key(house, company_id="NO_2"))
    assert problem(other.get(f"/v1/orders/{made['id']}")) == (404, "order")
    assert other.get("/v1/orders").json == {"items": []}


def test_what_is_not_there_is_a_problem_too(caller: Caller) -> None:
    for method, path, status, code in (
        ("GET", "/v2/orders", 404, "path"),
        ("GET", "/v1/orders/", 404, "path"),
        ("PATCH", "/v1/orders", 405, "method"),
        ("DELETE", "/health", 405, "method"),
        ("GET", "/docs/app.py", 404, "path"),
    ):
        answered = caller.send(method, path)
        assert problem(answered) == (status, code), path
        assert ("Allow" in answered.headers) == (status == 405)


def test_too_much_is_refused(caller: Caller) -> None:
    assert problem(caller.post("/v1/orders", raw=b" " * 6_000_001)) == (413, "too-large")
    big = b"<a>" + b"x" * 6_500_000 + b"</a>"
    assert problem(caller.post("/v1/validations", raw=big, media="application/xml")) == (413, "too-large")
    # Bank files have a limit of their own.
    assert problem(caller.post("/v1/bank-files", raw=big, media="application/xml"))[0] == 422
    bigger = big + b" " * 600_000
    assert problem(caller.post("/v1/bank-files", raw=bigger, media="application/xml")) == (413, "too-large")


def test_a_request_id_is_taken_or_made(caller: Caller) -> None:
    assert caller.get("/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    for bad in ("a b", "x" * 65, "<script>"):
        made = caller.get("/health", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad
        assert len(made) == 16


def test_every_answer_carries_the_security_headers(caller: Caller) -> None:
    for path in ("/health", "/v1/orders", "/nowhere"):
        headers = caller.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.configure(**before)


def test_the_log_tells_who_and_what_but_no_secret_and_no_body(lines: list[Any], house: House) -> None:
    caller = Caller(create_app(house), house, new_key(house))
    caller.given_goods()
    caller.post("/v1/orders", order("A-1", note="hush"))
    caller.get("/v1/orders?after=hush")
    told = json.dumps(lines, default=str)
    last = lines[-2]
    assert (last["event"], last["company"], last["actor"]) == ("request", COMPANY, "key:webshop")
    assert (last["method"], last["path"], last["status"]) == ("POST", "/v1/orders", 201)
    assert last["milliseconds"] > 0
    assert "hush" not in told
    assert caller.key not in told
    assert caller.key.split("_")[-1] not in told


class Exploding:
    """A database whose every use fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self) -> Any:
        """Fails."""
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret inside"), 500, "internal"),
        (OperationalError("secret inside", {}, Exception("secret inside")), 503, "database-unreachable"),
    ],
)
def test_our_own_faults_show_nothing_of_our_insides(
    lines: list[Any], house: House, error: Exception, status: int, code: str
) -> None:
    caller = Caller(create_app(house), house, new_key(house))
    caller.get("/v1/orders")
    whole, house.database = house.database, Exploding(error)  # type: ignore[assignment]
    try:
        answered = caller.get("/v1/orders")
    finally:
        house.database = whole
    assert problem(answered) == (status, code)
    assert "secret inside" not in answered.text
    assert ("Retry-After" in answered.headers) == (status == 503)
    assert any(line.get("request_id") == answered.json["request_id"] and "exc_info" in line for line in lines)


def test_health_needs_no_key_and_tells_which_rules_are_live(caller: Caller) -> None:
    answered = caller.anonymously("/health")
    assert answered.status_code == 200
    assert answered.json["status"] == "well"
    assert answered.json["version"]
    rules = {each["ruleset"]: each["status"] for each in answered.json["validation"]}
    assert rules["EN16931-UBL"] in ("live", "skipped")
    assert rules["XRechnung-UBL"] == "skipped"  # not in the wheel, and the cache is empty


def test_the_documentation_page_loads_nothing_from_afar(caller: Caller) -> None:
    page = caller.anonymously("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("<!doctype html>", "")
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"].split("style-src")[0]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        assert caller.anonymously(f"/docs/{name}").status_code == 200, name
        assert f"/docs/{name}" in page.text
