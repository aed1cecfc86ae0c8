"""Drift between a hub and its platforms in simulated time: what feed and webhooks both have skipped is found by digest."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, delete, select, update

from connectors.buckets import Buckets, Digest
from hub.mirror import drift
from hub.mirror.records import Upserted
from hub.mirror.tables import TABLES
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from mocks.people import make_uscc
from schema.declare import ENTITIES
from schema.entities import DriftFinding, DriftReport, DriftState
from schema.entity import Observation, key_of

BEGINS = datetime.fromisoformat("2019-09-02T09:00:00+08:00")
SETTINGS = {"APPROVAL_HISTORY_SINCE": "2019-08-01", "GRID_HISTORY_SINCE": "2019-08-01"}
QUERY = """{
  platforms { name drift { report_: reportId checked differing missingHere missingThere outdatedHere newerHere repaired waiting } }
  driftFindings(first: 20, orderBy: FOUND_AT_ASC) { edges { node {
    kind state recordKey ourVersion theirVersion ourCount theirCount ourDigest theirDigest bucket foundAt endedAt
    report { reportId } opsItem { kind } } } }
}"""


class Side(msgspec.Struct):
    """One kind of record, on its platform and here."""

    platform: str
    entity: str
    kind: str
    make: Callable[[Stage, random.Random], str]


def _subject(stage: Stage, rng: random.Random) -> str:
    code = make_uscc(rng)
    stage.platforms.credit.add_subject(code, "义乌市某公司")
    return code


def _record(stage: Stage, rng: random.Random) -> str:
    content = {
        "bizNo": f"other-{rng.randrange(10**12)}",
        "code": _subject(stage, rng),
        "category": "REGULATORY_POINTS",
        "points": "1.0",
        "itemCode": "WH-003",
        "itemName": "地址不符",
        "occurredAt": simulated_now().isoformat(),
        "department": "WGL",
        "region": "330782",
        "evidence": {"platform": "enforcement", "ref": "T1", "finding": "F1"},
        "causedBy": None,
    }
    return str(stage.platforms.credit.add_record(content)["recordId"])


SIDES = {
    "approval": Side("approval", "Approval", "record", lambda stage, rng: stage.platforms.approval.accept()),
    "subject": Side("credit", "CreditProfile", "subject", _subject),
    "record": Side("credit", "CreditRecord", "record", _record),
    "event": Side(
        "grid",
        "GridEvent",
        "event",
        lambda stage, rng: str(stage.platforms.grid.report(category="JT-03", title="x", town="佛堂镇")["no"]),
    ),
}


class Both:
    """A stage with records of two days on one side, as the hub has them too."""

    def __init__(self, stage: Stage, side: Side) -> None:
        self.stage, self.side, self.rng = stage, side, random.Random(5)
        self.table = TABLES[side.entity]
        self.key = self.table.c[ENTITIES[side.entity].key]
        self.keys: list[str] = []
        self.platform: Any = {one.name: one for one in stage.platforms}[side.platform]

    async def fill(self) -> None:
        for _ in range(2):
            self.keys += [self.side.make(self.stage, self.rng) for _ in range(6)]
            await self.stage.until(simulated_now() + timedelta(days=1))
            await self.read_on()
            await asyncio.sleep(900)  # the hub was at rest: it has seen them only now
        await self.read_on()

    async def away(self, away: bool = True) -> None:
        self.platform.faults = self.platform.faults.changed({"outage": away})

    async def read_on(self) -> None:
        assert await self.stage.hub.poller.read_on(self.side.platform, self.buckets.stream) is not None

    @property
    def buckets(self) -> Buckets:
        kinds = self.stage.hub.connectors[self.side.platform].digests
        return next(kind for kind in kinds if kind.entity == self.side.entity)

    async def compare(self) -> DriftReport:
        assert await self.stage.hub.drift.compare(self.side.platform, self.buckets)
        return await self.report()

    async def report(self) -> DriftReport:
        reports = await self.stage.hub.database.read(drift.reports, self.stage.hub.rows, self.side.platform)
        return next(one for one in reports if one.entity == self.side.entity)

    async def findings(self, state: DriftState) -> dict[str, DriftFinding]:
        found = await self.stage.hub.database.read(drift.in_state, self.stage.hub.rows, state, 100)
        return {one.record_key: one for one in found}

    async def here(self) -> dict[str, int]:
        statement = select(self.key, self.table.c.version).where(self.key.in_(self.keys))
        return await self.stage.hub.database.read(lambda connection: {row[0]: row[1] for row in connection.execute(statement)})

    async def set_version(self, key: str, version: int) -> None:
        await self._write(update(self.table).where(self.key == key).values(version=version))

    async def lose(self, key: str) -> None:
        await self._write(delete(self.table).where(self.key == key))

    async def _write(self, statement: Any) -> None:
        def work(connection: Connection) -> None:
            assert connection.execute(statement).rowcount == 1

        await self.stage.hub.database.write(work)

    def delete_there(self, key: str) -> None:
        """Take a record away as a fault of the platform does: nobody is told."""
        if self.side.platform == "credit":
            register = self.platform.register
            changed, register._changed = register._changed, lambda *_: None
            register.delete(self.side.kind, key)
            register._changed = changed
        else:
            self.platform.store.delete(self.side.kind, key)

    def versions_there(self) -> dict[str, int]:
        documents = self.platform.store.all(self.side.kind)
        return {key: int(documents[key].get("BBH") or documents[key].get("ver") or documents[key]["version"]) for key in documents}


def played(side: str, folder: Path, play: Callable[[Both], Awaitable[None]], **settings: str) -> None:
    async def work() -> None:
        async with staged(folder, 7, 21_600.0, **{**SETTINGS, "PLATFORMS": SIDES[side].platform, **settings}) as stage:
            both = Both(stage, SIDES[side])
            await both.fill()
            await play(both)

    in_simulated_time(work(), BEGINS)


@pytest.mark.parametrize("side", ["approval", "subject", "event"])
def test_digests_find_what_feed_and_webhooks_have_both_skipped_and_repair_it(side: str, tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        began = simulated_now()
        report = await both.compare()
        assert (report.differing, report.missing_here, report.failure) == (0, 0, None)
        assert report.checked == (256 if both.buckets.day_of is None else 35)
        assert (simulated_now() - began).total_seconds() >= (report.checked - 1) / (20 * 0.1), "it is paced"

        lost, outdated, deleted, newer, *_ = both.keys
        before = both.versions_there()
        await both.lose(lost)
        await both.set_version(outdated, 0)
        await both.set_version(newer, 99)
        both.delete_there(deleted)
        report = await both.compare()
        wanted = {key: version for key, version in before.items() if key in both.keys and key != deleted} | {newer: 99}
        assert await both.here() == wanted
        assert (report.missing_here, report.outdated_here, report.missing_there, report.newer_here) == (1, 1, 1, 1)
        assert (report.repaired, report.waiting, report.unexplained) == (3, 0, 0)
        assert report.differing >= 1
        assert set(await both.findings(DriftState.REPAIRED)) == {lost, outdated}
        assert set(await both.findings(DriftState.TOMBSTONED)) == {deleted}
        (standing,) = (await both.findings(DriftState.OPEN)).values()
        assert (standing.record_key, standing.our_version, standing.their_version) == (newer, 99, before[newer])
        assert standing.our_digest != standing.their_digest
        assert standing.our_count is not None
        status = {one.name: one for one in await both.stage.hub.operator.status()}[both.side.platform]
        assert (status.drift_open, status.drift_waiting) == (1, 0)

        seen = await both.stage.ask(QUERY)
        assert len(seen["driftFindings"]["edges"]) == 4
        (shown,) = [each["drift"] for each in seen["platforms"] if each["name"] == both.side.platform]
        assert [each["newerHere"] for each in shown if each["report_"] == report.report_id] == [1]

        await both.set_version(newer, before[newer])
        await asyncio.sleep(60)
        report = await both.compare()
        assert (report.differing, report.newer_here, report.repaired) == (0, 0, 0)
        assert await both.findings(DriftState.OPEN) == {}

    played(side, tmp_path, play)


async def never() -> None:
    await asyncio.Event().wait()


def asked(both: Both, at: int | None = None, happens: Callable[[], Awaitable[None]] = never) -> list[str]:
    """Return the buckets whose digests are asked for from now on; before question `at` something happens."""
    buckets, connector = list[str](), both.stage.hub.connectors[both.side.platform]
    digest = connector.digest

    async def counted(entity: str, bucket: str) -> Digest:
        if len(buckets) == at:
            await happens()
        buckets.append(bucket)
        return await digest(entity, bucket)

    connector.digest = counted  # type: ignore[method-assign]
    return buckets


@pytest.mark.parametrize("side", ["approval", "subject", "event"])
def test_a_comparison_that_broke_off_goes_on_where_it_was_and_forgets_nothing_that_it_found(side: str, tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        names = list(both.buckets.names(datetime.fromisoformat("2019-08-01").date(), simulated_now()))
        lost, deleted, newer, *_ = both.keys
        version = both.versions_there()[newer]
        both.delete_there(deleted)
        await both.set_version(newer, 99)
        broken = 246 if both.buckets.day_of is None else 34  # the place is kept every 31 buckets
        began, before = simulated_now(), asked(both, broken, both.away)
        assert not await both.stage.hub.drift.compare(both.side.platform, both.buckets)
        report = await both.report()
        assert report.failure is not None
        assert 0 < report.checked < len(names)
        done = set(names[: report.checked])
        assert deleted in await both.here(), "nothing is marked before the end"

        await both.lose(lost)  # seen only if its bucket is still to come
        await asyncio.sleep(3600)
        await both.away(False)
        after = asked(both)
        report = await both.compare()
        assert done.isdisjoint(after if both.buckets.day_of else after[: len(names) - len(done)]), "what was compared stays so"
        assert set(before[:broken]) | set(after) == set(names)
        assert (report.checked, report.started_at) == (len(names), began)
        assert (report.missing_there, report.newer_here, report.repaired) == (1, 1, report.missing_here + 1)
        assert report.differing >= 1
        assert set(await both.findings(DriftState.TOMBSTONED)) == {deleted}
        (standing,) = (await both.findings(DriftState.OPEN)).values()
        assert (standing.record_key, standing.our_version, standing.their_version) == (newer, 99, version)

        await asyncio.sleep(60)
        report = await both.compare()  # a new one sees all again
        assert report.started_at is not None
        assert report.started_at > began
        assert (report.checked, report.missing_there) == (len(names), 0)
        assert lost in await both.here()

    played(side, tmp_path, play)


def test_a_comparison_whose_process_died_goes_on_in_the_next_one(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        both.delete_there(both.keys[0])
        reached = asyncio.Event()

        async def reach() -> None:
            reached.set()
            await never()

        asked(both, 33, reach)  # of 35 days, and a second look at the one that differs
        comparing = asyncio.create_task(both.stage.hub.drift.compare("approval", both.buckets))
        await reached.wait()
        await both.stage.kill()
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)
        await both.stage.start()
        assert both.keys[0] in await both.here()
        after = asked(both)
        report = await both.compare()
        assert len(after) == 4, "what is behind the 31 days whose place was kept"
        assert (report.checked, report.missing_there, report.repaired) == (35, 1, 1)
        assert both.keys[0] not in await both.here()

    played("approval", tmp_path, play)


def test_of_two_that_compare_at_once_one_goes_on_and_the_other_says_nothing(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        compare = both.stage.hub.drift.compare
        first = asyncio.create_task(compare("approval", both.buckets))
        await asyncio.sleep(5)
        second = asyncio.create_task(compare("approval", both.buckets))
        began = simulated_now()
        assert [await first, await second] == [False, True]
        report = await both.report()
        assert (report.started_at, report.checked, report.failure) == (began, 35, None)

    played("approval", tmp_path, play)


def test_whoever_asks_for_a_comparison_now_gets_one_of_everything_as_it_is_now(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        asked(both, 33, both.away)
        assert not await both.stage.hub.drift.everything("approval")
        await both.away(False)
        await both.lose(both.keys[0])  # of a day that was compared before it broke off
        buckets = asked(both)
        assert await both.stage.hub.drift.everything("approval")
        assert both.keys[0] in await both.here()
        assert buckets[:4] == ["2019-08-04", "2019-08-03", "2019-08-02", "2019-08-01"]
        assert set(buckets[4:]) > set(buckets[:4])

    played("approval", tmp_path, play)


@pytest.mark.parametrize("side", ["approval", "subject"])
def test_what_changed_a_moment_ago_is_no_drift(side: str, tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        both.platform.faults = both.platform.faults.changed({"callbacks_off": True})
        await both.read_on()
        both.side.make(both.stage, both.rng)
        report = await both.compare()
        assert (report.missing_here, report.repaired, report.unexplained) == (0, 0, 0)

    played(side, tmp_path, play)


def test_a_record_that_came_too_late_for_feed_and_webhooks_is_found(tmp_path: Path) -> None:
    """Its GXSJ is an hour old when it is committed, far beyond the page's 120 s, and its callback is given up."""

    async def play(both: Both) -> None:
        record = dict(both.platform.record(both.keys[0]))
        old = f"{simulated_now() - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
        await both.read_on()
        both.platform.store.put("record", "YW-LATE", {**record, "YWLSH": "YW-LATE", "GXSJ": old})
        both.keys.append("YW-LATE")
        await asyncio.sleep(7200)
        await both.read_on()
        assert "YW-LATE" not in await both.here()
        assert (await both.compare()).missing_here == 1
        assert (await both.here())["YW-LATE"] == 1

    played("approval", tmp_path, play)


