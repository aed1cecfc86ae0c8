"""What became of a delivery, told to the vendor's engineer; and the record of refusals, which no flood fills."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.base import Quarantined
from hub.app import Hub
from hub.intake.refusals import OF_ADDRESS, Refusals
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.parts import World
from hub.settings import load_settings
from schema.delivery_trace import DeliveryTraces, RecordFate
from schema.entities import RefusedDelivery
from schema.identifiers import mask_phone
from tests.builders import PHONE, approval, observed
from tests.settable_clock import SettableClock
from tests.unit.test_app import ask
from tests.unit.test_settings import SECRET, complete

SAMPLE = json.loads((Path(__file__).parents[1] / "wire" / "approval" / "decided.json").read_text())


@pytest.fixture
async def hub(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Hub]:
    environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}"}
    made = Hub(load_settings(environment), World(clock=clock))
    async with made.opened():
        yield made


def body_of(message: str, **changes: str) -> bytes:
    notice = SAMPLE if "data" in SAMPLE else {"ywlx": "BJ", "sj": "2019-09-02 09:00:00", "data": SAMPLE}
    return json.dumps(notice | {"msgId": message, "data": notice["data"] | changes}, ensure_ascii=False).encode()


async def post(hub: Hub, body: bytes, secret: str = SECRET, nonce: str = "nonce-000001") -> int:
    """Post a callback as the approval system signs it; return the status."""
    timestamp = str(int(hub.world.clock().timestamp() * 1000))
    text = f"appKey=bihuan&body={hashlib.new('sm3', body).hexdigest()}&nonce={nonce}&path=/webhooks/approval&timestamp={timestamp}"
    headers = {
        "x-app-key": "bihuan",
        "x-timestamp": timestamp,
        "x-nonce": nonce,
        "x-sign": hmac.new(secret.encode(), text.encode(), "sm3").hexdigest(),
    }
    transport = httpx.ASGITransport(hub.web(), client=("10.1.2.3", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        return (await client.post("/webhooks/approval", content=body, headers=headers)).status_code


async def received(hub: Hub, *posted: tuple[bytes, str, str]) -> list[int]:
    async with hub.loops.running(intake=True, work=False):
        await asyncio.sleep(0)  # its loops begin
        answers = [await post(hub, *one) for one in posted]
    while await hub.applier.apply_deliveries():
        pass
    await hub.refusals.keep()
    return answers


def fates(known: DeliveryTraces) -> list[list[RecordFate]]:
    return [[each.fate for each in trace.records] for trace in known.traces]


async def test_a_delivery_is_traced_from_the_door_to_the_record(hub: Hub, clock: SettableClock) -> None:
    body = body_of("M-1")
    assert await received(hub, (body, f"{SECRET}-before", "nonce-000001")) == [200]
    clock.advance(60)
    assert await received(hub, (body, SECRET, "nonce-000002")) == [200]  # repeated, signed anew
    known = await hub.tracer.trace("M-1")
    (trace,) = known.traces
    assert (trace.remote, trace.secret_position, trace.delivery.repeats) == ("10.1.2.3", 1, 1)
    assert trace.delivery.repeated_at == clock()
    (record,) = trace.records
    assert (record.entity, record.fate) == ("Approval", RecordFate.APPLIED)
    assert await hub.tracer.trace(trace.delivery.delivery_id) == known
    shown: Any = await ask(
        hub,
        """{ deliveryTraces(id: "M-1") { traces { remote secretPosition delivery { state repeats }
                                                  records { entity key version fate } } refusals { code } } }""",
    )
    (traced,) = shown["deliveryTraces"]["traces"]
    assert traced["delivery"] == {"state": "APPLIED", "repeats": 1}
    assert traced["records"] == [{"entity": "Approval", "key": record.key, "version": record.version, "fate": "APPLIED"}]


async def test_it_shows_the_delivery_as_it_came_and_as_it_was_understood_without_anybody_s_numbers(hub: Hub) -> None:
    identity, phone = "330725198503120014", "13905790123"
    await received(hub, (body_of("M-1", FRZJHM=identity, LXDH=phone), SECRET, "nonce-000001"))
    shown: Any = await ask(hub, '{ deliveryTraces(id: "M-1") { traces { body records { key content } } } }')
    (trace,) = shown["deliveryTraces"]["traces"]
    (record,) = trace["records"]
    assert json.loads(trace["body"])["msgId"] == "M-1"
    assert json.loads(record["content"])["approval_no"] == record["key"]
    for text in (trace["body"], record["content"]):
        assert identity not in text
        assert phone not in text


async def test_what_came_before_or_too_late_or_otherwise_is_told_apart(hub: Hub, clock: SettableClock) -> None:
    await received(hub, (body_of("M-1", BBH="5"), SECRET, "nonce-000001"))
    clock.advance(60)
    again, older = body_of("M-2", BBH="5"), body_of("M-3", BBH="4")
    other, broken = body_of("M-4", BBH="5", SQRMC="别的名称"), body_of("M-5", BBH="6", GXSJ="yesterday")
    posted = [(body, SECRET, f"nonce-{at:06}") for at, body in enumerate((again, older, other, broken), 2)]
    assert await received(hub, *posted) == [200] * 4
    told = [(await hub.tracer.trace(f"M-{number}")).traces[0].records[0] for number in range(1, 6)]
    assert [each.fate for each in told] == [
        RecordFate.APPLIED,
        RecordFate.UNCHANGED,
        RecordFate.OUTDATED,
        RecordFate.CONFLICT,
        RecordFate.QUARANTINED,
    ]
    assert told[2].detail == "version 5 was there"
    assert "GXSJ" in (told[4].detail or "")


async def test_what_waits_or_whose_secret_is_gone_says_so(hub: Hub, tmp_path: Path, clock: SettableClock) -> None:
    async with hub.loops.running(intake=True, work=False):
        hub.applier.apply_deliveries = _nothing  # type: ignore[method-assign]
        await post(hub, body_of("M-1"), f"{SECRET}-before")
    assert fates(await hub.tracer.trace("M-1")) == [[RecordFate.PENDING]]
    environment = complete(HUB_APPROVAL_APP_SECRETS=SECRET) | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}"}
    later = Hub(load_settings(environment), World(clock=clock))
    async with later.opened():
        (trace,) = (await later.tracer.trace("M-1")).traces
    assert trace.secret_position is None


async def _nothing(limit: int = 0) -> int:
    return 0


async def test_a_refused_delivery_is_found_by_the_id_that_it_claimed_and_nothing_of_it_is_stored(
    hub: Hub, clock: SettableClock
) -> None:
    assert await received(hub, (body_of("M-9"), "another secret", "nonce-000001")) == [401]
    await received(hub, (body_of("M-9"), "another secret", "nonce-000002"))
    known = await hub.tracer.trace("M-9")
    (refusal,) = known.refusals
    assert (refusal.code, refusal.remote, refusal.times, known.traces) == ("BAD_SIGNATURE", "10.1.2.3", 2, [])
    clock.advance(40 * 86400)
    await received(hub, (body_of("M-10"), "another secret", "nonce-000003"))
    assert (await hub.tracer.trace("M-9")).refusals == []


async def test_a_text_in_a_body_finds_the_delivery_where_no_id_does(hub: Hub) -> None:
    await received(hub, (body_of("M-1", YWLSH="YW-TO-BE-FOUND"), SECRET, "nonce-000001"))
    assert (await hub.tracer.trace("YW-TO-BE-FOUND")).traces == []
    assert fates(await hub.tracer.trace("YW-TO-BE-FOUND", 10)) == [[RecordFate.APPLIED]]
    assert (await hub.tracer.trace("YW-NEVER-SENT", 10)).traces == []
    assert (await hub.tracer.trace("", 10)).traces == []


VIEW = """query($id: String!) { quarantineView(id: $id) {
    record { stream entity recordKey reason deliveryId } raw held heldVersion } }"""


async def quarantined(hub: Hub) -> list[str]:
    """Return the ids of what is in quarantine."""
    table = TABLES["QuarantinedRecord"]
    return await hub.database.read(lambda connection: list(connection.execute(select(table.c.quarantine_id)).scalars()))


async def viewed(hub: Hub, quarantine_id: str) -> Any:
    shown: Any = await ask(hub, VIEW, id=quarantine_id)
    return shown["quarantineView"]


async def test_a_record_that_a_poll_brought_is_shown_as_it_came_beside_the_good_version_that_is_held(hub: Hub) -> None:
    phone = "13905790123"
    good = approval(version=4)
    content = f'{{"YWLSH":"{good.approval_no}","LXDH":"{phone}","GXSJ":"yesterday"}}'.encode()
    bad = Quarantined(reason="BAD_VALUE", detail="GXSJ: no time", content=content, entity="Approval", key=good.approval_no)
    await hub.applier.apply("approval", "approvals", [observed(good), bad])
    (one,) = await quarantined(hub)
    view = await viewed(hub, one)
    assert view["record"] == {
        "stream": "approvals",
        "entity": "Approval",
        "recordKey": good.approval_no,
        "reason": "BAD_VALUE",
        "deliveryId": None,
    }
    assert json.loads(view["raw"]) == {"YWLSH": good.approval_no, "LXDH": mask_phone(phone), "GXSJ": "yesterday"}
    assert (json.loads(view["held"])["approval_no"], view["heldVersion"]) == (good.approval_no, 4)
    assert PHONE not in view["held"]


async def test_a_record_of_nothing_that_is_held_is_shown_alone_and_what_is_not_there_is_null(hub: Hub) -> None:
    content = '<?xml version="1.0" encoding="GBK"?><event><name>楼䶮</name></event>'.encode("gb18030")
    await hub.applier.apply("grid", "events", [Quarantined(reason="NOT_XML", detail="not well-formed", content=content)])
    (one,) = await quarantined(hub)
    view = await viewed(hub, one)
    assert "楼䶮" in view["raw"]
    assert (view["held"], view["heldVersion"]) == (None, None)
    for nobody in ("no-such-id", "a\0b"):
        assert await viewed(hub, nobody) is None


async def kept(database: Database, rows: Rows) -> list[RefusedDelivery]:
    def read(connection: Any) -> list[RefusedDelivery]:
        table = TABLES["RefusedDelivery"]
        reader = rows.reader(RefusedDelivery)
        return [reader(row) for row in connection.execute(table.select().order_by(table.c.refusal_id))]

    return await database.read(read)


async def test_a_flood_from_one_address_neither_fills_the_record_nor_pushes_others_out(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    refusals = Refusals(database, rows, clock, days=30, most=50)
    refusals.note("grid", "STALE", "10.0.0.9", "genuine", "its clock is wrong")
    await refusals.keep()
    for turn in range(6):
        for number in range(1000):
            refusals.note("grid", "BAD_SIGNATURE", "10.6.6.6", f"junk-{turn}-{number}", "no")
        clock.advance(2)
        await refusals.keep()
    found = await kept(database, rows)
    assert len(found) <= 50
    assert "genuine" in {one.message_id for one in found}
    together = [one for one in found if one.remote is None]
    assert sum(one.times for one in together) == 6 * (1000 - OF_ADDRESS)
    assert len(together) == 1


async def test_refusals_wait_for_the_database_and_are_counted_once(
    sqlite_database: Database, rows: Rows, clock: SettableClock
) -> None:

    refusals = Refusals(sqlite_database, rows, clock, days=30)
    refusals.note("grid", "STALE", "10.0.0.9", "one", "late")
    writing, sqlite_database.write = sqlite_database.write, _unavailable  # type: ignore[method-assign]
    with pytest.raises(DatabaseUnavailable):
        await refusals.keep()
    refusals.note("grid", "STALE", "10.0.0.9", "one", "later")
    sqlite_database.write = writing  # type: ignore[method-assign]
    await refusals.keep()
    await refusals.keep()
    (one,) = await kept(sqlite_database, rows)
    assert (one.times, one.detail) == (2, "later")


async def _unavailable(*_args: Any, **_named: Any) -> Any:
    raise DatabaseUnavailable("gone for a while")
