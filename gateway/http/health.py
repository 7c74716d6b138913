"""Is this installation well? For load balancers and people; needs no key and tells no secret."""

from __future__ import annotations

import threading
import time
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from formats import rulesets
from gateway.http.messages import answer
from gateway.http.operation import Answer, answers, door, public

blueprint = APIBlueprint("health", __name__, tag="Health")
_LOOK_AGAIN_SECONDS = 60.0


def _version() -> str:
    """The installed version, or that of the work tree this file stands in."""
    try:
        return version("o2c")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"])


VERSION = _version()


@dataclass(frozen=True, slots=True)
class RuleSetHealth:
    """A rule set of the validator: live with its release and where it came from, or skipped."""

    ruleset: str
    status: str
    release: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """``status`` is ``well`` or ``ill``."""

    status: str
    version: str
    database: str
    validation: list[RuleSetHealth]


class _RuleSets:
    """The rule files are hashed to be proved: not on every look of a load balancer."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[float, list[RuleSetHealth]]] = {}
        self._lock = threading.Lock()

    def look(self, cache: Path) -> list[RuleSetHealth]:
        with self._lock:
            until, known = self._found.get(cache, (0.0, []))
            if until < time.monotonic():
                known = [_health(name, found) for name, found in rulesets.live(cache).items()]
                self._found[cache] = (time.monotonic() + _LOOK_AGAIN_SECONDS, known)
            return known


def _health(name: str, found: rulesets.Installed | None) -> RuleSetHealth:
    if found is None:
        return RuleSetHealth(name, "skipped")
    return RuleSetHealth(name, "live", found.rules.release, found.origin)


_rule_sets = _RuleSets()


@blueprint.get("/health")
@public(
    {
        200: answers(Health, "Well."),
        503: Answer("The database does not answer.", {"application/json": Health}),
    }
)
def health() -> Response:
    """Health of the installation"""
    house = door().house
    try:
        with house.database.read() as connection:
            connection.execute(select(1))
        reachable = True
    except SQLAlchemyError:
        reachable = False
    found = Health(
        "well" if reachable else "ill",
        VERSION,
        "reachable" if reachable else "unreachable",
        _rule_sets.look(house.settings.rules_cache),
    )
    return answer(found, 200 if reachable else 503)
