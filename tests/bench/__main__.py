"""``python -m tests.bench NAME [--json]``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

NAMES = {
    "camt": "camt",
    "cash": "cash",
    "intake": "intake",
    "order-to-invoice": "order_to_invoice",
    "rules": "rules",
    "validate": "validate",
}


def main() -> int:
    """Run one bench; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("name", choices=sorted(NAMES))
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--payments", type=int, help="of the bench cash: what the bars are held on")
    parser.add_argument("--items", type=int, help="of the bench cash: what is open")
    asked = parser.parse_args()
    sizes = {name: size for name in ("payments", "items") if (size := getattr(asked, name)) is not None}
    if sizes and asked.name != "cash":
        parser.error("--payments and --items are for the bench cash")
    os.environ["O2C_LOG_LEVEL"] = "WARNING"  # a line a request would be part of the figure
    result = importlib.import_module(f"tests.bench.{NAMES[asked.name]}").run(**sizes)
    print(result.as_json() if asked.json else result.as_table())
    return 0 if all(bar["holds"] for bar in result.bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
