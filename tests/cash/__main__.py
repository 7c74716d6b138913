"""``python -m tests.cash FOLDER --seed N --payments P --items I``: the files, or with --score the score."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.cash.files import write
from tests.cash.score import measured


def main() -> None:
    """Writes the files; ``--score`` matches in memory instead and prints the table."""
    ask = argparse.ArgumentParser(prog="python -m tests.cash", description=__doc__)
    ask.add_argument("folder", type=Path, nargs="?", help="where the four files go")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--payments", type=int, default=10_000)
    ask.add_argument("--items", type=int, default=40_000)
    ask.add_argument("--score", action="store_true", help="match in memory and print what was right, by kind")
    said = ask.parse_args()
    if said.score or said.folder is None:
        score = measured(said.seed, said.payments, said.items)
        print(score.table())
        told = f"{score.right} of {score.due} matched, {score.wrong} wrong, {score.not_left} not left alone"
        print(f"seed {said.seed}: {told}")
    else:
        write(said.folder, said.seed, said.payments, said.items)


if __name__ == "__main__":
    main()
