"""Applying: records, ledger and delivery change together or not at all; one that cannot be applied holds nobody up."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from sqlalchemy import Connection, select

from connectors.base import Delivery as RawDelivery
from connectors.base import Item, Quarantined, Verified
from hub.intake.apply import Applied, Applier
from hub.mirror import database as database_module
from hub.mirror import inbox
from hub.mirror.database import Database, DatabaseUnavailable, PostgreSQLDatabase, is_contended
from hub.mirror.records import Outcome, Upserted, get
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.tracing import OFF, Tracing
from schema.entities import Approval, Delivery, DeliveryState, QuarantinedRecord
from schema.entity import Observation
from tests.builders import approval, credit_profile, gone, observed, task
from tests.settable_clock import SettableClock
from tests.unit.intake.plain_platform import PlainPlatform, delivered

T = TypeVar("T")
BAD = Quarantined(reason="MISSING_FIELD", detail="SXBM is missing", content=b"{}", entity="Approval", key="YW9")


class Rules:
    """Stands for the rules: notes what it was asked about, writes something of its own, and fails on request."""

    def __init__(self) -> None:
        self.changes: list[Upserted] = []
        self.fails_on: set[str] = set()

    def __call__(self, connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        keys = {change.item.record.approval_no for change in changes if _is_approval(change)}  # type: ignore[union-attr]
        table = TABLES["KeySubject"]
        for key in sorted(keys):
            values = {"reason": "r", "since": "2019-09-02", "ref": key, "source": "s", "observed_at": 0, "version": 1}
            connection.execute(table.insert().values(code=f"derived-{uuid.uuid4()}-{key}", content_hash=b"", **values))
        if keys & self.fails_on:
            raise ArithmeticError(f"no rule for {sorted(keys & self.fails_on)}, ask 13905790001")
        assert now.tzinfo is not None
        self.changes += changes


def _is_approval(change: Upserted) -> bool:
    return isinstance(change.item, Observation) and isinstance(change.item.record, Approval)


class Desk:
    """An applier with rules, and how often it said that there is news."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock) -> None:
        self.database, self.rows, self.clock = database, rows, clock
        self.rules = Rules()
        self.news = 0
        self.platform = PlainPlatform(clock)
        self.applier = Applier(database, rows, {"approval": self.platform}, self.rules, clock=clock, after=self._after)

    def _after(self) -> None:
        self.news += 1

    async def keep(self, *bodies: str) -> None:
        """Keep deliveries; the signature is the body."""
        kept = [inbox.kept(delivered(body), Verified(signature=f"{at}-{body}"), 0) for at, body in enumerate(bodies)]
        await self.database.write(inbox.store, self.rows, kept)

    async def approvals(self) -> dict[str, int]:
        found = await self.database.read(get, self.rows, Approval, [f"YW{number}" for number in range(20)])
        return {key: record.version for key, record in sorted(found.items())}

    async def derived(self) -> int:
        return len(await self.database.read(lambda connection: connection.execute(select(TABLES["KeySubject"])).all()))

    async def deliveries(self) -> list[Delivery]:
        read, table = self.rows.reader(Delivery), TABLES["Delivery"]
        statement = select(*inbox.COLUMNS).order_by(table.c.sequence)
        return await self.database.read(lambda connection: [read(row) for row in connection.execute(statement)])

    async def states(self) -> list[DeliveryState]:
        return [delivery.state for delivery in await self.deliveries()]

    async def quarantined(self) -> list[QuarantinedRecord]:
        read, table = self.rows.reader(QuarantinedRecord), TABLES["QuarantinedRecord"]
        statement = select(*(table.c[name] for name in QuarantinedRecord.__struct_fields__)).order_by(table.c.record_key)
        return await self.database.read(lambda connection: [read(row) for row in connection.execute(statement)])


@pytest.fixture
def desk(database: Database, rows: Rows, clock: SettableClock) -> Desk:
    return Desk(database, rows, clock)


async def test_new_records_are_applied_and_the_rules_are_asked(desk: Desk) -> None:
    items: list[Item] = [observed(approval(approval_no="YW1")), observed(approval(approval_no="YW2"))]
    assert await desk.applier.apply("approval", "webhook", items) == Applied(2, 0)
    assert await desk.approvals() == {"YW1": 1, "YW2": 1}
    assert [change.outcome for change in desk.rules.changes] == [Outcome.APPLIED] * 2
    assert (await desk.derived(), desk.news) == (2, 1)


