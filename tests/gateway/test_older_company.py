"""A company that is older than a policy works by our default file for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import wiring
from gateway.settings import Settings
from gateway.store import rulefiles
from gateway.store.companies import Company, Profile
from o2c.party import Address, Party
from rules.rulebook import default_content, load
from tests.rules.figures import neutral_facts


def test_differences_of_payments_are_decided_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = wiring.open_house(
        Settings(database_url=f"sqlite:///{tmp_path / 'o.sqlite'}", outbox_dir=tmp_path)
    )
    with monkeypatch.context() as before:
        before.setattr(wiring, "POLICIES", ("credit", "stock", "dunning"))
        house.add_company(Company("OLD", "Old AS", "NO", "NOK", Profile(Party("Old AS", Address("NO"))), ()))
    with house.database.read() as connection:
        known = {one.policy for one in rulefiles.history(connection, "OLD")}
    assert known == {"credit", "stock", "dunning"}
    desk = house.desk("OLD")
    decision = desk.decider.decide("cash", neutral_facts("cash", overpaid=True, difference=5))
    assert (decision.outcome, decision.rule, decision.alarm) == ("on_account", "K10/5", None)
    assert decision.rulebook_sha == load(default_content("cash"), name="cash").sha256
    house.close()