def test_many_that_are_gone_wait_for_an_operator_who_approves_in_the_graph(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        for key in both.keys[:3]:
            both.delete_there(key)
        report = await both.compare()
        assert (report.missing_there, report.waiting, len(await both.here())) == (3, 3, 12)
        status = {one.name: one for one in await both.stage.hub.operator.status()}[both.side.platform]
        assert status.drift_waiting == 3
        found = await both.stage.ask("{ opsItems(first: 9) { edges { node { itemId kind message after } } } }")
        (item,) = [each["node"] for each in found["opsItems"]["edges"] if each["node"]["kind"] == "tombstones"]
        assert msgspec.json.decode(item["after"]) == sorted(both.keys[:3])
        answer = await both.stage.ask(
            """mutation($input: ApproveTombstonesInput!) { approveTombstones(input: $input) {
                 userErrors { message } opsItem { resolvedBy resolution } } }""",
            input={"itemId": item["itemId"], "reason": "the register was cleaned"},
        )
        assert answer["approveTombstones"]["userErrors"] == []
        assert answer["approveTombstones"]["opsItem"]["resolution"] == "the register was cleaned"
        await asyncio.sleep(7200)  # the hub looks by itself
        assert len(await both.here()) == 9
        assert set(await both.findings(DriftState.TOMBSTONED)) == set(both.keys[:3])
        assert (await both.report()).waiting == 0

    played("approval", tmp_path, play, TOMBSTONES_UNASKED="2")


def test_a_record_that_is_shown_again_after_its_tombstone_comes_back(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        key = both.keys[0]
        document = both.platform.store.get("record", key)
        both.delete_there(key)
        await both.compare()
        assert key not in await both.here()
        both.platform.store.put("record", key, document)
        report = await both.compare()
        assert (report.missing_here, (await both.here())[key]) == (1, 1)

    played("approval", tmp_path, play)


def fails_on(both: Both, *keys: str) -> None:
    """Let the rules fail on these records."""
    derive = both.stage.hub.derivation

    def failing(connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        shown = [change.item.record for change in changes if isinstance(change.item, Observation)]
        if any(key_of(record) in keys for record in shown):
            raise ArithmeticError("no rule for it")
        derive(connection, changes, now)

    both.stage.hub.applier._derive = failing


def test_one_record_that_cannot_be_applied_holds_up_no_other(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        bad, good = both.keys[:2]
        fails_on(both, bad)
        await both.lose(bad)
        await both.lose(good)
        report = await both.compare()
        assert (report.missing_here, report.repaired, report.failure) == (2, 1, None)
        assert set(await both.findings(DriftState.OPEN)) == {bad}
        assert good in await both.here()
        quarantine = TABLES["QuarantinedRecord"]
        kept = await both.stage.hub.database.read(lambda connection: connection.execute(select(quarantine)).all())
        assert [(one.record_key, one.reason) for one in kept] == [(bad, "NOT_APPLIED")]

    played("approval", tmp_path, play)


def test_a_comparison_that_fails_in_the_hub_says_so_and_those_behind_it_are_made(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        hub, lost = both.stage.hub, both.keys[:3]
        fails_on(both, *lost)
        for key in lost:
            await both.lose(key)
        assert not await hub.drift.compare("approval", both.buckets)
        assert (await both.report()).failure == "UNEXPECTED: ArithmeticError; the log has it"
        await asyncio.sleep(3600)
        assert (await both.report()).failure is not None
        fails_on(both)
        await asyncio.sleep(7200)
        assert (await both.report()).failure is None
        assert set(lost) <= set(await both.here())

    played("approval", tmp_path, play, DRIFT_SECONDS="86400")


def test_comparisons_are_made_by_themselves_and_a_platform_that_is_down_is_compared_later(tmp_path: Path) -> None:
    async def play(both: Both) -> None:
        await asyncio.sleep(4000)
        assert (await both.report()).started_at is None, "it is known, and due a day later"
        await both.lose(both.keys[0])
        both.platform.faults = both.platform.faults.changed({"outage": True})
        await asyncio.sleep(86_400 * 2)
        failed = await both.report()
        assert failed.failure is not None
        both.platform.faults = both.platform.faults.changed({"outage": False})
        await asyncio.sleep(86_400)
        assert (await both.report()).failure is None
        assert both.keys[0] in await both.here()

    played("approval", tmp_path, play, DRIFT_SECONDS="86400")
