"""The ``./run`` script in a folder of its own, with blanks in its name and nothing but its lock.

The lock is empty here, so a real set-up takes seconds; what a full one costs is in ADR 0002.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.source import ROOT

STAND_IN = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), sys.path[0], sys.executable]))
sys.exit(7 if "fail" in sys.argv else 0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with only ``run``, an empty lock and a command that tells how it was called."""
    folder = tmp_path / "a folder with blanks"
    (folder / "gateway").mkdir(parents=True)
    (folder / "gateway/__init__.py").write_text("")
    (folder / "gateway/cli.py").write_text(STAND_IN)
    (folder / "requirements.lock").write_text("# nothing\n")
    shutil.copy(ROOT / "run", folder / "run")
    return folder


def borrow_venv(folder: Path) -> None:
    """Stands for a finished set-up: the Python that runs this test, stamped with the lock."""
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(folder / "requirements.lock", folder / ".venv/installed.lock")


def run(
    folder: Path, *args: str, cwd: Path | None = None, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(folder / "run"), *args],
        cwd=cwd or folder,
        env=environ | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with the tools ``run`` needs from the system, and these scripts instead of any Python."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for tool in ("sh", "dirname", "cat", "cmp", "grep", "mkdir", "rm", "sleep", "tail", "cp", "mv", "kill"):
        if found := shutil.which(tool):
            (bin_folder / tool).symlink_to(found)
    for name, script in scripts.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    return str(bin_folder)


def test_first_use_sets_up_and_the_second_starts_at_once(folder: Path) -> None:
    first = run(folder, "o2c", "--version")
    assert first.returncode == 0, first.stderr
    assert "run: setting up .venv with Python 3." in first.stderr
    assert first.stderr.endswith("run: ready\n")
    assert len(first.stderr.splitlines()) < 10
    second = run(folder, "o2c", "--version")
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.stdout
    assert not (folder / ".venv.lock").exists()


def test_a_changed_lock_or_a_broken_set_up_is_made_anew(folder: Path) -> None:
    borrow_venv(folder)
    (folder / ".venv/leftover").write_text("of an older lock")
    (folder / "requirements.lock").write_text("# nothing, but otherwise\n")
    done = run(folder, "o2c")
    assert done.returncode == 0, done.stderr
    assert "setting up" in done.stderr
    assert not (folder / ".venv/leftover").exists()
    assert (folder / ".venv/installed.lock").read_text() == "# nothing, but otherwise\n"


def test_a_set_up_that_was_killed_is_not_taken_for_a_finished_one(folder: Path) -> None:
    process = subprocess.Popen([folder / "run", "o2c"], stderr=subprocess.PIPE, text=True, process_group=0)
    assert process.stderr is not None
    assert "setting up" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert not (folder / ".venv/installed.lock").exists()
    started = time.monotonic()
    done = run(folder, "o2c")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("run: ready\n")
    assert time.monotonic() - started < 60  # the dead process's lock is not waited for


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        (["o2c", "orders", "list"], ["orders", "list"]),
        (["o2c", "import", "a file.json", "*", "$HOME", ""], ["import", "a file.json", "*", "$HOME", ""]),
        (["demo"], ["demo"]),
        (["demo", "--no-serve"], ["demo", "--no-serve"]),
    ],
)
def test_arguments_folder_and_imports_reach_the_command(
    folder: Path, tmp_path: Path, args: list[str], seen: list[str]
) -> None:
    borrow_venv(folder)
    (tmp_path / "gateway").mkdir()  # a folder of the caller's that must not be imported
    (tmp_path / "gateway/cli.py").write_text("raise SystemExit('the wrong gateway')")
    done = run(folder, *args, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    argv, cwd, first_on_path, _ = json.loads(done.stdout)
    assert (argv, cwd, first_on_path) == (seen, str(tmp_path), str(folder))


def test_the_commands_exit_code_is_ours(folder: Path) -> None:
    borrow_venv(folder)
    assert run(folder, "o2c", "fail").returncode == 7


def test_a_link_to_the_folder_works(folder: Path, tmp_path: Path) -> None:
    borrow_venv(folder)
    (tmp_path / "link").symlink_to(folder)
    assert run(tmp_path / "link", "o2c").returncode == 0


@pytest.mark.parametrize("args", [[], ["unknown"], ["--fast"]])
def test_anything_else_shows_the_usage(folder: Path, args: list[str]) -> None:
    done = run(folder, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ./run demo")
    assert not (folder / ".venv").exists()


def test_help_is_not_an_error(folder: Path) -> None:
    done = run(folder, "--help")
    assert done.returncode == 0
    assert "./run bench NAME" in done.stdout


def test_no_python_is_said_with_the_line_that_mends_it(folder: Path) -> None:
    done = run(folder, "o2c", path=programs(folder, python3="exit 1"))
    assert done.returncode == 3
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_no_venv_is_said_with_the_line_that_mends_it(folder: Path) -> None:
    # Debian ships Python without ensurepip: everything works but this import.
    script = f'case "$*" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    done = run(folder, "o2c", path=programs(folder, python3=script))
    assert done.returncode == 3
    assert "apt-get install python3-venv" in done.stderr
    assert not (folder / ".venv.lock").exists()


def test_no_compiler_is_said_with_the_line_that_mends_it(folder: Path) -> None:
    # A source package whose build fails as durable-rules does where there is no compiler.
    (folder / "package").mkdir()
    (folder / "package/setup.py").write_text("raise SystemExit('error: command cc failed: No such file')")
    (folder / "requirements.lock").write_text(f"broken @ {folder.as_uri()}/package\n")
    script = f'exec {sys.executable} "$@"'
    done = run(folder, "o2c", path=programs(folder, python3=script))
    assert done.returncode == 3
    assert "apt-get install build-essential python3-dev" in done.stderr
    assert not (folder / ".venv/installed.lock").exists()
