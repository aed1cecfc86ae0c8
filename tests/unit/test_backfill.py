"""Backfill and replay: a dry run shows what would change and changes nothing; the real one changes just that."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from connectors.base import Delivery as Raw
from connectors.base import Item, Page, Quarantined, Verified
from connectors.errors import TransientError
from hub import backfill, dry_run
from hub.app import Hub
from hub.mirror import inbox
from hub.mirror.database import Database
from hub.mirror.tables import METADATA
from hub.parts import World
from hub.settings import load_settings
from schema.backfill import Difference, Foreseen
from tests.builders import SHOP_CODE, approval, observed
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import taken
from tests.unit.test_app import ask
from tests.unit.test_settings import complete

SPAN = (START - timedelta(days=1), START)
BROKEN = Quarantined(reason="MISSING_FIELD", detail="GXSJ is missing", content=b"{}", entity="Approval", key="BAD")


@pytest.fixture(params=["sqlite", "postgresql"])
async def hub(request: pytest.FixtureRequest, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Hub]:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        async with server.fresh() as url, opened(url, clock) as made:
            yield made
        return
    async with opened(url, clock) as made:
        yield made


def opened(url: str, clock: SettableClock) -> Any:
    return Hub(load_settings(complete() | {"HUB_DATABASE_URL": url}), World(clock=clock)).opened()


def held(number: int, version: int, **fields: Any) -> Item:
    return observed(approval(approval_no=f"YW{number}", version=version, **fields))


def read_again(hub: Hub, *pages: list[Item] | Exception) -> None:
    """Let the approval system's list say this."""

    async def between(stream: str, start: object, end: object) -> AsyncIterator[Page]:
        assert (stream, start, end) == ("approvals", *SPAN)
        for at, items in enumerate(pages):
            await hub.database.write(lambda _: None)  # no transaction is open while the platform is asked
            if isinstance(items, Exception):
                raise items
            yield Page(items=tuple(items), cursor="", more=at + 1 < len(pages))

    hub.connectors["approval"].between = between  # type: ignore[method-assign]


async def everything(database: Database) -> dict[str, int]:
    """Return the number of rows of every table."""

    def count(connection: Connection) -> dict[str, int]:
        tables = METADATA.sorted_tables
        return {one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables}

    return await database.read(count)


def counts(difference: Difference | None) -> dict[str, int]:
    assert difference is not None
    return {each.outcome.value: each.number for each in difference.counts if each.number}


async def fill(hub: Hub, *, dry_run: bool) -> Difference | None:
    outcome, difference = await hub.operator.backfiller.backfill("approval", "approvals", *SPAN, "r", "lou", dry_run=dry_run)
    assert not outcome.refused, outcome.refused
    return difference


async def test_a_dry_run_shows_the_difference_and_changes_nothing_and_the_real_run_makes_just_that(hub: Hub) -> None:
    await hub.applier.apply("approval", "approvals", [held(1, 1), held(2, 1), held(3, 5), held(4, 1)])
    again = [held(1, 2), held(2, 1), held(3, 4), held(4, 1, applicant_name="别的名称"), BROKEN]
    read_again(hub, again, [held(5, 1)])
    before = await everything(hub.database)
    foreseen = await fill(hub, dry_run=True)
    assert await everything(hub.database) == before
    assert counts(foreseen) == {"NEW": 1, "NEWER": 1, "UNCHANGED": 1, "OLDER": 1, "CONFLICT": 1, "QUARANTINED": 1}
    assert foreseen is not None
    assert (foreseen.obligation_keys, foreseen.complete, foreseen.dry_run) == (["approval-verification:YW5"], True, True)
    newer = next(one for one in foreseen.records if one.outcome is Foreseen.NEWER)
    assert (newer.key, newer.held_version, newer.version) == ("YW1", 1, 2)
    assert foreseen.records[-1].outcome is Foreseen.UNCHANGED  # what changes nothing comes last
    made = await fill(hub, dry_run=False)
    assert (counts(made), made and made.obligation_keys) == (counts(foreseen), foreseen.obligation_keys)
    after = await everything(hub.database)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown.items() >= {"approval": 1, "obligation": 1, "quarantined_record": 2, "audit_entry": 1}.items()
    repeated = await fill(hub, dry_run=False)
    assert "NEW" not in counts(repeated)
    assert repeated is not None
    assert repeated.obligations == 0


