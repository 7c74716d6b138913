"""The command line: one file per group of verbs, one way of answering for all.

Every verb takes ``--json`` (one object a line, stable keys) and ends with 0 good, 1 findings or a
refusal, 2 usage, 3 our fault. Nothing heavy is imported before a verb runs, so that ``--help`` and
``validate`` start at once; what a verb needs it imports itself.
"""

from __future__ import annotations

import click

from gateway.cli import (
    archive,
    clock,
    company,
    demo,
    doctor,
    imports,
    invoices,
    job,
    key,
    order,
    payments,
    rates,
    report,
    rules,
    rulesets,
    saft,
    serve,
    validate,
    webhooks,
)
from gateway.cli.answers import HELP, Boundary


@click.group(cls=Boundary, context_settings=HELP)
def main() -> None:
    """Order to cash: orders in, decisions, e-invoices and bank files, reports out."""


for _verb in (
    demo.demo,
    serve.serve,
    serve.worker,
    doctor.doctor,
    company.company,
    key.key,
    imports.imports,
    order.orders,
    invoices.invoices,
    payments.payments,
    invoices.customers,
    rates.rates,
    payments.dunning,
    saft.saft,
    report.report,
    archive.archive,
    clock.clock,
    job.jobs,
    rulesets.rulesets,
    rules.rules,
    validate.validate,
    webhooks.webhooks,
):
    main.add_command(_verb)
