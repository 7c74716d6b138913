"""Fixtures every test may ask for: a fresh database of each kind, and the reference folder.

A test that needs something this machine lacks is skipped with the reason; in CI a missing
PostgreSQL is a failure, because half the product would go unchecked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, find_programs, may_be_missing, running_cluster

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A private PostgreSQL server of this test process."""
    programs = find_programs()
    if programs is None:
        _do_without_postgres()
    else:
        with running_cluster(programs) as cluster:
            yield cluster


def _do_without_postgres() -> None:
    reason = "PostgreSQL is unchecked: no server programs found (Debian: apt-get install postgresql)"
    if may_be_missing():
        pytest.skip(reason)
    pytest.fail(f"{reason}; O2C_ALLOW_NO_POSTGRES=1 lets CI go on without it", pytrace=False)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'o2c.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of official samples, schemas and rule files, which is no part of the repository."""
    folder = Path(os.environ.get("O2C_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(
            f"official samples, schemas and rule files are unchecked: no folder {folder} (O2C_SHARED)"
        )
    return folder
