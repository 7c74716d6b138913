"""The command line: one file per group of verbs, one way of answering for all.

Every verb takes ``--json`` (one object a line, stable keys) and ends with 0 good, 1 findings or a
refusal, 2 usage, 3 our fault. A verb's file is imported when the verb is called, and imports what is
heavy inside the verb, so that ``--help`` and ``validate`` start at once.
"""

from __future__ import annotations

import click

from gateway.cli.answers import HELP, Boundary

_VERBS = {
    "demo": "demo",
    "serve": "serve",
    "worker": "serve",
    "doctor": "doctor",
    "company": "company",
    "key": "key",
    "import": "imports",
    "orders": "order",
    "invoices": "invoices",
    "payments": "payments",
    "customers": "customer",
    "stock": "stock",
    "rates": "rates",
    "disputes": "disputes",
    "promises": "promises",
    "dunning": "dunning",
    "saft": "saft",
    "report": "report",
    "archive": "archive",
    "clock": "clock",
    "jobs": "job",
    "rulesets": "rulesets",
    "rules": "rules",
    "validate": "validate",
    "webhooks": "webhooks",
}


@click.group(cls=Boundary, homes=_VERBS, context_settings=HELP)
def main() -> None:
    """Order to cash: orders in, decisions, e-invoices and bank files, reports out."""
