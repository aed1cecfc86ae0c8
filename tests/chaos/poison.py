"""One poison record among 10,000: all others are applied, and that one is named. One cannot be read, one cannot be applied."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from hub.mirror.records import Upserted
from hub.mirror.tables import TABLES
from schema.entities import DeliveryState
from schema.entity import Observation, key_of
from tests.chaos.both_databases import on_both
from tests.chaos.door import Door, knock, open_door
from tests.chaos.shown import Form, Shown
from tests.e2e.signed import signed

COUNT = {Form.SHORT: 300, Form.FULL: 10_000}


def show(form: Form) -> Shown:
    """Run on both databases."""
    count = COUNT[form]

    async def test(folder: Path, settings: dict[str, str]) -> list[str]:
        async with open_door(folder, **settings) as door:
            return await _poisoned(door, count)

    losses = on_both(test)
    return Shown(
        f"2 poison records in {count:,}, SQLite and PostgreSQL",
        f"{count - 1:,} applied beside the one that cannot be applied, which is named; one that cannot be read is quarantined",
        losses,
    )


async def _poisoned(door: Door, count: int) -> list[str]:
    poison = count // 2
    code = f"RID-{poison:064x}"
    derive = door.hub.applier._derive

    def failing(connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        derive(connection, changes, now)
        if any(isinstance(one.item, Observation) and key_of(one.item.record) == code for one in changes):
            raise ZeroDivisionError("a rule that nobody thought through")

    door.hub.applier._derive = failing
    losses = []
    acknowledged, others = await knock(door, range(count))
    bad = await door.post(signed(door, "credit", b'{"type": "subject.updated", "data": {"code": "RID-0"}}', nonce="unreadable"))
    if others or not bad.is_success:
        losses.append(f"{len(others)} of {count} and {int(not bad.is_success)} unreadable were not acknowledged")
    await door.all_applied()
    found = await door.profiles()
    losses += [f"profile {number} was acknowledged and is not applied" for number in sorted(acknowledged - found - {poison})[:5]]
    if poison in found:
        losses.append("what a rule fails on was applied nevertheless")
    states = await door.states()
    wanted = {DeliveryState.APPLIED: count - 1, DeliveryState.FAILED: 1, DeliveryState.PARTLY: 1}
    if states != wanted:
        losses.append(f"deliveries are {states}, not {wanted}")
    named = await door.hub.database.read(_failed, door)
    if len(named) != 1 or "ZeroDivisionError" not in named[0]:
        losses.append(f"the poison is not named: {named}")
    answer = await door.client.post("/graphql", json={"query": "{ quarantinedRecords { edges { node { reason } } } }"})
    reasons = [edge["node"]["reason"] for edge in answer.json()["data"]["quarantinedRecords"]["edges"]]
    if len(reasons) != 1:
        losses.append(f"quarantined are {reasons}, not the one that cannot be read")
    return losses


def _failed(connection: Connection, door: Door) -> list[str]:
    table = TABLES["Delivery"]
    details = connection.execute(select(table.c.detail).where(table.c.state == "FAILED")).scalars()
    return [door.hub.rows.read("Delivery", "detail", detail) for detail in details]
