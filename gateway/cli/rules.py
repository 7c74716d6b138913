"""``o2c rules``: rule files from the first idea to their undoing.

The verbs lie in three files: what looks at a file alone, what people do about a change, and what
looks at decisions.
"""

from __future__ import annotations

import click

from gateway.cli import rule_changes, rule_decisions, rule_files


@click.group()
def rules() -> None:
    """Rule files: credit, stock, dunning, cash."""


for _home in (rule_files, rule_changes, rule_decisions):
    for _verb in _home.VERBS:
        rules.add_command(_verb)
