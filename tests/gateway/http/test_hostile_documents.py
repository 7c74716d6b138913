"""Every kind of hostile document at the door: a problem that names it, or a report."""

from __future__ import annotations

import pytest

from gateway.settings import Settings
from tests.formats.hostile import KINDS, made
from tests.gateway.http.conftest import Caller, problem


@pytest.mark.parametrize("kind", KINDS)
def test_the_door_refuses_or_judges(kind: str, caller: Caller) -> None:
    code = KINDS[kind]
    caller.app.config["MAX_CONTENT_LENGTH"] = Settings.model_fields["request_limit"].default
    answered = caller.post("/v1/validations", raw=made(kind), media="application/xml")
    if code is None:
        assert answered.status_code == 200
        assert answered.json["profile"]
    else:
        assert problem(answered) == (413 if code == "too-large" else 422, code)