async def test_what_is_known_already_asks_no_rule_and_brings_no_news(desk: Desk) -> None:
    item = observed(approval(approval_no="YW1", version=2))
    await desk.applier.apply("approval", "webhook", [item])
    desk.rules.changes.clear()
    assert await desk.applier.apply("approval", "webhook", [item, observed(approval(approval_no="YW1"))]) == Applied(0, 0)
    assert (desk.rules.changes, desk.news) == ([], 1)


async def test_when_the_rules_fail_nothing_is_applied(desk: Desk) -> None:
    desk.rules.fails_on = {"YW2"}
    items: list[Item] = [observed(approval(approval_no="YW1")), observed(approval(approval_no="YW2")), BAD]
    with pytest.raises(ArithmeticError):
        await desk.applier.apply("approval", "webhook", items)
    assert (await desk.approvals(), await desk.derived(), await desk.quarantined(), desk.news) == ({}, 0, [], 0)


async def test_a_bad_record_is_quarantined_and_its_neighbours_go_on(desk: Desk) -> None:
    assert await desk.applier.apply("approval", "webhook", [BAD, observed(approval(approval_no="YW1"))]) == Applied(1, 1)
    assert await desk.approvals() == {"YW1": 1}
    (found,) = await desk.quarantined()
    assert (found.record_key, found.reason, found.stream, found.content) == ("YW9", "MISSING_FIELD", "webhook", b"{}")


async def test_a_good_version_releases_what_was_quarantined(desk: Desk) -> None:
    await desk.applier.apply("approval", "webhook", [BAD])
    desk.clock.advance(60)
    await desk.applier.apply("approval", "webhook", [observed(approval(approval_no="YW9"))])
    (found,) = await desk.quarantined()
    assert found.released_at == desk.clock()


async def test_other_content_under_one_version_is_quarantined_and_the_first_stays(desk: Desk) -> None:
    first, other = approval(approval_no="YW1", applicant_name="甲"), approval(approval_no="YW1", applicant_name="乙")
    assert await desk.applier.apply("approval", "webhook", [observed(first), observed(other)]) == Applied(1, 1)
    (found,) = await desk.quarantined()
    assert (found.reason, found.record_key) == ("VERSION_CONFLICT", "YW1")
    assert "乙" in found.content.decode()
    assert await desk.database.read(get, desk.rows, Approval, ["YW1"]) == {"YW1": first}


async def test_a_conflicting_content_names_no_subject(desk: Desk) -> None:
    other = credit_profile(name="别名")
    await desk.applier.apply("credit", "webhook", [observed(credit_profile()), observed(other)])
    table = TABLES["Subject"]
    names = await desk.database.read(lambda connection: connection.execute(select(table.c.name)).scalars().all())
    assert names == [credit_profile().name]


async def test_deletions_are_told_to_the_rules(desk: Desk) -> None:
    await desk.applier.apply("approval", "webhook", [observed(approval(approval_no="YW1"))])
    desk.rules.changes.clear()
    assert await desk.applier.apply("approval", "webhook", [gone(approval(approval_no="YW1"))]) == Applied(1, 0)
    assert [change.outcome for change in desk.rules.changes] == [Outcome.APPLIED]
    assert await desk.approvals() == {}


async def test_records_of_other_kinds_go_together(desk: Desk) -> None:
    assert await desk.applier.apply("approval", "webhook", [observed(approval()), observed(task())]) == Applied(2, 0)


async def test_kept_deliveries_are_applied_and_say_so(desk: Desk) -> None:
    await desk.keep("YW1:1,YW2:1", "YW1:2")
    assert await desk.applier.apply_deliveries() == 2
    assert await desk.approvals() == {"YW1": 2, "YW2": 1}
    assert await desk.states() == [DeliveryState.APPLIED] * 2
    assert [one.applied_at for one in await desk.deliveries()] == [desk.clock()] * 2
    assert await desk.applier.apply_deliveries() == 0
    assert desk.news == 1


async def test_no_more_than_the_limit_is_applied_at_once_the_first_ones_first(desk: Desk) -> None:
    await desk.keep(*(f"YW{number}:1" for number in range(5)))
    assert await desk.applier.apply_deliveries(limit=3) == 3
    assert await desk.approvals() == {"YW0": 1, "YW1": 1, "YW2": 1}


