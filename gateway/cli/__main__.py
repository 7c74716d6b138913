"""``python -m gateway.cli``: the same as the installed ``o2c`` command."""

from __future__ import annotations

from gateway.cli import main

main(prog_name="o2c")
