"""Personal data in clear text: with the right, a reason and a trace; never by a query, never more than a caller may have."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from hub.graph.schema import HubSchema, build_schema
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.reveals import Reveals
from schema.context import Caller
from schema.declare import declared
from schema.entities import Approval, GridEvent, Obligation
from schema.global_id import global_id
from schema.row_limits import RowLimits
from tests.unit.graph.city import City
from tests.unit.graph.records import NOW, made

PHONE = "13857912345"
HOLDER = Caller("holder", frozenset({"graph:read", "graph:pii"}))
APPROVAL = global_id(declared(Approval), "A")
ASK = """mutation($id: ID!, $field: String!, $reason: String!) {
    revealPersonalData(input: {id: $id, field: $field, reason: $reason}) {
        value userErrors { __typename message ... on NotPersonal { known } ... on RevealedTooOften { limit } }
    }
}"""


@dataclass
class Desk:
    city: City

    async def reveal(self, caller: Caller = HOLDER, record: str = APPROVAL, field: str = "phone", reason: str = "call them") -> Any:
        given = await self.city.ask(ASK, {"id": record, "field": field, "reason": reason}, caller=caller)
        if given.errors:
            return (given.errors[0].extensions or {})["code"]
        assert given.data is not None
        found = given.data["revealPersonalData"]
        return found["value"] if not found["userErrors"] else found["userErrors"][0]["__typename"]

    async def noted(self) -> list[tuple[str, ...]]:
        names = ("actor", "action", "target_kind", "target", "reason", "outcome")

        def read(connection: Connection) -> list[tuple[str, ...]]:
            rows = connection.execute(select(*(TABLES["AuditEntry"].c[name] for name in names)))
            read = self.city.rows.read
            return [tuple(read("AuditEntry", name, kept) for name, kept in zip(names, row, strict=True)) for row in rows]

        return await self.city.database.read(read)


@pytest.fixture
async def desk(database: Database, rows: Rows) -> Desk:
    schema: HubSchema = build_schema()
    city = City(database, rows, schema)
    city.hub.revealer = Reveals(database, rows, lambda: city.hub.now, per_hour=3)
    await city.put(
        made(Approval, approval_no="A", phone=PHONE, address=f"Road 1, tel {PHONE}", department_code="D1"),
        made(GridEvent, event_no="G", reporter_phone=PHONE, department_code="D2"),
        made(Obligation, key="o", last_error=PHONE),
    )
    return Desk(city)


async def test_one_field_of_one_record_is_shown_and_that_it_was_is_noted_first(desk: Desk) -> None:
    assert await desk.reveal() == PHONE
    assert await desk.noted() == [("holder", "revealPersonalData", "Approval", "A", "call them", "phone shown")]
    assert await desk.reveal(field="address") == f"Road 1, tel {PHONE}"
    assert await desk.reveal(field="identityNo") is None
    assert len(await desk.noted()) == 2  # where there is nothing, nothing was shown


async def test_queries_go_on_to_mask_for_whoever_has_the_right(desk: Desk) -> None:
    await desk.reveal()
    given = await desk.city.ask('{ approval(approvalNo: "A") { phone address } }', caller=HOLDER)
    assert PHONE not in str(given.data)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"caller": Caller("reader", frozenset({"graph:read", "ops:read", "ops:act"}))}, "FORBIDDEN"),
        ({"caller": Caller(None, frozenset({"graph:read"}))}, "UNAUTHENTICATED"),
        ({"caller": Caller("x", frozenset({"graph:pii"}))}, "FORBIDDEN"),
        ({"record": global_id(declared(Obligation), "o"), "field": "lastError"}, "FORBIDDEN"),
        ({"record": "nonsense"}, "BAD_ID"),
        ({"record": global_id(declared(Approval), "B")}, "UnknownRecord"),
        ({"record": global_id(declared(Approval), "A\x00")}, "UnknownRecord"),
        ({"record": global_id(declared(GridEvent), "G"), "field": "reporterPhone"}, PHONE),
        ({"reason": " \n"}, "ReasonMissing"),
        ({"field": "region"}, "NotPersonal"),
        ({"field": "phone_join"}, "NotPersonal"),
        ({"field": "reporter_phone"}, "NotPersonal"),
    ],
)
async def test_what_is_asked_for_without_right_reason_or_sense_is_refused_and_leaves_no_trace(
    desk: Desk, how: dict[str, Any], told: str
) -> None:
    assert await desk.reveal(**how) == told
    assert len(await desk.noted()) == (told == PHONE)


async def test_rows_of_others_are_not_there(desk: Desk) -> None:
    limited = Caller("d", HOLDER.scopes, RowLimits(frozenset({"D1"})))
    assert await desk.reveal(caller=limited, record=global_id(declared(GridEvent), "G"), field="reporterPhone") == "UnknownRecord"
    assert await desk.reveal(caller=limited) == PHONE


async def test_a_caller_has_so_many_an_hour_however_many_are_asked_for_at_once(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.reveal() for _ in range(8)))
    assert sorted(found) == [PHONE] * 3 + ["RevealedTooOften"] * 5
    assert len(await desk.noted()) == 3
    assert await desk.reveal(caller=Caller("another", HOLDER.scopes)) == PHONE
    desk.city.hub.now = NOW + timedelta(hours=1, seconds=1)
    assert await desk.reveal() == PHONE


async def test_what_could_not_be_noted_is_not_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(PHONE)

    monkeypatch.setattr("hub.reveals.audit.note", broken)
    assert await desk.reveal() == "INTERNAL"