async def test_a_dry_run_counts_over_all_pages_as_the_real_run_does(hub: Hub) -> None:
    await hub.applier.apply("approval", "approvals", [held(1, 1), held(2, 4)])
    read_again(hub, [held(1, 2), held(3, 1), held(2, 4)], [held(1, 3), held(3, 2), held(2, 3)], [held(1, 2), held(3, 2), BROKEN])
    foreseen, made = await fill(hub, dry_run=True), await fill(hub, dry_run=False)
    assert counts(foreseen) == {"NEW": 1, "NEWER": 3, "UNCHANGED": 2, "OLDER": 2, "QUARANTINED": 1}
    assert counts(made) == counts(foreseen)
    assert foreseen is not None
    seen = [(one.key, one.version, one.held_version) for one in foreseen.records if one.outcome in {Foreseen.NEW, Foreseen.NEWER}]
    assert seen == [("YW1", 2, 1), ("YW3", 1, None), ("YW1", 3, 2), ("YW3", 2, 1)]
    assert (foreseen.exact, foreseen.obligation_keys) == (True, ["approval-verification:YW3"])


async def test_the_lines_that_are_not_shown_are_seen_by_leaving_out_those_that_were(hub: Hub) -> None:
    await hub.applier.apply("approval", "approvals", [held(number, 1) for number in range(1000, 1030)])
    pages = [[held(number, 1) for number in range(start, start + 110)] for start in (1000, 1110)]
    read_again(hub, *pages)
    lines, owed = list[str](), list[str]()
    for skip in (0, 200, 400):
        _, found = await hub.operator.backfiller.backfill("approval", "approvals", *SPAN, "r", "lou", dry_run=True, skip=skip)
        assert found is not None
        assert (counts(found), found.obligations) == ({"NEW": 190, "UNCHANGED": 30}, 190)
        assert len(found.records) == min(200, max(0, 220 - skip))
        lines += [str(one.key) for one in found.records]
        owed += found.obligation_keys
    assert lines == [f"YW{number}" for number in (*range(1030, 1220), *range(1000, 1030))]
    assert sorted(owed) == [f"approval-verification:YW{number}" for number in range(1030, 1220)]


