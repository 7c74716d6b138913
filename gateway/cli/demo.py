"""``o2c demo``: three invented companies go through the whole process before your eyes."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.answers import example


@click.command(epilog=example("o2c demo", "o2c demo --no-serve --folder demo-data"))
@click.option("--no-serve", is_flag=True, help="Run through the process and end; start no server.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its data goes. [default: demo in the data folder]",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.pass_context
def demo(context: click.Context, no_serve: bool, folder: Path | None, port: int) -> None:
    """Three invented companies trade for three months: see one order from the door to the tax file."""
    from gateway.demo import run

    context.exit(run(serve=not no_serve, folder=folder, port=port))
