"""What dead processes had claimed is put back a few at a time, and in the order in which everybody locks."""

import asyncio

import pytest
from sqlalchemy import Connection, select
from structlog.typing import EventDict

from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.tables import TABLES
from hub.reconcile import worker
from hub.reconcile.rules import RULES
from hub.reconcile.settle import hold
from tests.builders import approval, observed
from tests.servers import someone_waits
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, City
from tests.unit.reconcile.worker_side import Office

OBLIGATION = TABLES["Obligation"]
RULE = next(rule for rule in RULES if rule.name == "approval-verification")


@pytest.fixture
def hub(city: City) -> Office:
    return Office(city.database, city.rows, city.clock, city.derivation)


async def test_however_much_is_lost_all_of_it_is_put_back_and_a_few_in_each_transaction(
    city: City, hub: Office, monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    monkeypatch.setattr(worker, "AT_ONCE", 3)
    await city.say(*(observed(approval(approval_no=f"YW{number}")) for number in range(8)))
    assert len(await hub.claim()) == 8
    city.clock.advance(91)
    await hub.worker.rescue()
    assert set((await city.lines()).values()) == {"DUE"}
    assert [each["lost"] for each in logged if each["event"] == "put back"] == [3, 3, 2]
    assert {(one.fence, one.attempts) for one in (await city.ledger()).values()} == {(2, 1)}


async def test_who_puts_back_waits_for_a_cause_before_it_holds_the_obligation(city: City, hub: Office) -> None:
    """Whoever applies a change holds the cause, then wants the obligation: the other way round both would wait for each other."""
    if not isinstance(database := city.database, PostgreSQLDatabase):
        pytest.skip("SQLite has one writer")
    await city.say(observed(approval()))
    await hub.claim()
    city.clock.advance(91)
    async with database.engine.begin() as applying:
        await applying.run_sync(_hold)
        rescuing = asyncio.create_task(hub.worker.rescue())
        await someone_waits(database)
        mine = select(OBLIGATION.c.state).where(OBLIGATION.c.key == APPROVAL_KEY).with_for_update(nowait=True)
        assert (await applying.execute(mine)).scalar() == "LEASED"
    await asyncio.wait_for(rescuing, 30)
    assert await city.lines() == {APPROVAL_KEY: "DUE"}


def _hold(connection: Connection) -> None:
    hold(connection, [(RULE, [APPROVAL_NO])])