async def posted(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let there be two deliveries of the credit platform, each with six points of one subject; return their ids."""
    monkeypatch.setattr(hub.connectors["credit"], "parse", lambda raw: [observed(taken(int(raw.body), "6"))])
    stored = []
    for number in (1, 2):
        raw = Raw(platform="credit", path="/", headers={}, body=b"%d" % number, received_at=START)
        stored.append(inbox.kept(raw, Verified(signature=f"{number}", covers_body=False), 0))
    await hub.database.write(inbox.store, hub.rows, stored)
    return [one.delivery_id for one in stored]


async def test_what_follows_from_two_deliveries_together_is_foreseen(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "AT_ONCE", 1)
    ids, dozen = await posted(hub, monkeypatch), f"comprehensive-deduction:{SHOP_CODE}:2019:1"
    asked: Any
    for asked in ((ids, None, None), ([], "credit", START)):
        outcome, found = await hub.operator.backfiller.foresee_replay(*asked)
        assert found is not None
        assert (outcome.done, outcome.refused, found.exact, counts(found)) == (tuple(ids), (), True, {"NEW": 2})
        assert dozen in found.obligation_keys

    monkeypatch.setattr(dry_run, "TOGETHER", 1)
    _, found = await hub.operator.backfiller.foresee_replay(ids, None, None)
    assert found is not None
    assert (found.exact, counts(found)) == (False, {"NEW": 2}), "each by itself: it says that obligations may be others"
    assert dozen not in found.obligation_keys


async def test_a_backfill_is_refused_where_it_cannot_be_and_says_why(hub: Hub) -> None:
    fill_up = hub.operator.backfiller.backfill

    async def refusal(platform: str, stream: str, start: Any = SPAN[0], end: Any = SPAN[1]) -> tuple[str, str]:
        outcome, difference = await fill_up(platform, stream, start, end, "r", "lou", dry_run=False)
        assert difference is None
        return type(outcome.refused[0]).__name__, outcome.refused[0].message

    assert (await refusal("taxes", "x"))[0] == "UnknownPlatform"
    assert (await refusal("grid", "tasks"))[0] == "UnknownStream"
    assert (await refusal("grid", "events", SPAN[1], SPAN[0]))[0] == "InvalidWindow"
    for platform, stream in (("credit", "changes"), ("enforcement", "key_subjects")):
        kind, message = await refusal(platform, stream)
        assert (kind, "resync" in message) == ("NotReadable", True)
    assert (await refusal("sms", "receipts"))[0] == "UnknownStream"
    await hub.levers.pause("approval", "r", "lou")
    assert (await refusal("approval", "approvals"))[0] == "PlatformIsPaused"
    await hub.levers.resume("approval", "r", "lou")
    read_again(hub, [held(1, 1)], TransientError("approval", "BUSY", "not now", 5.0))
    assert await refusal("approval", "approvals") == ("NotReadable", "approval: not now; applied so far: 1")


async def test_a_backfill_stops_behind_its_page_when_the_platform_is_paused_and_can_be_asked_for_again(hub: Hub) -> None:
    """The caller hears of it, with what it came to until then."""
    pages = [[held(1, 1), held(2, 1)], [held(3, 1)], [held(4, 1)]]

    async def pausing(stream: str, start: object, end: object) -> AsyncIterator[Page]:
        yield Page(items=tuple(pages[0]), cursor="", more=True)
        await hub.levers.pause("approval", "they move house", "lou")
        yield Page(items=tuple(pages[1]), cursor="", more=True)
        raise AssertionError("it is paused, and read on")

    for rehearsed, applied in ((True, 0), (False, 3)):
        hub.connectors["approval"].between = pausing  # type: ignore[method-assign]
        outcome, difference = await hub.operator.backfiller.backfill("approval", "approvals", *SPAN, "r", "wu", dry_run=rehearsed)
        (refused,) = outcome.refused
        assert (outcome.done, type(refused).__name__) == ((), "PlatformIsPaused")
        assert refused.message.startswith(f"approval was paused by lou while it was read; applied so far: {applied}. Resume it, ")
        assert difference is not None
        assert (counts(difference), difference.complete) == ({"NEW": 3}, False)
        assert (await everything(hub.database))["approval"] == applied
        await hub.levers.resume("approval", "they are there", "lou")
    read_again(hub, *pages)
    assert counts(await fill(hub, dry_run=False)) == {"NEW": 1, "UNCHANGED": 3}


async def test_a_record_that_cannot_be_applied_is_named_and_its_neighbours_go_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    derive = hub.operator.backfiller.rehearsal._derive

    def failing(connection: Connection, changes: Any, now: Any) -> None:
        if any(change.item.record.approval_no == "YW2" for change in changes):
            raise LookupError("nobody expected this")
        derive(connection, changes, now)

    monkeypatch.setattr(hub.operator.backfiller.rehearsal, "_derive", failing)
    read_again(hub, [held(1, 1), held(2, 1), held(3, 1)])
    for rehearsed in (True, False):
        assert counts(await fill(hub, dry_run=rehearsed)) == {"NEW": 2, "QUARANTINED": 1}
    assert (await everything(hub.database))["approval"] == 2


async def test_the_graph_shows_a_dry_run_and_wants_a_reason_for_the_real_one(hub: Hub) -> None:
    read_again(hub, [held(1, 1)])
    span = f'from: "{SPAN[0].isoformat()}", to: "{SPAN[1].isoformat()}"'
    asked = f"""mutation {{
        dry: backfill(input: {{platform: "approval", stream: "approvals", {span}, dryRun: true}}) {{
            difference {{ counts {{ outcome number }} records {{ key outcome }} obligationKeys dryRun complete }} }}
        real: backfill(input: {{platform: "approval", stream: "approvals", {span}}}) {{ userErrors {{ __typename }} }} }}"""
    found: Any = await ask(hub, asked)
    assert {"outcome": "NEW", "number": 1} in found["dry"]["difference"]["counts"]
    assert found["dry"]["difference"]["records"] == [{"key": "YW1", "outcome": "NEW"}]
    assert found["dry"]["difference"]["obligationKeys"] == ["approval-verification:YW1"]
    assert found["real"] == {"userErrors": [{"__typename": "ReasonMissing"}]}
    assert (await everything(hub.database))["approval"] == 0