async def test_a_delivery_with_a_bad_record_is_applied_partly(desk: Desk) -> None:
    await desk.keep("YW1:1", "YW2:1")
    parse = desk.platform.parse
    desk.platform.parse = lambda raw: [*parse(raw), *([BAD] if raw.body == b"YW1:1" else [])]  # type: ignore[assignment, method-assign]
    await desk.applier.apply_deliveries()
    assert await desk.states() == [DeliveryState.PARTLY, DeliveryState.APPLIED]
    (found,) = await desk.quarantined()
    assert found.delivery_id == (await desk.deliveries())[0].delivery_id


async def test_one_poison_delivery_is_named_and_the_others_are_applied(desk: Desk) -> None:
    await desk.keep("YW1:1", "poison", "YW2:1")
    assert await desk.applier.apply_deliveries() == 3
    assert await desk.approvals() == {"YW1": 1, "YW2": 1}
    assert await desk.states() == [DeliveryState.APPLIED, DeliveryState.FAILED, DeliveryState.APPLIED]
    failed = (await desk.deliveries())[1]
    assert failed.detail is not None
    assert failed.detail.startswith("LookupError: nobody expected")
    assert "13905790001" not in failed.detail
    assert (await desk.applier.apply_deliveries(), desk.news) == (0, 1)


async def test_a_delivery_that_a_rule_fails_on_is_named_and_the_others_are_applied(desk: Desk) -> None:
    desk.rules.fails_on = {"YW2"}
    await desk.keep("YW1:1", "YW2:1", "YW3:1")
    await desk.applier.apply_deliveries()
    assert await desk.approvals() == {"YW1": 1, "YW3": 1}
    assert await desk.derived() == 2
    assert await desk.states() == [DeliveryState.APPLIED, DeliveryState.FAILED, DeliveryState.APPLIED]


async def test_a_failed_delivery_that_is_put_back_is_applied_once_the_cause_is_mended(desk: Desk) -> None:
    desk.rules.fails_on = {"YW1"}
    await desk.keep("YW1:1")
    await desk.applier.apply_deliveries()
    desk.rules.fails_on = set()
    (failed,) = await desk.deliveries()
    await desk.database.write(inbox.put_back, [failed.delivery_id])
    await desk.applier.apply_deliveries()
    (applied,) = await desk.deliveries()
    assert (applied.state, applied.detail) == (DeliveryState.APPLIED, None)


async def test_when_no_delivery_of_several_can_be_applied_all_of_them_wait(desk: Desk) -> None:
    """Then it is not the deliveries: they were acknowledged, and nobody would send them again."""
    desk.rules.fails_on = {"YW1", "YW2"}
    await desk.keep("YW1:1", "YW2:1")
    with pytest.raises(ArithmeticError):
        await desk.applier.apply_deliveries()
    assert await desk.states() == [DeliveryState.STORED] * 2
    desk.rules.fails_on = set()
    assert await desk.applier.apply_deliveries() == 2
    assert await desk.states() == [DeliveryState.APPLIED] * 2


async def test_one_record_of_a_delivery_that_cannot_be_applied_is_named_and_its_neighbours_are_applied(desk: Desk) -> None:
    desk.rules.fails_on = {"YW2"}
    await desk.keep("YW1:1,YW2:1,YW3:1", "YW4:1")
    assert await desk.applier.apply_deliveries() == 2
    assert await desk.approvals() == {"YW1": 1, "YW3": 1, "YW4": 1}
    assert await desk.states() == [DeliveryState.PARTLY, DeliveryState.APPLIED]
    (found,) = await desk.quarantined()
    assert (found.record_key, found.reason, found.stream) == ("YW2", "NOT_APPLIED", "webhook")
    assert found.delivery_id == (await desk.deliveries())[0].delivery_id


async def test_a_delivery_that_another_process_has_applied_meanwhile_does_not_become_failed(desk: Desk) -> None:
    await desk.keep("YW1:1")
    (kept,) = await desk.deliveries()
    await desk.applier.apply_deliveries()
    await desk.database.write(inbox.fail, desk.rows, {kept.delivery_id: "too late"}, desk.clock())
    assert await desk.states() == [DeliveryState.APPLIED]
    assert await desk.database.read(inbox.failed) == {}


