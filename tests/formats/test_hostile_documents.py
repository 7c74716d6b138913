"""Every kind of hostile document through the command: a refusal or a verdict, in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.formats.hostile import KINDS, made

_SECONDS = 60
_MEMORY = 1_000  # MB at the highest
_MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-m", "gateway.cli", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_refuses_or_judges(kind: str, rules: Path, tmp_path: Path) -> None:
    file = tmp_path / "document.xml"
    file.write_bytes(made(kind))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, "validate", "--json", str(file)],
        env=os.environ | {"O2C_RULES_CACHE": str(rules)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    told = json.loads(done.stdout)
    rule = KINDS[kind]
    assert done.returncode in ((1,) if rule else (0, 1)), done.stderr
    if rule is None:
        assert told["profile"]
    else:
        assert [one["rule"] for one in told["findings"]] == [rule]
    assert int(done.stderr.split()[-1]) < _MEMORY
