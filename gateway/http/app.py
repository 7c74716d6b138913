"""The WSGI application: the resources, the errors, the request log and the security headers.

``create_app`` is the only entry: a server is given ``create_app(open_house())``. Nothing is done at
request time that can be done here.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from apiflask import APIFlask
from flask import Response, g, request

from gateway.http import (
    bank,
    bulk,
    cash_requests,
    credit,
    customers,
    disputes,
    docs_page,
    dunning,
    fulfilment,
    health,
    invoices,
    jobs,
    open_items,
    orders,
    payments,
    products,
    promises,
    rates,
    receipts,
    reports,
    rule_changes,
    rules,
    validations,
    webhooks,
)
from gateway.http.operation import Door, describe, security_scheme
from gateway.http.problems import handle
from gateway.http.request_log import configure
from gateway.store.keys import KeyRing
from gateway.wiring import House

_RESOURCES = (
    orders.blueprint,
    bulk.blueprint,
    fulfilment.blueprint,
    customers.blueprint,
    credit.blueprint,
    products.blueprint,
    receipts.blueprint,
    invoices.blueprint,
    open_items.blueprint,
    disputes.blueprint,
    promises.blueprint,
    dunning.blueprint,
    bank.blueprint,
    payments.blueprint,
    cash_requests.blueprint,
    rates.blueprint,
    rules.blueprint,
    rule_changes.blueprint,
    reports.blueprint,
    validations.blueprint,
    webhooks.blueprint,
    jobs.blueprint,
    health.blueprint,
    docs_page.blueprint,
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_INTRODUCTION = (
    "Orders in, decisions, shipments, e-invoices, bank files and reports out. Amounts are decimal text; "
    "JSON numbers are read exactly, too. Errors are problem documents (RFC 9457) with a stable `code`."
)


def create_app(house: House) -> APIFlask:
    """The application on top of one installation."""
    configure(house.settings.log_level)
    app = APIFlask("gateway.http", title="o2c", version=health.VERSION, docs_path=None, json_errors=False)
    app.description = _INTRODUCTION
    app.servers = [{"url": "/"}]  # never the Host header of whoever asks first
    app.config["SECURITY_SCHEMES"] = {"key": security_scheme()}
    app.config["AUTO_404_RESPONSE"] = False
    app.config["MAX_CONTENT_LENGTH"] = house.settings.request_limit
    app.extensions["o2c"] = Door(house, KeyRing(house.database))
    app.before_request(_begin)
    app.after_request(_Log())
    app.wsgi_app = _Guarded(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a layer
    app.register_error_handler(Exception, handle)
    for resource in _RESOURCES:
        app.register_blueprint(resource)

    app.spec_processor(partial(describe, app))
    return app


def _begin() -> None:
    said = request.headers.get("X-Request-Id", "")
    g.request_id = said if _REQUEST_ID.match(said) else secrets.token_hex(8)
    g.company_id = g.actor = None
    g.began_at = time.perf_counter()


class _Log:
    """One line per request, after it."""

    def __init__(self) -> None:
        self._log = (
            structlog.get_logger().bind()
        )  # once: finding the processors again costs more than the line

    def __call__(self, response: Response) -> Response:
        told = g._get_current_object()  # a proxy pays on every look
        response.headers["X-Request-Id"] = told.request_id
        self._log.info(
            "request",
            request_id=told.request_id,
            company=told.company_id,
            actor=told.actor,
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - told.began_at) * 1000, 1),
        )
        return response


class _Guarded:
    """Adds the security headers that an answer does not set itself; as plain WSGI, for speed."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            said = {name for name, _ in headers}
            headers += [each for each in _HEADERS if each[0] not in said]
            return start_response(status, headers, *error)

        return self._app(environ, start)