class Failing(Database):
    """Lets some writes through, then refuses some."""

    def __init__(self, inner: Database, *, lets: int, refuses: int) -> None:
        self.inner, self.lets, self.refuses = inner, lets, refuses

    async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self.lets -= 1
        if -self.refuses <= self.lets < 0:
            raise DatabaseUnavailable("locked")
        return await self.inner.write(work, *args, **kwargs)

    async def read(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.inner.read(work, *args, **kwargs)

    async def close(self) -> None:
        await self.inner.close()


@pytest.mark.parametrize("lets", [0, 1, 2])
async def test_a_database_that_goes_away_marks_no_delivery_as_failed(
    database: Database, rows: Rows, clock: SettableClock, lets: int
) -> None:
    """It is asked for the batch, then for the first one alone, then for the poison; and it is back at once."""
    desk = Desk(database, rows, clock)
    await desk.keep("YW1:1", "poison", "YW2:1")
    failing = Failing(database, lets=lets, refuses=1)
    applier = Applier(failing, rows, {"approval": desk.platform}, desk.rules, clock=clock, after=lambda: None)
    with pytest.raises(DatabaseUnavailable):
        await applier.apply_deliveries()
    assert DeliveryState.FAILED not in await desk.states()
    assert (await desk.states()).count(DeliveryState.STORED) == (2 if lets == 2 else 3)


class Traced(Tracing):
    """Traces that nobody reads."""

    on = True


@pytest.mark.parametrize("tracing", [OFF, Traced()], ids=["untraced", "traced"])
async def test_two_processes_that_apply_the_same_inbox_do_it_once_and_without_a_deadlock(
    postgresql_database: PostgreSQLDatabase,
    rows: Rows,
    clock: SettableClock,
    tracing: Tracing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met = list[BaseException]()

    def contended(error: BaseException) -> bool:
        met.extend([error] if is_contended(error) else [])
        return is_contended(error)

    monkeypatch.setattr(database_module, "is_contended", contended)
    desks = [Desk(postgresql_database, rows, clock) for _ in range(2)]
    for desk in desks:
        desk.applier._tracing = tracing
    ordered = [f"YW{number % 10}:{number // 10 + 1},YW{9 - number % 10}:{number // 10 + 1}" for number in range(60)]
    await desks[0].keep(*ordered)

    async def until_empty(desk: Desk) -> int:
        done = 0
        while await desk.database.read(inbox.waiting):
            done += await desk.applier.apply_deliveries(limit=7)
            await asyncio.sleep(0)
        return done

    assert sum(await asyncio.gather(*map(until_empty, desks))) == 60
    assert await desks[0].approvals() == {f"YW{number}": 6 for number in range(10)}
    assert await desks[0].states() == [DeliveryState.APPLIED] * 60
    assert met == []


class OtherPlatform(PlainPlatform):
    """As the plain one, with a name that comes before its."""

    platform: ClassVar[str] = "another"


async def test_what_holds_one_platform_up_holds_no_other(database: Database, rows: Rows, clock: SettableClock) -> None:
    """Its transactions are its own: here the database is away for the one, as under a lock, and there for the other."""
    desk, held_up = Desk(database, rows, clock), OtherPlatform(clock)
    connectors = {"another": held_up, "approval": desk.platform}
    applier = Applier(database, rows, connectors, desk.rules, clock=clock, after=lambda: None)
    raws = [delivered("YW1:1", "s1"), msgspec.structs.replace(delivered("YW2:1", "s2"), platform="another")]
    kept = [inbox.kept(raw, Verified(signature=raw.headers["x-signature"]), 0) for raw in raws]
    await database.write(inbox.store, rows, kept)

    def away(_raw: RawDelivery) -> list[Item]:
        raise DatabaseUnavailable("locked")

    parse, held_up.parse = held_up.parse, away  # type: ignore[assignment, method-assign]
    with pytest.raises(DatabaseUnavailable):
        await applier.apply_deliveries()
    assert await desk.approvals() == {"YW1": 1}
    held_up.parse = parse  # type: ignore[method-assign]
    assert await applier.apply_deliveries() == 1
    assert await desk.approvals() == {"YW1": 1, "YW2": 1}


async def test_deliveries_of_a_platform_that_is_not_bridged_wait_until_it_is(desk: Desk) -> None:
    await desk.keep("YW1:1")
    elsewhere = Applier(desk.database, desk.rows, {}, desk.rules, clock=desk.clock, after=lambda: None)
    assert await elsewhere.apply_deliveries() == 0
    assert await desk.states() == [DeliveryState.STORED]
    assert await desk.applier.apply_deliveries() == 1
