"""How every verb answers: as text for people or as JSON lines, and with which exit code it ends.

0 good, 1 findings or a refusal, 2 usage, 3 our fault. Answers go to standard output, everything
else (refusals, progress) to standard error, so that a pipe carries answers only.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any, NoReturn

import click

from o2c.errors import O2CError, Refused

FINDINGS, OUR_FAULT, INTERRUPTED = 1, 3, 130
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_JSON = "o2c.json"  # in the click context: does the verb answer in JSON?
_SHOWN_FAULTS = 50


def example(*lines: str) -> str:
    """The last paragraph of a verb's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def plain(value: Any) -> Any:
    """What ``json`` cannot write by itself: decimals and days as text, dataclasses without what is absent."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    if is_dataclass(value):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: item for name, item in pairs if item is not None}
    return str(value)


def as_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Talk:
    """What a verb says on standard output."""

    in_json: bool

    def say(self, data: Any, text: str | None = None) -> None:
        """One answer: its data as one line of JSON, or its text (None: nothing to say to people)."""
        if self.in_json:
            click.echo(as_json(data))
        elif text is not None:
            click.echo(text)

    def note(self, text: str) -> None:
        """Words for people only."""
        if not self.in_json:
            click.echo(text)

    def table(self, rows: Sequence[Mapping[str, Any]], *columns: str, empty: str = "none") -> None:
        """Rows as JSON lines, or the named columns as a table."""
        if self.in_json:
            for row in rows:
                click.echo(as_json(row))
        elif not rows:
            click.echo(empty)
        else:
            cells = [list(columns), *([_cell(row.get(name)) for name in columns] for row in rows)]
            widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
            for line in cells:
                padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
                click.echo("  ".join(padded).rstrip())

    def problem(self, error: O2CError) -> None:
        """A refusal or fault on standard error: code, message, the fields, the next step."""
        if self.in_json:
            click.echo(as_json(problem_data(error)), err=True)
            return
        click.echo(f"{error.code}: {error.message}", err=True)
        if len(error.faults) > 1:
            for fault in error.faults[:_SHOWN_FAULTS]:
                click.echo(f"  {fault.pointer}: {fault.message}", err=True)
        if error.next_step:
            click.echo(f"  {error.next_step}", err=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    return str(plain(value)).replace("\n", " ") if not isinstance(value, str | int) else str(value)


def problem_data(error: O2CError) -> dict[str, Any]:
    """A refusal as data, always with the same keys."""
    faults = [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in error.faults]
    return {"code": error.code, "message": error.message, "next_step": error.next_step, "errors": faults}


def findings() -> NoReturn:
    """End with the exit code of findings; what was found is said already."""
    raise click.exceptions.Exit(FINDINGS)


def _choose(context: click.Context, _parameter: click.Parameter, value: bool) -> Talk:
    context.meta[_JSON] = value
    return Talk(value)


answers_json = click.option(
    "--json", "talk", is_flag=True, callback=_choose, help="Answer with one JSON object a line."
)


class Boundary(click.Group):
    """The outermost group: it knows which file is the home of a verb, and it is the only place where
    an error becomes an exit code."""

    def __init__(self, *args: Any, homes: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of the alphabet."""
        return sorted(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, from its file in this package."""
        if cmd_name not in self._homes:
            return None
        module = import_module(f"gateway.cli.{self._homes[cmd_name]}")
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next(command for command in found if command.name == cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; say what it raised in the house's words."""
        talk = Talk(False)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except O2CError as error:
            talk = Talk(ctx.meta.get(_JSON, False))
            talk.problem(error)
            ctx.exit(FINDINGS if isinstance(error, Refused) else OUR_FAULT)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"file: {place}{error.strerror or error}", err=True)
            ctx.exit(OUR_FAULT)
        except Exception as error:
            import traceback

            traceback.print_exc()
            click.echo(f"internal: {type(error).__name__}. This is our fault; please report it.", err=True)
            ctx.exit(OUR_FAULT)


@contextmanager
def progress(words: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while something long runs, on a terminal only; call it with the steps done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=total)
        yield lambda done: bar.advance(task, done)


def following(words: str, things: Iterable[Any], total: int | None = None) -> Iterator[Any]:
    """The things one by one, with a bar."""
    with progress(words, total) as advance:
        for thing in things:
            yield thing
            advance(1)
