"""Whose account it is: said by master data, learned from payments, and unlearned."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from gateway.store import customers, items, payers
from gateway.wiring import House
from o2c.matching import Known
from tests.store.shop import COMPANY, START, buyer

OURS, THEIRS = "NO9386011117947", "DE89370400440532013000"


def test_accounts_are_said_learned_and_forgotten(house: House) -> None:
    def unit(connection: Connection) -> None:
        def known(*ibans: str) -> list[tuple[str, str, int, bool]]:
            return sorted(payers.accounts(connection, COMPANY, ibans))

        who = replace(buyer("C-1", 100), ibans=("NO93 8601 1117 947",))
        customers.save(connection, COMPANY, who, START)
        assert known(OURS, THEIRS) == [(OURS, "C-1", 0, True)]
        payers.learn(connection, COMPANY, [(OURS, "C-1"), (THEIRS, "C-1"), (THEIRS, "C-2"), (THEIRS, "C-2")])
        assert known(OURS) == [(OURS, "C-1", 1, True)]
        assert known(THEIRS) == [(THEIRS, "C-1", 1, False), (THEIRS, "C-2", 2, False)]
        customers.save(connection, COMPANY, buyer("C-1", 100), START)
        assert known(OURS) == [(OURS, "C-1", 1, False)]
        payers.forget(connection, COMPANY, [(OURS, "C-1"), (THEIRS, "C-2")])
        assert known(OURS) == []
        assert known(THEIRS) == [(THEIRS, "C-1", 1, False), (THEIRS, "C-2", 1, False)]

    house.database.write(unit)


def test_customers_are_found_by_id_squeezed_id_and_name(house: House) -> None:
    with house.database.read() as connection:
        found = [
            payers.known(connection, COMPANY, ids=["C-1"]),
            payers.known(connection, COMPANY, keys=["C1"]),
            payers.known(connection, COMPANY, names=["fjordhotel"]),
        ]
        assert found == [[Known("C-1", "Fjord Hotel AS", "5013")]] * 3
        assert payers.known(connection, COMPANY, names=["nobody"]) == payers.known(connection, COMPANY) == []
        assert items.shapes(connection, COMPANY) == (["INV-#####"], ["C-#"])
