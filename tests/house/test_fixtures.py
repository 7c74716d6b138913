"""The shared fixtures themselves: fresh databases, a server that goes away, honest skips."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from tests.conftest import ROOT
from tests.postgres import find_programs, may_be_missing, running_cluster

seen: set[str] = set()


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_gets_an_empty_database_of_its_own(database_url: str, attempt: int) -> None:
    assert database_url not in seen
    seen.add(database_url)
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE leftover (n INTEGER)"))
    assert inspect(engine).get_table_names() == ["leftover"]  # connection stays open: the drop must cope


def test_postgres_keeps_its_promises_to_crash_tests(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        for promise in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute("SELECT current_setting(%s)", [promise]).fetchone()
            assert (promise, row) == (promise, ("on",))


def test_a_cluster_leaves_no_process_and_no_folder() -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip("stopping PostgreSQL is unchecked: no server programs found")
    with running_cluster(programs) as cluster:
        os.kill(cluster.pid, 0)  # it runs
    with pytest.raises(ProcessLookupError):
        os.kill(cluster.pid, 0)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=cluster.port, user="o2c", dbname="postgres")
    assert not cluster.folder.exists()


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        ({}, True),
        ({"CI": "false"}, True),
        ({"CI": "true"}, False),
        ({"CI": "1"}, False),
        ({"CI": "true", "O2C_ALLOW_NO_POSTGRES": "1"}, True),
    ],
)
def test_only_ci_insists_on_postgres(environ: dict[str, str], allowed: bool) -> None:
    assert may_be_missing(environ) is allowed


@pytest.mark.parametrize(
    ("environ", "outcome"),
    [
        ({"CI": ""}, "1 passed, 2 skipped"),
        ({"CI": "true"}, "1 passed, 1 skipped, 1 error"),
        ({"CI": "true", "O2C_ALLOW_NO_POSTGRES": "1"}, "1 passed, 2 skipped"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, environ: dict[str, str], outcome: str) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_database(database_url): assert database_url\ndef test_samples(shared): assert shared\n"
    )
    nowhere = {"O2C_POSTGRES_BIN": str(tmp_path / "none"), "O2C_SHARED": str(tmp_path / "no shared")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            "-rsE",
            "test_it.py",
        ],
        cwd=tmp_path,
        env=os.environ | {"O2C_ALLOW_NO_POSTGRES": "", "PYTHONPATH": str(ROOT)} | environ | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert "PostgreSQL is unchecked" in done.stdout
    assert f"no folder {tmp_path / 'no shared'} (O2C_SHARED)" in done.stdout
