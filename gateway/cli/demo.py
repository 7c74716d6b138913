"""``o2c demo``: one company goes through the whole process before your eyes."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.answers import example


@click.command(epilog=example("o2c demo", "o2c demo --no-serve --folder demo-data"))
@click.option("--no-serve", is_flag=True, help="Run through the process and end; start no server.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its data goes. [default: a new temporary folder]",
)
@click.pass_context
def demo(context: click.Context, no_serve: bool, folder: Path | None) -> None:
    """Show one order from the door to the report, on data of its own."""
    from gateway.demo import run

    context.exit(run(serve=not no_serve, folder=folder))
