"""``o2c archive``: is the evidence whole?"""

from __future__ import annotations

import click

from gateway.cli.answers import Talk, answers_json, example, findings, following
from gateway.cli.office import at_desk, for_company


@click.group()
def archive() -> None:
    """The evidence: documents, journal and ledger."""


@archive.command(epilog=example("o2c archive verify", "o2c archive verify --json"))
@for_company
@answers_json
def verify(code: str | None, talk: Talk) -> None:
    """Prove every stored byte, journal row and ledger line anew, and every figure derived from them."""
    from gateway.stages import audit

    wrong = 0
    with at_desk(code) as (_house, desk):
        for checked in following("proving", audit.verify(desk)):
            wrong += len(checked.wrong)
            words = f"{checked.what}: {checked.records} proved" + "".join(f"\n  {w}" for w in checked.wrong)
            talk.say({"what": checked.what, "records": checked.records, "wrong": list(checked.wrong)}, words)
    if wrong:
        findings()
    talk.note("The evidence is whole.")
