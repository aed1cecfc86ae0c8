"""The ledger: who may call, in which order, and whose word counts afterwards."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.util import await_only

from hub.mirror import lapsed, ledger
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.ledger import Completion
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import Attempt, AttemptOutcome, Obligation, ObligationState
from tests.builders import HOUR, obligation
from tests.servers import someone_waits
from tests.settable_clock import START, SettableClock

LEASE = timedelta(seconds=90)


def owed(number: int, **fields: object) -> Obligation:
    return obligation(**{"key": f"rule:{number}", "cause": f"C{number}", "due_at": START + number * HOUR} | fields)


async def write(database: Database, rows: Rows, *obligations: Obligation) -> None:
    await database.write(ledger.insert, rows, obligations)


async def claim(database: Database, rows: Rows, clock: SettableClock, limit: int = 10, platform: str = "enforcement") -> list[str]:
    return [one.key for one in await database.write(ledger.claim, rows, platform, limit, clock(), LEASE)]


async def held(database: Database, rows: Rows, key: str = "rule:1") -> Obligation:
    return (await database.read(ledger.by_keys, rows, [key]))[key]


async def attempts(database: Database, rows: Rows) -> list[Attempt]:
    table, read = TABLES["Attempt"], rows.reader(Attempt)
    statement = select(*(table.c[name] for name in Attempt.__struct_fields__)).order_by(table.c.number)
    return await database.read(lambda connection: [read(row) for row in connection.execute(statement)])


def accepted(one: Obligation, clock: SettableClock) -> Completion:
    return Completion(
        key=one.key,
        fence=one.fence,
        attempt_id=ledger.attempt_id(one),
        at=clock(),
        outcome=AttemptOutcome.ACCEPTED,
        state=ObligationState.SENT,
        next_at=clock() + 2 * LEASE,
        receipt="T0001",
    )


def failed(one: Obligation, clock: SettableClock) -> Completion:
    return Completion(
        key=one.key,
        fence=one.fence,
        attempt_id=ledger.attempt_id(one),
        at=clock(),
        outcome=AttemptOutcome.UNKNOWN,
        state=ObligationState.DUE,
        next_at=clock() + LEASE,
        detail="TIMEOUT: no answer, 13905790001",
        unknown_since=clock(),
        tries=1,
    )


def rescue(connection: Connection, rows: Rows, now: datetime) -> list[Obligation]:
    """Put back all that lapsed of what was claimed."""
    return lapsed.rescue(connection, rows, now, [one.key for one in lapsed.lapsed(connection, rows, now, 100)])


def reopen_unseen(connection: Connection, rows: Rows, now: datetime) -> list[Obligation]:
    """Put back all that was not seen in time."""
    return lapsed.reopen_unseen(connection, rows, now, [one.key for one in lapsed.lapsed(connection, rows, now, 100)])


async def test_an_obligation_exists_once_whoever_derives_it_again(database: Database, rows: Rows) -> None:
    await write(database, rows, owed(1))
    await write(database, rows, owed(1, cause="other"), owed(2))
    assert (await held(database, rows)).cause == "C1"
    assert (await database.read(ledger.backlog)) == {("enforcement", "DUE"): 2}


async def test_the_most_urgent_is_claimed_first_and_nothing_twice(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(3), owed(1), owed(2))
    assert await claim(database, rows, clock, limit=2) == ["rule:1", "rule:2"]
    assert await claim(database, rows, clock, limit=2) == ["rule:3"]
    assert await claim(database, rows, clock, limit=2) == []


async def test_only_what_is_due_now_and_for_the_platform_is_claimed(database: Database, rows: Rows, clock: SettableClock) -> None:
    waiting = owed(4, state=ObligationState.WAITING, needs="a route")
    await write(database, rows, owed(1, next_at=START + HOUR), owed(2, platform="credit"), waiting)
    assert await claim(database, rows, clock) == []
    assert await database.read(ledger.next_due_at, "enforcement") == int((START + HOUR).timestamp() * 1_000_000)
    clock.advance(3600)
    assert await claim(database, rows, clock) == ["rule:1"]
    assert await claim(database, rows, clock, platform="credit") == ["rule:2"]


async def test_the_attempt_is_written_before_the_call(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    assert one == await held(database, rows)
    assert (one.state, one.fence, one.attempts, one.lease_until) == (ObligationState.LEASED, 1, 1, clock() + LEASE)
    (attempt,) = await attempts(database, rows)
    assert (attempt.number, attempt.outcome, attempt.started_at) == (1, AttemptOutcome.RUNNING, clock())


async def test_a_chain_is_kept_in_order_and_blocks_nothing_else(database: Database, rows: Rows, clock: SettableClock) -> None:
    """The later link is the more urgent one, and waits all the same."""
    await write(database, rows, owed(9, chain="event"), owed(1, chain="event"), owed(5))
    assert await claim(database, rows, clock) == ["rule:5", "rule:9"]
    assert await claim(database, rows, clock) == []
    await database.write(lambda connection: ledger.change(connection, rows, "rule:9", state=ObligationState.STUCK))
    assert await claim(database, rows, clock) == [], "a stuck link is still open"
    await database.write(lambda connection: ledger.change(connection, rows, "rule:9", state=ObligationState.CLOSED))
    assert await claim(database, rows, clock) == ["rule:1"]


async def test_links_of_a_chain_are_numbered_as_they_come(database: Database, rows: Rows) -> None:
    await write(database, rows, owed(1, chain="a"), owed(2, chain="b"), owed(3, chain="a"))
    await write(database, rows, owed(4, chain="a"), owed(5))
    found = await database.read(ledger.by_keys, rows, [f"rule:{number}" for number in range(1, 6)])
    assert [found[f"rule:{number}"].sequence for number in range(1, 6)] == [1, 1, 2, 3, 0]


async def test_two_rules_that_add_to_a_chain_at_once_get_different_numbers(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    def first(connection: Connection) -> None:
        ledger.insert(connection, rows, [owed(1, chain="a")])
        begun.set()
        await_only(may_end.wait())

    async with asyncio.TaskGroup() as group:
        group.create_task(postgresql_database.write(first))
        await begun.wait()
        group.create_task(write(postgresql_database, rows, owed(2, chain="a")))
        await someone_waits(postgresql_database)
        may_end.set()
    assert (await held(postgresql_database, rows, "rule:2")).sequence == 2


async def test_two_claimers_at_once_share_the_work_and_do_not_wait_for_each_other(
    postgresql_database: PostgreSQLDatabase, rows: Rows, clock: SettableClock
) -> None:
    await write(postgresql_database, rows, *(owed(number) for number in range(1, 6)))
    begun, may_end = asyncio.Event(), asyncio.Event()

    def slow(connection: Connection) -> list[str]:
        taken = ledger.claim(connection, rows, "enforcement", 2, clock(), LEASE)
        begun.set()
        await_only(may_end.wait())
        return [one.key for one in taken]

    async with asyncio.TaskGroup() as group:
        first = group.create_task(postgresql_database.write(slow))
        await begun.wait()
        assert await claim(postgresql_database, rows, clock) == ["rule:3", "rule:4", "rule:5"]
        may_end.set()
    assert first.result() == ["rule:1", "rule:2"]


async def test_what_was_accepted_is_sent_and_says_so(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1, last_error="before", tries=3))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    clock.advance(1)
    assert await database.write(ledger.complete, rows, [accepted(one, clock)]) == ["rule:1"]
    sent = await held(database, rows)
    assert (sent.state, sent.receipt, sent.sent_at, sent.last_error, sent.tries) == (
        ObligationState.SENT,
        "T0001",
        clock(),
        None,
        0,
    )
    assert sent.lease_until is None
    (attempt,) = await attempts(database, rows)
    assert (attempt.outcome, attempt.ended_at) == (AttemptOutcome.ACCEPTED, clock())


async def test_what_failed_is_due_again_and_says_why(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    assert await database.write(ledger.complete, rows, [failed(one, clock)]) == ["rule:1"]
    due = await held(database, rows)
    assert (due.state, due.next_at, due.unknown_since, due.tries) == (ObligationState.DUE, clock() + LEASE, clock(), 1)
    assert due.last_error == "TIMEOUT: no answer, 13905790001"
    assert await claim(database, rows, clock) == []


async def test_a_completion_that_comes_after_the_rescue_changes_nothing(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    clock.advance(91)
    assert [each.key for each in await database.write(rescue, rows, clock())] == ["rule:1"]
    rescued = await held(database, rows)
    assert await database.write(ledger.complete, rows, [accepted(one, clock)]) == []
    assert await held(database, rows) == rescued
    (again,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    assert await database.write(ledger.complete, rows, [accepted(one, clock)]) == []
    assert await held(database, rows) == again
    assert await database.write(ledger.complete, rows, [accepted(again, clock)]) == ["rule:1"]


async def test_a_completion_counts_once(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    assert await database.write(ledger.complete, rows, [accepted(one, clock)]) == ["rule:1"]
    assert await database.write(ledger.complete, rows, [failed(one, clock)]) == []
    assert (await held(database, rows)).state is ObligationState.SENT


async def test_a_call_whose_process_died_may_have_been_made_until_its_lease_ended(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    clock.set(START + LEASE)
    assert await database.write(rescue, rows, clock()) == [], "the lease still stands"
    clock.advance(600)
    await database.write(rescue, rows, clock())
    rescued = await held(database, rows)
    assert (rescued.state, rescued.next_at, rescued.unknown_since) == (ObligationState.DUE, clock(), one.lease_until)
    (attempt,) = await attempts(database, rows)
    assert (attempt.outcome, attempt.ended_at) == (AttemptOutcome.UNKNOWN, clock())


async def test_an_earlier_unknown_call_is_not_forgotten_by_a_rescue(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1, unknown_since=START + 10 * HOUR))
    await claim(database, rows, clock)
    clock.advance(3600)
    await database.write(rescue, rows, clock())
    assert (await held(database, rows)).unknown_since == START + 10 * HOUR


async def test_a_renewed_lease_is_not_rescued_and_a_lost_one_not_renewed(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    await write(database, rows, owed(1), owed(2))
    first, second = await database.write(ledger.claim, rows, "enforcement", 2, clock(), LEASE)
    await database.write(ledger.renew, [(first.key, first.fence), (second.key, second.fence - 1)], clock() + 2 * LEASE)
    clock.advance(100)
    assert [one.key for one in await database.write(rescue, rows, clock())] == [second.key]
    await database.write(ledger.renew, [(second.key, second.fence)], clock() + 5 * LEASE)
    assert (await held(database, rows, second.key)).lease_until is None


async def test_what_was_accepted_but_not_seen_is_looked_up_again(database: Database, rows: Rows, clock: SettableClock) -> None:
    await write(database, rows, owed(1))
    (one,) = await database.write(ledger.claim, rows, "enforcement", 1, clock(), LEASE)
    sent_at = clock()
    await database.write(ledger.complete, rows, [accepted(one, clock)])
    clock.advance(179)
    assert await database.write(reopen_unseen, rows, clock()) == []
    clock.advance(1)
    assert [each.key for each in await database.write(reopen_unseen, rows, clock())] == ["rule:1"]
    due = await held(database, rows)
    assert (due.state, due.unknown_since, due.next_at) == (ObligationState.DUE, sent_at, clock())
    assert await claim(database, rows, clock) == ["rule:1"]


@pytest.mark.parametrize("lock", [False, True])
async def test_obligations_are_found_by_cause_in_the_order_of_their_chain(database: Database, rows: Rows, lock: bool) -> None:
    same = [owed(number, cause="E1", chain="E1") for number in (3, 1, 2)]
    await write(database, rows, *same, owed(7, rule="other-rule", cause="E1"), owed(8))
    found = await database.write(ledger.by_causes, rows, same[0].rule, ["E1", "E2"], lock=lock)
    assert {cause: [one.key for one in group] for cause, group in found.items()} == {"E1": ["rule:3", "rule:1", "rule:2"]}


async def test_causes_are_walked_in_pages(database: Database, rows: Rows) -> None:
    await write(
        database, rows, *(owed(number) for number in range(1, 6)), owed(6, cause="C1"), owed(7, state=ObligationState.CLOSED)
    )
    rule = owed(1).rule
    assert await database.read(ledger.causes_in, rule, ["DUE"], "", 3) == ["C1", "C2", "C3"]
    assert await database.read(ledger.causes_in, rule, ["DUE"], "C3", 3) == ["C4", "C5"]


async def test_who_waits_is_found_by_what_it_needs(database: Database, rows: Rows) -> None:
    waiting = [owed(number, state=ObligationState.WAITING, needs=f"need {number % 2}") for number in range(1, 5)]
    await write(database, rows, *waiting, owed(9, needs="need 1"))
    assert await database.read(ledger.causes_waiting_for, waiting[0].rule, ["need 1"]) == ["C1", "C3"]


async def test_open_obligations_are_named_the_earliest_due_first(database: Database, rows: Rows) -> None:
    await write(
        database, rows, owed(2), owed(1, state=ObligationState.WAITING, needs="a code"), owed(3, state=ObligationState.CLOSED)
    )
    found = await database.read(ledger.open_keys)
    assert list(found) == [("rule:1", "WAITING", "a code"), ("rule:2", "DUE", None)]
